"""The one way in which submissions go for good: their rows and whatever was derived from them.

Everything happens in the caller's write transaction, a few statements for any number of submissions. Tables
that hang on a submission (screenshots, messages, events, tags …) go by `ON DELETE CASCADE`; what counts or
indexes submissions is told here. Blobs are written into the outbox, to be deleted after the commit.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.database.among import among
from app.models import blob_outbox, rollup, search
from app.models.feedback import Feedback
from app.models.project import Project
from app.models.screenshot import Screenshot

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


def remove(session: Session, feedback_ids: Sequence[int], *, only: Sequence[Condition] = ()) -> Removed:
    """Delete submissions for good inside the caller's write transaction; ids that are not there are no error.

    `only` are conditions that must hold at this moment, as a sweep asks. Call `blob_outbox.work_off` after
    the commit; the timetable does where that is not reached. Whether a submission may be removed is the
    caller's to ask; the database refuses to delete a held one.
    """
    query = select(*_COLUMNS).outerjoin(Screenshot, Screenshot.feedback_id == Feedback.id)
    rows = session.execute(
        query.where(among(Feedback.id, feedback_ids), *only).with_for_update(of=Feedback)
    ).all()
    if not rows:
        return Removed()
    sizes = [(row.project_id, row.content_bytes + row.screenshot_bytes) for row in rows]
    give_back_bytes(session, sizes)
    blob_outbox.put(session, (key for row in rows for key in (row.blob_key, row.thumbnail_key) if key))
    session.execute(
        delete(Feedback).where(among(Feedback.id, [row.id for row in rows])),
        execution_options={"synchronize_session": False},
    )
    rollup.leave(session.connection(), rows)
    search.forget(session, [row.id for row in rows])
    pictures = sum(row.blob_key is not None for row in rows)
    return Removed(len(rows), pictures, sum(size for _, size in sizes))


def give_back_bytes(session: Session, sizes: Iterable[tuple[int, int]]) -> None:
    """Take bytes off what projects keep: pairs of project id and size."""
    freed: Counter[int] = Counter()
    for project_id, size in sizes:
        freed[project_id] += size
    for project_id, size in sorted(freed.items()):  # in key order: two writers cannot deadlock
        session.execute(
            update(Project).where(Project.id == project_id).values(stored_bytes=Project.stored_bytes - size),
            execution_options={"synchronize_session": False},
        )


_COLUMNS: Sequence[Any] = (
    *(getattr(Feedback, column.name) for column in rollup.WHOLE),
    func.octet_length(Feedback.description).label("content_bytes"),
    Screenshot.blob_key,
    Screenshot.thumbnail_key,
    func.coalesce(Screenshot.size_bytes, 0).label("screenshot_bytes"),
)
