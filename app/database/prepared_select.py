"""Selects that are built once and run with their parameters' values alone, for what is read often.

SQLAlchemy builds a statement, looks it up by its shape and makes rows that know their columns, at each call:
of a chart's figures that was more than reading them. On SQLite the driver gets its text directly
(`paging.ready`); elsewhere, and where a text is made anew for each run, SQLAlchemy runs the kept statement.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select
from sqlalchemy.engine import Dialect

from app.database.paging.ready import Ready, ready


class PreparedSelect:
    """A select whose values are parameters with names (`bindparam`)."""

    def __init__(self, statement: "Select[*tuple[Any, ...]]") -> None:
        self.statement = statement
        self._ready: dict[str, Ready | None] = {}

    def rows(self, connection: Connection, **values: Any) -> Sequence[Any]:
        """Run the select; its rows give their values by name and by position."""
        known = self._ready_for(connection.dialect)
        return self._run(connection, values) if known is None else known.rows(connection, values)

    def values(self, connection: Connection, **values: Any) -> Sequence[Sequence[Any]]:
        """Run the select; its rows give their values by position, which is quicker where they are many."""
        known = self._ready_for(connection.dialect)
        return self._run(connection, values) if known is None else known.values(connection, values)

    def _ready_for(self, dialect: Dialect) -> Ready | None:
        if dialect.name not in self._ready:
            self._ready[dialect.name] = ready(self.statement, dialect)
        return self._ready[dialect.name]

    def _run(self, connection: Connection, values: dict[str, Any]) -> Sequence[Any]:
        return connection.execute(self.statement, values).all()
