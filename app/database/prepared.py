"""Statements compiled once and run by the driver, for the few that everybody waits for.

SQLAlchemy builds, looks up and post-processes a statement at each call; for a transaction of a few rows that
was two thirds of its processor time. Here the text and the columns' conversions are found once per database.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, CursorResult
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import UpdateBase

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
        takes = tuple(
            (name, compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect)) for name in names
        )
        return _Text(str(compiled), takes, positional=bool(compiled.positiontup))
