"""Reading a query: `a b` both, `a OR b` either, `-a` not, parentheses group; OR binds weaker than a space."""

from collections.abc import Callable
from difflib import get_close_matches

from app.database.search.words import words
from app.models.query.errors import QueryError
from app.models.query.query import Query
from app.models.query.terms import TERMS, Meant
from app.models.query.tokens import Token, tokens
from app.models.query.tree import All, Either, Node, Not, Term, Words

# More than anybody types; SQLite refuses expressions deeper than 1,000.
MOST_NESTED = 20
MOST_TERMS = 50


def parse(text: str) -> Query:
    """Read a query; an empty one finds everything. Raises QueryError with position and suggestion."""
    parser = _Parser(text)
    return Query(parser.whole())


class _Parser:
    """Descends once through the tokens of one text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(tokens(text))
        self._at = 0
        self._terms = 0

    def whole(self) -> Node | None:
        """Return the tree, or None where nothing is asked for."""
        if not self._tokens:
            return None
        found = self._either(0)
        rest = self._peek()
        if rest is not None:
            without = self._text[: rest.start] + self._text[rest.end :]
            raise self._error("Nothing opened this parenthesis.", rest, without)
        return found

    def _either(self, depth: int) -> Node:
        items = [self._all(depth)]
        while self._next_is("or"):
            self._at += 1
            items.append(self._all(depth))
        return _joined(Either, items)

    def _all(self, depth: int) -> Node:
        items: list[Node] = []
        while not (self._peek() is None or self._next_is("or", "close")):
            items.append(self._one(depth))
        if not items:
            raise self._nothing()
        return _joined(All, items)

    def _one(self, depth: int) -> Node:
        token = self._tokens[self._at]
        if depth > MOST_NESTED:
            raise self._error("This is nested too deeply.", token)
        if token.kind in ("minus", "open"):
            self._at += 1
            return self._not(token, depth) if token.kind == "minus" else self._group(token, depth)
        self._terms += 1
        if self._terms > MOST_TERMS:
            raise self._error(f"A query has at most {MOST_TERMS} terms.", token)
        self._at += 1
        return self._term(token) if token.kind == "term" else self._words(token)

    def _not(self, minus: Token, depth: int) -> Node:
        following = self._peek()
        if following is None or following.start != minus.end or following.kind in ("or", "close"):
            raise self._error("A minus stands directly before what it leaves out.", minus)
        item = self._one(depth + 1)
        return item.item if isinstance(item, Not) else Not(item)

    def _group(self, opened: Token, depth: int) -> Node:
        found = self._either(depth + 1)
        if not self._next_is("close"):
            raise self._error("This parenthesis is not closed.", opened, self._text.rstrip() + ")")
        self._at += 1
        return found

    def _term(self, token: Token) -> Node:
        known = TERMS.get(token.name)
        if known is None:
            raise self._unknown(token)
        if not token.text:
            example = known.values[0] if known.values else known.example
            raise self._error(f"{token.name}: needs a value.", token, self._put(token, example))
        try:
            return Term(token.name, known.read(token.text))
        except ValueError as error:
            meant = self._put(token, str(error)) if isinstance(error, Meant) else None
            raise self._error(known.wrong(token.name, token.text), token, meant) from None

    def _words(self, token: Token) -> Node:
        phrase = token.kind == "phrase"
        text = token.text if phrase else token.text.rstrip("*")
        prefix = token.prefix if phrase else text != token.text
        if not any(words(text)):
            raise self._error("There is no letter or digit to look for here.", token)
        return Words(text, phrase, prefix)

    def _unknown(self, token: Token) -> QueryError:
        near = get_close_matches(token.name, TERMS, n=1)
        sentence = f"There is no filter {token.name}:. To look for the words, put them in quotation marks."
        value = self._text[token.start + len(token.name) + 1 : token.end]
        meant = f"{near[0]}:{value}" if near else f'"{token.name}:{token.text}"'
        return self._error(sentence, token, self._text[: token.start] + meant + self._text[token.end :])

    def _nothing(self) -> QueryError:
        token = self._peek() or self._tokens[-1]
        if token.kind == "or":
            return self._error("OR stands between two things.", token, self._put_quoted(token))
        if token.kind == "close":
            return self._error("There is nothing between these parentheses.", token)
        return self._error("Something is missing here.", token)

    def _put(self, token: Token, value: str) -> str:
        return f"{self._text[: token.start]}{Term(token.name, value)}{self._text[token.end :]}"

    def _put_quoted(self, token: Token) -> str:
        return f'{self._text[: token.start]}"{token.text}"{self._text[token.end :]}'

    def _error(self, sentence: str, token: Token, suggestion: str | None = None) -> QueryError:
        return QueryError(sentence, token.start, token.end, suggestion and suggestion.strip())

    def _peek(self) -> Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _next_is(self, *kinds: str) -> bool:
        token = self._peek()
        return token is not None and token.kind in kinds


def _joined(make: Callable[[tuple[Node, ...]], All | Either], items: list[Node]) -> Node:
    flat: list[Node] = []
    for item in items:
        if isinstance(item, All | Either) and type(item) is make:
            flat.extend(item.items)
        else:
            flat.append(item)
    return flat[0] if len(flat) == 1 else make(tuple(flat))
