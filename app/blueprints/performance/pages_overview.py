"""The overview: health in a sentence, what is wrong, six gauges, and the statements that take most time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from app.amounts import count, many, size
from app.blueprints.performance import pages_findings as findings
from app.blueprints.performance import pages_wording as wording
from app.blueprints.performance import views
from app.blueprints.performance.pages_findings import Health, Matter
from app.blueprints.performance.pages_indexes import recent
from app.blueprints.performance.pages_statements import StatementRow, rows_of, starts
from app.blueprints.performance.views import IndexView, PoolView, ResourceView
from app.database.gauges.measure import DatabaseGauges
from app.database.tracking.figures import Overview, ProcessFigures
from app.database.tracking.watch import Watcher
from app.version import VERSION

MOST_STATEMENTS = 10
# From here on a gauge is marked: free pages to give back, and a log that waits to be written back.
MUCH_FREE = 0.25
LONG_LOG_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Gauge:
    """One cell of the strip; `tone` is `bad`, `warn` or empty."""

    name: str
    value: str
    more: str
    tone: str = ""


@dataclass(frozen=True)
class OverviewPage:
    """What the overview shows."""

    health: Health
    matters: tuple[Matter, ...]
    more: str
    gauges: tuple[Gauge, ...]
    overview: Overview
    statements: tuple[StatementRow, ...]
    shown: str
    workers: str
    marks: Mapping[datetime, str]


def load(watcher: Watcher, since: datetime, asked: str | None, now: datetime) -> OverviewPage:
    """Read everything that the page shows; `asked` is the span as its links carry it."""
    statistics = watcher.statistics
    statements = statistics.statements(since)
    overview = statistics.overview(since)
    indexes, resources, pool = recent(asked, since), views.resources(now), views.pool_view()
    found = findings.worst_first(
        [
            *findings.of_alerts(resources.alerts, now),
            *findings.of_advice(indexes.advice.offers, statements, watcher.slow_query_ms, asked),
            *findings.of_slow(statements, indexes.advice.offers, watcher.slow_query_ms, asked),
            *findings.of_repeats(statistics.requests(since), statements, asked),
            *findings.of_errors(overview, asked),
            *_spare(indexes, overview, asked, now),
            *findings.of_dropped(sum(process.dropped for process in resources.processes)),
        ]
    )
    requests = overview.requests
    return OverviewPage(
        health=findings.health(
            found, requests.count, requests.p95_ms, resources.database.size_bytes, resources.days_until_full
        ),
        matters=tuple(found[: findings.MOST_SHOWN]),
        more=_more(found),
        gauges=gauges_of(resources, pool),
        overview=overview,
        statements=tuple(rows_of(statements[:MOST_STATEMENTS], asked)),
        shown=_shown(len(statements)),
        workers=_workers(resources.processes, statistics.since(), now),
        marks=starts(overview.statement_series, resources.processes, VERSION),
    )


def _spare(indexes: IndexView, overview: Overview, asked: str | None, now: datetime) -> list[Matter]:
    series = overview.statement_series
    watched = now - max(overview.since, series[0].start) if series else timedelta(0)
    return findings.of_spare(indexes.reports, overview.statements.count, watched, asked)


def _more(found: Sequence[Matter]) -> str:
    left = len(found) - findings.MOST_SHOWN
    return f"{wording.in_words(left).capitalize()} more, of less weight." if left > 0 else ""


def _shown(kinds: int) -> str:
    if kinds == 0:
        return ""
    shown = f", {MOST_STATEMENTS} shown" if kinds > MOST_STATEMENTS else ""
    return many(kinds, "kind") + shown


def _workers(processes: Sequence[ProcessFigures], began: datetime | None, now: datetime) -> str:
    since = f", since {wording.on_day(began, now)}" if began else ""
    number = len(processes)
    if number == 0:
        return since.removeprefix(", ").capitalize()
    return f"{'All ' if number > 1 else ''}{many(number, 'process', 'processes')}{since}"


def gauges_of(resources: ResourceView, pool: PoolView) -> tuple[Gauge, ...]:
    """Make the cells of the strip; a database that has no log or no free pages shows what it has instead."""
    database = resources.database
    return (
        _log(database),
        _free(database),
        _waits(database),
        _pool(pool),
        _memory(resources),
        _monitor(resources.processes),
    )


def _log(database: DatabaseGauges) -> Gauge:
    age = database.checkpoint_age_s
    more = "no checkpoint yet" if age is None else f"checkpoint {_seconds(age)} ago"
    long = (database.wal_bytes or 0) > LONG_LOG_BYTES
    return Gauge("Log file (WAL)", size(database.wal_bytes), more, "warn" if long else "")


def _seconds(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:,.0f} h"


def _free(database: DatabaseGauges) -> Gauge:
    if database.free_share is None or database.free_bytes is None:
        cache = database.cache.share if database.cache else None
        return Gauge(
            "Cache hits", "–" if cache is None else wording.finer_percent(cache), "pages found in memory"
        )
    tone = "warn" if database.free_share > MUCH_FREE else ""
    more = f"{size(database.free_bytes)} to give back"
    return Gauge("Free pages", wording.finer_percent(database.free_share), more, tone)


def _waits(database: DatabaseGauges) -> Gauge:
    if database.waits is None:
        return Gauge("Waits for a lock", count(database.waiting), "sessions, now")
    waits = database.waits
    longest = f"longest {wording.milliseconds(waits.longest_ms)}" if waits.count else "none since the start"
    tone = "bad" if waits.failed else ""
    more = f"{many(waits.failed, 'gave up', 'gave up')}, {longest}" if waits.failed else longest
    return Gauge("Waits for the lock", count(waits.count), more, tone)


def _pool(pool: PoolView) -> Gauge:
    # The fullest pool speaks for all: whoever gets that process waits.
    one = min([worker.gauges for worker in pool.workers] or [pool.gauges], key=lambda own: own.health_score)
    whole = "" if one.capacity is None else f" of {one.capacity}"
    tone = "" if one.health_score >= 80 else "bad" if one.health_score < 50 else "warn"
    return Gauge("Pool", f"{one.health_score} of 100", f"{one.checked_out}{whole} in use", tone)


def _memory(resources: ResourceView) -> Gauge:
    known = [rss for one in resources.processes if (rss := rss_of(one)) is not None]
    rss = sum(known) if known else resources.process.rss_bytes
    return Gauge("Memory", size(rss), many(max(1, len(known)), "process", "processes"))


def rss_of(process: ProcessFigures) -> int | None:
    """Return the resident memory that a process last told of itself."""
    published = process.gauges.get("process") or {}
    rss = published.get("rss_bytes")
    return int(rss) if isinstance(rss, int | float) else None


def _monitor(processes: Sequence[ProcessFigures]) -> Gauge:
    if not processes:
        return Gauge("This monitor", "–", "no process has told yet")
    share = sum(one.monitor_share for one in processes) / len(processes)
    # A process with few statements has a high figure that says little: the middle one is everybody's.
    us = median(one.monitor_us_a_statement for one in processes)
    return Gauge(
        "This monitor", wording.finer_percent(share), f"{wording.milliseconds(us / 1000)} a statement"
    )
