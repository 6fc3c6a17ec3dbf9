"""Engines: the options and connection settings that each database needs.

On SQLite: pysqlite3 where it has a wheel (it bundles a library without the WAL-reset bug of 3.7.0–3.51.2),
WAL, foreign keys, and transactions that begin as the caller asked: `BEGIN IMMEDIATE` for writes, `BEGIN`
for reads. The driver's own transaction handling is switched off, because its deferred read-then-write fails
at once with SQLITE_BUSY_SNAPSHOT whatever the time-out.
"""

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event

from app.database.driver import fetch
from app.database.gauges.page_cache import watch_page_cache
from app.database.gauges.pool import WatchedPool
from app.database.search.conditions import register
from app.database.tracking.scope import ignored
from app.database.turn import Turn

try:
    import pysqlite3.dbapi2 as driver
except ImportError:  # no wheel for this platform: the standard library's SQLite
    import sqlite3 as driver

sqlite = driver

# Waiting for another writer that does not take turns (a shell, a backup): longer than any of our own writes.
BUSY_TIMEOUT_MS = 5_000
# Fewer, larger checkpoints: transactions' p99 was 3–5 ms at 16,000 pages, 8–18 ms at SQLite's 1,000.
WAL_AUTOCHECKPOINT_PAGES = 16_000
WRITE_OPTION = "earmark_write"
TURN_OPTION = "earmark_turn"


def engine_options(url: str) -> dict[str, Any]:
    """Return the keyword arguments of `create_engine` for a database URL.

    The pool is smaller than the server's threads on purpose: a request holds a connection only while it
    reads or writes, never while it receives a body or sends an answer.
    """
    pool = {"poolclass": WatchedPool, "pool_size": 16, "max_overflow": 16, "pool_timeout": 10}
    if url.startswith("sqlite"):
        return {**pool, "module": sqlite, "connect_args": {"timeout": BUSY_TIMEOUT_MS / 1000}}
    # Half a minute without an answer to a connect attempt is an outage, not slowness.
    return {**pool, "pool_pre_ping": True, "connect_args": {"connect_timeout": 5}}


def prepare(engine: Engine, *, synchronous: str = "FULL") -> None:
    """Attach connection settings and transaction handling to a new engine."""
    if engine.dialect.name != "sqlite":
        return
    _install_turn(engine)
    watch_page_cache(engine)

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        with ignored():
            _set_pragmas(connection, synchronous)
            register(connection)

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        write = connection.get_execution_options().get(WRITE_OPTION)
        fetch(connection, "BEGIN IMMEDIATE" if write else "BEGIN")


def _set_pragmas(connection: Any, synchronous: str) -> None:
    cursor = connection.cursor()
    cursor.execute(f"pragma busy_timeout = {BUSY_TIMEOUT_MS}")
    if cursor.execute("pragma page_count").fetchone()[0] == 0:
        # A new file: it can give pages back in steps only if that is said before its first table.
        cursor.execute("pragma auto_vacuum = incremental")
    cursor.execute("pragma journal_mode = wal")
    cursor.execute(f"pragma synchronous = {synchronous}")
    cursor.execute("pragma foreign_keys = on")
    cursor.execute("pragma trusted_schema = off")
    cursor.execute("pragma temp_store = memory")
    cursor.execute(f"pragma wal_autocheckpoint = {WAL_AUTOCHECKPOINT_PAGES}")
    cursor.close()


def turn_of(engine: Engine) -> Turn | None:
    """Return the turn that writers of this engine's SQLite file take; None on PostgreSQL."""
    turn = engine.get_execution_options().get(TURN_OPTION)
    return turn if isinstance(turn, Turn) else None


def _install_turn(engine: Engine) -> None:
    file = engine.url.database
    if not file or file == ":memory:":
        return
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    engine.update_execution_options(**{TURN_OPTION: Turn(Path(file + "-turn"))})
