"""Background jobs: huey on its own SQLite file, or on Redis.

A job is a registered function and plain arguments. huey delivers at most once: a job killed half-way is
lost. So what is owed stands in a row, jobs are idempotent, and the timetable takes up what was lost.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from flask import Flask, current_app
from huey import Huey, RedisHuey, SqliteHuey, crontab

from app.config import Settings
from app.database.tracking.scope import origin
from app.models.audit import acting

EXTENSION = "earmark_jobs"
RUN = "earmark_run"

_tasks: dict[str, Callable[..., None]] = {}
_at_start: list[Callable[[], None]] = []
_timetable: dict[str, tuple[Callable[[], None], str]] = {}


def task(function: Callable[..., None]) -> Callable[..., None]:
    """Register a job; `enqueue` runs it in the worker."""
    _tasks[function.__name__] = function
    return function


def every(minutes: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Register a job of the timetable; `minutes` is the minute field of a crontab, such as `*/5`."""

    def register(function: Callable[[], None]) -> Callable[[], None]:
        _timetable[function.__name__] = (function, minutes)
        return function

    return register


def at_start(function: Callable[[], None]) -> Callable[[], None]:
    """Register what is done before a server answers: what was owed when the last one ended."""
    _at_start.append(function)
    return function


def run_at_start(app: Flask) -> None:
    """Do what was registered; `earmark serve` calls it once the database is migrated."""
    for function in _at_start:
        with _at_work(app, function.__name__):
            function()


def enqueue(function: Callable[..., None], *args: Any) -> None:
    """Hand a registered job to the worker. Raises what the queue's store raises when it is away."""
    current_app.extensions[RUN](function.__name__, *args)


def init_app(app: Flask, settings: Settings) -> None:
    """Open the queue that the settings name and bind the registered jobs to this application."""
    queue = _open(settings)
    app.extensions[EXTENSION] = queue

    def run(name: str, *args: Any) -> None:
        with _at_work(app, name):
            _tasks[name](*args)

    app.extensions[RUN] = queue.task(name="run")(run)
    for name, (function, minutes) in _timetable.items():
        queue.periodic_task(crontab(minute=minutes), name=name)(_in_context(app, function))


def queue_of(app: Flask) -> Huey:
    """Return the application's queue; the worker consumes it."""
    return cast(Huey, app.extensions[EXTENSION])


def _open(settings: Settings) -> Huey:
    # No results are read, so none are stored.
    if settings.redis_url:
        return RedisHuey("earmark", url=settings.redis_url, results=False)
    settings.instance_path.mkdir(parents=True, exist_ok=True)
    file = settings.instance_path / "jobs.sqlite3"
    return SqliteHuey("earmark", filename=str(file), results=False)


def _in_context(app: Flask, function: Callable[[], None]) -> Callable[[], None]:
    def run() -> None:
        with _at_work(app, function.__name__):
            function()

    run.__name__ = function.__name__
    return run


@contextmanager
def _at_work(app: Flask, name: str) -> Iterator[None]:
    """Name the job in what is tracked of its statements and in the audit log."""
    with app.app_context(), origin(f"job {name}"), acting(f"job:{name}", secrets.token_hex(8)):
        yield
