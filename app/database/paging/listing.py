"""Listings: all that the pages of one statement need, worked out once and kept by the statement's shape.

A listing knows the keys of its order, has proved them unique, and holds its statements ready to run; a call
brings only its values. So a page costs little more than its rows: building the statement anew for each page
took twice as long as running it.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Float,
    Integer,
    Numeric,
    Row,
    Select,
    bindparam,
    cast,
    type_coerce,
)
from sqlalchemy.engine import Dialect, Result
from sqlalchemy.orm import QueryableAttribute, Session
from sqlalchemy.sql import visitors
from sqlalchemy.types import TypeEngine, UserDefinedType
from sqlalchemy.util import LRUCache

from app.database.paging import seek
from app.database.paging.cursors import Value
from app.database.paging.ready import Ready, ready
from app.database.paging.seek import Key, Stretch
from app.database.paging.uniqueness import Sources, rows_are_unique, unlabelled
from app.database.types import UtcTime

Expression: TypeAlias = ColumnElement[Any]
# Shapes of statements that are kept: a program has few, but filters put together by hand may have many.
SHAPES = 500
_LIMIT = "_page_limit"
_kept: LRUCache[Any, "Listing"] = LRUCache(SHAPES)


@dataclass(frozen=True)
class Named:
    """A listing with the values of one call."""

    listing: "Listing"
    values: Sequence[Any]

    def context(self, scope: str) -> str:
        """Return what a cursor of this list is signed for."""
        bound = repr((self.listing.digest, self.values, scope))
        return hashlib.sha256(bound.encode("utf-8", "replace")).hexdigest()[:32]


@dataclass(frozen=True)
class Form:
    """A listing of a select that was built once: each call fills in its named parameters."""

    listing: "Listing"
    names: Sequence[str]
    fixed: Sequence[Any]

    def filled(self, values: Mapping[str, Any]) -> Named:
        """Return the listing with the values of one call, by the names of the select's parameters."""
        pairs = zip(self.names, self.fixed, strict=True)
        return Named(self.listing, [values.get(name, fixed) for name, fixed in pairs])


class _AsIs(UserDefinedType[Any]):
    """A value as the driver gives and takes it, whatever the column's type does in Python."""

    cache_ok = True


class Listing:
    """The pages of one statement: its keys, where their values stand in a row, and its statements."""

    def __init__(self, ordered: Select[Any], dialect: Dialect) -> None:
        """`ordered` is the caller's select with the page's order. Raises ValueError where it has no pages."""
        select, order = ordered.order_by(None), ordered._order_by_clauses
        sources = Sources.of(select)
        parts = [seek.parse(part, nulls_are_largest=_nulls_are_largest(dialect)) for part in order]
        self.unique = _unique_end(select, sources, [part.expression for part in parts])
        self._shape = _Shape.of(select)
        columns = list(_columns(self._shape, parts, dialect))
        self._indexes = tuple(column.index for column in columns)
        self.keys = tuple(
            replace(part, value=column.value, nullable=not sources.is_never_null(part.expression))
            for part, column in zip(parts, columns, strict=True)
        )
        added = [column.added for column in columns if column.added is not None]
        self._select, self._added = select.add_columns(*added) if added else select, bool(added)
        # PostgreSQL plans a few rows otherwise than all of them, so it must see the number.
        self._limit: BindParameter[int] = bindparam(
            _LIMIT, type_=Integer(), literal_execute=dialect.name == "postgresql"
        )
        self._statements: dict[tuple[Any, ...], tuple[Select[Any], ...]] = {}
        self._dialect = dialect
        self._ready: dict[int, Ready | None] = {}
        text = [str(statement.compile(dialect=dialect)) for statement in self.statements(True, None)]
        self.digest = hashlib.sha256(repr(text).encode()).hexdigest()

    def statements(self, forward: bool, values: Sequence[Value] | None) -> tuple[Select[Any], ...]:
        """Return the statements of the stretches from a place on, to be read in turn until a page is full."""
        nulls = None if values is None else tuple(value is None for value in values)
        found = self._statements.get((forward, nulls))
        if found is None:
            keys = self.keys if forward else [key.reversed() for key in self.keys]
            stretches = seek.first(keys) if nulls is None else seek.after(keys, nulls)
            found = self._statements[forward, nulls] = tuple(map(self._statement, stretches))
        return found

    def read(
        self, session: Session, statement: Select[Any], parameters: Mapping[str, Any]
    ) -> tuple[Sequence[Row[Any]], Sequence[Sequence[Any]]]:
        """Run a statement; return its rows as the caller's select gives them, and what `place` reads."""
        if (known := self._ready_for(statement)) is not None:
            if session.autoflush:
                session.flush()
            found = known.rows(session.connection({"clause": statement}), parameters)
            return found, found
        result = self._run(session, statement, parameters)
        if not self._added:
            rows = result.all()
            return rows, rows
        # Entities may come with joined collections, which SQLAlchemy gives row by row.
        frozen = result.unique().freeze() if self._shape.entities else result.freeze()
        return frozen().columns(*range(self._shape.width)).all(), frozen.data

    def place(self, row: Sequence[Any]) -> tuple[Value, ...]:
        """Return the values of the keys in a row that `read` gave."""
        return tuple(row[index] for index in self._indexes)

    def place_of(
        self, session: Session, given: Sequence[Any], key: Sequence[Value]
    ) -> tuple[Value, ...] | None:
        """Find the row that the unique columns name, and return all keys' values; None if it is gone."""
        conditions = tuple(self.keys[i].equal(False) for i in self.unique)
        statement = self._statement(Stretch(conditions, ()))
        wanted = parameters(given, None, 1)
        wanted |= {value_name(i): value for i, value in zip(self.unique, key, strict=True)}
        _, rows = self.read(session, statement, wanted)
        return self.place(rows[0]) if rows else None

    def _ready_for(self, statement: Select[Any]) -> Ready | None:
        if self._shape.entities or self._added:
            return None
        key = id(statement)  # a listing keeps its statements
        if key not in self._ready:
            kept = any(statement is one for found in self._statements.values() for one in found)
            if not kept:
                return None
            self._ready[key] = ready(statement, self._dialect)
        return self._ready[key]

    def _run(self, session: Session, statement: Select[Any], parameters: Mapping[str, Any]) -> Result[Any]:
        if self._shape.entities or session.dispatch.do_orm_execute:
            return session.execute(statement, parameters)
        # Plain columns need nothing of the session's loading, which takes as long as the statement itself.
        if session.autoflush:
            session.flush()
        return session.connection({"clause": statement}).execute(statement, parameters)

    def _statement(self, stretch: Stretch) -> Select[Any]:
        # What is compared may be a sum over a group; databases move what is not into WHERE by themselves.
        if self._select._group_by_clauses:
            chosen = self._select.having(*stretch.conditions) if stretch.conditions else self._select
        else:
            chosen = self._select.where(*stretch.conditions)
        return chosen.order_by(*stretch.order).limit(self._limit)


def parameters(given: Sequence[Any], place: Sequence[Value] | None, limit: int) -> dict[str, Any]:
    """Return a statement's parameters: the call's own, the place's values, and how many rows at most."""
    found = {_given_name(i): value for i, value in enumerate(given)}
    for i, value in enumerate(place or ()):
        found[value_name(i)] = value
    found[_LIMIT] = limit
    return found


def value_name(i: int) -> str:
    """Return the name of the parameter that carries a place's value of the key `i`."""
    return f"_page_value_{i}"


def _given_name(i: int) -> str:
    return f"_page_given_{i}"


def listing_of(session: Session, select: Select[Any], order: Sequence[Expression]) -> Named:
    """Return the listing of a statement, kept or new, with the values of this call.

    Raises ValueError for a select or an order that has no pages.
    """
    _refuse_ends(select, order)
    dialect = session.get_bind(clause=select).dialect
    # SQLAlchemy's own key of a statement's shape and the values left out of it, as its compiled cache uses.
    shapes = [shape for part in (select, *order) if (shape := part._generate_cache_key()) is not None]
    if len(shapes) <= len(order):
        return Named(Listing(select.order_by(*order), dialect), ())
    binds = [bind for shape in shapes for bind in shape.bindparams]
    key = (dialect.name, *(shape.key for shape in shapes))
    listing = _kept.get(key) or _new(select.order_by(*order), binds, dialect)
    if listing is None:  # a value out of our reach: built for these values alone
        return Named(Listing(select.order_by(*order), dialect), ())
    _kept[key] = listing
    return Named(listing, [bind.effective_value for bind in binds])


def form_of(session: Session, select: Select[Any], order: Sequence[Expression]) -> Form:
    """Return the form of a select whose values are parameters with names, to be kept by the caller.

    Raises ValueError for a select or an order that has no pages, or with values that cannot be reached.
    """
    _refuse_ends(select, order)
    dialect = session.get_bind(clause=select).dialect
    shapes = [shape for part in (select, *order) if (shape := part._generate_cache_key()) is not None]
    binds = [bind for shape in shapes for bind in shape.bindparams]
    names, fixed = [bind.key for bind in binds], [bind.effective_value for bind in binds]
    listing = _new(select.order_by(*order), binds, dialect)
    if listing is None:
        raise ValueError("a form's values are parameters of its select")
    return Form(listing, names, fixed)


def _refuse_ends(select: Select[Any], order: Sequence[Expression]) -> None:
    if not order:
        raise ValueError("pages need an order")
    if any(isinstance(part, str) for part in order):
        raise ValueError("a page is ordered by columns and expressions, not by names")
    if select._order_by_clauses:
        raise ValueError("the order of a page is given as `order`, not by the select")
    if select._limit_clause is not None or select._offset_clause is not None:
        raise ValueError("a select with a limit of its own has no pages; page a subquery of it")


def _new(ordered: Select[Any], binds: Sequence[BindParameter[Any]], dialect: Dialect) -> Listing | None:
    """Make a listing whose values are parameters with names; None where one cannot be reached."""
    names = {bind.key: _given_name(i) for i, bind in enumerate(binds)}

    def name(bind: BindParameter[Any]) -> None:
        bind.key, bind.unique = names.get(bind.key, bind.key), False

    # As Select.params() does it. What stands in a loader option is not visited.
    options = {"maintain_key": True, "detect_subquery_cols": True}
    named = visitors.cloned_traverse(ordered, options, {"bindparam": name})
    shape = named._generate_cache_key()
    if shape is None or {bind.key for bind in shape.bindparams} != set(names.values()):
        return None
    return Listing(named, dialect)


@dataclass(frozen=True)
class _Shape:
    """What the rows of a select are made of."""

    width: int
    entities: bool
    columns: tuple[Expression, ...]

    @classmethod
    def of(cls, select: Select[Any]) -> "_Shape":
        """Read the select's columns; those of entities cannot be told from a row."""
        parts = [part["expr"] for part in select.column_descriptions]
        if all(isinstance(part, (ColumnElement, QueryableAttribute)) for part in parts):
            selected = tuple(unlabelled(column) for column in select.selected_columns)
            if len(selected) == len(parts):
                return cls(len(parts), False, selected)
        return cls(len(parts), True, ())


@dataclass(frozen=True)
class _Column:
    """Where a key's value stands in a row, the parameter that carries it, and what is selected for it."""

    index: int
    value: Expression
    added: Expression | None


def _columns(shape: _Shape, keys: Sequence[Key], dialect: Dialect) -> Iterator[_Column]:
    """Find each key in the select's rows, or add it as the driver gives it.

    Only a value that comes back exactly as it was can be compared with: a NUMERIC that SQLite keeps as a
    float, or an Enum, must not go through Python's type.
    """
    width = shape.width
    for i, key in enumerate(keys):
        expression = key.expression
        exact = _is_exact(expression.type, dialect)
        found = [n for n, column in enumerate(shape.columns) if exact and column.compare(expression)]
        parameter = _parameter(i, expression.type, dialect, exact=exact)
        if found:
            yield _Column(found[0], parameter, None)
        else:
            raw = expression if exact else type_coerce(expression, _AsIs())
            yield _Column(width, parameter, raw.label(f"_page_key_{i}"))
            width += 1


def _is_exact(type_: TypeEngine[Any], dialect: Dialect) -> bool:
    if isinstance(type_, UtcTime):
        return True
    if isinstance(type_, (Numeric, Float)):
        return False
    kept = type_.dialect_impl(dialect)
    return kept.result_processor(dialect, None) is None and kept.bind_processor(dialect) is None


def _parameter(i: int, type_: TypeEngine[Any], dialect: Dialect, *, exact: bool) -> Expression:
    if exact:
        return bindparam(value_name(i), type_=type_)
    raw: Expression = bindparam(value_name(i), type_=_AsIs())
    # PostgreSQL must be told the type, or it compares a REAL with a double that is nearly the same.
    return raw if dialect.name == "sqlite" else cast(raw, type_)


def _unique_end(select: Select[Any], sources: Sources, order: Sequence[Expression]) -> tuple[int, ...]:
    """Return the indexes of the fewest last columns of an order that tell the rows apart."""
    for start in range(len(order) - 1, -1, -1):
        if rows_are_unique(select, sources, order[start:]):
            return tuple(range(start, len(order)))
    raise ValueError(
        "the order's columns do not tell all rows apart: end it in the primary key of a table"
        " to which every other table is joined by its own key"
    )


def _nulls_are_largest(dialect: Dialect) -> bool:
    # PostgreSQL sorts NULLs as if larger than any value, SQLite as if smaller.
    return dialect.name == "postgresql"
