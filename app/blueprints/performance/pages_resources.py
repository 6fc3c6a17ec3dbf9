"""The page of resources: disks, the database's files, processes, the pool, and what runs for long."""

from dataclasses import dataclass
from datetime import datetime

from app.amounts import count, size
from app.blueprints.performance import pages_wording as wording
from app.blueprints.performance.pages_overview import Gauge, gauges_of
from app.blueprints.performance.pages_sql import brief
from app.blueprints.performance.views import PoolView, ResourceView
from app.database.gauges.running import LongRunning
from app.database.tracking.figures import ProcessFigures
from app.observability.resources import DiskGauges

DISKS = {"database": "Database", "screenshots": "Pictures", "logs": "Logs"}
LEVELS = {"ok": ("Room enough", "good"), "warning": ("Fills up", "warn"), "critical": ("Nearly full", "bad")}


@dataclass(frozen=True)
class DiskRow:
    """One disk; `gauges` is None for what is not on this machine."""

    name: str
    gauges: DiskGauges | None
    word: str
    tone: str


@dataclass(frozen=True)
class ProcessRow:
    """One process as it last told of itself; a figure that it did not tell is a dash."""

    figures: ProcessFigures
    memory: str
    processor: str
    threads: str
    files: str
    pool: str


@dataclass(frozen=True)
class RunningRow:
    """A statement that runs now."""

    running: LongRunning
    brief: str


@dataclass(frozen=True)
class ResourcesPage:
    """What the page shows."""

    gauges: tuple[Gauge, ...]
    disks: tuple[DiskRow, ...]
    database: tuple[tuple[str, str], ...]
    processes: tuple[ProcessRow, ...]
    pool: tuple[tuple[str, str], ...]
    running: tuple[RunningRow, ...]


def of(resources: ResourceView, pool: PoolView, now: datetime) -> ResourcesPage:
    """Make the page."""
    return ResourcesPage(
        gauges=gauges_of(resources, pool),
        disks=tuple(_disk(name, gauges) for name, gauges in resources.disks.items()),
        database=tuple(_database(resources, now)),
        processes=tuple(map(_process, resources.processes)),
        pool=tuple(_pool(pool)),
        running=tuple(RunningRow(one, brief(one.text)) for one in pool.running),
    )


def _disk(name: str, gauges: DiskGauges | None) -> DiskRow:
    word, tone = LEVELS[gauges.level] if gauges else ("Not on this machine", "faint")
    return DiskRow(DISKS.get(name, name.capitalize()), gauges, word, tone)


def _database(resources: ResourceView, now: datetime) -> list[tuple[str, str]]:
    found, day = resources.database, resources.growth_bytes_a_day
    rows = [
        ("Kind", {"sqlite": "SQLite", "postgresql": "PostgreSQL"}.get(found.database, found.database)),
        ("Size", size(found.size_bytes)),
        ("Grows", _growth(day)),
        ("Disk full", _full(resources)),
        ("Page size", size(found.page_size)),
    ]
    if found.free_bytes is not None and found.free_share is not None:
        rows.append(("Free pages", f"{size(found.free_bytes)}, {wording.finer_percent(found.free_share)}"))
    if found.wal_bytes is not None:
        rows.append(("Log file (WAL)", size(found.wal_bytes)))
    if found.wal_pending_bytes is not None:
        rows.append(("To write back", size(found.wal_pending_bytes)))
    checkpointed = wording.ago(found.checkpointed_at, now) if found.checkpointed_at else "not known"
    rows.append(("Last checkpoint", checkpointed))
    if found.cache is not None:
        hits = (
            "none read yet"
            if found.cache.share is None
            else f"{wording.finer_percent(found.cache.share)} of pages"
        )
        rows.append(("Found in the cache", hits))
    return rows


def _growth(bytes_a_day: float | None) -> str:
    if bytes_a_day is None:
        return "known after an hour"
    return f"{size(bytes_a_day)} a day" if bytes_a_day > 0 else "not"


def _full(resources: ResourceView) -> str:
    if resources.days_until_full is not None:
        return f"in {wording.until_full(resources.days_until_full)}"
    return "not known yet" if resources.growth_bytes_a_day is None else "not as it is now"


def _process(figures: ProcessFigures) -> ProcessRow:
    own, pool = figures.gauges.get("process") or {}, figures.gauges.get("pool") or {}
    files, limit = own.get("open_files"), own.get("open_files_limit")
    return ProcessRow(
        figures=figures,
        memory=size(own["rss_bytes"]) if "rss_bytes" in own else "–",
        processor=f"{own['cpu_percent']:.0f} %" if "cpu_percent" in own else "–",
        threads=count(own.get("threads")),
        files=f"{count(files)} of {count(limit)}" if files and limit else count(files),
        pool=f"{pool['checked_out']} of {pool['capacity'] or 'any'}" if "checked_out" in pool else "–",
    )


def _pool(pool: PoolView) -> list[tuple[str, str]]:
    one, waits = pool.gauges, pool.gauges.waits
    waited = wording.times(waits.count) if waits.count else "never"
    if waits.count:
        waited += f", {wording.milliseconds(waits.longest_ms)} at the longest"
    if waits.failed:
        waited += f", {count(waits.failed)} in vain"
    return [
        ("Health", f"{one.health_score} of 100"),
        ("In use", count(one.checked_out)),
        ("Idle", count(one.idle)),
        ("Beyond its size", count(one.overflow)),
        ("Size", f"{one.size}, and {'any number' if one.capacity is None else one.max_overflow} more"),
        ("Waits at most", f"{one.timeout_s:g} s"),
        ("Waited for", waited),
    ]
