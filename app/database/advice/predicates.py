"""Reads of a statement: which columns of which table it compares, and in which order it wants the rows.

Reads the SQL that SQLAlchemy writes and plain SQL by hand: WHERE and JOIN conditions joined by AND, ORDER BY
and GROUP BY, subqueries, UPDATE and DELETE. What it does not understand (OR, expressions, functions) it
leaves out: a candidate that is missed costs a piece of advice, a wrong one is turned down by the planner.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Union

from app.database.plans.catalog import Catalog

LONGEST = 20_000
DEEPEST = 40  # brackets within brackets; SQLite's parser allows 100
_TOKEN = re.compile(
    r"""
      (?P<name>"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\])
    | (?P<value>'(?:[^']|'')*'|\d[\w.]*|%\([^)]*\)s|%s|\?\d*|[:$@]\w+)
    | (?P<word>[^\W\d]\w*)
    | (?P<sign><=|>=|<>|!=|==|\|\||::|[^\s])
    """,
    re.VERBOSE,
)
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_JOINS = ("join", "left", "right", "full", "inner", "outer", "cross", "natural")
_HEADS = ("from", "where", "group", "having", "window", "order")
_TAILS = ("limit", "offset", "fetch", "for", "returning")
_CLAUSES = (*_HEADS, *_TAILS)
_ASIDE = ("as", "only", "lateral")
_SPLITS = ("union", "intersect", "except")
_RANGES = ("<", "<=", ">", ">=", "between")
_EQUALS = ("=", "==", "is", "in")

Word = Union[str, "Group"]
Group = list[Word]


@dataclass
class TableRead:
    """How one SELECT (UPDATE, DELETE) reads one table.

    `equals` are compared with values; `joins` holds the columns that are compared with other tables', with
    those tables' aliases. `order` holds (column, descending) and is empty where the order is not the table's
    own; `limited` says that the statement may stop early.
    """

    table: str
    alias: str
    equals: list[str] = field(default_factory=list)
    joins: dict[str, str] = field(default_factory=dict)
    ranges: list[str] = field(default_factory=list)
    order: list[tuple[str, bool]] = field(default_factory=list)
    limited: bool = False


@dataclass(frozen=True)
class _Scope:
    reads: Mapping[str, TableRead]
    catalog: Catalog

    def column(self, tokens: Sequence[Word]) -> tuple[TableRead, str] | None:
        """Return the read and the column that `a`, `t.a` or `s.t.a` names, or None for anything else."""
        names = [word for word in tokens if isinstance(word, str)]
        if len(names) != len(tokens) or len(names) not in (1, 3, 5) or set(names[1::2]) - {"."}:
            return None
        column = _plain(names[-1])
        if len(names) == 1:
            owners = [read for read in self.reads.values() if column in self.catalog[read.table].columns]
            return (owners[0], column) if len(owners) == 1 else None
        read = self.reads.get(_plain(names[-3]))
        return (read, column) if read and column in self.catalog[read.table].columns else None


def reads(sql: str, catalog: Catalog) -> list[TableRead]:
    """Return how a statement reads each table that the catalogue knows; nothing for SQL it cannot follow."""
    found: list[TableRead] = []
    for select in _selects(_grouped(sql), 0):
        found.extend(_reads_of(select, catalog))
    return found


def written_table(sql: str) -> str | None:
    """Return the table that an INSERT, UPDATE or DELETE writes to."""
    found = re.match(
        r"\s*(?:insert\s+(?:or\s+\w+\s+)?into|replace\s+into|update(?:\s+or\s+\w+)?|delete\s+from)"
        r'\s+(?:\w+\.)?("(?:[^"]|"")*"|\w+)',
        sql,
        re.IGNORECASE,
    )
    return _plain(found[1]) if found else None


def is_explainable(sql: str) -> bool:
    """Return whether a statement has a plan: it reads or changes rows."""
    found = re.match(r"\s*(?:select|with|insert|replace|update|delete|values)\b", sql, re.IGNORECASE)
    return found is not None


def _grouped(sql: str) -> Group:
    """Return the tokens, brackets as lists within lists; names keep their quotes, words are in lower case."""
    top: Group = []
    open_groups = [top]
    for match in _TOKEN.finditer(_COMMENT.sub(" ", sql[:LONGEST])):
        word = match[0].lower() if match.lastgroup == "word" else match[0]
        if word == "(":
            group: Group = []
            open_groups[-1].append(group)
            open_groups.append(group)
        elif word == ")":
            if len(open_groups) > 1:
                open_groups.pop()
        else:
            open_groups[-1].append(word)
    return top


def _selects(group: Group, depth: int) -> Iterator[Group]:
    """Yield each SELECT, UPDATE and DELETE, those inside brackets too, cut at UNION and its like."""
    part: Group = []
    if depth > DEEPEST:
        return
    for word in group:
        if isinstance(word, list):
            yield from _selects(word, depth + 1)
        if word in _SPLITS:
            yield part
            part = []
        else:
            part.append(word)
    yield part


def _reads_of(tokens: Group, catalog: Catalog) -> list[TableRead]:
    start = next((i for i, word in enumerate(tokens) if word in ("select", "update", "delete")), None)
    if start is None:
        return []
    clauses = _clauses(tokens[start:])
    tables, conditions = _sources(clauses, catalog)
    scope = _Scope({read.alias: read for read in tables}, catalog)
    for condition in [*conditions, clauses.get("where", [])]:
        _compare(condition, scope, 0)
    _sort(clauses, scope)
    for read in tables:
        read.limited = "limit" in clauses or "fetch" in clauses
    return tables


def _clauses(tokens: Group) -> dict[str, Group]:
    """Cut a SELECT at its clauses' first words; an UPDATE's or DELETE's table comes out as `from`."""
    first = str(tokens[0])
    name, found = ("from" if first == "update" else first), dict[str, Group]()
    for word in tokens[1:]:
        if isinstance(word, str) and word in _CLAUSES:
            name = word
        elif first == "update" and word == "set":
            name = "set"
        else:
            found.setdefault(name, []).append(word)
    return found


def _sources(clauses: dict[str, Group], catalog: Catalog) -> tuple[list[TableRead], list[Group]]:
    """Return the tables of FROM by alias, and the conditions of their joins."""
    found: list[TableRead] = []
    conditions: list[Group] = []
    for part in _split(clauses.get("from", []), (",", *_JOINS)):
        at = next((i for i, word in enumerate(part) if word == "on"), len(part))
        conditions.append(part[at + 1 :])
        read = _source(part[:at], catalog)
        if read is not None:
            found.append(read)
    return found, conditions


def _source(part: Group, catalog: Catalog) -> TableRead | None:
    names = [_plain(word) for word in part if isinstance(word, str) and word not in _ASIDE]
    if "." in names[1:2]:
        names = names[2:]
    if not names or names[0] not in catalog:
        return None
    return TableRead(names[0], names[1] if len(names) > 1 else names[0])


def _split(tokens: Group, at: Sequence[str]) -> Iterator[Group]:
    part: Group = []
    for word in tokens:
        if isinstance(word, str) and word in at:
            yield part
            part = []
        else:
            part.append(word)
    yield part


def _compare(condition: Group, scope: _Scope, depth: int) -> None:
    """Note the comparisons of a condition whose parts are joined by AND."""
    if "or" in condition or depth > DEEPEST:
        return
    for part in _split(_without_between(condition), ("and",)):
        if len(part) == 1 and isinstance(part[0], list):
            _compare(part[0], scope, depth + 1)
        else:
            _note(part, scope)


def _without_between(condition: Group) -> Group:
    # The AND of `a between x and y` joins no conditions: it and its upper bound are dropped.
    kept: Group = []
    between = False
    for word in condition:
        if word == "between":
            between = True
        elif word == "and" and between:
            between = False
            kept.append("to")
            continue
        kept.append(word)
    return kept


def _note(part: Group, scope: _Scope) -> None:
    at = next((i for i, t in enumerate(part) if isinstance(t, str) and t in (*_EQUALS, *_RANGES)), None)
    if at is None or "not" in part:
        return
    left, sign, right = part[:at], str(part[at]), part[at + 1 :]
    if isinstance(left[0] if left else None, list) and sign in _RANGES:
        _note_row(left, scope)
        return
    for side, other in ((left, right), (right, left)):
        found = scope.column(side)
        owner = scope.column(other)
        if found is None or (owner is not None and owner[0] is found[0]):
            continue
        read, column = found
        if sign in _EQUALS and owner is not None:
            read.joins[column] = owner[0].alias
            continue
        kept = read.ranges if sign in _RANGES else read.equals
        if column not in kept:
            kept.append(column)


def _note_row(left: Group, scope: _Scope) -> None:
    # `(a, b) < (?, ?)` is a range of its first column; a seek needs an index that begins with it.
    group = left[0]
    assert isinstance(group, list)
    found = scope.column(next(_split(group, (",",))))
    if found is not None and found[1] not in found[0].ranges:
        found[0].ranges.append(found[1])


def _sort(clauses: dict[str, Group], scope: _Scope) -> None:
    wanted = clauses.get("order") or clauses.get("group") or []
    found: list[tuple[TableRead, str, bool]] = []
    for part in _split([word for word in wanted if word != "by"], (",",)):
        words = [word for word in part if word not in ("asc", "desc")]
        owner = scope.column(words)
        if owner is None:
            return
        found.append((*owner, "desc" in part))
    if found and all(read is found[0][0] for read, _, _ in found):
        found[0][0].order = [(column, descending) for _, column, descending in found]


def _plain(name: str) -> str:
    if name[:1] in ('"', "`", "["):
        return name[1:-1].replace('""', '"')
    return name
