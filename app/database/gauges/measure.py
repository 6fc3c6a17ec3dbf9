"""Gauges: how large the database is, what its log and free pages hold, how often writers wait for it.

`database_gauges` asks the database and adds what the processes counted. What one process counts (its waits,
its page cache, its pool) it publishes with its row of `processes` every ten seconds, so that any process can
say it for all. A sample of the sizes is kept every five minutes; growth is read from those.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import QueuePool

from app.clock import utc_now
from app.database.checkpoint import TELLS_ITS_LOG, pending_pages
from app.database.engine import sqlite, turn_of
from app.database.gauges.page_cache import CacheHits, cache_hits, page_cache_of
from app.database.gauges.pool import pool_gauges
from app.database.gauges.waits import Waits, added
from app.database.tracking.figures import ProcessFigures
from app.database.tracking.scope import ignored

if TYPE_CHECKING:
    from app.database.tracking.statistics import ResourceSample, Statistics
    from app.database.tracking.watch import Watcher

log = logging.getLogger("earmark.database")

SAMPLE_EVERY = timedelta(minutes=5)
# A shorter span says nothing of a day: one checkpoint or one import would be multiplied by hundreds.
LEAST_SPAN = timedelta(hours=1)
# 60 samples make 1,770 pairs, 1 ms of work; more do not make the median surer.
MOST_SAMPLES = 60
DAY_SECONDS = 86_400


@dataclass(frozen=True)
class DatabaseGauges:
    """The database's sizes in bytes; None for what this database has not, or does not tell its user.

    `used_bytes` is the size without free pages. `wal_pending_bytes` is what the next checkpoint has to write
    back. `waits` counts writers that found the database locked since their process began; `waiting` are the
    sessions that wait for a lock now (PostgreSQL).
    """

    database: str
    size_bytes: int
    used_bytes: int
    free_bytes: int | None
    free_share: float | None
    page_size: int
    wal_bytes: int | None
    wal_pending_bytes: int | None
    checkpointed_at: datetime | None
    checkpoint_age_s: float | None
    cache: CacheHits | None
    waits: Waits | None
    waiting: int | None


def database_gauges(
    engine: Engine, processes: Sequence[ProcessFigures] = (), now: datetime | None = None
) -> DatabaseGauges:
    """Measure the database; with `processes`, waits and cache hits are those of all of them together."""
    now = now or utc_now()
    if engine.dialect.name == "sqlite":
        return _sqlite_gauges(engine, processes, now)
    with ignored(), engine.connect() as connection:
        return _postgresql_gauges(connection, now)


def growth(samples: Sequence["ResourceSample"]) -> float | None:
    """Return by how many bytes a day the used pages grow; None until samples an hour apart are there.

    The median of the slopes between all pairs (Theil and Sen, 1968), which one import or one purge does not
    move.
    """
    known = [(one.taken_at, one.values["used_bytes"]) for one in samples if "used_bytes" in one.values]
    if not known or known[-1][0] - known[0][0] < LEAST_SPAN:
        return None
    thinned = [*known[: -1 : len(known) // MOST_SAMPLES + 1], known[-1]]
    slopes = [
        (size - before) / (later - earlier).total_seconds()
        for (earlier, before), (later, size) in combinations(thinned, 2)
        if later > earlier
    ]
    return float(median(slopes)) * DAY_SECONDS


def days_until_full(free_bytes: int, bytes_a_day: float | None) -> float | None:
    """Return after how many days the disk is full; None where nothing grows, or that is not known yet."""
    return free_bytes / bytes_a_day if bytes_a_day is not None and bytes_a_day > 0 else None


def publish(watcher: "Watcher") -> None:
    """Have a process say what it counts with its row of `processes`, and keep the samples."""
    engine, sampler = watcher.engine, Sampler(watcher.engine, watcher.statistics)
    if isinstance(engine.pool, QueuePool):
        watcher.add_gauge("pool", lambda: asdict(pool_gauges(engine)))
    watcher.add_gauge("waits", lambda: _as_json(_own_waits(engine)))
    watcher.add_gauge("cache", lambda: _as_json(_own_cache(engine)))
    watcher.collector.on_write.append(sampler.sample)


class Sampler:
    """Keeps one sample of the sizes every five minutes, whichever process comes first."""

    def __init__(self, engine: Engine, statistics: "Statistics") -> None:
        self._engine = engine
        self._statistics = statistics
        self._due = datetime.min.replace(tzinfo=UTC)

    def sample(self, now: datetime) -> None:
        """Keep a sample where the last one is old. A database that is away is asked again the next time."""
        if now < self._due:
            return
        try:
            kept = self._statistics.samples(now - SAMPLE_EVERY)
            recent = [one.taken_at for one in kept if one.taken_at > now - SAMPLE_EVERY]
            if not recent:
                self._statistics.sample(_sample_of(database_gauges(self._engine, now=now)), now)
        except SQLAlchemyError as error:
            log.debug("no sample was kept", exc_info=error)
        else:
            self._due = (recent[-1] if recent else now) + SAMPLE_EVERY


def _sample_of(gauges: DatabaseGauges) -> dict[str, int | None]:
    names = ("size_bytes", "used_bytes", "free_bytes", "wal_bytes")
    return {name: getattr(gauges, name) for name in names}


def _sqlite_gauges(engine: Engine, processes: Sequence[ProcessFigures], now: datetime) -> DatabaseGauges:
    page_size, pages, free, pending = _sqlite_pages(engine)
    file = engine.url.database
    on_disk = Path(file) if file and file != ":memory:" else None
    checkpointed_at = _checkpointed_at(on_disk) if on_disk else None
    return DatabaseGauges(
        database="sqlite",
        size_bytes=page_size * pages,
        used_bytes=page_size * (pages - free),
        free_bytes=page_size * free,
        free_share=free / pages if pages else 0.0,
        page_size=page_size,
        wal_bytes=_size(on_disk.with_name(on_disk.name + "-wal")) if on_disk else None,
        wal_pending_bytes=None if pending is None else page_size * pending,
        checkpointed_at=checkpointed_at,
        checkpoint_age_s=_age(checkpointed_at, now),
        cache=_all_cache(engine, processes),
        waits=_all_waits(engine, processes),
        waiting=None,
    )


def _sqlite_pages(engine: Engine) -> tuple[int, int, int, int | None]:
    """Return page size, pages, free pages, and pages of the log that await a checkpoint."""
    with ignored():
        pooled = engine.raw_connection()  # outside a transaction, where a checkpoint can be asked about
        try:
            cursor = pooled.cursor()
            sizes = [
                int(cursor.execute(f"pragma {name}").fetchone()[0])
                for name in ("page_size", "page_count", "freelist_count")
            ]
            pending = None
            if sqlite.sqlite_version_info >= TELLS_ITS_LOG:
                pending = pending_pages(cursor)
            cursor.close()
        finally:
            pooled.close()
    return sizes[0], sizes[1], sizes[2], pending


def _checkpointed_at(file: Path) -> datetime | None:
    # In WAL mode nothing but a checkpoint writes the database's own file. It must not be opened for this:
    # closing it would drop the locks that this process holds on it (sqlite.org/howtocorrupt.html, 2.2).
    try:
        return datetime.fromtimestamp(file.stat().st_mtime, UTC)
    except FileNotFoundError:
        return None


def _age(checkpointed_at: datetime | None, now: datetime) -> float | None:
    return None if checkpointed_at is None else max((now - checkpointed_at).total_seconds(), 0.0)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def _own_waits(engine: Engine) -> Waits | None:
    turn = turn_of(engine)
    return None if turn is None else turn.waits.figures()


def _own_cache(engine: Engine) -> CacheHits | None:
    cache = page_cache_of(engine)
    return None if cache is None else cache.figures()


def _all_waits(engine: Engine, processes: Sequence[ProcessFigures]) -> Waits | None:
    published = [Waits(**one) for one in _published(processes, "waits")]
    return added(published) if published else _own_waits(engine)


def _all_cache(engine: Engine, processes: Sequence[ProcessFigures]) -> CacheHits | None:
    published = _published(processes, "cache")
    if not published:
        return _own_cache(engine)
    return cache_hits(sum(one["hits"] for one in published), sum(one["misses"] for one in published))


def _published(processes: Sequence[ProcessFigures], name: str) -> list[Mapping[str, int]]:
    return [one.gauges[name] for one in processes if one.gauges.get(name)]


def _as_json(value: Waits | CacheHits | None) -> dict[str, int | float | None] | None:
    return None if value is None else asdict(value)


_POSTGRESQL = text("""
    select pg_database_size(datname) as size_bytes, blks_hit, blks_read,
        current_setting('block_size')::integer as page_size,
        (select count(*) from pg_stat_activity as other
         where other.datname = own.datname and other.wait_event_type = 'Lock') as waiting
    from pg_stat_database as own where datname = current_database()
""")


def _postgresql_gauges(connection: Connection, now: datetime) -> DatabaseGauges:
    found = connection.execute(_POSTGRESQL).one()
    wal_bytes = _if_allowed(connection, "pg_ls_waldir()", "select sum(size)::bigint from pg_ls_waldir()")
    checkpointed_at = _if_allowed(
        connection, "pg_control_checkpoint()", "select checkpoint_time from pg_control_checkpoint()"
    )
    return DatabaseGauges(
        database="postgresql",
        size_bytes=found.size_bytes,
        used_bytes=found.size_bytes,
        free_bytes=None,
        free_share=None,
        page_size=found.page_size,
        wal_bytes=wal_bytes,
        wal_pending_bytes=None,
        checkpointed_at=checkpointed_at and checkpointed_at.astimezone(UTC),
        checkpoint_age_s=_age(checkpointed_at, now),
        cache=cache_hits(found.blks_hit, found.blks_read),
        waits=None,
        waiting=found.waiting,
    )


def _if_allowed(connection: Connection, function: str, query: str) -> Any:
    """Return what a function says that only some roles may call; None where this role may not."""
    allowed = text("select has_function_privilege(:function, 'execute')")
    if not connection.execute(allowed, {"function": function}).scalar():
        return None
    return connection.execute(text(query)).scalar()
