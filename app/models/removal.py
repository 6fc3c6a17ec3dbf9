"""The one way in which submissions go for good: their rows and whatever was derived from them.

Everything happens in the caller's write transaction, a few statements for any number of submissions. What
most submissions have (screenshots, messages, events, tags) goes by a statement a table, whatever else hangs
on one by `ON DELETE CASCADE`; what counts or indexes submissions is told here. Blobs are written into the
outbox, to be deleted after the commit.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import ColumnElement, Connection, Select, Table, delete, func, select, type_coerce
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.types import NullType

from app.database.among import among
from app.models import blob_outbox, project, rollup, search
from app.models.event import Event
from app.models.feedback import Feedback
from app.models.message import Message
from app.models.screenshot import Screenshot
from app.models.tag import FeedbackTag

Condition = ColumnElement[bool] | InstrumentedAttribute[bool]


@dataclass(frozen=True)
class Removed:
    """What went: rows, pictures, and the bytes of both (text and blobs) as counted against the quota."""

    submissions: int = 0
    screenshots: int = 0
    bytes: int = 0

    def __add__(self, other: "Removed") -> "Removed":
        return Removed(
            self.submissions + other.submissions,
            self.screenshots + other.screenshots,
            self.bytes + other.bytes,
        )


@dataclass(frozen=True)
class Foreseen:
    """Submissions as they were read ahead of a removal, and what follows from it, worked out."""

    stored: Sequence[Any]  # as the database gives them, to tell whether they are the same still
    leaving: rollup.Leaving


def foresee(session: Session, feedback_ids: Sequence[int]) -> Foreseen:
    """Work out what removing submissions takes along, outside of any transaction, for `remove`.

    What Python does with the rows took a third of a sweep's transactions, and nobody needs to wait for that.
    """
    connection = session.connection()
    rows, stored = (connection.execute(_reading(columns, feedback_ids)).all() for columns in (_READ, _STORED))
    session.rollback()
    return Foreseen(stored, rollup.Leaving.of(rows))


def remove(
    session: Session,
    feedback_ids: Sequence[int],
    *,
    only: Sequence[Condition] = (),
    foreseen: Foreseen | None = None,
) -> Removed:
    """Delete submissions for good inside the caller's write transaction; ids that are not there are no error.

    `only` are conditions that must hold at this moment, as a sweep asks. What was foreseen of the same ids is
    used if nothing of it has changed since. Call `blob_outbox.work_off` after the commit; the timetable does
    where that is not reached. Whether a submission may be removed is the caller's to ask; the database
    refuses to delete a held one.
    """
    session.flush()
    connection = session.connection()
    leaving = _leaving(connection, feedback_ids, only, foreseen)
    if not leaving.rows:
        return Removed()
    ids = [row.id for row in leaving.rows]
    # Before the submissions, whose deletion would take them along unseen.
    pictures = connection.execute(
        delete(_screenshots).where(among(_screenshots.c.feedback_id, ids)).returning(*_PICTURE)
    ).all()
    for table in _OFTEN_THERE:
        connection.execute(delete(table).where(among(table.c.feedback_id, ids)))
    connection.execute(delete(_feedback).where(among(_feedback.c.id, ids)))
    rollup.leave(connection, leaving)
    search.forget(session, ids)
    blob_outbox.put(session, (key for one in pictures for key in (one.blob_key, one.thumbnail_key) if key))
    owners = {row.id: row.project_id for row in leaving.rows}
    sizes = [(row.project_id, row.content_bytes) for row in leaving.rows]
    sizes += [(owners[one.feedback_id], one.size_bytes) for one in pictures]
    give_back_bytes(session, sizes)
    return Removed(len(ids), len(pictures), sum(size for _, size in sizes))


def _leaving(
    connection: Connection, ids: Sequence[int], only: Sequence[Condition], foreseen: Foreseen | None
) -> rollup.Leaving:
    """Return what goes, locked: what was foreseen, or read anew where any of it is not as it was."""
    if foreseen is not None:
        stored = connection.execute(_reading(_STORED, ids).where(*only).with_for_update()).all()
        if stored == foreseen.stored:
            return foreseen.leaving
    return rollup.Leaving.of(connection.execute(_reading(_READ, ids).where(*only).with_for_update()).all())


def _reading(columns: Sequence[ColumnElement[Any]], ids: Sequence[int]) -> Select[Any]:
    return select(*columns).where(among(_feedback.c.id, ids)).order_by(_feedback.c.id)


def give_back_bytes(session: Session, sizes: Iterable[tuple[int, int]]) -> None:
    """Take bytes off what projects keep: pairs of project id and size."""
    freed: Counter[int] = Counter()
    for project_id, size in sizes:
        freed[project_id] -= size
    project.add_bytes(session.connection(), freed)


_feedback = cast(Table, Feedback.__table__)
_screenshots = cast(Table, Screenshot.__table__)
# SQLite cascades row by row, and looks at every child twice; these by a statement each were a sixth less
# processor time of all statements. Messages before the events that they belong to.
_OFTEN_THERE = tuple(cast(Table, model.__table__) for model in (Message, Event, FeedbackTag))
_READ: Sequence[ColumnElement[Any]] = (
    *(_feedback.c[column.name] for column in rollup.WHOLE),
    func.octet_length(_feedback.c.description).label("content_bytes"),
)
# The same without making times and JSON of them: a third of the processor time.
_STORED = [type_coerce(column, NullType()).label(column.name) for column in _READ]
_PICTURE = [_screenshots.c[name] for name in ("feedback_id", "blob_key", "thumbnail_key", "size_bytes")]
