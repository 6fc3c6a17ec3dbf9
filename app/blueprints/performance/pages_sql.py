"""Normalised SQL as people read it: on one short line, and set in lines with its words marked.

It reads what the fingerprints' normaliser wrote and guesses nothing: text that it does not know stays as it
is. No SQL that runs is ever made from these words.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

_TOKEN = re.compile(
    r"""
      (?P<name>"(?:[^"]|"")*"|`[^`]*`)
    | (?P<text>'(?:[^']|'')*')
    | (?P<bound>\?\d*|%\([^)]*\)s|%s|(?<!:):[A-Za-z_]\w*|\$\d+)
    | (?P<number>\d+(?:\.\d+)?)
    | (?P<word>[^\W\d][\w$]*)
    | (?P<space>\s+)
    | (?P<sign><=|>=|<>|!=|\|\||->>|->|::|.)
    """,
    re.VERBOSE | re.DOTALL,
)
# What begins a line, the longer one first; a clause reaches to the next that does not stand in brackets.
_KEYWORDS = """
    WITH RECURSIVE | WITH | SELECT DISTINCT | SELECT | INSERT OR IGNORE INTO | INSERT OR REPLACE INTO
    | INSERT INTO | UPDATE | DELETE FROM | SET | FROM | LEFT OUTER JOIN | LEFT JOIN | INNER JOIN | CROSS JOIN
    | JOIN | WHERE | GROUP BY | HAVING | ORDER BY | LIMIT | OFFSET | VALUES | ON CONFLICT | RETURNING
    | UNION ALL | UNION
"""
KEYWORDS = tuple(tuple(words.split()) for words in _KEYWORDS.split("|"))
_INNER_WORDS = """
    ALL AND ANY AS ASC BETWEEN BY CASE CAST COLLATE DESC DISTINCT DO ELSE END ESCAPE EXCEPT EXISTS FILTER
    FIRST FROM GLOB GROUP ILIKE IN INTERSECT IS JOIN LAST LIKE LIMIT MATCH NOT NOTHING NULL NULLS ON OR ORDER
    OVER SELECT SET THEN UNION UPDATE USING VALUES WHEN WHERE
"""
INNER_WORDS = frozenset(_INNER_WORDS.split())
LINE_LENGTH = 70
HANG = 7
SHORT_COLUMNS = 24
BRIEF_LENGTH = 400


class Token(NamedTuple):
    """A word or sign; `kind` is a group's name of the pattern above, `upper` is empty for what is no word."""

    kind: str
    text: str
    upper: str


class Clause(NamedTuple):
    """A clause: its keyword, empty for what stands before the first one, and its tokens."""

    keyword: str
    body: tuple[Token, ...]


class Piece(NamedTuple):
    """Text of one look: `keyword`, `bound`, or empty for plain."""

    kind: str
    text: str


def tokens(sql: str) -> list[Token]:
    """Split SQL; white space becomes single spaces."""
    found = []
    for match in _TOKEN.finditer(sql.strip()):
        kind, text = match.lastgroup or "sign", match[0]
        found.append(Token(kind, " " if kind == "space" else text, text.upper() if kind == "word" else ""))
    return found


def clauses(sql: str) -> list[Clause]:
    """Split a statement at the keywords that stand outside of brackets."""
    every = tokens(sql)
    marks: list[tuple[int, int, str]] = [(0, 0, "")]
    depth = at = 0
    while at < len(every):
        keyword, used = _keyword(every, at) if depth == 0 else ("", 0)
        if marks[-1][2] == "ON CONFLICT" and keyword in ("UPDATE", "SET", "WHERE"):
            keyword, used = "", 0  # a part of it: DO UPDATE SET … WHERE …
        if keyword:
            marks.append((at, at + used, keyword))
        depth += _bracket(every[at])
        at += used or 1
    ends = [start for start, _, _ in marks[1:]] + [len(every)]
    found = [
        Clause(keyword, _stripped(every[start:end]))
        for (_, start, keyword), end in zip(marks, ends, strict=True)
    ]
    return [clause for clause in found if clause.keyword or clause.body]


def _keyword(every: Sequence[Token], at: int) -> tuple[str, int]:
    """Return the clause that begins here and how many tokens its keyword takes; empty and 0 for none."""
    if every[at].kind != "word":
        return "", 0
    head = tuple(token.upper for token in every[at : at + 7 : 2])
    for words in KEYWORDS:
        if head[: len(words)] == words:
            return " ".join(words), 2 * len(words) - 1
    return "", 0


def _bracket(token: Token) -> int:
    return {"(": 1, ")": -1}.get(token.text, 0) if token.kind == "sign" else 0


def _stripped(body: Sequence[Token]) -> tuple[Token, ...]:
    start, stop = 0, len(body)
    while start < stop and body[start].kind == "space":
        start += 1
    while stop > start and body[stop - 1].kind == "space":
        stop -= 1
    return tuple(body[start:stop])


def split(body: Sequence[Token], parts: Callable[[Token], bool]) -> list[tuple[Token, ...]]:
    """Split where `parts` says so, outside of brackets; what parts begins the next piece."""
    found: list[list[Token]] = [[]]
    depth = 0
    for token in body:
        if depth == 0 and parts(token):
            found.append([])
        depth += _bracket(token)
        found[-1].append(token)
    return [_stripped(piece) for piece in found]


def listed(body: Sequence[Token]) -> list[tuple[Token, ...]]:
    """Split at commas; no piece keeps its comma."""
    pieces = split(body, lambda token: token.text == ",")
    return [pieces[0], *(_stripped(piece[1:]) for piece in pieces[1:])]


def conditions(body: Sequence[Token]) -> list[tuple[Token, ...]]:
    """Split at AND and OR, save the AND of BETWEEN; each piece but the first begins with its word."""
    between = False

    def parts(token: Token) -> bool:
        nonlocal between
        if token.upper == "BETWEEN":
            between = True
        elif token.upper == "AND" and between:
            between = False
        else:
            return token.upper in ("AND", "OR")
        return False

    return split(body, parts)


def text_of(body: Iterable[Token]) -> str:
    """Join tokens again, the words of SQL in capitals."""
    return "".join(token.upper if token.upper in INNER_WORDS else token.text for token in body)


def unqualified(body: Sequence[Token]) -> tuple[Token, ...]:
    """Leave `table.` away before columns."""
    kept: list[Token] = []
    for token in body:
        if token.text == "." and kept and kept[-1].kind in ("word", "name") and kept[-1].upper != "EXCLUDED":
            kept.pop()
        else:
            kept.append(token)
    return tuple(kept)


def first_name(body: Sequence[Token]) -> str:
    """Return the first name of a clause, without quotes; empty where it begins with something else."""
    if not body or body[0].kind not in ("word", "name"):
        return ""
    return body[0].text.strip('"`')


def brief(sql: str) -> str:
    """Write a statement on one line, without what all of its kind have: `SELECT feedback … WHERE id = ?`."""
    parts = [part._replace(body=unqualified(part.body)) for part in clauses(sql)]
    words = " ".join(filter(None, (_brief_clause(part, parts) for part in parts)))
    return words if len(words) <= BRIEF_LENGTH else words[:BRIEF_LENGTH] + "…"


def _plain(parts: Sequence[Clause]) -> list[Clause]:
    """Leave the table's name away before columns where only one table is meant."""
    if any(part.keyword.endswith("JOIN") or part.keyword.startswith("WITH") for part in parts):
        return list(parts)
    return [part._replace(body=unqualified(part.body)) for part in parts]


def _brief_clause(part: Clause, parts: Sequence[Clause]) -> str:
    keyword, words = part.keyword, text_of(part.body)
    if keyword.startswith("SELECT"):
        table = next((first_name(each.body) for each in parts if each.keyword == "FROM"), "")
        return f"SELECT {words}" if len(words) <= SHORT_COLUMNS else f"SELECT {table} …".replace("  ", " ")
    if keyword == "FROM" and _is_named_before(parts):
        return "" if first_name(part.body) else "FROM (…)"
    if keyword.endswith("JOIN"):
        return _brief_join(part, parts)
    if keyword.startswith(("INSERT", "WITH")):
        return f"{keyword} {first_name(part.body)} …"
    if keyword == "SET":
        first, *more = listed(part.body)
        return f"SET {text_of(first)}{', …' if more else ''}"
    return {"VALUES": "VALUES …", "RETURNING": ""}.get(keyword, f"{keyword} {words}".strip())


def _brief_join(part: Clause, parts: Sequence[Clause]) -> str:
    """Name the table of a lone join; of several, say at the first one that there are some."""
    joins = [each for each in parts if each.keyword.endswith("JOIN")]
    if len(joins) > 1:
        return "JOIN …" if part is joins[0] else ""
    return f"{part.keyword.removeprefix('LEFT OUTER ')} {first_name(part.body) or '(…)'} ON …"


def _is_named_before(parts: Sequence[Clause]) -> bool:
    columns = next((part.body for part in parts if part.keyword.startswith("SELECT")), ())
    return len(text_of(columns)) > SHORT_COLUMNS


def lines(sql: str) -> list[list[Piece]]:
    """Set a statement in lines: a clause a line, its keyword in a column of its own."""
    found: list[list[Piece]] = []
    for part in _plain(clauses(sql)):
        head = part.keyword.ljust(HANG - 1) + " " if part.keyword else ""
        for number, body in enumerate(_rows(part)):
            connector, rest = _connector(body) if number else ("", body)
            start = head if number == 0 else connector.rjust(HANG - 2).ljust(HANG)
            found.append([Piece("keyword", start), *_pieces(rest)])
    return found


def _connector(body: Sequence[Token]) -> tuple[str, tuple[Token, ...]]:
    if body and body[0].upper in ("AND", "OR"):
        return body[0].upper, _stripped(body[1:])
    return "", tuple(body)


def _rows(part: Clause) -> list[tuple[Token, ...]]:
    """Break a clause's body: a condition a line, lists as full lines."""
    if part.keyword in ("WHERE", "HAVING") or part.keyword.endswith("JOIN"):
        return _aligned(conditions(part.body))
    rows: list[tuple[Token, ...]] = []
    comma = (Token("sign", ",", ""), Token("space", " ", ""))
    for item in listed(part.body):
        if rows and len(text_of(rows[-1])) + len(text_of(item)) + 2 <= LINE_LENGTH - HANG:
            rows[-1] = (*rows[-1], *comma, *item)
        else:
            rows = [*rows[:-1], (*rows[-1], comma[0])] if rows else []
            rows.append(item)
    return rows


def _aligned(found: list[tuple[Token, ...]]) -> list[tuple[Token, ...]]:
    """Put the equals signs of plain conditions under each other."""
    longest = max((place for row in found if (place := _equals(row))), default=0)
    return [_padded(row, longest) for row in found]


def _equals(row: Sequence[Token]) -> int:
    """Return how many characters stand before the first `=`, for `column = …`; 0 for other conditions."""
    rest = _connector(row)[1]
    if len(rest) < 3 or rest[0].kind not in ("word", "name") or rest[2].text != "=":
        return 0
    return len(rest[0].text)


def _padded(row: tuple[Token, ...], longest: int) -> tuple[Token, ...]:
    missing = longest - _equals(row)
    if missing in (0, longest):
        return row
    at = next(number for number, token in enumerate(row) if token.text == "=")
    return (*row[:at], Token("space", " " * missing, ""), *row[at:])


def _pieces(body: Iterable[Token]) -> list[Piece]:
    """Join tokens of one look."""
    pieces: list[Piece] = []
    for token in body:
        kind = "bound" if token.kind == "bound" else "keyword" if token.upper in INNER_WORDS else ""
        text = token.upper if kind == "keyword" else token.text
        if pieces and (pieces[-1].kind == kind):
            pieces[-1] = Piece(kind, pieces[-1].text + text)
        else:
            pieces.append(Piece(kind, text))
    return pieces
