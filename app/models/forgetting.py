"""What a submission can lose while it stays: its picture, or what could name its reporter.

Set-based, in the caller's write transaction, like `removal`; roll-ups, bytes and the blob outbox follow.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, delete, false, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.database.among import among
from app.models import blob_outbox, rollup, search
from app.models.feedback import Feedback
from app.models.message import Message
from app.models.removal import Removed, give_back_bytes
from app.models.screenshot import Screenshot

FORGOTTEN = "[anonymised]"  # stands for a text, which is never empty
# What is emptied for each field of a policy; a value of None is SQL NULL.
EMPTY: dict[str, dict[str, Any]] = {
    "reporter": {"reporter_id": None, "reporter_name": None, "reporter_email": None},
    "session": {"session_id": None},
    "address": {"address_hash": None},
    "agent": {
        "user_agent": None,
        "browser": None,
        "os": None,
        "screen_resolution": None,
        "viewport_size": None,
    },
    "app_state": {"api_state": None, "custom": None},
    "text": {"description": FORGOTTEN, "admin_notes": "", "annotation_coords": None, "has_annotation": False},
}


def keeps_any(fields: Sequence[str]) -> ColumnElement[bool]:
    """Return the condition that a submission still has something in one of the fields."""
    columns = {name: value for field in fields for name, value in EMPTY[field].items()}
    return or_(false(), *(_differs(name, value) for name, value in columns.items()))


def anonymise(session: Session, feedback_ids: Sequence[int], fields: Sequence[str]) -> Removed:
    """Empty fields (keys of `EMPTY`) of submissions; return how many had any, and the bytes of text freed."""
    if not fields:
        return Removed()
    values = {name: value for field in fields for name, value in EMPTY[field].items()}
    rows = session.execute(
        select(
            Feedback.id, Feedback.project_id, func.octet_length(Feedback.description).label("text_bytes")
        ).where(among(Feedback.id, feedback_ids), keeps_any(fields))
    ).all()
    ids = [row.id for row in rows]
    with rollup.following(session.connection(), ids):
        session.execute(
            update(Feedback).where(among(Feedback.id, ids)).values(**values),
            execution_options={"synchronize_session": False},
        )
    if "text" in fields:
        # What was written in the thread goes with it, whoever wrote it: a reply says whom it is to.
        session.execute(
            update(Message).where(among(Message.feedback_id, ids)).values(text=FORGOTTEN),
            execution_options={"synchronize_session": False},
        )
    search.touch(session, ids)
    freed = [(row.project_id, row.text_bytes - len(FORGOTTEN) if "text" in fields else 0) for row in rows]
    give_back_bytes(session, freed)
    return Removed(len(rows), 0, sum(size for _, size in freed))


def drop_screenshots(session: Session, feedback_ids: Sequence[int]) -> Removed:
    """Take the pictures of submissions away; the words stay. `blob_outbox.work_off` after the commit."""
    rows = session.execute(
        select(
            Feedback.id,
            Feedback.project_id,
            Screenshot.blob_key,
            Screenshot.thumbnail_key,
            Screenshot.size_bytes,
        )
        .join(Screenshot, Screenshot.feedback_id == Feedback.id)
        .where(among(Feedback.id, feedback_ids))
    ).all()
    ids = [row.id for row in rows]
    with rollup.following(session.connection(), ids, facts=False):
        for statement in (
            delete(Screenshot).where(among(Screenshot.feedback_id, ids)),
            update(Feedback).where(among(Feedback.id, ids)).values(has_screenshot=False),
        ):
            session.execute(statement, execution_options={"synchronize_session": False})
    give_back_bytes(session, [(row.project_id, row.size_bytes) for row in rows])
    blob_outbox.put(session, (key for row in rows for key in (row.blob_key, row.thumbnail_key) if key))
    return Removed(0, len(rows), sum(row.size_bytes for row in rows))


def _differs(name: str, value: Any) -> ColumnElement[bool]:
    column: InstrumentedAttribute[Any] = getattr(Feedback, name)
    return column.is_not(None) if value is None else column != value
