"""Alerts: levels that changed, told once.

Each process judges the same shared figures (`conditions`), so each can show the banner from its memory. Only
the process that has run longest logs a change and calls those who subscribed. What it told stands in its row
of `processes`, and the others copy it into theirs: when it ends, the next one neither tells a thing twice
nor forgets one.
"""

import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from flask import Flask, current_app
from sqlalchemy.exc import SQLAlchemyError

from app.clock import utc_now
from app.database.gauges.conditions import (
    CRITICAL,
    LEVELS,
    OK,
    WARNING,
    Condition,
    conditions,
    slow_statements,
)
from app.database.tracking.figures import ProcessFigures
from app.database.tracking.watch import Watcher, current_watcher

log = logging.getLogger("earmark.alerts")

EXTENSION = "earmark_alerts"
GAUGE = "told"
# After a change was told, the same thing is quiet for so long; only what becomes critical is told at once.
COOL_DOWN = timedelta(minutes=15)
_LOGGED_AS = {OK: logging.INFO, WARNING: logging.WARNING, CRITICAL: logging.ERROR}


@dataclass(frozen=True)
class Alert:
    """One thing that is not well: `code` names it, `level` is warning or critical, `since` when that began.

    Who subscribed is told the end of it as well, with the level ok.
    """

    code: str
    level: str
    message: str
    since: datetime


@dataclass(frozen=True)
class Told:
    """What was told last of one thing, and when."""

    level: str
    at: datetime


Hook = Callable[[Alert], None]


class Alerts:
    """What is not well now, and what was told of it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._current: dict[str, Alert] = {}
        self._told: dict[str, Told] = {}
        self._hooks: list[Hook] = []
        self.reviewed = False

    def current(self) -> tuple[Alert, ...]:
        """Return what is not well, the worst first, then the oldest."""
        with self._lock:
            found = list(self._current.values())
        return tuple(sorted(found, key=lambda one: (-LEVELS.index(one.level), one.since, one.code)))

    def subscribe(self, hook: Hook) -> None:
        """Call a function with each change that is told; what it raises is logged and stops nothing."""
        self._hooks.append(hook)

    def review(self, found: Iterable[Condition], now: datetime, *, tell: bool = True) -> None:
        """Take in how everything is now; what is not among `found` is well. `tell` tells what changed."""
        bad = {one.code: one for one in found if one.level != OK}
        with self._lock:
            self._current = {code: self._alert(one, now) for code, one in bad.items()}
            self.reviewed = True
            due = list(self._due(now)) if tell else []
        for alert in due:
            self._tell(alert)

    def told(self) -> dict[str, dict[str, str]]:
        """Return what was told as JSON values, for the other processes."""
        with self._lock:
            return {code: {"level": one.level, "at": one.at.isoformat()} for code, one in self._told.items()}

    def learn(self, told: Mapping[str, Mapping[str, str]]) -> None:
        """Take over what another process says was told, where that is newer."""
        with self._lock:
            for code, one in told.items():
                other = Told(one["level"], datetime.fromisoformat(one["at"]))
                if code not in self._told or self._told[code].at < other.at:
                    self._told[code] = other

    def _alert(self, condition: Condition, now: datetime) -> Alert:
        before, told = self._current.get(condition.code), self._told.get(condition.code)
        since = now
        if before and before.level == condition.level:
            since = before.since
        elif told and told.level == condition.level:
            since = told.at  # this process is younger than the alert
        return Alert(condition.code, condition.level, condition.message, since)

    def _due(self, now: datetime) -> Iterator[Alert]:
        """Yield what differs from what was told last, and note it as told."""
        for code in sorted(self._current.keys() | self._told.keys()):
            told = self._told.get(code)
            alert = self._current.get(code) or Alert(code, OK, "All is well again.", now)
            if alert.level == (told.level if told else OK):
                continue
            if told is None or alert.level == CRITICAL or now - told.at >= COOL_DOWN:
                self._told[code] = Told(alert.level, now)
                yield alert

    def _tell(self, alert: Alert) -> None:
        log.log(_LOGGED_AS[alert.level], "%s is %s: %s", alert.code, alert.level, alert.message)
        for hook in self._hooks:
            try:
                hook(alert)
            except Exception:  # another part's fault must not silence the others
                log.exception("a subscriber of alerts failed")


def attach(app: Flask, watcher: Watcher) -> Alerts:
    """Give an application its alerts, reviewed every ten seconds by its watcher's collector."""
    alerts = Alerts()
    watcher.add_gauge(GAUGE, alerts.told)
    watcher.collector.on_write.append(lambda now: _look(alerts, watcher, now))
    app.extensions[EXTENSION] = alerts
    return alerts


def current_alerts() -> tuple[Alert, ...]:
    """Return what is not well, as this process knew it at its last review; only the first call may read."""
    alerts = _alerts()
    if not alerts.reviewed:
        _look(alerts, current_watcher(), utc_now(), may_tell=False)
    return alerts.current()


def subscribe(hook: Hook) -> None:
    """Call a function with each change that the application at work tells, level `ok` included."""
    _alerts().subscribe(hook)


def speaks(processes: Sequence[ProcessFigures], pid: int) -> bool:
    """Tell whether this process tells what changed: the one that has run longest does, or one alone."""
    oldest = min(processes, key=lambda one: (one.started_at, one.worker), default=None)
    return oldest is None or oldest.pid == pid


def _look(alerts: Alerts, watcher: Watcher, now: datetime, *, may_tell: bool = True) -> None:
    """Review what all processes share; a database that is busy or away says nothing new."""
    try:
        processes = watcher.statistics.processes(now)
        found = conditions(processes, slow_statements(watcher.statistics, now))
    except SQLAlchemyError as error:
        log.debug("no review", exc_info=error)
        return
    for process in processes:
        alerts.learn(process.gauges.get(GAUGE) or {})
    alerts.review(found, now, tell=may_tell and speaks(processes, os.getpid()))


def _alerts() -> Alerts:
    return cast(Alerts, current_app.extensions[EXTENSION])
