"""Messages of a submission: replies to the reporter, notes that only agents see, and the reporter's answers.

Each message is also an event, so thread and timeline are one stream, read by one index.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Select, select
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.clock import utc_now
from app.database.types import UtcTime
from app.models import event, merge, search
from app.models.base import Base
from app.models.event import Event
from app.models.feedback import Feedback
from app.models.identifiers import new_public_id

REPLY, NOTE, REPORTER = "reply", "note", "reporter"
EVENT_OF = {REPLY: "reply", NOTE: "note", REPORTER: "reporter_reply"}
LONGEST = 10_000  # characters, as many as a description has
PAGE = 30  # of the stream, the newest first
# An answer to what was settled asks for more; what was rejected, spam or trash stays where it is.
OPENED_AGAIN = frozenset({"resolved", "closed"})


class Message(Base, kw_only=True):
    """What somebody wrote; `author` is the name at that time, empty for the reporter."""

    __tablename__ = "messages"
    __table_args__ = (
        CheckConstraint("kind in ('reply', 'note', 'reporter')", name="kind"),
        Index("ix_messages_feedback", "feedback_id", "id"),
        Index(
            "ix_messages_noted",
            "feedback_id",
            sqlite_where=sql("kind = 'note'"),
            postgresql_where=sql("kind = 'note'"),
        ),
    )

    id: Mapped[int] = mapped_column(init=False, primary_key=True)
    public_id: Mapped[str] = mapped_column(init=False, unique=True, default_factory=new_public_id)
    feedback_id: Mapped[int] = mapped_column(ForeignKey("feedback_submissions.id", ondelete="CASCADE"))
    event_id: Mapped[int] = mapped_column(ForeignKey("submission_events.id", ondelete="CASCADE"), unique=True)
    kind: Mapped[str]
    text: Mapped[str]
    author: Mapped[str] = mapped_column(default="")
    author_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), index=True, default=None
    )
    created_at: Mapped[datetime] = mapped_column(UtcTime, default_factory=utc_now)


@dataclass(frozen=True)
class Stream:
    """A part of a submission's stream, oldest first: an event, and its message where it is one."""

    entries: Sequence[tuple[Event, Message | None]]
    earlier: int | None


def clean(text: str) -> str:
    """Return what is kept of a message. Raises ValueError for one that says nothing, or too much."""
    kept = text.replace("\r\n", "\n").strip()
    if not kept:
        raise ValueError("says nothing")
    if len(kept) > LONGEST or "\x00" in kept:
        raise ValueError(f"has at most {LONGEST:,} characters, none of them NUL")
    return kept


def add(
    session: Session,
    found: Feedback,
    kind: str,
    text: str,
    *,
    author: str = "",
    author_id: int | None = None,
    now: datetime,
) -> Message:
    """Write a message, inside a write transaction; `text` is clean.

    The one way in which messages come: whatever follows from one (an answer opens what was settled, and wakes
    what is snoozed) happens here.
    """
    actor = author or found.reporter_name or "The reporter"
    event_id = event.add(session, found.id, EVENT_OF[kind], actor=actor, actor_id=author_id, now=now)
    made = Message(
        feedback_id=found.id,
        event_id=event_id,
        kind=kind,
        text=text,
        author=author,
        author_id=author_id,
        created_at=now,
    )
    session.add(made)
    search.touch(session, [found.id])
    if kind == REPLY and found.first_answered_at is None:
        with found.counted(session):
            found.first_answered_at = now
    if kind == REPORTER:
        _answered(session, found, actor, now)
    found.updated_at = now
    session.flush()
    return made


def _answered(session: Session, found: Feedback, actor: str, now: datetime) -> None:
    # Of what is merged the other one is worked on: there the answer has to be seen.
    if (into := merge.into_of(session, found.id, lock=True)) is not None:
        details = {"id": found.public_id, "reference": found.reference}
        event.add(session, into.id, "merged_answer", actor=actor, details=details, now=now)
        found = into
    changes: dict[str, Any] = {"is_read": False}
    if found.status in OPENED_AGAIN:
        changes["status"] = "open"
    if found.snoozed_until is not None:
        changes["snoozed_until"] = None
    found.change(session, now, actor=actor, **changes)


def stream(session: Session, feedback_id: int, before: int | None = None, limit: int = PAGE) -> Stream:
    """Return the newest of the stream, or what is older than the event `before`, in one statement."""
    query = (
        select(Event, Message)
        .outerjoin(Message, Message.event_id == Event.id)
        .where(Event.feedback_id == feedback_id)
        .order_by(Event.id.desc())
        .limit(limit + 1)
    )
    if before is not None:
        query = query.where(Event.id < before)
    rows = [(row[0], row[1]) for row in session.execute(query)]
    more = len(rows) > limit
    shown = rows[:limit][::-1]
    return Stream(shown, shown[0][0].id if more else None)


def of(feedback_id: int, *, public: bool = False) -> Select[Any]:
    """Select a submission's messages, in no order; `public` leaves out notes."""
    query = select(Message).where(Message.feedback_id == feedback_id)
    return query.where(Message.kind != NOTE) if public else query
