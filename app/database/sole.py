"""One at a time over all processes: `sole(name)` is held by one process, and falls with it.

On SQLite a `flock` on a file beside the database, on PostgreSQL an advisory lock of a connection of its own:
both end with the process, however that ends, so nothing stale can be left.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import NullPool

from app.database.turn import Turn, TurnTimeout


class AlreadyHeld(Exception):
    """Another process, or another thread of this one, is at it."""


@contextmanager
def sole(engine: Engine, name: str) -> Iterator[None]:
    """Hold a name for the body. Raises AlreadyHeld at once when it is taken."""
    held = _on_postgresql if engine.dialect.name == "postgresql" else _on_sqlite
    with held(engine, name):
        yield


@contextmanager
def _on_sqlite(engine: Engine, name: str) -> Iterator[None]:
    assert engine.url.database is not None
    turn = Turn(Path(f"{engine.url.database}-{name}"))
    try:
        with turn.taken(0):
            yield
    except TurnTimeout:
        raise AlreadyHeld(name) from None


@contextmanager
def _on_postgresql(engine: Engine, name: str) -> Iterator[None]:
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
    # Not of the pool: a connection given back would keep the lock.
    own = create_engine(engine.url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with own.connect() as connection:
        if not connection.scalar(text("select pg_try_advisory_lock(:key)"), {"key": key}):
            raise AlreadyHeld(name)
        yield
