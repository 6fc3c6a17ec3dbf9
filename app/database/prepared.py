"""Statements compiled once and run by the driver, for the few that everybody waits for.

SQLAlchemy builds, looks up and post-processes a statement at each call; for a transaction of a few rows that
was two thirds of its processor time. Here the text and the columns' conversions are found once per database.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, CursorResult, Date
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.types import TypeEngine

Convert = Callable[[Any], Any]


@dataclass(frozen=True)
class _Text:
    """A statement's text for one database, and its parameters in order: name and conversion, if any."""

    sql: str
    takes: tuple[tuple[str, Convert | None], ...]
    positional: bool

    def parameters(self, row: Mapping[str, Any]) -> Any:
        if self.positional:
            return tuple([row[name] if to is None else to(row[name]) for name, to in self.takes])
        return {name: row[name] if to is None else to(row[name]) for name, to in self.takes}

    def of_values(self, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> Any:
        """Return the parameters of rows of values, a column at a time: fewer steps of Python than by row."""
        given = dict(zip(names, zip(*rows, strict=True), strict=True))
        columns = [given[name] if to is None else map(to, given[name]) for name, to in self.takes]
        found = list(zip(*columns, strict=True))
        if self.positional:
            return found
        order = [name for name, _ in self.takes]
        return [dict(zip(order, values, strict=True)) for values in found]


class Prepared:
    """An insert, update or delete whose parameters are named by `columns` (or by its own bind names)."""

    def __init__(self, statement: Callable[[str], UpdateBase], columns: Sequence[str] | None = None) -> None:
        """`statement` makes the statement for a dialect's name; upserts differ between databases."""
        self._statement = statement
        self._columns = columns
        self._texts: dict[str, _Text] = {}

    def run(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> CursorResult[Any]:
        """Run the statement once for each row (at least one); `rowcount` is the sum of all."""
        text = self._text(connection.dialect)
        return connection.exec_driver_sql(text.sql, [text.parameters(row) for row in rows])

    def run_values(self, connection: Connection, rows: Sequence[Sequence[Any]]) -> CursorResult[Any]:
        """Do as `run` with rows of values in the order of `columns`; quicker where they are many."""
        assert self._columns is not None
        text = self._text(connection.dialect)
        return connection.exec_driver_sql(text.sql, text.of_values(self._columns, rows))

    def _text(self, dialect: Dialect) -> _Text:
        text = self._texts.get(dialect.name)
        if text is None:
            text = self._texts[dialect.name] = self._compiled(dialect)
        return text

    def _compiled(self, dialect: Dialect) -> _Text:
        statement = self._statement(dialect.name)
        compiled = statement.compile(dialect=dialect, column_keys=self._columns)
        assert isinstance(compiled, SQLCompiler)
        names = compiled.positiontup or compiled.binds
        takes = tuple((name, _conversion(compiled.binds[name].type, dialect)) for name in names)
        return _Text(str(compiled), takes, positional=bool(compiled.positiontup))


def _conversion(kind: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    convert: Convert | None = kind.dialect_impl(dialect).bind_processor(dialect)
    # Of many rows a few days are met, again and again.
    return lru_cache(maxsize=1024)(convert) if convert is not None and isinstance(kind, Date) else convert
