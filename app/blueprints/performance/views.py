"""What is shown of the watching: read once here, for the API, the pages and the commands alike.

Nothing here knows a request or a template. Figures of all processes together come from
`current_watcher().statistics`; what is read from the database itself is put beside them.
"""

import re
import resource
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from app.blueprints.performance.spans import DEFAULT_SINCE, parse_since
from app.clock import utc_now
from app.config import current_settings
from app.database.advice import advise as advising
from app.database.advice import building, indexes
from app.database.advice.advise import Advice
from app.database.advice.indexes import IndexReport
from app.database.gauges import measure as gauges
from app.database.gauges import running
from app.database.gauges.alerts import Alert, current_alerts
from app.database.gauges.measure import DatabaseGauges
from app.database.gauges.pool import PoolGauges, pool_gauges
from app.database.gauges.running import LongRunning
from app.database.gauges.waits import Waits
from app.database.paging.keyset import Page, paginate
from app.database.plans.explain import explain, explain_untrusted
from app.database.plans.plan import Plan, plan_of_json
from app.database.tracking.figures import (
    BrowserFigures,
    ProcessFigures,
    RouteFigures,
    StatementDetail,
    StatementFigures,
    Timing,
)
from app.database.tracking.fingerprints import normalise
from app.database.tracking.scope import ignored
from app.database.tracking.watch import current_watcher
from app.database.transactions import current_session, transaction
from app.errors import ClientError, FieldError, not_found
from app.models import audit
from app.observability import resources as measured
from app.observability.resources import DiskGauges, ProcessGauges
from app.storage import storage

# Statements that index advice looks at: those that cost most time hold nearly all of it.
MOST_ADVISED = 50
MOST_SAMPLES = 5
MOST_RECORDED = 2_000  # characters of a statement in the audit log, its values left out
# The rarest statements are counted together, as "others".
FINGERPRINT = re.compile(r"[0-9a-f]{12}|others")
# Advice plans a statement again with each candidate, in this process. What takes longer to plan in the child
# (whose start takes 0.03 s of the processor) would hold a request for seconds.
QUICK_SECONDS = 0.2
# Growth is measured over what the samples hold of this span.
GROWTH_SPAN = timedelta(days=7)


@dataclass(frozen=True)
class Sample:
    """One run that took too long; `plan` as it was then, None where there is none. Values are never kept."""

    created_at: datetime
    fingerprint: str
    text: str
    origin: str
    request_id: str | None
    line: str
    duration_ms: float
    rows: int
    error: str | None
    plan: Plan | None


@dataclass(frozen=True)
class StatementView:
    """One statement: its figures, its slowest runs, how the database runs it, the indexes it wants.

    `plan` is that of the slowest run, else what the planner says now; None where a statement has none.
    """

    detail: StatementDetail
    samples: tuple[Sample, ...]
    plan: Plan | None
    advice: Advice


@dataclass(frozen=True)
class RouteView:
    """A route's figures on the server, and those of the browsers that showed its page."""

    figures: RouteFigures
    browser: tuple[BrowserFigures, ...]


@dataclass(frozen=True)
class IndexView:
    """Every index with its use, and those that are missing, the most gain first."""

    reports: tuple[IndexReport, ...]
    advice: Advice


@dataclass(frozen=True)
class PlanView:
    """The plan of an operator's statement, and the indexes that the planner was shown to use for it."""

    plan: Plan
    advice: Advice


@dataclass(frozen=True)
class ResourceView:
    """What this process and the database take, what every process said last, and what is not well.

    `disks` has `database`, `screenshots` and `logs`; None where that is not on this machine. `level` is that
    of the database's disk. `growth_bytes_a_day` is None until two samples are an hour apart,
    `days_until_full` where nothing grows or the disk is not this machine's.
    """

    process: ProcessGauges
    processes: tuple[ProcessFigures, ...]
    disks: Mapping[str, DiskGauges | None]
    database: DatabaseGauges
    growth_bytes_a_day: float | None
    days_until_full: float | None
    level: str
    alerts: tuple[Alert, ...]


@dataclass(frozen=True)
class WorkerPool:
    """The pool of one process, as it said last."""

    worker: str
    kind: str
    pid: int
    gauges: PoolGauges


@dataclass(frozen=True)
class PoolView:
    """This process's connections, every process's, and the statements that run for long in any."""

    gauges: PoolGauges
    workers: tuple[WorkerPool, ...]
    running: tuple[LongRunning, ...]


def since_of(text: str | None, now: datetime | None = None) -> datetime:
    """Return the moment that `?since=` means; the last day where it is not given.

    Raises ClientError `validation_failed` (422).
    """
    try:
        return parse_since(text or DEFAULT_SINCE, now or utc_now())
    except ValueError as error:
        faults = [FieldError("since", str(error))]
        raise ClientError(422, "validation_failed", "Some fields are not right.", faults) from None


def statement(fingerprint: str, since: datetime) -> StatementView:
    """Read one statement. Raises ClientError 404 for one that did not run in that span."""
    watcher = current_watcher()
    known = FINGERPRINT.fullmatch(fingerprint)
    detail = watcher.statistics.statement(fingerprint, since) if known else None
    if detail is None:
        raise not_found("This statement")
    samples = slowest(fingerprint, since)
    seen = next((sample.plan for sample in samples if sample.plan is not None), None)
    return StatementView(
        detail,
        samples,
        seen or _plan_now(detail.figures.text),
        advising.advise(watcher.engine, [detail.figures]),
    )


def slowest(fingerprint: str, since: datetime) -> tuple[Sample, ...]:
    """Return the runs of a statement that took longest, of those that the slow log still holds."""
    return tuple(map(_sample, current_watcher().statistics.slowest(fingerprint, since, MOST_SAMPLES)))


def slow_page(
    since: datetime | None, *, fingerprint: str | None = None, cursor: str | None = None, limit: int = 50
) -> tuple[tuple[Sample, ...], Page]:
    """Return a page of the slow log, the newest first. Raises ClientError for a cursor of another list.

    `since` ends the list and is no part of the cursor: "the last day" is another moment with every page.
    """
    statistics = current_watcher().statistics
    query, order = statistics.slow(fingerprint), statistics.slow_order
    with ignored():
        page = paginate(query, order=order, cursor=cursor, limit=limit, scope="slow")
    samples = tuple(_sample(row) for row in page.rows if since is None or row.created_at >= since)
    if len(samples) < len(page.rows):
        page = replace(page, next=None)
    return samples, page


def routes(since: datetime, *, sort: str = "total", limit: int | None = None) -> tuple[RouteView, ...]:
    """Return the routes' figures, the browsers' own timings of the same page beside them."""
    statistics = current_watcher().statistics
    timings = statistics.browser(since)
    return tuple(
        RouteView(figures, tuple(timing for timing in timings if figures.route == f"GET {timing.page}"))
        for figures in statistics.requests(since, sort=sort, limit=limit)
    )


def index_view(since: datetime) -> IndexView:
    """Say of every index whether it is used, and which ones are missing."""
    watcher = current_watcher()
    statements = watcher.statistics.statements(since, sort="total")
    reports = indexes.index_report(watcher.engine, statements)
    # The watching's own statements are not tracked, so nobody knows which of its indexes they use.
    own = watcher.tables.names
    return IndexView(tuple(one for one in reports if one.table not in own), _advice(since))


def build_index(ddl: str, since: datetime, fingerprint: str | None = None) -> None:
    """Build an index that the advice of that span, or for one statement, offers; on SQLite writers wait.

    Raises ClientError `index_not_advised` (422) for any other, `index_exists` (409).
    """
    advice = _advice(since) if fingerprint is None else statement(fingerprint, since).advice
    if ddl not in {offer.ddl for offer in advice.offers}:
        raise ClientError(422, "index_not_advised", "Only an index that the advice offers is built.")
    # PostgreSQL builds beside writers, and so waits for every transaction that is open: this request's too.
    current_session().rollback()
    building.build_index(current_watcher().engine, ddl)
    _record("index.build", details={"ddl": ddl})


def plan(sql: str, params: Mapping[str, object] | Sequence[object] | None = None) -> PlanView:
    """Read the plan of an operator's statement without running it, and try indexes for it.

    Raises ClientError `query_refused` or `query_too_expensive` (422), `query_timeout` (503).
    """
    engine = current_watcher().engine
    began = _time_of_planning()
    try:
        found = explain_untrusted(engine, sql, params)
    except ClientError as error:
        _record("plan.request", outcome="refused", details={"code": error.code})
        raise
    is_quick = _time_of_planning() - began <= QUICK_SECONDS
    asked = _asked(sql, engine)
    _record("plan.request", details={"sql": asked.text[:MOST_RECORDED]})
    return PlanView(found, advising.advise(engine, [asked]) if is_quick else Advice())


def resources(now: datetime) -> ResourceView:
    """Measure the process, its disks and the database."""
    watcher = current_watcher()
    processes = watcher.statistics.processes(now)
    disks = _disks()
    disk = disks["database"]
    growth = gauges.growth(watcher.statistics.samples(now - GROWTH_SPAN))
    return ResourceView(
        process=measured.process_gauges(),
        processes=tuple(processes),
        disks=disks,
        database=gauges.database_gauges(watcher.engine, processes, now),
        growth_bytes_a_day=growth,
        days_until_full=None if disk is None else gauges.days_until_full(disk.free, growth),
        level="ok" if disk is None else disk.level,
        alerts=current_alerts(),
    )


def pool_view() -> PoolView:
    """Measure the connection pool, and find the statements that run for long."""
    watcher = current_watcher()
    return PoolView(
        gauges=pool_gauges(watcher.engine),
        workers=tuple(
            WorkerPool(one.worker, one.kind, one.pid, _pool(one.gauges["pool"]))
            for one in watcher.statistics.processes(utc_now())
            if one.gauges.get("pool")
        ),
        running=tuple(running.long_running(watcher.engine, watcher)),
    )


def end_statement(statement_id: str) -> None:
    """End a running statement; on SQLite its process does so within a second.

    Raises ClientError 404 for one that does not run any more, 403 for one that is not Earmark's.
    """
    watcher = current_watcher()
    running.end_statement(watcher.engine, watcher.statistics, statement_id)
    _record("statement.end", target=f"statement:{statement_id}")


def _record(
    action: str, *, target: str | None = None, outcome: str = "done", details: Mapping[str, Any] | None = None
) -> None:
    with transaction() as writing:
        audit.record(writing, action, target=target, outcome=outcome, details=details)


def _advice(since: datetime) -> Advice:
    watcher = current_watcher()
    costly = watcher.statistics.statements(since, sort="total", limit=MOST_ADVISED)
    return advising.advise(watcher.engine, costly)


def _sample(row: Any) -> Sample:
    return Sample(
        created_at=row.created_at,
        fingerprint=row.fingerprint,
        text=row.text,
        origin=row.origin,
        request_id=row.request_id,
        line=row.line,
        duration_ms=float(row.duration_ms),
        rows=row.rows,
        error=row.error,
        plan=None if row.plan is None else plan_of_json(row.plan),
    )


def _plan_now(text: str) -> Plan | None:
    """Return what the planner says of one of our own statements; COMMIT and the like have no plan."""
    with ignored(), current_watcher().engine.connect() as connection:
        try:
            return explain(connection, text)
        except ClientError:
            return None


def _time_of_planning() -> float:
    """Return the processor time in seconds of the children that planned, or on PostgreSQL the clock's."""
    if current_watcher().engine.dialect.name != "sqlite":
        return time.perf_counter()
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def _asked(sql: str, engine: Engine) -> StatementFigures:
    """Return an operator's statement as one that was never tracked; its values are left out as theirs are."""
    placeholder = "?" if engine.dialect.name == "sqlite" else "%s"
    never = Timing(0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    return StatementFigures("", normalise(sql, placeholder), never, 0, 0, 0, 0.0, utc_now(), ())


def _disks() -> dict[str, DiskGauges | None]:
    """Measure the disks; logs go to standard error, so theirs is the disk of the instance's folder."""
    settings = current_settings()
    instance = settings.instance_path.resolve()
    folders = {
        "database": instance if settings.database_url is None else None,
        "screenshots": storage().folder,
        "logs": instance,
    }
    return measured.disk_gauges(folders)


def _pool(published: Mapping[str, Any]) -> PoolGauges:
    return PoolGauges(**{**published, "waits": Waits(**published["waits"])})
