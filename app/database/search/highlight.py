"""Which parts of a text a search found, as offsets: nothing here writes markup."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.database.search.match import Phrase
from app.database.search.words import Word, words


@dataclass(frozen=True)
class Piece:
    """A piece of a text, and whether it was looked for."""

    text: str
    marked: bool = False


def snippet(text: str, phrases: Sequence[Phrase], width: int) -> list[Piece] | None:
    """Return about `width` characters around the first place found, in pieces; None where there is none."""
    spans = _spans(text, phrases)
    if not spans:
        return None
    first = spans[0][0]
    begin = 0 if first < width // 2 else _word_start(text, first - width // 4)
    end = min(len(text), begin + width)
    pieces = [Piece("… ")] if begin else []
    pieces += _cut(text, spans, begin, end)
    return [*pieces, Piece(" …")] if end < len(text) else pieces


def _cut(text: str, spans: Sequence[tuple[int, int]], begin: int, end: int) -> Iterator[Piece]:
    at = begin
    for start, stop in spans:
        if start >= end:
            break
        if start > at:
            yield Piece(text[at:start])
        yield Piece(text[max(start, at) : min(stop, end)], marked=True)
        at = min(stop, end)
    if at < end:
        yield Piece(text[at:end])


def _spans(text: str, phrases: Sequence[Phrase]) -> list[tuple[int, int]]:
    """Return where the phrases stand, in order, those that touch or overlap as one."""
    found = list(words(text))
    spans = sorted(span for phrase in phrases for span in _places(found, phrase))
    merged: list[tuple[int, int]] = []
    for start, end in spans:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _places(found: Sequence[Word], phrase: Phrase) -> Iterator[tuple[int, int]]:
    length = len(phrase.words)
    for at in range(len(found) - length + 1):
        here = found[at : at + length]
        if all(map(_same, here[:-1], phrase.words)) and _same(here[-1], phrase.words[-1], phrase.prefix):
            # Of a pair of characters that only begins as asked, the beginning.
            end = here[-1].end
            if phrase.prefix and here[-1].end - here[-1].start == 2 and len(phrase.words[-1]) == 1:
                end = here[-1].start + 1
            yield here[0].start, end


def _same(word: Word, wanted: str, prefix: bool = False) -> bool:
    return word.text.startswith(wanted) if prefix else word.text == wanted


def _word_start(text: str, place: int) -> int:
    found = text.find(" ", place)
    return found + 1 if 0 <= found < place + 20 else place
