"""Acts: one change of one submission or of thousands, with what they were before, so that it can be undone.

What the rows were is kept for `KEPT`, then pruned by the timetable. An undo puts back only what is still as
the act left it: what somebody changed since stays as it is. An act is its maker's; nobody undoes another's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    and_,
    delete,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session, mapped_column

from app.clock import utc_now
from app.database.among import among
from app.database.types import Json, UtcTime
from app.models import event, rollup
from app.models.base import Base
from app.models.feedback import Feedback, settling
from app.models.identifiers import new_public_id
from app.models.user import User

KEPT = timedelta(hours=1)
# What an act may set. The timeline names these kinds; reading is none, and makes no new version.
FIELDS = ("status", "is_read", "is_archived", "category", "assignee_id")
EVENT_KINDS = {
    "status": "status",
    "is_archived": "archive",
    "category": "category",
    "assignee_id": "assignee",
}


class Act(Base, kw_only=True):
    """One change: who made it, when, what was set to what, and whether it was undone."""

    __tablename__ = "acts"

    id: Mapped[int] = mapped_column(init=False, primary_key=True)
    public_id: Mapped[str] = mapped_column(init=False, unique=True, default_factory=new_public_id)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    values: Mapped[dict[str, Any]] = mapped_column(Json)
    count: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UtcTime, default_factory=utc_now, index=True)
    undone_at: Mapped[datetime | None] = mapped_column(UtcTime, default=None)

    @staticmethod
    def find(session: Session, public_id: str, user_id: int, now: datetime) -> "Act | None":
        """Load an act of a user that is still kept, or None."""
        return session.scalar(
            select(Act).where(Act.public_id == public_id, Act.user_id == user_id, Act.created_at > now - KEPT)
        )


class ActRow(Base, kw_only=True):
    """What one submission was before an act."""

    __tablename__ = "act_rows"

    act_id: Mapped[int] = mapped_column(ForeignKey("acts.id", ondelete="CASCADE"), primary_key=True)
    feedback_id: Mapped[int] = mapped_column(
        ForeignKey("feedback_submissions.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    status: Mapped[str]
    is_read: Mapped[bool]
    is_archived: Mapped[bool]
    category: Mapped[str]
    assignee_id: Mapped[int | None]
    settled_at: Mapped[datetime | None] = mapped_column(UtcTime)


@dataclass(frozen=True)
class Author:
    """Who acts, as the timeline names them."""

    user_id: int
    name: str


@dataclass(frozen=True)
class Undone:
    """How many submissions are as they were before, and how many were left as others made them since."""

    count: int
    left: int


def begin(session: Session, values: Mapping[str, Any], author: Author, now: datetime) -> Act:
    """Add an act that sets some of `FIELDS`, inside the caller's write transaction; no row is changed yet."""
    unknown = set(values) - set(FIELDS)
    assert not unknown, f"not undoable: {unknown}"
    act = Act(user_id=author.user_id, values=dict(values), created_at=now)
    session.add(act)
    session.flush()
    return act


def remember(
    session: Session,
    act: Act,
    where: Sequence[ColumnElement[bool]],
    *,
    after: int = 0,
    limit: int | None = None,
) -> list[int]:
    """Keep what the submissions are that the act would change, and return their ids in order.

    At most `limit`, of those with an id above `after`; what is already as the act makes it is left out.
    """
    differs = or_(*(_column(name).is_distinct_from(value) for name, value in act.values.items()))
    chosen = (
        select(literal(act.id), Feedback.id, *(_column(name) for name in _KEPT_FIELDS))
        .where(*where, differs, Feedback.id > after)
        .order_by(Feedback.id)
        .limit(limit)
    )
    session.execute(insert(ActRow).from_select(["act_id", "feedback_id", *_KEPT_FIELDS], chosen))
    query = select(ActRow.feedback_id).where(ActRow.act_id == act.id, ActRow.feedback_id > after)
    ids = list(session.scalars(query.order_by(ActRow.feedback_id)))
    act.count += len(ids)
    return ids


def carry_out(session: Session, act: Act, ids: Sequence[int], author: Author, now: datetime) -> None:
    """Change the remembered submissions as the act says, with their counts and timelines."""
    values = dict(act.values)
    if "status" in values:
        values |= settling(values["status"], now)
    _set(session, ids, values, now, versioned=any(name in EVENT_KINDS for name in act.values))
    for name, new in act.values.items():
        _tell(session, act, ids, name, author=author, now=now, to=new)


def undo(session: Session, act: Act, author: Author, now: datetime) -> Undone:
    """Put back what is still as the act left it, inside the caller's write transaction."""
    untouched = and_(*(_column(name).is_not_distinct_from(value) for name, value in act.values.items()))
    query = (
        select(ActRow.feedback_id)
        .join(Feedback, Feedback.id == ActRow.feedback_id)
        .where(ActRow.act_id == act.id, untouched)
        .order_by(ActRow.feedback_id)
    )
    ids = list(session.scalars(query))
    names = [*act.values, "settled_at"] if "status" in act.values else list(act.values)
    before = {name: _before(act, name) for name in names}
    _set(session, ids, before, now, versioned=any(name in EVENT_KINDS for name in act.values))
    for name, set_to in act.values.items():
        _tell(session, act, ids, name, author=author, now=now, back_from=set_to)
    act.undone_at = now
    return Undone(len(ids), act.count - len(ids))


def prune(session: Session, now: datetime) -> int:
    """Forget the acts that are past their time; returns how many."""
    done = session.execute(delete(Act).where(Act.created_at <= now - KEPT))
    return int(done.rowcount)  # type: ignore[attr-defined]


_KEPT_FIELDS = (*FIELDS, "settled_at")
_NOTHING = object()


def _column(name: str) -> "InstrumentedAttribute[Any]":
    column: InstrumentedAttribute[Any] = getattr(Feedback, name)
    return column


def _before(act: Act, name: str) -> Any:
    return (
        select(getattr(ActRow, name))
        .where(ActRow.act_id == act.id, ActRow.feedback_id == Feedback.id)
        .scalar_subquery()
    )


def _set(
    session: Session, ids: Sequence[int], values: Mapping[str, Any], now: datetime, *, versioned: bool
) -> None:
    changed = update(Feedback).where(among(Feedback.id, ids)).values(updated_at=now, **values)
    if versioned:
        changed = changed.values(version=Feedback.version + 1)
    with rollup.following(session.connection(), ids, facts=False):
        session.execute(changed, execution_options={"synchronize_session": False})


def _tell(
    session: Session,
    act: Act,
    ids: Sequence[int],
    name: str,
    *,
    author: Author,
    now: datetime,
    to: Any = _NOTHING,
    back_from: Any = _NOTHING,
) -> None:
    """Write the timelines: one statement for each value that the submissions had before."""
    if name not in EVENT_KINDS or not ids:
        return
    kept = getattr(ActRow, name)
    of_act = (ActRow.act_id == act.id, among(ActRow.feedback_id, ids))
    for old in session.scalars(select(kept).where(*of_act).distinct()).all():
        ends = (old, to) if back_from is _NOTHING else (back_from, old)
        if ends[0] == ends[1]:
            continue
        details = dict(zip(("from", "to"), (_word(session, name, end) for end in ends), strict=True))
        event.add_many(
            session,
            select(ActRow.feedback_id).where(*of_act, kept.is_not_distinct_from(old)),
            EVENT_KINDS[name],
            actor=author.name,
            actor_id=author.user_id,
            details=details,
            now=now,
        )


def _word(session: Session, name: str, value: Any) -> Any:
    # The timeline keeps names as they were.
    if name != "assignee_id" or value is None:
        return value
    return session.scalar(select(User.name).where(User.id == value))
