"""What a select's rows are sure of: which columns tell them apart, and which are never NULL.

Proved from the tables' keys and the joins' conditions alone; what cannot be proved counts as not so.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, ColumnElement, Index, Select, Table, UniqueConstraint
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import BinaryExpression, BooleanClauseList, Grouping, Label
from sqlalchemy.sql.selectable import Alias, FromClause, Join, SelectBase, Subquery

Name = tuple[FromClause, str]


@dataclass(frozen=True)
class _Equality:
    """`left = right`; holds for all rows of the select, or only where one of `within` was joined."""

    sides: tuple[ColumnElement[Any], ColumnElement[Any]]
    within: frozenset[FromClause] | None


@dataclass
class Sources:
    """The tables that a select reads, which of them an outer join may leave out, and what equals what."""

    tables: list[FromClause] = field(default_factory=list)
    optional: set[FromClause] = field(default_factory=set)
    equalities: list[_Equality] = field(default_factory=list)

    @classmethod
    def of(cls, select: Select[Any]) -> "Sources":
        """Read the FROM and WHERE of a select."""
        sources = cls()
        for source in select.get_final_froms():
            sources._add(source, optional=False)
        if select.whereclause is not None:
            sources._require(select.whereclause, None)
        return sources

    def is_never_null(self, expression: ColumnElement[Any]) -> bool:
        """Tell whether a column is NOT NULL, and its table in every row."""
        name = _name(expression)
        if name is None or name[0] in self.optional or name[0] not in self.tables:
            return False
        return isinstance(expression, Column) and not expression.nullable

    def are_unique(
        self, columns: Sequence[ColumnElement[Any]], among: Iterable[FromClause] | None = None
    ) -> bool:
        """Tell whether no two rows agree in all of `columns`; `among` are the tables that make up a row.

        So it is when they hold a key of one table, none of it NULL, and every other table is joined to that
        one by its own key.
        """
        names = {name for column in columns if self.is_never_null(column) and (name := _name(column))}
        tables = set(self.tables if among is None else among)
        return any(
            all((table, part) in names for part in key) and self.determined_by(table) >= tables
            for table in self.tables
            for key in _keys(table)
        )

    def determined_by(self, table: FromClause) -> set[FromClause]:
        """Return the tables that have at most one row for each row of `table`, itself among them."""
        known = {table}
        while True:
            found = {other for other in self.tables if other not in known and self._is_found(other, known)}
            if not found:
                return known
            known |= found

    def _is_found(self, table: FromClause, known: set[FromClause]) -> bool:
        fixed = set(self._fixed(table, known))
        return any(fixed >= set(key) for key in _keys(table))

    def _fixed(self, table: FromClause, known: set[FromClause]) -> Iterator[str]:
        for equality in self.equalities:
            if equality.within is not None and table not in equality.within:
                continue
            for mine, other in (equality.sides, equality.sides[::-1]):
                name = _name(mine)
                if name is not None and name[0] == table and _reads_only(other, known):
                    yield name[1]

    def _add(self, source: FromClause, *, optional: bool) -> frozenset[FromClause]:
        if not isinstance(source, Join):
            self.tables.append(source)
            if optional:
                self.optional.add(source)
            return frozenset({source})
        left = self._add(source.left, optional=optional or source.full)
        right = self._add(source.right, optional=optional or source.isouter or source.full)
        # An outer join keeps rows for which its condition does not hold: it says nothing of its kept side.
        within = frozenset[FromClause]() if source.full else right if source.isouter else None
        if source.onclause is not None:
            self._require(source.onclause, within)
        return left | right

    def _require(self, condition: Any, within: frozenset[FromClause] | None) -> None:
        if isinstance(condition, Grouping):
            self._require(condition.element, within)
        elif isinstance(condition, BooleanClauseList) and condition.operator is operators.and_:
            for part in condition.clauses:
                self._require(part, within)
        elif isinstance(condition, BinaryExpression) and condition.operator is operators.eq:
            self.equalities.append(_Equality((condition.left, condition.right), within))


def rows_are_unique(select: Select[Any], sources: Sources, columns: Sequence[ColumnElement[Any]]) -> bool:
    """Tell whether no two rows of the select agree in all of `columns`."""
    groups = [unlabelled(part) for part in select._group_by_clauses]
    if not groups:
        return sources.are_unique(columns)
    if all(any(group.compare(column) for column in columns) for group in groups):
        return True
    # Grouped by a key and what depends on it.
    names = [_name(group) for group in groups]
    return None not in names and sources.are_unique(columns, [name[0] for name in names if name])


def unlabelled(expression: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return an expression without its label or the reference to it."""
    while isinstance(expression, Label) or expression.__visit_name__ == "label_reference":
        expression = expression.element
    return expression


def _keys(source: FromClause) -> Iterator[tuple[str, ...]]:
    if isinstance(source, Alias):
        yield from _keys(source.element)
    elif isinstance(source, Table):
        yield from _table_keys(source)
    elif isinstance(source, Subquery):
        yield from _query_keys(source.element)


def _table_keys(table: Table) -> Iterator[tuple[str, ...]]:
    if table.primary_key.columns:
        yield tuple(column.key for column in table.primary_key.columns)
    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint):
            yield tuple(column.key for column in constraint.columns)
    yield from (_index_key(index) for index in table.indexes if _is_whole(index))


def _is_whole(index: Index) -> bool:
    partial = any(index.dialect_options[name].get("where") is not None for name in ("sqlite", "postgresql"))
    return index.unique and not partial and all(isinstance(part, Column) for part in index.expressions)


def _index_key(index: Index) -> tuple[str, ...]:
    return tuple(column.key for column in index.columns)


def _query_keys(query: SelectBase) -> Iterator[tuple[str, ...]]:
    inner = query.element if hasattr(query, "element") else query
    if not isinstance(inner, Select):
        return
    sources = Sources.of(inner)
    for column in inner.selected_columns:
        if rows_are_unique(inner, sources, [unlabelled(column)]):
            yield (str(column.key),)


def _name(expression: ColumnElement[Any]) -> Name | None:
    table = getattr(expression, "table", None)
    key = getattr(expression, "key", None)
    return (table, key) if isinstance(table, FromClause) and isinstance(key, str) else None


def _reads_only(expression: ColumnElement[Any], known: Iterable[FromClause]) -> bool:
    parts = list(visitors.iterate(expression))
    if any(isinstance(part, SelectBase) for part in parts):
        return False
    names = [_name(part) for part in parts if isinstance(part, ColumnElement)]
    return all(name[0] in known for name in names if name is not None)
