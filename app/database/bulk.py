"""Many rows at once: insert, update, and reading a long list in batches with flat memory.

`bulk_insert` and `bulk_update` run inside the caller's write transaction and let the driver repeat one
statement; rows may come from a generator and are taken `BATCH` at a time.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from operator import itemgetter
from typing import Any, TypeAlias

from sqlalchemy import Connection, Insert, Row, Select, Table, bindparam, insert, update
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import UpdateBase

from app.database.paging.listing import listing_of, parameters
from app.database.paging.uniqueness import Sources, rows_are_unique
from app.database.transactions import current_session

BATCH = 1_000
_VALUE = "_value_"
_Make: TypeAlias = Callable[[Table, tuple[str, ...]], UpdateBase]


def bulk_insert(connection: Connection, table: Table, rows: Iterable[Mapping[str, Any]]) -> int:
    """Insert rows, all of the same columns, and return how many.

    Raises ValueError for a row of other columns than the first, or for a name that is no column.
    """
    return _repeat(connection, table, rows, _insert)


def bulk_update(connection: Connection, table: Table, rows: Iterable[Mapping[str, Any]]) -> int:
    """Set columns of rows named by their primary key, and return how many there were.

    Each row holds the primary key and the new values, all of the same columns. Raises ValueError for a row
    without its whole key, without a value, or of other columns than the first.
    """
    return _repeat(connection, table, rows, _update)


def in_batches(
    select: Select[Any],
    size: int = BATCH,
    *,
    order: Sequence[ColumnElement[Any]] = (),
    session: Session | None = None,
) -> Iterator[Sequence[Row[Any]]]:
    """Give the rows of a select in batches of `size`, found one after the other by their keys.

    The order is that of a primary key unless given as for `paginate`. Only one batch is in memory; rows that
    are added behind the place reached are still met. Raises ValueError where rows cannot be told apart.
    """
    if size < 1:
        raise ValueError("a batch holds at least one row")
    session = session or current_session()
    named = listing_of(session, select, tuple(order) or _key_order(select))
    place: tuple[Any, ...] | None = None
    while True:
        batch: list[Row[Any]] = []
        last: Sequence[Any] = ()
        for statement in named.listing.statements(True, place):
            wanted = parameters(named.values, place, size - len(batch))
            rows, whole = named.listing.read(session, statement, wanted)
            batch.extend(rows)
            last = whole[-1] if whole else last
            if len(batch) == size:
                break
        if batch:
            place = named.listing.place(last)
            yield batch
        if len(batch) < size:
            return


def _key_order(select: Select[Any]) -> tuple[ColumnElement[Any], ...]:
    sources = Sources.of(select)
    for table in sources.tables:
        key = tuple(table.primary_key)
        if key and rows_are_unique(select, sources, key):
            return key
    raise ValueError("no table's primary key tells the rows apart; give an order that does")


@dataclass(frozen=True)
class _Text:
    """A statement as the driver takes it, and how a row becomes its parameters."""

    sql: str
    names: tuple[str, ...]
    conversions: tuple[Callable[[Any], Any] | None, ...]

    def parameters(self, rows: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
        """Return a tuple for each row."""
        if len(self.names) == 1:
            values = [(row[self.names[0]],) for row in rows]
        else:
            values = list(map(itemgetter(*self.names), rows))
        if not any(self.conversions):
            return values
        # A column at a time: fewer steps of Python than a row at a time.
        columns = [
            column if convert is None else map(convert, column)
            for convert, column in zip(self.conversions, zip(*values, strict=True), strict=True)
        ]
        return list(zip(*columns, strict=True))


def _repeat(connection: Connection, table: Table, rows: Iterable[Mapping[str, Any]], make: _Make) -> int:
    waiting = iter(rows)
    names: tuple[str, ...] = ()
    count = 0
    while batch := list(islice(waiting, BATCH)):
        names = names or tuple(batch[0])
        _check_rows(batch, names)
        try:
            count += _run(connection, table, batch, names, make)
        except KeyError:
            raise ValueError("all rows hold the same columns") from None
    return count


def _run(
    connection: Connection,
    table: Table,
    batch: Sequence[Mapping[str, Any]],
    names: tuple[str, ...],
    make: _Make,
) -> int:
    text = _text(make, table, names, connection.dialect)
    if text is not None:
        return connection.exec_driver_sql(text.sql, text.parameters(batch)).rowcount
    given = [{_VALUE + name: row[name] for name in names} for row in batch]
    statement = make(table, names)
    done = connection.execute(statement, given).rowcount
    # Of an insert sent in pages SQLAlchemy does not say how many there were; none is left out.
    return len(batch) if done < 0 and isinstance(statement, Insert) else done


def _insert(table: Table, names: tuple[str, ...]) -> UpdateBase:
    _check_names(table, names)
    return insert(table).values(_binds(names))


def _update(table: Table, names: tuple[str, ...]) -> UpdateBase:
    _check_names(table, names)
    keys = table.primary_key.columns.keys()
    values = [name for name in names if name not in keys]
    if not set(keys) <= set(names) or not values:
        raise ValueError(f"a row to update holds {', '.join(keys)} and a value at least")
    matches = [table.c[key] == bindparam(_VALUE + key) for key in keys]
    return update(table).where(*matches).values(_binds(values))


def _binds(names: Iterable[str]) -> dict[str, Any]:
    # SQLAlchemy keeps the columns' own names for itself.
    return {name: bindparam(_VALUE + name) for name in names}


@lru_cache(maxsize=256)
def _text(make: _Make, table: Table, names: tuple[str, ...], dialect: Dialect) -> _Text | None:
    """Compile for a driver that takes parameters by position.

    None for another driver, and where SQLAlchemy fills in defaults that the program computes.
    """
    compiled = make(table, names).compile(dialect=dialect, column_keys=[_VALUE + name for name in names])
    if not isinstance(compiled, SQLCompiler) or not compiled.positiontup:
        return None
    if compiled.insert_prefetch or compiled.update_prefetch:
        return None
    binds = [compiled.binds[name] for name in compiled.positiontup]
    conversions = tuple(bind.type.dialect_impl(dialect).bind_processor(dialect) for bind in binds)
    return _Text(str(compiled), tuple(bind.key.removeprefix(_VALUE) for bind in binds), conversions)


def _check_names(table: Table, names: Sequence[str]) -> None:
    unknown = sorted(set(names) - set(table.c.keys()))
    if unknown:
        raise ValueError(f"{table.name} has no column {', '.join(unknown)}")


def _check_rows(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> None:
    # Drivers take the columns of the first row and drop what others have more. What one lacks is found when
    # the parameters are taken from it.
    if set(map(len, rows)) != {len(names)}:
        raise ValueError("all rows hold the same columns")
