"""Query tracking: every statement timed to its last row, with who issued it.

SQLAlchemy's own events time a statement to its first row (0.6 ms reported for one that took 472 ms with its
fetch), and cost 12 µs before any work. Here the driver's connection and cursor are subclassed: what the
database spends in `execute` and in each fetch is added up, and handed over when the last row was read. On a
request's way that is one append to a queue: no lock, no disk.
"""

import sys
import time
import weakref
from collections import deque
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from sqlalchemy import Engine, event

from app.database.engine import sqlite
from app.database.tracking.scope import Scope
from app.database.tracking.timed import Take, timed_connection, timed_cursor

# The line that issues a statement is looked up for its first runs and then for one in 32: walking up the
# stack takes 2 µs.
ALWAYS_LOOKED_UP = 8
LOOKED_UP_EVERY = 32
# What waits for the collector, which comes by each second; beyond it the oldest are dropped and counted.
LONGEST_QUEUE = 100_000
MOST_TEXTS = 20_000
# The time budget is looked at each million steps of SQLite's virtual machine, some 30–100 ms: a shorter
# statement never pays for it.
STEPS_BETWEEN_LOOKS = 1_000_000
LAYER = str(Path(__file__).parents[1])


class Record(NamedTuple):
    """One run of a statement; `line` is looked up for some, and stands for `weight` runs then."""

    sql: str
    seconds: float
    rows: int
    error: str | None
    scope: Scope
    line: str
    weight: int


class Running(NamedTuple):
    """A statement that runs now on a connection; `started` is of `time.perf_counter`."""

    connection: Any
    sql: str
    origin: str
    seconds: float
    started: float


class Tracker:
    """Takes the records of one engine in; the collector takes them out."""

    def __init__(self, root: str, slow_seconds: float) -> None:
        """The first line in the folder `root`, outside this layer, is what issued a statement."""
        self.root = root.rstrip("/") + "/"
        self.slow_seconds = slow_seconds
        self.queue: deque[tuple[Any, ...]] = deque(maxlen=LONGEST_QUEUE)
        self.looking_up_seconds = 0.0
        self._connections: weakref.WeakSet[Any] = weakref.WeakSet()
        self._seen: dict[str, int] = {}
        self.take = self._taker()

    def _taker(self) -> Take:
        """Return the function that takes one run in; a closure is quicker than a method by 0.2 µs."""
        put, seen, times_seen = self.queue.append, self._seen, self._seen.get
        slow_seconds, looked_up = self.slow_seconds, self._looked_up

        def take(sql: str, scope: Scope, seconds: float, rows: int, error: str | None) -> None:
            scope.database_seconds += seconds
            times = times_seen(sql, 0)
            seen[sql] = times + 1
            if times < ALWAYS_LOOKED_UP or not times % LOOKED_UP_EVERY or seconds >= slow_seconds:
                put((sql, seconds, rows, error, scope, *looked_up(times)))
            else:
                put((sql, seconds, rows, error, scope, "", 0))

        return take

    def _looked_up(self, times: int) -> tuple[str, int]:
        if len(self._seen) > MOST_TEXTS:
            self._seen.clear()
        started = time.perf_counter()
        line = self._line()
        self.looking_up_seconds += time.perf_counter() - started
        if times < ALWAYS_LOOKED_UP:
            return line, 1
        return line, 0 if times % LOOKED_UP_EVERY else LOOKED_UP_EVERY  # a slow run stands for itself alone

    def _line(self) -> str:
        """Return the first line of the application up the stack, such as `models/feedback.py:150`."""
        frame: FrameType | None = sys._getframe(3)
        while frame is not None:
            name = frame.f_code.co_filename
            if name.startswith(self.root) and not name.startswith(LAYER):
                return f"{name[len(self.root) :]}:{frame.f_lineno}"
            frame = frame.f_back
        return ""

    def watch(self, connection: Any) -> None:
        """Know a connection, to say what runs on it and to end it."""
        self._connections.add(connection)

    def running(self) -> list[Running]:
        """Return what runs now in this process, longest first."""
        now = time.perf_counter()
        found = []
        for connection in list(self._connections):
            run = connection.running
            if run is not None:
                sql, started, scope = run
                found.append(Running(connection, sql, scope.origin, now - started, started))
        return sorted(found, key=lambda one: -one.seconds)


def track(engine: Engine, tracker: Tracker) -> None:
    """Time every statement of an engine from its next connection on."""
    if engine.dialect.name == "sqlite":
        _track_sqlite(engine, tracker)
    else:
        from app.database.tracking.tracker_postgresql import track_postgresql  # its driver may not be there

        track_postgresql(engine, tracker)


def _track_sqlite(engine: Engine, tracker: Tracker) -> None:
    cursor_class = timed_cursor(sqlite.Cursor, tracker.take)
    make = sqlite.Connection.cursor

    class SQLiteConnection(timed_connection(sqlite.Connection, tracker.take)):  # type: ignore[misc]
        """A connection whose cursors and commits are timed."""

        def cursor(self) -> Any:
            return make(self, cursor_class)

    @event.listens_for(engine, "do_connect")
    def _use_ours(_dialect: Any, _record: Any, _arguments: Any, options: dict[str, Any]) -> None:
        options["factory"] = SQLiteConnection

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        tracker.watch(connection)
        connection.set_progress_handler(_over_budget(connection), STEPS_BETWEEN_LOOKS)


def _over_budget(connection: Any) -> Any:
    watched = weakref.ref(connection)  # the connection holds its handler

    def is_over() -> bool:
        one = watched()
        run = None if one is None else one.running
        if run is None:
            return False
        sql, started, scope = run
        budget = scope.budget_seconds
        return bool(budget) and time.perf_counter() - started > budget and is_read(sql)

    return is_over


def is_read(sql: str) -> bool:
    """Tell whether a statement only reads, by its first word; only such have a time budget."""
    return sql.lstrip()[:6].upper() in ("SELECT", "VALUES") or sql.lstrip()[:4].upper() == "WITH"
