"""Statistics: what the collectors of all processes wrote, added up and read as figures.

Reads add the rows of every process. A span of up to three hours is read from minutes, a longer one from
hours.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Engine, Select, Table, delete, func, insert, select, update

from app.clock import utc_now
from app.database.tracking.figures import (
    BrowserFigures,
    Caller,
    Overview,
    Point,
    ProcessFigures,
    Repeat,
    RouteFigures,
    StatementDetail,
    StatementFigures,
    Timing,
)
from app.database.tracking.scope import ignored
from app.database.tracking.sums import (
    WHOLE,
    RouteSum,
    StatementSum,
    Sum,
    route_of,
    statement_of,
    sum_of,
)
from app.database.tracking.tables import HOUR, MINUTE, StatisticsTables
from app.database.transactions import begin_write, writing_connection
from app.database.types import EPOCH

READ_BY_MINUTE = timedelta(hours=3)
ALIVE = timedelta(seconds=30)
SORTS = ("total", "avg", "p95", "p99", "max", "count", "rows", "slow", "errors", "last_seen")
Summed = TypeVar("Summed", bound=Sum)


@dataclass(frozen=True)
class ResourceSample:
    """One sample of what the whole installation uses."""

    taken_at: datetime
    values: Mapping[str, Any]


class Statistics:
    """Reads the figures, and starts them afresh."""

    def __init__(self, engine: Engine, tables: StatisticsTables) -> None:
        self.engine = engine
        self.tables = tables

    def statements(
        self, since: datetime, *, sort: str = "total", limit: int | None = None, search: str | None = None
    ) -> list[StatementFigures]:
        """Return the statements seen since then, most first by `sort` (one of SORTS)."""
        sums, seen = self._sums(self.tables.statements, "fingerprint", statement_of, since)
        whole = sums.pop(WHOLE, StatementSum())
        texts = self._texts(sums)
        words = (search or "").lower()
        found = [
            _statement(key, texts.get(key, key), one, whole, seen[key])
            for key, one in sums.items()
            if words in texts.get(key, key).lower() or words == key
        ]
        found.sort(key=_ORDERS[sort], reverse=True)
        return found[:limit]

    def statement(self, fingerprint: str, since: datetime) -> StatementDetail | None:
        """Return one statement over the span, or None where it was not seen."""
        rows = self._rows(self.tables.statements, since, fingerprint=[fingerprint, WHOLE])
        own = [row for row in rows if row.fingerprint == fingerprint]
        if not own or fingerprint == WHOLE:
            return None
        one = _added(map(statement_of, own), StatementSum())
        whole = _added((statement_of(row) for row in rows if row.fingerprint == WHOLE), StatementSum())
        text = self._texts([fingerprint]).get(fingerprint, fingerprint)
        figures = _statement(fingerprint, text, one, whole, max(row.last_seen for row in own))
        return StatementDetail(figures, one.histogram.columns(), _series(own, statement_of))

    def requests(
        self, since: datetime, *, sort: str = "total", limit: int | None = None
    ) -> list[RouteFigures]:
        """Return the routes answered since then, most first by `sort` (of SORTS, without rows and slow)."""
        sums, seen = self._sums(self.tables.requests, "route", route_of, since)
        sums.pop(WHOLE, None)
        texts = self._texts({key for one in sums.values() for key in one.repeats})
        found = [_route(route, one, texts, seen[route]) for route, one in sums.items()]
        found.sort(key=_ORDERS[sort], reverse=True)
        return found[:limit]

    def browser(self, since: datetime) -> list[BrowserFigures]:
        """Return the visitors' own timings since then, by page and metric."""
        rows = self._rows(self.tables.browser, since)
        groups: dict[tuple[str, str], list[Any]] = {}
        for row in rows:
            groups.setdefault((row.page, row.metric), []).append(row)
        return [
            BrowserFigures(page, metric, timing_of(_added(map(sum_of, group), Sum())))
            for (page, metric), group in sorted(groups.items())
        ]

    def overview(self, since: datetime) -> Overview:
        """Return requests and statements together and over time."""
        requests = self._rows(self.tables.requests, since, route=[WHOLE])
        statements = self._rows(self.tables.statements, since, fingerprint=[WHOLE])
        all_requests = _added(map(route_of, requests), RouteSum())
        all_statements = _added(map(statement_of, statements), StatementSum())
        return Overview(
            since=since,
            requests=timing_of(all_requests),
            request_errors=all_requests.errors,
            statements=timing_of(all_statements),
            statement_errors=all_statements.errors,
            kinds=self._kinds(since),
            request_series=_series(requests, route_of),
            statement_series=_series(statements, statement_of),
        )

    def slow(self, fingerprint: str | None = None) -> Select[Any]:
        """Select the slow log; page it with `slow_order`."""
        table = self.tables.slow
        columns = [column for column in table.c if column.key != "duration_us"]
        query = select(*columns, (table.c.duration_us / 1000.0).label("duration_ms"))
        return query if fingerprint is None else query.where(table.c.fingerprint == fingerprint)

    @property
    def slow_order(self) -> Sequence[Any]:
        """The order of the slow log: newest first."""
        return (self.tables.slow.c.created_at.desc(), self.tables.slow.c.id.desc())

    def slowest(self, fingerprint: str, since: datetime, limit: int = 5) -> Sequence[Any]:
        """Return the slowest runs of a statement in the slow log, as `slow` selects them."""
        table = self.tables.slow
        query = self.slow(fingerprint).where(table.c.created_at >= since)
        return self._read(query.order_by(table.c.duration_us.desc(), table.c.id).limit(limit))

    def forget(self) -> None:
        """Start the statistics and the slow log afresh; samples, processes and the statements' texts stay.

        A process writes a text once: it would know a statement that comes again by its fingerprint alone.
        """
        tables = self.tables
        with ignored(), writing_connection(self.engine) as connection, begin_write(connection):
            for table in (tables.statements, tables.requests, tables.browser, tables.slow):
                connection.execute(delete(table))

    def since(self) -> datetime | None:
        """Return when the oldest window begins, None before the first."""
        table = self.tables.statements
        oldest = select(table.c.seconds, func.min(table.c.start)).where(table.c.fingerprint == WHOLE)
        starts: dict[int, datetime] = dict(self._read(oldest.group_by(table.c.seconds)))
        # Within its hour, the first minute says it more closely.
        if HOUR in starts and MINUTE in starts and starts[MINUTE] - starts[HOUR] < timedelta(hours=1):
            return starts[MINUTE]
        return min(starts.values(), default=None)

    def processes(self, now: datetime) -> list[ProcessFigures]:
        """Return the processes that were seen in the last 30 seconds, oldest first."""
        table = self.tables.processes
        rows = self._read(select(table).where(table.c.seen_at > now - ALIVE).order_by(table.c.started_at))
        return [_process(row) for row in rows]

    def ask_to_end(self, worker: str, statement_id: str) -> bool:
        """Ask a process to end a statement; its collector does so within a second. False: no such process."""
        table = self.tables.processes
        wish = update(table).where(table.c.worker == worker).values(end_statement=statement_id)
        with ignored(), writing_connection(self.engine) as connection, begin_write(connection):
            return connection.execute(wish).rowcount == 1

    def sample(self, values: Mapping[str, Any], now: datetime) -> None:
        """Keep one sample of what the installation uses."""
        with ignored(), writing_connection(self.engine) as connection, begin_write(connection):
            connection.execute(insert(self.tables.samples).values(taken_at=now, gauges=dict(values)))

    def samples(self, since: datetime) -> list[ResourceSample]:
        """Return the samples since then, oldest first."""
        table = self.tables.samples
        query = select(table.c.taken_at, table.c.gauges).where(table.c.taken_at >= since)
        return [
            ResourceSample(taken, values) for taken, values in self._read(query.order_by(table.c.taken_at))
        ]

    def _sums(
        self, table: Table, key: str, read: Callable[[Any], Summed], since: datetime
    ) -> tuple[dict[str, Summed], dict[str, datetime]]:
        sums: dict[str, Summed] = {}
        seen: dict[str, datetime] = {}
        for row in self._rows(table, since):
            name = getattr(row, key)
            one = read(row)
            if name in sums:
                sums[name].merge(one)
            else:
                sums[name] = one
            seen[name] = max(seen.get(name, EPOCH), row.last_seen)
        return sums, seen

    def _rows(self, table: Table, since: datetime, **keys: Sequence[str]) -> Sequence[Any]:
        query = select(table).where(*_span(table, since))
        for name, values in keys.items():
            query = query.where(table.c[name].in_(values))
        return self._read(query.order_by(table.c.start))

    def _kinds(self, since: datetime) -> int:
        table = self.tables.statements
        kinds = func.count(table.c.fingerprint.distinct())
        return int(self._read(select(kinds).where(*_span(table, since), table.c.fingerprint != WHOLE))[0][0])

    def _texts(self, fingerprints: Iterable[str]) -> dict[str, str]:
        table = self.tables.texts
        wanted = sorted(set(fingerprints))
        found: dict[str, str] = {}
        for first in range(0, len(wanted), 500):
            part = wanted[first : first + 500]
            found |= dict(self._read(select(table).where(table.c.fingerprint.in_(part))))
        return found

    def _read(self, query: Select[Any]) -> Sequence[Any]:
        with ignored(), self.engine.connect() as connection:
            return connection.execute(query).all()


def window_start(moment: datetime, seconds: int) -> datetime:
    """Return the begin of the minute or hour that a moment lies in."""
    return EPOCH + timedelta(seconds=(moment - EPOCH) // timedelta(seconds=seconds) * seconds)


def timing_of(one: Sum) -> Timing:
    """Return a sum's figures in milliseconds."""
    return Timing(
        count=one.count,
        total_ms=one.total_us / 1000,
        avg_ms=one.total_us / 1000 / one.count if one.count else 0.0,
        min_ms=one.min_us / 1000,
        max_ms=one.max_us / 1000,
        p50_ms=_percentile(one, 0.50),
        p95_ms=_percentile(one, 0.95),
        p99_ms=_percentile(one, 0.99),
    )


def _percentile(one: Sum, share: float) -> float:
    # The middle of a bucket may lie up to 1 % beyond what was really seen.
    return min(max(one.histogram.percentile_ms(share), one.min_us / 1000), one.max_us / 1000)


def _span(table: Table, since: datetime) -> Sequence[Any]:
    """Return the conditions on windows that reach into the span."""
    seconds = MINUTE if utc_now() - since <= READ_BY_MINUTE else HOUR
    return (table.c.seconds == seconds, table.c.start >= window_start(since, seconds))


def _added(sums: Iterable[Summed], whole: Summed) -> Summed:
    for one in sums:
        whole.merge(one)
    return whole


def _series(rows: Sequence[Any], read: Callable[[Any], Any]) -> tuple[Point, ...]:
    steps: dict[datetime, Any] = {}
    for row in rows:
        one = read(row)
        if row.start in steps:
            steps[row.start].merge(one)
        else:
            steps[row.start] = one
    return tuple(
        Point(start, one.count, one.errors, *(_percentile(one, share) for share in (0.5, 0.95, 0.99)))
        for start, one in sorted(steps.items())
    )


def _statement(
    fingerprint: str, text: str, one: StatementSum, whole: StatementSum, seen: datetime
) -> StatementFigures:
    callers = sorted(one.callers.items(), key=lambda item: -item[1])
    return StatementFigures(
        fingerprint=fingerprint,
        text=text,
        timing=timing_of(one),
        rows=one.rows,
        errors=one.errors,
        slow_count=one.slow,
        share=one.total_us / whole.total_us if whole.total_us else 0.0,
        last_seen=seen,
        callers=tuple(Caller(origin, line, count) for (origin, line), count in callers),
    )


def _route(route: str, one: RouteSum, texts: Mapping[str, str], seen: datetime) -> RouteFigures:
    repeats = sorted(one.repeats.items(), key=lambda item: -item[1][0])
    return RouteFigures(
        route=route,
        timing=timing_of(one),
        errors=one.errors,
        statements_avg=one.statements / one.count,
        statements_max=one.statements_max,
        database_avg_ms=one.database_us / 1000 / one.count,
        repeats=tuple(
            Repeat(key, texts.get(key, key), line, requests, most) for key, (requests, most, line) in repeats
        ),
        last_seen=seen,
    )


def _process(row: Any) -> ProcessFigures:
    gauges = dict(row.gauges)
    monitor = gauges.pop("monitor", {})
    return ProcessFigures(
        worker=row.worker,
        kind=row.kind,
        pid=row.pid,
        started_at=row.started_at,
        seen_at=row.seen_at,
        gauges=gauges,
        monitor_share=monitor.get("share", 0.0),
        monitor_us_a_statement=monitor.get("us_a_statement", 0.0),
        dropped=monitor.get("dropped", 0),
    )


_ORDERS: dict[str, Callable[[Any], Any]] = {
    "total": lambda one: one.timing.total_ms,
    "avg": lambda one: one.timing.avg_ms,
    "p95": lambda one: one.timing.p95_ms,
    "p99": lambda one: one.timing.p99_ms,
    "max": lambda one: one.timing.max_ms,
    "count": lambda one: one.timing.count,
    "rows": lambda one: one.rows,
    "slow": lambda one: one.slow_count,
    "errors": lambda one: one.errors,
    "last_seen": lambda one: one.last_seen,
}
