"""Statements that run for long, in any process, and ending one.

PostgreSQL tells what runs and ends it. On SQLite each process publishes what it runs with its row of
`processes`, and ends a statement itself when it is asked to by that row; so a list may be ten seconds old.
A statement's id holds for one run: when that has ended, the id ends nothing else.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import ProgrammingError

from app.clock import utc_now
from app.database.tracking.figures import ProcessFigures
from app.database.tracking.fingerprints import normalise
from app.database.tracking.scope import ignored
from app.errors import ClientError, not_found

if TYPE_CHECKING:
    from app.database.tracking.statistics import Statistics
    from app.database.tracking.watch import Watcher

LONG_SECONDS = 1.0


@dataclass(frozen=True)
class LongRunning:
    """A statement that runs: its normalised text, who issued it, and since when.

    `worker` is the process (PostgreSQL: the session's process id there), `waits_for` what it waits for now,
    in PostgreSQL's words.
    """

    id: str
    text: str
    origin: str
    worker: str
    started_at: datetime
    seconds: float
    waits_for: str | None = None


def long_running(
    engine: Engine, watcher: "Watcher", least_seconds: float = LONG_SECONDS
) -> list[LongRunning]:
    """Return the statements that have run for so long, the longest first."""
    if engine.dialect.name == "postgresql":
        found = _postgresql_running(engine)
    else:
        found = [one for one, _, _ in _published(watcher.statistics.processes(utc_now()))]
    return sorted((one for one in found if one.seconds >= least_seconds), key=lambda one: -one.seconds)


def end_statement(engine: Engine, statistics: "Statistics", statement_id: str) -> None:
    """End a running statement; on SQLite its process does so within a second.

    Raises ClientError: `not_found` (404) for one that does not run, `forbidden` (403) for one that belongs to
    a role of the database that Earmark may not end.
    """
    if engine.dialect.name == "postgresql":
        ended = _cancel(engine, statement_id)
    else:
        running = _published(statistics.processes(utc_now()))
        asked = next(((worker, own) for one, worker, own in running if one.id == statement_id), None)
        ended = asked is not None and statistics.ask_to_end(*asked)
    if not ended:
        raise not_found("This statement")


def _published(processes: Sequence[ProcessFigures]) -> list[tuple[LongRunning, str, str]]:
    """Return what the processes say they run, each with its worker and that worker's own id."""
    return [
        (_of_process(process, entry), process.worker, str(entry["id"]))
        for process in processes
        for entry in process.gauges.get("active") or ()
    ]


def _of_process(process: ProcessFigures, entry: dict[str, Any]) -> LongRunning:
    # A worker's ids are its own: only the two together name a run.
    both = f"{process.worker} {entry['id']}".encode()
    return LongRunning(
        id=hashlib.blake2s(both, digest_size=8).hexdigest(),
        text=normalise(entry["text"]),
        origin=entry["origin"],
        worker=process.worker,
        started_at=process.seen_at - timedelta(seconds=entry["seconds"]),
        seconds=entry["seconds"],
    )


# The start is part of the id: a process id alone would name whatever that session runs next.
_ID = "pid || '-' || (extract(epoch from query_start) * 1000000)::bigint"
_ID_FORM = re.compile(r"[0-9]{1,10}-[0-9]{1,20}")
_OTHERS = """
    datname = current_database() and backend_type = 'client backend' and state = 'active'
    and pid <> pg_backend_pid()
"""


def _postgresql_running(engine: Engine) -> list[LongRunning]:
    query = f"""
        select {_ID} as id, query, application_name, pid, query_start,
            extract(epoch from clock_timestamp() - query_start)::float8 as seconds,
            wait_event_type || ' ' || wait_event as waits_for
        from pg_stat_activity where {_OTHERS} and query_start is not null
    """  # noqa: S608 — both parts are constants of this module
    with ignored(), engine.connect() as connection:
        rows = connection.execute(text(query)).all()
    return [
        LongRunning(
            id=row.id,
            text=normalise(row.query, "%s"),
            origin=row.application_name,
            worker=str(row.pid),
            started_at=row.query_start.astimezone(UTC),
            seconds=row.seconds,
            waits_for=row.waits_for,
        )
        for row in rows
    ]


def _cancel(engine: Engine, statement_id: str) -> bool:
    if not _ID_FORM.fullmatch(statement_id):
        return False
    with ignored(), engine.connect() as connection:
        try:
            return _cancelled(connection, statement_id)
        except ProgrammingError as error:
            if getattr(error.orig, "sqlstate", None) != "42501":  # insufficient_privilege
                raise
            message = "The database does not let this role end that statement."
            raise ClientError(403, "forbidden", message) from None


def _cancelled(connection: Connection, statement_id: str) -> bool:
    query = f"select pg_cancel_backend(pid) from pg_stat_activity where {_OTHERS} and {_ID} = :id"  # noqa: S608
    return bool(connection.execute(text(query), {"id": statement_id}).scalar())
