"""Keeping the index: batches behind the watermark, rows that were touched, rows that are gone."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Connection,
    Row,
    Select,
    String,
    Table,
    column,
    delete,
    func,
    insert,
    select,
    table,
    update,
)
from sqlalchemy.orm import Session

from app.database.among import among
from app.database.search.index import TextIndex, indexed
from app.database.transactions import transaction
from app.database.types import Json
from app.extensions import db
from app.models.base import Base
from app.models.rollup.keeping import hold_off_writers

INDEX = TextIndex("feedback_fts")
STATE_ID = 1
# Few enough that the write lock is held briefly; how long was not measured.
AT_ONCE = 250
MERGED_PAGES = 64  # of 4 KB, in one transaction
PAUSE_SECONDS = 0.01  # between them, for writers that wait

state = Table(
    "search_state",
    Base.metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("indexed_to", BigInteger, nullable=False),
)
# One row a touch: a second touch while the first is being worked off is not lost with it.
touched = Table(
    "search_touched",
    Base.metadata,
    Column("id", BigInteger, primary_key=True),
    Column("feedback_id", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)
_JSON: JSON = Json
# Not the model's table: the model itself touches what it changes.
_submissions = table(
    "feedback_submissions",
    column("id", BigInteger),
    column("public_id", String),
    *(
        column(name, String)
        for name in ("description", "admin_notes", "reporter_name", "reporter_email", "url", "browser", "os")
    ),
    column("custom", _JSON),
)
_messages = table(
    "messages", column("id", BigInteger), column("feedback_id", BigInteger), column("text", String)
)
_HIGHEST = select(func.coalesce(func.max(_submissions.c.id), 0)).scalar_subquery()
# SQLite gives the highest id again once its row is gone; what gets it next is not indexed yet.
_DRAW_BACK = update(state).where(state.c.indexed_to > _HIGHEST).values(indexed_to=_HIGHEST)
TEXTS = ("description", "admin_notes", "reporter_name", "reporter_email", "url")
FACTS = {"page": "url", "browser": "browser", "os": "os"}
RELEASE = "release"  # a fact too, told in `custom`


def touch(session: Session, feedback_ids: Sequence[int]) -> None:
    """Say that texts of submissions changed, inside the caller's write transaction."""
    if feedback_ids:
        session.execute(insert(touched), [{"feedback_id": key} for key in feedback_ids])


def forget(session: Session, feedback_ids: Sequence[int]) -> None:
    """Take submissions out that were just deleted, inside the same write transaction."""
    connection = session.connection()
    INDEX.forget(connection, feedback_ids)
    connection.execute(_DRAW_BACK)


def merge_deleted(seconds: float) -> int:
    """Take what was forgotten out of the index's segments, in short transactions; returns how many.

    Deleting itself leaves it there: a batch of a sweep held the lock for half a second by merging.
    """
    end = time.monotonic() + seconds
    done = 0
    while time.monotonic() < end:
        with transaction() as session:
            if not INDEX.merge_deleted(session.connection(), MERGED_PAGES):
                break
        done += 1
        time.sleep(PAUSE_SECONDS)
    return done


def catch_up(seconds: float) -> int:
    """Index until nothing is left or the time is over; returns how many were written."""
    end = time.monotonic() + seconds
    done = 0
    while (count := index_some()) and time.monotonic() < end:
        done += count
    return done + count


def index_some(limit: int = AT_ONCE) -> int:
    """Index the oldest behind the watermark and what was touched; returns how many were written.

    Read and cut outside of any transaction, written in a short one. Several processes at once are safe: who
    finds the watermark moved has written nothing.
    """
    batch = _read(limit)
    if not batch.rows and not batch.touches:
        return 0
    texts = {row.id: (row.public_id, _indexed(row, batch.messages.get(row.id, ()))) for row in batch.rows}
    with transaction() as session:
        connection = session.connection()
        if _reached(connection, lock=True) != batch.reached:
            return 0
        there = connection.execute(
            select(_submissions.c.id, _submissions.c.public_id).where(among(_submissions.c.id, list(texts)))
        )
        # One that is gone stays gone, also if its number was given to another meanwhile.
        INDEX.put(connection, [(key, texts[key][1]) for key, name in there if texts[key][0] == name])
        connection.execute(update(state).values(indexed_to=batch.end))
        connection.execute(delete(touched).where(among(touched.c.id, batch.touches)))
    return len(batch.rows)


@dataclass(frozen=True)
class _Batch:
    """What is written at once: rows, the touches that they answer, and the watermark before and after."""

    rows: Sequence[Row[Any]]
    messages: Mapping[int, Sequence[str]]
    touches: Sequence[int]
    reached: int
    end: int


def _read(limit: int) -> _Batch:
    if db.engine.dialect.name != "postgresql":
        found = _batch(db.session.connection(), limit)
        db.session.rollback()
        return found
    with transaction() as session:
        connection = session.connection()
        # An id that is taken but not yet seen would never be indexed. Not asked for while there is nothing.
        waiting = _batch(connection, 1)
        if not waiting.rows and not waiting.touches:
            return waiting
        if not hold_off_writers(connection):
            return _Batch((), {}, (), 0, 0)
        return _batch(connection, limit)


def _batch(connection: Connection, limit: int) -> _Batch:
    reached = _reached(connection)
    fresh = connection.execute(
        _rows().where(_submissions.c.id > reached).order_by(_submissions.c.id).limit(limit)
    ).all()
    touches = connection.execute(select(touched).order_by(touched.c.id).limit(limit)).all()
    # What lies behind the watermark is read anew when its turn comes.
    keys = sorted({touch.feedback_id for touch in touches if touch.feedback_id <= reached})
    again = connection.execute(_rows().where(among(_submissions.c.id, keys))).all() if keys else []
    end = fresh[-1].id if fresh else reached
    rows = [*fresh, *again]
    return _Batch(rows, _said(connection, rows), [touch.id for touch in touches], reached, end)


def _said(connection: Connection, rows: Sequence[Row[Any]]) -> dict[int, list[str]]:
    """Return replies and notes by submission."""
    said: dict[int, list[str]] = {}
    query = select(_messages.c.feedback_id, _messages.c.text).order_by(_messages.c.id)
    keys = [row.id for row in rows]
    for key, text in connection.execute(query.where(among(_messages.c.feedback_id, keys))) if keys else ():
        said.setdefault(key, []).append(text)
    return said


def _rows() -> Select[Any]:
    return select(*_submissions.c)


def _reached(connection: Connection, *, lock: bool = False) -> int:
    query = select(state.c.indexed_to).where(state.c.id == STATE_ID)
    return connection.scalar(query.with_for_update() if lock else query) or 0


def _indexed(row: Row[Any], messages: Sequence[str]) -> str:
    texts = [*(getattr(row, name) for name in TEXTS), *messages]
    facts = {fact: getattr(row, name) for fact, name in FACTS.items()}
    return indexed(texts, facts | {RELEASE: (row.custom or {}).get(RELEASE)})
