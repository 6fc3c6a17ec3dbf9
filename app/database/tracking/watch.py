"""Watching a Flask application's database: one call, then figures.

`watch` times every statement of an engine, names the request that issued it, keeps the sums of all processes
in tables of the same database, and gives each read of a request a time budget. It knows nothing of the
program but its engine, its folder and its tables.
"""

import time
from collections.abc import Callable
from typing import Any, cast

from flask import Flask, Response, current_app, g, request
from sqlalchemy import Connection, Engine

from app.clock import utc_now
from app.database.plans.plan import Plan
from app.database.tracking.collector import Answered, Collector
from app.database.tracking.scope import Scope, enter, leave
from app.database.tracking.statistics import Statistics
from app.database.tracking.tables import StatisticsTables
from app.database.tracking.tracker import Tracker, track
from app.database.tracking.writer import StatisticsWriter, prune, statement_id

EXTENSION = "earmark_watcher"
Explain = Callable[[Connection, str], Plan]


class Watcher:
    """What one application's process knows of itself."""

    def __init__(
        self,
        engine: Engine,
        tables: StatisticsTables,
        *,
        root: str,
        slow_query_ms: int = 100,
        read_budget_ms: int = 0,
        explain: Explain | None = None,
    ) -> None:
        self.engine = engine
        self.tables = tables
        self.slow_query_ms = slow_query_ms
        self.read_budget_seconds = read_budget_ms / 1000
        self.statistics = Statistics(engine, tables)
        self.tracker = Tracker(root, slow_query_ms / 1000)
        self.tracking = False
        self._writer = StatisticsWriter(engine, tables, explain)
        placeholder = "?" if engine.dialect.name == "sqlite" else "%s"
        self.collector = Collector(self.tracker, self._writer, placeholder)
        self.add_gauge("monitor", self._monitor)
        self.add_gauge("active", self._active)

    def start(self, kind: str = "web") -> None:
        """Start collecting in this process, once."""
        if self.tracking:
            self.collector.ensure_started(kind)

    def flush(self) -> bool:
        """Write what is known now; False when the database did not take it."""
        return self.collector.write()

    def record_browser(self, page: str, metric: str, value_ms: float) -> None:
        """Take in one timing of a visitor's browser, in milliseconds (CLS: times 1,000)."""
        self.collector.browser.append((page, metric, value_ms * 1000))

    def add_gauge(self, name: str, read: Callable[[], Any]) -> None:
        """Have a JSON value written with this process's row every ten seconds."""
        self.collector.gauges[name] = read

    def prune(self) -> None:
        """Delete the figures that are past their time."""
        prune(self.engine, self.tables, utc_now())

    def _active(self) -> list[dict[str, Any]]:
        return [
            {"id": statement_id(one), "text": one.sql, "origin": one.origin, "seconds": round(one.seconds, 3)}
            for one in self.tracker.running()
        ]

    def _monitor(self) -> dict[str, float]:
        """Measure what watching costs: of the process's processor time, and beside a statement (µs)."""
        seen = self.collector.statements_seen
        each = self.collector.adding_seconds + self.tracker.looking_up_seconds
        spent = time.process_time()
        return {
            "share": round((each + self.collector.writing_seconds) / spent, 5) if spent else 0.0,
            "us_a_statement": round(each / seen * 1e6, 2) if seen else 0.0,
            "statements": seen,
            "dropped": self.collector.dropped,
        }


def watch(app: Flask, watcher: Watcher) -> Watcher:
    """Track the watcher's engine, and name each request of the application in what is tracked."""
    app.extensions[EXTENSION] = watcher
    track(watcher.engine, watcher.tracker)
    watcher.tracking = True
    # First of all: what other hooks read, such as who asks, belongs to the request as well.
    app.before_request_funcs.setdefault(None, []).insert(0, _begin)
    app.after_request(_note)
    app.teardown_request(_end)
    return watcher


def current_watcher() -> Watcher:
    """Return the watcher of the application at work."""
    return cast(Watcher, current_app.extensions[EXTENSION])


def _begin() -> None:
    watcher = current_watcher()
    rule = request.url_rule.rule if request.url_rule else "(no route)"
    g.watched = Scope(f"{request.method} {rule}", None, watcher.read_budget_seconds)
    g.watched_since = time.perf_counter()
    enter(g.watched)
    if not current_app.testing:
        watcher.start()


def _note(response: Response) -> Response:
    g.watched_failed = response.status_code >= 500
    scope: Scope = g.watched
    scope.request_id = g.get("request_id")
    if current_app.debug:
        response.headers["Server-Timing"] = _server_timing(scope)
    return response


def _server_timing(scope: Scope) -> str:
    """Write the header of W3C Server Timing; durations in milliseconds."""
    whole_ms = (time.perf_counter() - g.watched_since) * 1000
    database_ms = scope.database_seconds * 1000
    return f'total;dur={whole_ms:.1f}, db;dur={database_ms:.1f};desc="{scope.statements} statements"'


def _end(_error: BaseException | None) -> None:
    scope: Scope | None = g.pop("watched", None)
    leave()
    if scope is not None:
        failed = g.pop("watched_failed", True)
        seconds = time.perf_counter() - g.watched_since
        current_watcher().collector.requests.append(Answered(scope, seconds, failed))
