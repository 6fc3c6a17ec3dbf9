"""A listing's statement as the driver takes it, and its rows as plain named tuples.

SQLAlchemy looks a statement up by its shape at each run and makes rows that know their columns: of a page of
50 rows that was more than half the time. Here text, conversions and names are found once per statement.
"""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from keyword import iskeyword
from typing import Any

from sqlalchemy import Connection, Select
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.compiler import SQLCompiler

from app.database.driver import fetch

Convert = Callable[[Any], Any]


@dataclass(frozen=True)
class Ready:
    """A select's text for a driver with parameters by position."""

    sql: str
    names: tuple[str, ...]
    conversions: Mapping[str, Convert]
    # What stands in the text itself, by name.
    fixed: Mapping[str, Any]
    make: Callable[[Sequence[Any]], Any]
    readers: Sequence[tuple[int, Convert]]

    def rows(self, connection: Connection, parameters: Mapping[str, Any]) -> list[Any]:
        """Run the statement and return its rows, their values by name and by position.

        Raises DBAPIError as SQLAlchemy does.
        """
        return list(map(self.make, self.values(connection, parameters)))

    def values(self, connection: Connection, parameters: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """Run the statement and return its rows, their values by position alone."""
        found = fetch(connection, self.sql, self._parameters(parameters))
        if not found or not self.readers:
            return found
        columns = list(zip(*found, strict=True))
        for at, convert in self.readers:
            columns[at] = tuple(map(convert, columns[at]))
        return list(zip(*columns, strict=True))

    def _parameters(self, given: Mapping[str, Any]) -> tuple[Any, ...]:
        values = {**self.fixed, **given}
        return tuple(
            self.conversions[name](values[name]) if name in self.conversions else values[name]
            for name in self.names
        )


def ready(statement: Select[Any], dialect: Dialect) -> Ready | None:
    """Compile a select for SQLite; None for another database, and for what it renders at each run anew."""
    if dialect.name != "sqlite":
        return None
    compiled = statement.compile(dialect=dialect)
    if not isinstance(compiled, SQLCompiler) or not compiled.positiontup:
        return None
    if compiled.post_compile_params or compiled.literal_execute_params:
        return None
    columns = [str(entry.keyname) for entry in compiled._result_columns]
    if len(set(columns)) < len(columns) or not all(_is_name(name) for name in columns):
        return None
    conversions = {}
    for name in compiled.positiontup:
        convert = compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect)
        if convert is not None:
            conversions[name] = convert
    types = [entry.type.dialect_impl(dialect) for entry in compiled._result_columns]
    readers = [type_.result_processor(dialect, None) for type_ in types]
    return Ready(
        str(compiled),
        tuple(compiled.positiontup),
        conversions,
        {name: bind.effective_value for name, bind in compiled.binds.items()},
        _make(columns),
        [(at, reader) for at, reader in enumerate(readers) if reader is not None],
    )


def _make(columns: Sequence[str]) -> Callable[[Sequence[Any]], Any]:
    row: Any = namedtuple("Row", columns)  # type: ignore[misc]  # its columns are known when it is made
    return partial(tuple.__new__, row)  # what `row._make` does, without a step of Python a row


def _is_name(name: str) -> bool:
    return name.isidentifier() and not iskeyword(name) and not name.startswith("_")
