"""Space: what a database keeps free inside, and how it is given back to the disk.

SQLite keeps the pages of deleted rows for later rows. `incremental` gives some back in short steps, where the
file was made for that; `full` writes the whole file anew, which needs its size twice over and keeps writers
out while it runs (sqlite.org/lang_vacuum.html). On PostgreSQL `analyze` runs VACUUM (ANALYZE): dead rows
become room for new ones; the files seldom shrink.
"""

import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import Engine, text

from app.database.engine import turn_of
from app.database.tracking.scope import ignored
from app.database.turn import TurnTimeout

INCREMENTAL = 2  # value of `pragma auto_vacuum`
# Pages given back in one turn, so that no writer waits long; how long was not measured.
STEP_PAGES = 250
# A full VACUUM writes the rows once to a temporary file and once through the log.
COPIES = 2
# Waits longer for its turn than a request would: somebody asked for it and watches.
TURN_SECONDS = 60.0
WATCH_SECONDS = 0.2

Progress = Callable[[float], None]


class SpaceRefused(Exception):
    """It cannot be done here or now; the message says why, and what to do."""


@dataclass(frozen=True)
class Bloat:
    """A table of PostgreSQL: its size on the disk, and what its dead rows take of it, estimated, in bytes."""

    table: str
    size_bytes: int
    dead_rows: int
    dead_bytes: int


@dataclass(frozen=True)
class Space:
    """A database's room, in bytes. `free_pages` and `incremental` are None on PostgreSQL.

    `temporary_free` is the room where SQLite puts temporary files, None where that is the same disk.
    """

    database: str
    size_bytes: int
    used_bytes: int
    gain_bytes: int
    page_size: int
    free_pages: int | None
    incremental: bool | None
    disk_free: int | None
    temporary_free: int | None
    bloat: tuple[Bloat, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What one run did, in bytes of the database; `peak_bytes` is what the disks held more meanwhile."""

    before_bytes: int
    after_bytes: int
    duration_ms: int
    peak_bytes: int = 0

    @property
    def freed_bytes(self) -> int:
        """By how much the database is smaller."""
        return self.before_bytes - self.after_bytes


def measure(engine: Engine) -> Space:
    """Measure what there is to gain, and the room on the disks."""
    return _sqlite_space(engine) if engine.dialect.name == "sqlite" else _postgresql_space(engine)


def incremental(engine: Engine, pages: int, on_progress: Progress | None = None) -> Outcome:
    """Give up to `pages` free pages of a SQLite file back, a short turn each step.

    `on_progress` gets the share done, 0 to 1. Raises SpaceRefused on PostgreSQL, and for a file that was not
    made for it.
    """
    before = measure(engine)
    if before.incremental is None:
        raise SpaceRefused("PostgreSQL has no incremental vacuum; run it without --incremental.")
    if not before.incremental:
        raise SpaceRefused("This file gives nothing back in steps yet; a full vacuum, once, changes that.")
    started, wanted = time.monotonic(), min(pages, before.free_pages or 0)
    done = 0
    with _outside_a_transaction(engine) as cursor:
        while done < wanted:
            step = min(STEP_PAGES, wanted - done)
            with _turn(engine):
                # Stepped to its end: one `execute` alone frees one page.
                cursor.execute(f"pragma incremental_vacuum({step})").fetchall()
            done += step
            if on_progress:
                on_progress(done / wanted)
        _shrink_log(cursor)
    return Outcome(before.size_bytes, measure(engine).size_bytes, _passed_ms(started))


def full(engine: Engine, needed_bytes: int, on_watch: Callable[[], None] | None = None) -> Outcome:
    """Write a SQLite file anew, without free pages and in order; its writers wait meanwhile.

    `on_watch` is called every fifth of a second. Raises SpaceRefused on PostgreSQL, and when the disks have
    not `needed_bytes` free, or a writer does not end.
    """
    before = measure(engine)
    if before.database != "sqlite":
        raise SpaceRefused("PostgreSQL is vacuumed in place; there is no full run here.")
    check_room(before, needed_bytes)
    started = time.monotonic()
    with _outside_a_transaction(engine) as cursor, _watched(engine, on_watch) as watch, _turn(engine):
        cursor.execute(
            "pragma temp_store = file"
        )  # our connections keep it in memory, which may be too small
        cursor.execute(f"pragma auto_vacuum = {INCREMENTAL}")  # takes effect with the new file
        cursor.execute("vacuum").fetchall()
        _shrink_log(cursor)
    return Outcome(before.size_bytes, measure(engine).size_bytes, _passed_ms(started), watch.peak_bytes)


def analyze(engine: Engine, on_progress: Progress | None = None) -> Outcome:
    """Run VACUUM (ANALYZE) on every table of a PostgreSQL database, beside its readers and writers.

    Raises SpaceRefused on SQLite.
    """
    before = measure(engine)
    if before.database != "postgresql":
        raise SpaceRefused("VACUUM (ANALYZE) is PostgreSQL's.")
    started = time.monotonic()
    tables = [one.table for one in before.bloat]
    with ignored(), engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        quote = connection.dialect.identifier_preparer.quote
        for number, table in enumerate(tables, start=1):
            connection.exec_driver_sql(f"vacuum (analyze) {quote(table)}")
            if on_progress:
                on_progress(number / len(tables))
    return Outcome(before.size_bytes, measure(engine).size_bytes, _passed_ms(started))


def check_room(space: Space, needed_bytes: int) -> None:
    """Raise SpaceRefused when a full VACUUM would not find its room."""
    if space.disk_free is None:
        return
    beside = space.temporary_free is not None
    # Half of it goes through the log, beside the database; half into a temporary file.
    short = space.disk_free < (needed_bytes // COPIES if beside else needed_bytes)
    if short or (space.temporary_free is not None and space.temporary_free < needed_bytes // COPIES):
        free = min(space.disk_free, space.temporary_free or space.disk_free)
        raise SpaceRefused(
            f"A full vacuum needs {_mb(needed_bytes)} of free disk and {_mb(free)} are free."
            " Make room, or give space back in steps with --incremental."
        )


def _sqlite_space(engine: Engine) -> Space:
    with _outside_a_transaction(engine) as cursor:
        page_size, pages, free, mode = (
            int(cursor.execute(f"pragma {name}").fetchone()[0])
            for name in ("page_size", "page_count", "freelist_count", "auto_vacuum")
        )
    disk, temporary = _disks(engine)
    return Space(
        database="sqlite",
        size_bytes=page_size * pages,
        used_bytes=page_size * (pages - free),
        gain_bytes=page_size * free,
        page_size=page_size,
        free_pages=free,
        incremental=mode == INCREMENTAL,
        disk_free=disk,
        temporary_free=temporary,
    )


# What dead rows take: their share of the rows, of the table without its indexes. Rows are taken to be of one
# width, which pgstattuple would measure by reading the whole table (postgresql.org, F.33).
_BLOAT = text("""
    select s.relname as table, pg_total_relation_size(s.relid) as size_bytes, s.n_dead_tup as dead_rows,
        coalesce(pg_relation_size(s.relid) * s.n_dead_tup / nullif(s.n_live_tup + s.n_dead_tup, 0), 0)::bigint
        as dead_bytes
    from pg_stat_user_tables as s where s.schemaname = current_schema() order by dead_bytes desc, s.relname
""")


def _postgresql_space(engine: Engine) -> Space:
    with ignored(), engine.connect() as connection:
        size = int(connection.execute(text("select pg_database_size(current_database())")).scalar_one())
        page = int(connection.execute(text("select current_setting('block_size')::integer")).scalar_one())
        bloat = tuple(Bloat(*row) for row in connection.execute(_BLOAT))
    gain = sum(one.dead_bytes for one in bloat)
    return Space("postgresql", size, size - gain, gain, page, None, None, None, None, bloat)


@contextmanager
def _outside_a_transaction(engine: Engine) -> Iterator[Any]:
    """Give a cursor of a connection of its own, which is closed afterwards with what was set on it."""
    with ignored():
        pooled = engine.raw_connection()
        pooled.detach()
        try:
            yield pooled.cursor()
        finally:
            pooled.close()


@contextmanager
def _turn(engine: Engine) -> Iterator[None]:
    turn = turn_of(engine)
    if turn is None:
        yield
        return
    try:
        with turn.taken(TURN_SECONDS):
            yield
    except TurnTimeout:
        raise SpaceRefused("Another writer did not end; try again in a moment.") from None


def _shrink_log(cursor: Any) -> None:
    # The file itself becomes smaller when the log is written back; where readers are in the way, later.
    cursor.execute("pragma wal_checkpoint(truncate)").fetchall()


@dataclass
class _Watch:
    """How much more the disks held than at the beginning, at most."""

    peak_bytes: int = 0


@contextmanager
def _watched(engine: Engine, on_watch: Callable[[], None] | None) -> Iterator[_Watch]:
    ended, watch = threading.Event(), _Watch()
    first = _free_together(engine)

    def look() -> None:
        while not ended.wait(WATCH_SECONDS):
            watch.peak_bytes = max(watch.peak_bytes, first - _free_together(engine))
            if on_watch:
                on_watch()

    thread = threading.Thread(target=look, name="vacuum watch", daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        ended.set()
        thread.join()


def _free_together(engine: Engine) -> int:
    return sum(free or 0 for free in _disks(engine))


def _disks(engine: Engine) -> tuple[int | None, int | None]:
    """Return what is free beside the database, and where temporary files go, if that is another disk."""
    file = engine.url.database
    if not file or file == ":memory:":
        return None, None
    folder, temporary = Path(file).resolve().parent, Path(tempfile.gettempdir())
    other = folder.stat().st_dev != temporary.stat().st_dev
    free = psutil.disk_usage(str(folder)).free
    return free, psutil.disk_usage(str(temporary)).free if other else None


def _passed_ms(started: float) -> int:
    return round((time.monotonic() - started) * 1000)


def _mb(size: int) -> str:
    return f"{size / 1024 / 1024:,.0f} MB"
