"""A driver's cursor and connection that time themselves, for any driver of the DB-API (PEP 249).

Made per tracker by a function, so that the driver's methods and the tracker's are local names: looked up as
attributes of `self` and `super()`, the same work took twice as long (5.1 and 2.6 µs a statement).
"""

from collections.abc import Callable
from time import perf_counter
from typing import Any

from app.database.tracking.scope import IGNORED, Scope, current_scope, thread_scope

# What is timed, but is no statement on data (`;` is the pool asking whether a connection lives): it is not
# counted as one of a request.
CONTROL = frozenset({"BEGIN", "BEGIN IMMEDIATE", ";"})
# Takes one run in: text, scope, seconds, rows, the error's name.
Take = Callable[[str, Scope, float, int, str | None], None]


class _Timed:
    """What a timed cursor knows of its statement, and how it hands it over."""

    _run: tuple[str, float, Scope] | None = None
    _seconds = 0.0
    _rows = 0
    _end: Callable[..., None]
    fetchone: Callable[[], Any]

    def _failed(self, error: BaseException, seconds: float) -> None:
        if self._run is not None:
            self._seconds += seconds
            self._end(type(error).__name__)

    def __iter__(self) -> Any:
        return iter(self.fetchone, None)

    def __del__(self) -> None:
        # A result that nobody read or closed: SQLAlchemy lets its cursor go.
        if self._run is not None:
            self._end()


def timed_cursor(base: Any, take: Take) -> Any:
    """Return a subclass of a driver's cursor that adds up what `execute` and each fetch take.

    A statement is handed to `take` when its last row was read, when it fails, or when the cursor is closed,
    used again or let go.
    """
    members = {
        "_end": _handing_over(take),
        "execute": _timed_run(base.execute),
        "executemany": _timed_run(base.executemany),
        "fetchall": _timed_fetchall(base.fetchall),
        "fetchone": _timed_fetchone(base.fetchone),
        "fetchmany": _timed_fetchmany(base.fetchmany),
        "close": _ending(base.close),
    }
    return type("TimedCursor", (_Timed, base), members)


def _handing_over(take: Take) -> Any:
    def end(self: Any, error: str | None = None) -> None:
        sql, _, scope = self._run
        self._run = self.connection.running = None
        take(sql, scope, self._seconds, self._rows, error)

    return end


def _timed_run(run: Any) -> Any:
    def timed(self: Any, sql: Any, *arguments: Any, **options: Any) -> Any:
        if self._run is not None:
            self._end()
        scope = current_scope() or thread_scope()
        if scope is IGNORED:
            return run(self, sql, *arguments, **options)
        if sql not in CONTROL:
            scope.statements += 1
        self._seconds, self._rows = 0.0, 0
        started = perf_counter()
        self._run = self.connection.running = (sql, started, scope)
        try:
            result = run(self, sql, *arguments, **options)
        except BaseException as error:
            self._failed(error, perf_counter() - started)
            raise
        self._seconds = perf_counter() - started
        if self.description is None:
            self._rows = max(self.rowcount, 0)
            self._end()
        return result

    return timed


def _timed_fetchall(fetch: Any) -> Any:
    def timed(self: Any) -> Any:
        started = perf_counter()
        try:
            rows = fetch(self)
        except BaseException as error:
            self._failed(error, perf_counter() - started)
            raise
        if self._run is not None:
            self._seconds += perf_counter() - started
            self._rows += len(rows)
            self._end()
        return rows

    return timed


def _timed_fetchone(fetch: Any) -> Any:
    def timed(self: Any) -> Any:
        started = perf_counter()
        try:
            row = fetch(self)
        except BaseException as error:
            self._failed(error, perf_counter() - started)
            raise
        self._seconds += perf_counter() - started
        if row is not None:
            self._rows += 1
        elif self._run is not None:
            self._end()
        return row

    return timed


def _timed_fetchmany(fetch: Any) -> Any:
    def timed(self: Any, size: int | None = None) -> Any:
        wanted = self.arraysize if size is None else size
        started = perf_counter()
        try:
            rows = fetch(self, wanted)
        except BaseException as error:
            self._failed(error, perf_counter() - started)
            raise
        self._seconds += perf_counter() - started
        self._rows += len(rows)
        if len(rows) < wanted and self._run is not None:
            self._end()
        return rows

    return timed


def _ending(close: Any) -> Any:
    def ended(self: Any) -> None:
        if self._run is not None:
            self._end()
        close(self)

    return ended


def timed_connection(base: Any, take: Take) -> Any:
    """Return a subclass of a driver's connection that times COMMIT.

    On SQLite the wait for the disk is in COMMIT, not in the statements before it.
    """
    commit = base.commit

    class TimedConnection(base):  # type: ignore[misc]
        """A connection that times COMMIT; `running` is (text, since, scope) of the statement at work."""

        running: tuple[str, float, Scope] | None = None

        def commit(self) -> None:
            scope = current_scope() or thread_scope()
            started = perf_counter()
            commit(self)
            if scope is not IGNORED:
                take("COMMIT", scope, perf_counter() - started, 0, None)

    return TimedConnection
