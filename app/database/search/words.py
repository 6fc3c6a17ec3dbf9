"""Cutting text into words, the same way for what is indexed, what is asked for and what is highlighted.

Both databases are given words that are cut and folded already, so a search finds the same on both. Letters
lose case and accents. Chinese, Japanese and Korean, written without spaces, become overlapping pairs of
characters (and the last one alone), of which any part of a text is a phrase.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

# Han with its extensions, kana, Hangul.
CJK = (
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
# Marks that belong to the letter before: accents, Hebrew and Arabic points, and the vowels of scripts of
# India and South-East Asia, which `\w` leaves out.
MARKS = (
    "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed"
    "\u0900-\u0963\u0966-\u0dff\u0e00-\u0eff\u0f71-\u0fbc\u1000-\u109f\u1780-\u17ff"
)
# Signs that say something by themselves, emoji above all.
SIGNS = "\u2190-\u21ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff"
_WORD = re.compile(f"[{CJK}]+|[{SIGNS}]|(?:(?![{CJK}_])[\\w{MARKS}])+")
_IS_CJK = re.compile(f"[{CJK}]")
# Taken off a word: accents, and the points that Hebrew and Arabic are mostly written without; the tatweel.
DROPPED = "\u0300-\u036f\u0591-\u05bd\u064b-\u065f\u0670\u0640"
_DROPPED = re.compile(f"[{DROPPED}]")
# tsvector refuses longer ones (2,046 bytes); nobody looks for them.
LONGEST = 100


@dataclass(frozen=True)
class Word:
    """A folded word and where it stands in the text."""

    text: str
    start: int
    end: int


def words(text: str) -> Iterator[Word]:
    """Cut a text into words; of writing without spaces, pairs of characters and the last one alone."""
    for found in _WORD.finditer(text):
        start, end = found.span()
        if _IS_CJK.match(text, start):
            yield from (Word(text[at : at + 2], at, min(at + 2, end)) for at in range(start, end - 1))
            yield Word(text[end - 1], end - 1, end)
        else:
            folded = fold(found.group())[:LONGEST]
            if folded:
                yield Word(folded, start, end)


def fold(word: str) -> str:
    """Return a word without case and accents."""
    if word.isascii():
        return word.lower()
    bare = _DROPPED.sub("", unicodedata.normalize("NFKD", word))
    return unicodedata.normalize("NFKC", bare).casefold()


def asked(text: str) -> tuple[tuple[str, ...], bool]:
    """Return the words that must follow each other to find a text, and whether the last one is a beginning.

    A single character of writing without spaces stands at the beginning of its pair.
    """
    found = list(words(text))
    # The last character alone is only there to be found by itself.
    if len(found) > 1 and found[-2].end == found[-1].end:
        found.pop()
    wanted = tuple(word.text for word in found)
    return wanted, bool(wanted) and len(wanted[-1]) == 1 and bool(_IS_CJK.match(wanted[-1]))
