"""What happened to a submission: one row an act, in the words of its own time.

Owns the timeline (`submission_events`). Names of people, boxes and tags are written down as they were, so a
row stays true after they are renamed or gone. Ids ascend and are never used twice: who follows the timeline
asks for what is above the last id seen.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    ForeignKey,
    Index,
    Select,
    String,
    Table,
    insert,
    literal,
    select,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.clock import utc_now
from app.database.among import among
from app.database.types import Json, UtcTime
from app.models.base import Base

# Who acts when nobody is signed in: the timetable and the command line.
EARMARK = "Earmark"


class Event(Base, kw_only=True):
    """One act: who did what to which submission, and which version of it that made."""

    __tablename__ = "submission_events"
    __table_args__ = (
        Index("ix_submission_events_feedback", "feedback_id", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(init=False, primary_key=True)
    feedback_id: Mapped[int] = mapped_column(ForeignKey("feedback_submissions.id", ondelete="CASCADE"))
    kind: Mapped[str]
    actor: Mapped[str]
    actor_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), index=True, default=None
    )
    details: Mapped[dict[str, Any] | None] = mapped_column(Json, default=None)
    version: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcTime, default_factory=utc_now)


def add(
    session: Session,
    feedback_id: int,
    kind: str,
    *,
    actor: str,
    actor_id: int | None = None,
    details: dict[str, Any] | None = None,
    now: datetime | None = None,
) -> int:
    """Write one event, inside the caller's write transaction and after the act itself, and return its id.

    `kind` is `status`, `assignee`, `tags`, `category`, `note`, `reply`, `reporter_reply`, `archive`,
    `redact`, `link`, …; `details` what the timeline says of it, such as `{"from": "open", "to": "resolved"}`.
    """
    rows = _rows(kind, actor, actor_id, details, now).where(_feedback().c.id == feedback_id)
    session.flush()
    return session.scalars(insert(Event).from_select(NAMES, rows).returning(Event.id)).one()


def add_many(
    session: Session,
    feedback_ids: Sequence[int] | Select[int],
    kind: str,
    *,
    actor: str,
    actor_id: int | None = None,
    details: dict[str, Any] | None = None,
    now: datetime | None = None,
) -> None:
    """Write the same event for many submissions, in one statement.

    Takes ids or a select of ids. Each row keeps the version that its submission has at this moment.
    """
    own = _feedback().c.id
    rows = _rows(kind, actor, actor_id, details, now).where(_chosen(own, feedback_ids)).order_by(own)
    session.flush()
    session.execute(insert(Event).from_select(NAMES, rows))


def since(session: Session, feedback_id: int, version: int) -> Sequence[Event]:
    """Return what made a submission newer than `version`, the oldest first."""
    query = (
        select(Event)
        .where(Event.feedback_id == feedback_id, Event.version > version)
        .order_by(Event.id)
        .limit(20)
    )
    return session.scalars(query).all()


NAMES = ("feedback_id", "kind", "actor", "actor_id", "details", "version", "created_at")


def _feedback() -> Table:
    return Base.metadata.tables["feedback_submissions"]  # feedback.py writes events, so not by its class


def _rows(
    kind: str, actor: str, actor_id: int | None, details: dict[str, Any] | None, now: datetime | None
) -> Select[Any]:
    """Select what an event writes, one row a submission."""
    feedback = _feedback()
    return select(
        feedback.c.id,
        literal(kind, String),
        literal(actor, String),
        literal(actor_id, BigInteger),
        literal(details, Json),
        feedback.c.version,
        literal(now or utc_now(), UtcTime),
    )


def _chosen(column: ColumnElement[int], ids: Sequence[int] | Select[int]) -> ColumnElement[bool]:
    return column.in_(ids) if isinstance(ids, Select) else among(column, ids)
