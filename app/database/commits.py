"""Whether anything was committed since one last asked, at next to no cost.

SQLite counts commits of other connections in `pragma data_version` (3 µs, sqlite.org/pragma.html); the value
only means something on the connection that read it before, so this holds one of its own, outside the pool,
which never writes. PostgreSQL has no such count: there the answer is always "perhaps".
"""

from typing import Any

from sqlalchemy import Engine

from app.database.engine import sqlite


class Commits:
    """Tells whether the database may have changed."""

    def __init__(self, engine: Engine) -> None:
        self._file = engine.url.database if engine.dialect.name == "sqlite" else None
        self._connection: Any = None
        self._version: int | None = None

    def happened(self) -> bool:
        """Return True at first, and whenever something was committed since the last call."""
        if self._file is None:
            return True
        if self._connection is None:
            self._connection = sqlite.connect(self._file, check_same_thread=False)
        version = self._connection.execute("pragma data_version").fetchone()[0]
        changed = bool(version != self._version)
        self._version = version
        return changed

    def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = self._version = None
