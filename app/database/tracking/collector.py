"""The collector: one thread a process, which adds up what was recorded and writes it down every ten seconds.

Nothing of it is on a request's way. A busy database delays its writes, never a request; what it holds is
bounded, and what had to be dropped is counted. Its own statements are not tracked; its own cost is.
"""

import logging
import multiprocessing.util
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from app.clock import utc_now
from app.database.tracking.fingerprints import Fingerprint, Fingerprints
from app.database.tracking.scope import Scope
from app.database.tracking.statistics import window_start
from app.database.tracking.sums import WHOLE, RouteSum, StatementSum, Sum, Window
from app.database.tracking.tables import HOUR, MINUTE
from app.database.tracking.tracker import LONGEST_QUEUE, Record, Tracker
from app.database.tracking.writer import SlowRun, StatisticsWriter

log = logging.getLogger("earmark.database")

LOOK_SECONDS = 1.0
WRITE_SECONDS = 10.0
# A statement issued more often than this within one request repeats itself (N+1).
REPEATED = 5
MOST_LINES = 10_000  # of which statement is issued by which line
MOST_SLOW = 200  # of the slow log, between two writes
# Windows that could not be written yet: ten minutes of a database that is away.
MOST_WINDOWS = 12


class Answered(NamedTuple):
    """A request that was answered."""

    scope: Scope
    seconds: float
    failed: bool


class Collector:
    """Adds up the records of one process."""

    def __init__(self, tracker: Tracker, writer: StatisticsWriter, placeholder: str) -> None:
        self.tracker = tracker
        self.requests: deque[Answered] = deque(maxlen=LONGEST_QUEUE)
        self.browser: deque[tuple[str, str, float]] = deque(maxlen=LONGEST_QUEUE)
        self.gauges: dict[str, Callable[[], Any]] = {}
        self.on_write: list[Callable[[datetime], None]] = []
        self.statements_seen = 0
        self.adding_seconds = 0.0  # processor time of adding up, and of writing down
        self.writing_seconds = 0.0
        self.dropped = 0
        self._writer = writer
        self._fingerprints = Fingerprints(placeholder)
        self._fresh = Window()
        self._fresh_minute: datetime | None = None
        self._windows: dict[tuple[int, datetime], tuple[Window, Window]] = {}
        self._slow: list[SlowRun] = []
        self._lines: dict[tuple[str, str], str] = {}
        self._adding = threading.Lock()
        self._pid = 0
        self._stop = threading.Event()

    def ensure_started(self, kind: str) -> None:
        """Start the thread, once a process (a fork has its own)."""
        if self._pid == os.getpid():
            return
        self._pid = os.getpid()
        self._writer.introduce(kind)
        # At the end of a process by either way: a child of multiprocessing does not run `atexit`.
        multiprocessing.util.Finalize(self, self.stop, exitpriority=100)
        threading.Thread(target=self._run, name="collector", daemon=True).start()

    def stop(self) -> None:
        """Write what is left and end the thread."""
        self._stop.set()
        self.write()

    def _run(self) -> None:
        written = time.monotonic()
        while not self._stop.wait(LOOK_SECONDS):
            try:
                self.look()
                if time.monotonic() - written >= WRITE_SECONDS:
                    written = time.monotonic()
                    self.write()
            except Exception:  # the thread must live: without it nothing is seen any more
                log.exception("the collector failed")

    def look(self) -> None:
        """Add up what was recorded, and end the statements that somebody asked to end."""
        started = time.thread_time()
        with self._adding:
            self._add_up(utc_now())
        self.adding_seconds += time.thread_time() - started
        self._writer.end_wanted(self.tracker.running())

    def write(self) -> bool:
        """Write down what is known; False when the database did not take it, which is tried again."""
        started = time.thread_time()
        now = utc_now()
        with self._adding:
            self._add_up(now)
            self._close_minute(now)
            taken = self._write(now)
        self.writing_seconds += time.thread_time() - started
        for hook in self.on_write:
            hook(now)
        return taken

    def _add_up(self, now: datetime) -> None:
        minute = window_start(now, MINUTE)
        if self._fresh_minute != minute:
            self._close_minute(now)
            self._fresh_minute = minute
        queue = self.tracker.queue
        if len(queue) == queue.maxlen:
            self.dropped += 1  # at least: a full queue does not tell how many it let go
        answered = len(self.requests)  # their statements are in the queue by now
        for _ in range(len(queue)):
            self._add_statement(Record(*queue.popleft()), now)
        for _ in range(answered):
            self._add_request(self.requests.popleft())
        for _ in range(len(self.browser)):
            page, metric, value_us = self.browser.popleft()
            self._fresh.browser.setdefault((page, metric), Sum()).add(round(value_us))
        self._fresh.last_seen = now
        self._fresh.fold_rarest()

    def _add_statement(self, record: Record, now: datetime) -> None:
        found = self._fingerprints.of(str(record.sql))
        duration_us = round(record.seconds * 1e6)
        is_slow = record.seconds >= self.tracker.slow_seconds
        self.statements_seen += 1
        record.scope.counts[found.hash] = record.scope.counts.get(found.hash, 0) + 1
        for key in (found.hash, WHOLE):
            one = self._fresh.statements.get(key)
            if one is None:
                one = self._fresh.statements[key] = StatementSum()
            one.add(duration_us)
            one.rows += record.rows
            one.errors += record.error is not None
            one.slow += is_slow
        self._writer.learn(found)
        if record.weight:
            self._add_caller(found, record)
        if is_slow and len(self._slow) < MOST_SLOW:
            self._slow.append(SlowRun.of(record, found, now))

    def _add_caller(self, found: Fingerprint, record: Record) -> None:
        callers = self._fresh.statements[found.hash].callers
        key = (record.scope.origin, record.line)
        callers[key] = callers.get(key, 0) + record.weight
        if len(self._lines) > MOST_LINES:
            self._lines.clear()
        self._lines[found.hash, record.scope.origin] = record.line

    def _add_request(self, request: Answered) -> None:
        scope = request.scope
        for route in (scope.origin, WHOLE):
            one = self._fresh.routes.setdefault(route, RouteSum())
            one.add(round(request.seconds * 1e6))
            one.errors += request.failed
            one.statements += scope.statements
            one.statements_max = max(one.statements_max, scope.statements)
            one.database_us += round(scope.database_seconds * 1e6)
        for fingerprint, times in scope.counts.items():
            if times > REPEATED and not self._writer.is_transaction(fingerprint):
                line = self._lines.get((fingerprint, scope.origin), "")
                self._fresh.routes[scope.origin].repeat(fingerprint, times, line)

    def _close_minute(self, now: datetime) -> None:
        """Move the fresh sums into the minute and the hour that they belong to."""
        if not self._fresh or self._fresh_minute is None:
            return
        for seconds in (MINUTE, HOUR):
            key = (seconds, window_start(self._fresh_minute, seconds))
            whole, unwritten = self._windows.setdefault(key, (Window(), Window()))
            whole.merge(self._fresh)
            unwritten.merge(self._fresh)
        self._fresh = Window(last_seen=now)
        while len(self._windows) > MOST_WINDOWS:
            self._windows.pop(min(self._windows, key=lambda key: key[1]))
            self.dropped += 1

    def _write(self, now: datetime) -> bool:
        dirty = {key: _changed(*pair) for key, pair in self._windows.items() if pair[1]}
        if not self._writer.write(dirty, self._slow, self._read_gauges(), now):
            return False
        self._slow = []
        for key, (whole, _) in list(self._windows.items()):
            seconds, start = key
            if now >= start + timedelta(seconds=seconds):
                del self._windows[key]
            else:
                self._windows[key] = (whole, Window())
        return True

    def _read_gauges(self) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, read in self.gauges.items():
            try:
                values[name] = read()
            except (
                Exception
            ):  # one that fails must not keep the others, and the statistics, from being written
                log.exception("the gauge %s failed", name)
                values[name] = None
        return values


def _changed(whole: Window, unwritten: Window) -> Window:
    """Return the sums of a window that changed since they were last written."""
    return Window(
        {key: whole.statements[key] for key in unwritten.statements if key in whole.statements},
        {key: whole.routes[key] for key in unwritten.routes},
        {key: whole.browser[key] for key in unwritten.browser},
        whole.last_seen,
    )
