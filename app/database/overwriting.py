"""Deleting so that nothing is left in the file: SQLite keeps deleted rows in free pages until reused."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine

from app.database.tracking.scope import ignored


@contextmanager
def overwriting(connection: Connection) -> Iterator[None]:
    """Overwrite with zeros what the body deletes (sqlite.org, secure_delete); PostgreSQL has VACUUM."""
    if connection.dialect.name != "sqlite":
        yield
        return
    connection.exec_driver_sql("pragma secure_delete = on")
    try:
        yield
    finally:
        connection.exec_driver_sql("pragma secure_delete = off")


def fold_log(engine: Engine) -> None:
    """Fold SQLite's write-ahead log into the file and empty it, where no reader needs it any more."""
    if engine.dialect.name != "sqlite":
        return
    with ignored(), engine.connect() as connection:
        connection.connection.driver_connection.execute("pragma wal_checkpoint(truncate)")  # type: ignore[union-attr]
