"""`GET /metrics`: what the database holds, as Prometheus text; whichever process answers, all are merged.

For a bearer token, or from this machine itself. Behind a proxy that nobody named (`EARMARK_TRUSTED_PROXIES`)
everybody seems to come from this machine, so a request that was forwarded needs a token.
"""

import ipaddress
from collections.abc import Iterator

from flask import Response, request
from flask_openapi import OpenAPI
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from sqlalchemy import func, select

from app.clock import utc_now
from app.config import current_settings
from app.database.gauges.measure import database_gauges
from app.database.transactions import current_session
from app.extensions import db
from app.models import STATISTICS, BlobOutbox, DailyCount, Feedback, Project, RetentionRun
from app.models.retention_schedule import last_daily, next_run
from app.security import actor, needs
from app.version import VERSION

FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-IP")
HOUR = 3600


def register(app: OpenAPI) -> None:
    """Add the route."""
    app.add_url_rule("/metrics", "operations.metrics", metrics)


def metrics() -> Response:
    """Answer the figures; a token of any role, or a request from this machine."""
    if actor() is not None or not _is_local():
        needs("viewer")
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Figures())
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _is_local() -> bool:
    if current_settings().trusted_proxies == 0 and any(name in request.headers for name in FORWARDED):
        return False
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False


class Figures(Collector):
    """Reads everything when it is asked."""

    def collect(self) -> Iterator[Metric]:
        """Yield all figures."""
        yield _gauge("earmark_info", "The version that answers.", 1, {"version": VERSION})
        yield from _submissions()
        yield from _stores()
        yield from _requests()
        yield from _retention()


def _submissions() -> Iterator[Metric]:
    session = current_session()
    kept = GaugeMetricFamily("earmark_submissions", "Submissions that are kept.", labels=("status",))
    query = select(DailyCount.status, func.sum(DailyCount.submissions)).group_by(DailyCount.status)
    for status, count in session.execute(query):
        kept.add_metric((status,), float(count))
    yield kept
    held = session.scalar(select(func.count()).select_from(Feedback).where(Feedback.held))
    yield _gauge("earmark_submissions_held", "Submissions that a hold keeps.", held)
    stored = session.scalar(select(func.sum(Project.stored_bytes)))
    yield _gauge("earmark_stored_bytes", "Bytes of texts and pictures that projects keep.", stored)


def _stores() -> Iterator[Metric]:
    waiting = current_session().scalar(select(func.sum(BlobOutbox.blobs)))
    yield _gauge("earmark_blobs_to_delete", "Blobs that wait to be deleted.", waiting)
    size = database_gauges(db.engine).size_bytes
    yield _gauge("earmark_database_bytes", "Size of the database.", size)


def _requests() -> Iterator[Metric]:
    """Yield what the statistics tables hold: sums of all processes over the hours that are kept."""
    tables = {
        "request": (STATISTICS.requests, "Requests that were answered"),
        "statement": (STATISTICS.statements, "Statements that were run"),
    }
    for name, (table, words) in tables.items():
        query = select(
            func.sum(table.c["count"]), func.sum(table.c.errors), func.sum(table.c.total_us)
        ).where(table.c.seconds == HOUR)
        count, errors, total_us = current_session().execute(query).one()
        yield _counter(f"earmark_{name}s", f"{words}.", count)
        yield _counter(f"earmark_{name}_errors", f"{words} and failed.", errors)
        yield _counter(f"earmark_{name}_seconds", "Time they took.", float(total_us or 0) / 1e6)


def _retention() -> Iterator[Metric]:
    session, now = current_session(), utc_now()
    upcoming = next_run(session, now, current_settings().retention_time)
    yield _gauge("earmark_retention_next_run_timestamp_seconds", "When it runs next.", upcoming.timestamp())
    last, daily = RetentionRun.last(session), last_daily(session)
    if last is not None:
        yield _gauge(
            "earmark_retention_last_run_timestamp_seconds", "When it ran last.", last.started_at.timestamp()
        )
        yield _gauge("earmark_retention_last_run_deleted", "Submissions it deleted.", last.submissions)
        yield _gauge("earmark_retention_last_run_seconds", "Time it took.", last.duration_ms / 1000)
        yield _gauge(
            "earmark_retention_last_run_longest_lock_seconds",
            "Longest time it kept writers waiting.",
            last.longest_lock_ms / 1000,
        )
    failed = daily is not None and daily.outcome in ("failed", "refused")
    yield _gauge("earmark_retention_last_run_failed", "1 when the last daily run failed.", int(failed))


def _gauge(
    name: str, words: str, value: float | int | None, labels: dict[str, str] | None = None
) -> GaugeMetricFamily:
    found = GaugeMetricFamily(name, words, labels=tuple(labels or {}))
    found.add_metric(tuple((labels or {}).values()), float(value or 0))
    return found


def _counter(name: str, words: str, value: float | int | None) -> CounterMetricFamily:
    found = CounterMetricFamily(name, words)
    found.add_metric((), float(value or 0))
    return found
