"""What a statement's text says beside its plan: which name stands for which table, what narrows or joins it.

A reader of words, not a parser: the database has taken the statement already, and what is not understood is
left out. Its work grows with the length of the text only.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from app.database.plans.catalog import Catalog, TableShape

LONGEST = 20_000
DEEPEST = 100  # brackets within brackets
VALUE = "?"
SUBQUERY = "(select)"
_TOKEN = re.compile(
    r"""
      (?P<skip>\s+|--[^\n]*|/\*.*?(?:\*/|$))
    | (?P<name>"(?:[^"]|"")*"|`[^`]*`|\[[A-Za-z_][^\]]*\])
    | (?P<value>'(?:[^']|'')*'|%\(\w*\)s|%s(?!\w)|\?\d*|[$@]\w+|(?<!:):[A-Za-z_]\w*|\d[\w.]*)
    | (?P<word>[^\W\d][\w$]*)
    | (?P<sign><=|>=|<>|!=|==|\|\||::|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_VERBS = frozenset({"select", "insert", "replace", "update", "delete", "values", "with"})
_CLAUSES = frozenset(
    {"from", "where", "group", "having", "window", "order", "limit", "fetch", "set", "returning"}
)
_SPLITS = frozenset({"union", "intersect", "except"})
_JOINS = frozenset({"join", "left", "right", "full", "inner", "outer", "cross", "natural"})
_NO_ALIAS = frozenset({"on", "using", "indexed", "not", "tablesample", "as", "only", "lateral"})
# Words that stand before a bracket without being a function.
_WORDS = frozenset(
    {"and", "or", "not", "in", "any", "all", "exists", "like", "ilike", "glob", "between", "is", "when"}
)
_LIKES = frozenset({"like", "ilike", "glob", "regexp"})
RESERVED = _VERBS | _CLAUSES | _SPLITS | _JOINS | _NO_ALIAS | _WORDS | _LIKES

Words = Sequence[str]


@dataclass(frozen=True)
class Scope:
    """One SELECT, UPDATE or DELETE. `tables` maps each name it gives to its table ("" for a subquery).

    `conditions` are the parts of WHERE and ON that AND joins; `joined_by_name` says USING or NATURAL.
    """

    words: tuple[str, ...]
    tables: dict[str, str]
    conditions: tuple[tuple[str, ...], ...]
    limited: bool
    joined_by_name: bool
    takes_all: bool


@dataclass(frozen=True)
class Reading:
    """A statement as far as it is understood. Names are looked up in lower case."""

    scopes: tuple[Scope, ...]
    catalog: dict[str, TableShape]

    def scope_of(self, name: str) -> Scope | None:
        """Return the first SELECT that reads a table by this name."""
        return next((scope for scope in self.scopes if name.lower() in scope.tables), None)

    def table_of(self, name: str) -> TableShape | None:
        """Return the table that a name stands for; None for a subquery, a CTE, or one that is not known."""
        for scope in self.scopes:
            if name.lower() in scope.tables:
                return self.catalog.get(scope.tables[name.lower()])
        return self.catalog.get(name.lower())

    def owners(self, scope: Scope, condition: Words) -> set[str]:
        """Return the names of the tables that a condition speaks of."""
        found = set()
        for owner, column in references(condition):
            if owner:
                found.add(owner)
            else:
                found.update(name for name, table in scope.tables.items() if self._has(table, column))
        return found & set(scope.tables)

    def filters(self, name: str) -> list[tuple[str, ...]]:
        """Return the conditions that narrow one table by itself."""
        scope = self.scope_of(name)
        if scope is None:
            return []
        return [part for part in scope.conditions if self.owners(scope, part) == {name.lower()}]

    def joins(self, name: str, others: Iterable[str]) -> bool:
        """Return whether a condition speaks of a table and one of the others, as far as is known."""
        scope = self.scope_of(name)
        known = {other.lower() for other in others}
        if scope is None or scope.joined_by_name or not known <= set(scope.tables):
            return True
        for part in scope.conditions:
            owners = self.owners(scope, part)
            if SUBQUERY in part or (name.lower() in owners and owners & known):
                return True
        return False

    def columns(self, name: str, words: Iterable[str] | None = None) -> list[str]:
        """Return the columns of a table that the words (all of the SELECT) mention, each once."""
        scope, table = self.scope_of(name), self.table_of(name)
        if scope is None or table is None:
            return []
        known = {column.lower(): column for column in table.columns}
        mentioned = references(list(scope.words if words is None else words))
        found = [
            known[column] for owner, column in mentioned if column in known and owner in ("", name.lower())
        ]
        return list(dict.fromkeys(found))

    def likes(self, name: str) -> list[str]:
        """Return the columns of a table that are compared by LIKE."""
        compared = [self.columns(name, part) for part in self.filters(name) if _LIKES & set(part)]
        return list(dict.fromkeys(column for columns in compared for column in columns))

    def wrapped(self, name: str) -> list[str]:
        """Return the columns of a table that a condition hands to a function instead of comparing them."""
        known = {column.lower(): column for column in self.columns(name)}
        first = [column for part in self.filters(name) for column in _first_arguments(part)]
        return list(dict.fromkeys(known[column] for column in first if column in known))

    def _has(self, table: str, column: str) -> bool:
        shape = self.catalog.get(table)
        return shape is not None and column in {known.lower() for known in shape.columns}


def read(sql: str, catalog: Catalog) -> Reading:
    """Read a statement that the database has accepted; beyond LONGEST and DEEPEST nothing is read."""
    scopes = tuple(_scopes(sql))
    named = {name for scope in scopes for name in _subqueries(scope.words)}
    return Reading(
        scopes, {name.lower(): table for name, table in catalog.items() if name.lower() not in named}
    )


def _subqueries(words: Words) -> Iterator[str]:
    """Yield the names that WITH gives: they hide tables of the same name."""
    for place, word in enumerate(words):
        if word == "as" and place and SUBQUERY in words[place + 1 : place + 4]:
            yield words[place - 1]


def verb(sql: str) -> str:
    """Return the word a statement begins with, brackets left aside."""
    return next((word for word in _split_words(sql) if word != "("), "")


def _split_words(sql: str) -> Iterator[str]:
    for match in _TOKEN.finditer(sql[:LONGEST]):
        if match.lastgroup == "name":
            name = match[0][1:-1].lower()
            yield f'"{name}"' if name in RESERVED else name  # a column "order" begins no clause
        elif match.lastgroup == "value":
            yield VALUE
        elif match.lastgroup != "skip":
            yield match[0].lower()


def _scopes(sql: str) -> Iterator[Scope]:
    """Yield each SELECT and its like; where one stands in brackets, the one around it keeps a mark."""
    frames: list[list[str]] = [[]]
    for word in _split_words(sql):
        if word == "(":
            frames.append([])
            if len(frames) > DEEPEST:
                return
        elif word == ")" and len(frames) > 1:
            inside = frames.pop()
            if inside[:1] and inside[0] in _VERBS:
                yield from _parts(inside)
                frames[-1].append(SUBQUERY)
            else:
                frames[-1] += ["(", *inside, ")"]
        else:
            frames[-1].append(word)
    for frame in reversed(frames):
        yield from _parts(frame)


def _parts(words: Words) -> Iterator[Scope]:
    for part in _split(words, _SPLITS):
        yield _scope(part)


def _scope(words: Words) -> Scope:
    clauses = _clauses(words)
    tables: dict[str, str] = {}
    conditions: list[tuple[str, ...]] = []
    for source in _split([*clauses.get("update", ()), ",", *clauses.get("from", ())], _JOINS | {","}):
        at = source.index("on") if "on" in source else len(source)
        conditions += _joined_by_and(source[at + 1 :])
        _name(source[:at], tables)
    conditions += _joined_by_and(clauses.get("where", []))
    return Scope(
        words=tuple(words),
        tables=tables,
        conditions=tuple(conditions),
        limited="limit" in clauses or "fetch" in clauses,
        joined_by_name=bool({"using", "natural"} & set(clauses.get("from", ()))),
        takes_all=_takes_all(clauses.get("select", [])),
    )


def _clauses(words: Words) -> dict[str, list[str]]:
    """Cut a statement at its clauses' first words, brackets left whole."""
    name, depth = "", 0
    found: dict[str, list[str]] = {}
    for word in words:
        depth += (word == "(") - (word == ")")
        first = word in _VERBS and (not found or set(found) <= {"with", "insert"})
        if depth == 0 and (first or (found and word in _CLAUSES)):
            name = word
            found.setdefault(name, [])
        else:
            found.setdefault(name, []).append(word)
    return found


def _name(source: Words, tables: dict[str, str]) -> None:
    names = [word for word in source if word not in ("as", "only", "lateral")]
    if names[1:2] == ["."]:
        names = names[2:]
    if not names or names[0] == "(":
        return
    alias = names[1] if len(names) > 1 and names[1] not in _NO_ALIAS and names[1] != "(" else names[0]
    if alias != SUBQUERY:
        tables.setdefault(alias, "" if names[0] == SUBQUERY else names[0])


def _joined_by_and(condition: Words) -> list[tuple[str, ...]]:
    """Return the parts of a condition that AND joins; the AND of BETWEEN joins none."""
    condition = list(condition)
    while _is_wrapped(condition):
        condition = condition[1:-1]
    parts: list[list[str]] = [[]]
    depth, between = 0, False
    for word in condition:
        depth += (word == "(") - (word == ")")
        if word == "and" and depth == 0 and not between:
            parts.append([])
            continue
        if depth == 0 and word in ("between", "and"):
            between = word == "between"
        parts[-1].append(word)
    return [tuple(part) for part in parts if part]


def _is_wrapped(condition: Words) -> bool:
    depth = 0
    for place, word in enumerate(condition):
        depth += (word == "(") - (word == ")")
        if depth <= 0:
            return bool(depth == 0 and place == len(condition) - 1 and place > 1 and word == ")")
    return False


def _split(words: Words, at: frozenset[str]) -> Iterator[list[str]]:
    """Yield what stands between the words, brackets left whole."""
    part: list[str] = []
    depth = 0
    for word in words:
        depth += (word == "(") - (word == ")")
        if depth == 0 and word in at:
            yield part
            part = []
        else:
            part.append(word)
    yield part


def _takes_all(listed: Words) -> bool:
    before = ("", *listed)
    return any(t == "*" and before[i] in ("", ",", ".", "distinct") for i, t in enumerate(listed))


def references(words: Iterable[str]) -> list[tuple[str, str]]:
    """Return (owner, column) of each `owner.column`, and ("", word) of each word that could be a column."""
    listed = list(words)
    found = []
    for place, word in enumerate(listed):
        after = listed[place + 1] if place + 1 < len(listed) else ""
        if not (word[0].isalpha() or word[0] in '_"') or after in (".", "("):
            continue
        owned = place > 1 and listed[place - 1] == "."
        found.append((listed[place - 2].strip('"') if owned else "", word.strip('"')))
    return found


def _first_arguments(part: Words) -> Iterator[str]:
    """Yield the column in `f(column …)` and `f(table.column …)`, for each function of a condition."""
    for place, word in enumerate(part):
        if word == "(" and place and part[place - 1] not in _WORDS and part[place - 1][0].isalpha():
            inside = part[place + 1 : place + 4]
            name = inside[2] if len(inside) > 2 and inside[1] == "." else inside[0] if inside else ""
            yield name
