"""Cutting a query into tokens: words, filters, phrases, parentheses, each with its place in the text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from app.models.query.errors import QueryError

MOST_CHARACTERS = 1_000
_NAME = re.compile(r"[A-Za-z_]+(?=:)")
_BARE = re.compile(r'[^\s()"]+')
_PHRASE = re.compile(r'"((?:[^"\\]|\\.)*)"(\*?)', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_SPACE = re.compile(r"\s*")


@dataclass(frozen=True)
class Token:
    """A piece of a query.

    `kind` is one of word, phrase, term, minus, open, close, or. `name` is a filter's; `quoted` says that the
    value stood between quotation marks, `prefix` that a phrase ended in a star.
    """

    kind: str
    text: str
    start: int
    end: int
    name: str = ""
    quoted: bool = False
    prefix: bool = False


def tokens(text: str) -> Iterator[Token]:
    """Cut a query. Raises QueryError for one too long, or a quotation mark that nothing closes."""
    if len(text) > MOST_CHARACTERS:
        raise QueryError(f"A query has at most {MOST_CHARACTERS:,} characters.", MOST_CHARACTERS, len(text))
    place = _after_space(text, 0)
    while place < len(text):
        token = _token(text, place)
        yield token
        place = _after_space(text, token.end)


def _after_space(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    assert found is not None
    return found.end()


def _token(text: str, start: int) -> Token:
    char = text[start]
    if char in "()":
        return Token("open" if char == "(" else "close", char, start, start + 1)
    if char == "-":
        return Token("minus", char, start, start + 1)
    if char == '"':
        value, end, prefix = _phrase(text, start)
        return Token("phrase", value, start, end, prefix=prefix)
    name = _NAME.match(text, start)
    # An address that stands among the words is no filter.
    if name is not None and not text.startswith("//", name.end() + 1):
        return _term(text, start, name.group().lower(), name.end() + 1)
    found = _BARE.match(text, start)
    assert found is not None
    kind = "or" if found.group() == "OR" else "word"
    return Token(kind, found.group(), start, found.end())


def _term(text: str, start: int, name: str, place: int) -> Token:
    if text.startswith('"', place):
        value, end, prefix = _phrase(text, place)
        return Token("term", value + "*" * prefix, start, end, name, quoted=True)
    found = _BARE.match(text, place)
    value = found.group() if found else ""
    return Token("term", value, start, place + len(value), name)


def _phrase(text: str, start: int) -> tuple[str, int, bool]:
    found = _PHRASE.match(text, start)
    if found is None:
        raise QueryError("This quotation mark is not closed.", start, len(text), f'{text.rstrip(chr(92))}"')
    return _ESCAPE.sub(r"\1", found.group(1)), found.end(), bool(found.group(2))
