"""The one way in which submissions go for good: their rows and whatever was derived from them.

Everything happens in the caller's write transaction, a few statements for any number of submissions. Tables
that hang on a submission (screenshots, messages, events, tags …) go by `ON DELETE CASCADE`; what counts or
indexes submissions is told here. Blobs are written into the outbox, to be deleted after the commit.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import ColumnElement, Table, delete, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.database.among import among
from app.models import blob_outbox, project, rollup, search
from app.models.feedback import Feedback
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
    session.flush()
    connection = session.connection()
    query = select(*_COLUMNS).where(among(_feedback.c.id, feedback_ids), *only).with_for_update()
    rows = connection.execute(query).all()
    if not rows:
        return Removed()
    ids = [row.id for row in rows]
    # Before the submissions, whose deletion would take them along unseen.
    pictures = connection.execute(
        delete(_screenshots).where(among(_screenshots.c.feedback_id, ids)).returning(*_PICTURE)
    ).all()
    connection.execute(delete(_feedback).where(among(_feedback.c.id, ids)))
    rollup.leave(connection, rows)
    search.forget(session, ids)
    blob_outbox.put(session, (key for one in pictures for key in (one.blob_key, one.thumbnail_key) if key))
    owners = {row.id: row.project_id for row in rows}
    sizes = [(row.project_id, row.content_bytes) for row in rows]
    sizes += [(owners[one.feedback_id], one.size_bytes) for one in pictures]
    give_back_bytes(session, sizes)
    return Removed(len(rows), len(pictures), sum(size for _, size in sizes))


def give_back_bytes(session: Session, sizes: Iterable[tuple[int, int]]) -> None:
    """Take bytes off what projects keep: pairs of project id and size."""
    freed: Counter[int] = Counter()
    for project_id, size in sizes:
        freed[project_id] -= size
    project.add_bytes(session.connection(), freed)


_feedback = cast(Table, Feedback.__table__)
_screenshots = cast(Table, Screenshot.__table__)
_COLUMNS: Sequence[ColumnElement[Any]] = (
    *(_feedback.c[column.name] for column in rollup.WHOLE),
    func.octet_length(_feedback.c.description).label("content_bytes"),
)
_PICTURE = [_screenshots.c[name] for name in ("feedback_id", "blob_key", "thumbnail_key", "size_bytes")]
