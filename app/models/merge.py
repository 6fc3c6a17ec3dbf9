"""Merging: a submission that says what another one says already is closed, and points to that one.

Nothing is moved: thread, notes and picture stay where they are, and are read from the other one; so taking a
merge back is deleting the pointer and giving back the status. There are no chains: what others were merged
into is merged into nothing, and nothing is merged into what is merged itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, ScalarSelect, Select, func, select
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from app.clock import utc_now
from app.database.types import UtcTime
from app.models import event
from app.models.base import Base
from app.models.feedback import Feedback
from app.models.inbox_filter import FIRST_WORDS

CLOSED = "closed"
MOST = 100  # at once, and of one submission


class Merge(Base, kw_only=True):
    """That a submission is merged into another; `into_id` is None once that one is gone.

    `status` is what the submission was before.
    """

    __tablename__ = "merges"

    feedback_id: Mapped[int] = mapped_column(
        ForeignKey("feedback_submissions.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    into_id: Mapped[int | None] = mapped_column(
        ForeignKey("feedback_submissions.id", ondelete="SET NULL"), index=True
    )
    status: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UtcTime, default_factory=utc_now)


@dataclass(frozen=True)
class By:
    """Who merges, as the timeline names them."""

    user_id: int
    name: str


def why_not(session: Session, found: Feedback, into: Feedback) -> str | None:
    """Say why a submission cannot be merged into another, or None where it can."""
    if found.id == into.id:
        return "is the same submission"
    if found.project_id != into.project_id:
        return "is of another project"
    if session.get(Merge, into.id) is not None:
        return f"is merged itself: {into.reference}"
    if session.get(Merge, found.id) is not None:
        return f"is merged already: {found.reference}"
    if session.scalar(_count(found.id)):
        return f"has others merged into it: {found.reference}"
    return None


def merge(session: Session, found: Feedback, into: Feedback, by: By, now: datetime) -> None:
    """Close a submission and have it point to another, inside a write transaction; both are locked."""
    session.add(Merge(feedback_id=found.id, into_id=into.id, status=found.status, created_at=now))
    if found.status != CLOSED:
        found.change(session, now, actor=by.name, actor_id=by.user_id, status=CLOSED)
    _tell(session, "merge", (found, into), by, now)
    _tell(session, "merged", (into, found), by, now)


def unmerge(session: Session, found: Feedback, by: By, now: datetime) -> bool:
    """Take a merge back, inside a write transaction; False where there is none.

    The submission gets the status that it had, unless somebody gave it another one since.
    """
    pointer = session.get(Merge, found.id)
    if pointer is None:
        return False
    into = None if pointer.into_id is None else session.get(Feedback, pointer.into_id)
    session.delete(pointer)
    session.flush()
    if found.status == CLOSED and pointer.status != CLOSED:
        found.change(session, now, actor=by.name, actor_id=by.user_id, status=pointer.status)
    _tell(session, "unmerge", (found, into), by, now)
    if into is not None:
        _tell(session, "unmerged", (into, found), by, now)
    return True


def into_of(session: Session, feedback_id: int, *, lock: bool = False) -> Feedback | None:
    """Return the submission that one is merged into, if it is and that one is there."""
    query = select(Feedback).join(Merge, Merge.into_id == Feedback.id).where(Merge.feedback_id == feedback_id)
    return session.scalar(query.with_for_update(of=Feedback) if lock else query)


def pointers(feedback_id: int) -> tuple[ScalarSelect[Any], ...]:
    """Select whether a submission is merged, into which (its public id), and how many were merged into it."""
    into = aliased(Feedback)
    merged = select(Merge.feedback_id).where(Merge.feedback_id == feedback_id)
    named = (
        select(into.public_id).join(Merge, Merge.into_id == into.id).where(Merge.feedback_id == feedback_id)
    )
    return merged.scalar_subquery(), named.scalar_subquery(), _count(feedback_id).scalar_subquery()


def merged_into(session: Session, feedback_id: int) -> Sequence[Any]:
    """Return what was merged into a submission, the oldest first: rows with what a line of it shows."""
    query = (
        select(
            Feedback.public_id,
            Feedback.reporter_name,
            Feedback.reporter_email,
            Feedback.created_at,
            func.substr(Feedback.description, 1, FIRST_WORDS).label("first_words"),
        )
        .join(Merge, Merge.feedback_id == Feedback.id)
        .where(Merge.into_id == feedback_id)
        .order_by(Feedback.id)
        .limit(MOST)
    )
    return session.execute(query).all()


def _count(feedback_id: int) -> Select[int]:
    return select(func.count()).select_from(Merge).where(Merge.into_id == feedback_id)


def _tell(session: Session, kind: str, pair: tuple[Feedback, Feedback | None], by: By, now: datetime) -> None:
    found, other = pair
    details = None if other is None else {"id": other.public_id, "reference": other.reference}
    event.add(session, found.id, kind, actor=by.name, actor_id=by.user_id, details=details, now=now)
