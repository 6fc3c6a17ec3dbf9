"""Acts: one change of one submission or of thousands, with what they were before, so that it can be undone.

What the rows were is kept for `KEPT`, then pruned by the timetable. An undo puts back only what is still as
the act left it: what somebody changed since stays as it is. An act is its maker's; nobody undoes another's.
"""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    ScalarSelect,
    case,
    delete,
    false,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session, mapped_column

from app.clock import rfc3339, utc_now
from app.database.among import among
from app.database.types import Json, UtcTime
from app.models import act_tags, event, rollup
from app.models.base import Base
from app.models.feedback import Feedback, settling
from app.models.identifiers import new_public_id
from app.models.user import User

KEPT = timedelta(hours=1)
# What an act may set, beside tags. The timeline names these kinds; reading is none, and makes no new version.
FIELDS = ("status", "is_read", "is_archived", "category", "assignee_id", "snoozed_until")
EVENT_KINDS = {
    "status": "status",
    "is_archived": "archive",
    "category": "category",
    "assignee_id": "assignee",
    "snoozed_until": "snooze",
}


class Act(Base, kw_only=True):
    """One change: who made it, when, what was set to what, and whether it was undone.

    `said` is the kind of the message that was sent with it, which an undo leaves where it is.
    """

    __tablename__ = "acts"

    id: Mapped[int] = mapped_column(init=False, primary_key=True)
    public_id: Mapped[str] = mapped_column(init=False, unique=True, default_factory=new_public_id)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    values: Mapped[dict[str, Any]] = mapped_column(Json)
    said: Mapped[str] = mapped_column(default="", server_default="")
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
    snoozed_until: Mapped[datetime | None] = mapped_column(UtcTime)


@dataclass(frozen=True)
class Author:
    """Who acts, as the timeline names them."""

    user_id: int
    name: str


@dataclass(frozen=True)
class Undone:
    """How many submissions are as they were before, and how many were left as others made them since.

    `said` is the kind of the message that was sent with the act and stays sent.
    """

    count: int
    left: int
    said: str = ""


def begin(
    session: Session, values: Mapping[str, Any], author: Author, now: datetime, *, said: str = ""
) -> Act:
    """Add an act that sets some of `FIELDS` or tags, inside the caller's write transaction.

    No row is changed yet. Tags are names of `act_tags.FIELDS`, of tags that are there.
    """
    unknown = set(values) - {*FIELDS, *act_tags.FIELDS}
    assert not unknown, f"not undoable: {unknown}"
    kept = {name: rfc3339(value) if isinstance(value, datetime) else value for name, value in values.items()}
    act = Act(user_id=author.user_id, values=kept, said=said, created_at=now)
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
    columns = [_column(name).is_distinct_from(value) for name, value in _set_by(act).items()]
    if "is_archived" in act.values:
        columns.append(Feedback.snoozed_until.is_not(None))  # it is archived already, but for a time
    differs = or_(*columns, *act_tags.differs(act.values))
    chosen = (
        select(literal(act.id), Feedback.id, *(_column(name) for name in _KEPT_FIELDS))
        .where(*where, differs, Feedback.id > after)
        .order_by(Feedback.id)
        .limit(limit)
    )
    session.execute(insert(ActRow).from_select(["act_id", "feedback_id", *_KEPT_FIELDS], chosen))
    query = select(ActRow.feedback_id).where(ActRow.act_id == act.id, ActRow.feedback_id > after)
    ids = list(session.scalars(query.order_by(ActRow.feedback_id)))
    act_tags.remember(session, act, ActRow, ids, act.values)
    act.count += len(ids)
    return ids


def carry_out(session: Session, act: Act, ids: Sequence[int], author: Author, now: datetime) -> None:
    """Change the remembered submissions as the act says, with their counts and timelines."""
    values = _set_by(act)
    if "status" in values:
        values |= settling(values["status"], now)
    _set(session, ids, _unsnoozing(values) | values, now, versioned=_makes_version(act))
    for name, new in _set_by(act).items():
        _tell(session, act, ids, name, author=author, now=now, to=new)
    _put_tags(session, act, ids, author, now)


def undo(session: Session, act: Act, author: Author, now: datetime) -> Undone:
    """Put back what is still as the act left it, inside the caller's write transaction."""
    set_to = _set_by(act)
    untouched = [_column(name).is_not_distinct_from(value) for name, value in set_to.items()]
    if _has_tags(act):
        untouched.append(act_tags.untouched(act))
    query = (
        select(ActRow.feedback_id)
        .join(Feedback, Feedback.id == ActRow.feedback_id)
        .where(ActRow.act_id == act.id, *untouched)
        .order_by(ActRow.feedback_id)
    )
    ids = list(session.scalars(query))
    _set(session, ids, _restored(act), now, versioned=_makes_version(act))
    for name, value in set_to.items():
        _tell(session, act, ids, name, author=author, now=now, back_from=value)
    _put_tags(session, act, ids, author, now, back=True)
    act.undone_at = now
    return Undone(len(ids), act.count - len(ids), act.said)


def prune(session: Session, now: datetime) -> int:
    """Forget the acts that are past their time; returns how many."""
    done = session.execute(delete(Act).where(Act.created_at <= now - KEPT))
    return int(done.rowcount)  # type: ignore[attr-defined]


_KEPT_FIELDS = (*FIELDS, "settled_at")
_NOTHING = object()


def _set_by(act: Act) -> dict[str, Any]:
    """Return the columns that an act sets."""
    values = {name: value for name, value in act.values.items() if name in FIELDS}
    if until := values.get("snoozed_until"):
        values["snoozed_until"] = datetime.fromisoformat(until)
    return values


def _unsnoozing(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what else a statement sets that changes many; the rule of `snooze.also`."""
    if "snoozed_until" in values:
        return {"is_archived": values["snoozed_until"] is not None}
    if "status" in values:
        woken = case((Feedback.snoozed_until.is_not(None), false()), else_=Feedback.is_archived)
        return {"snoozed_until": None, "is_archived": woken}
    return {"snoozed_until": None} if "is_archived" in values else {}


def _restored(act: Act) -> dict[str, Any]:
    """Return what an undo sets: what each submission was, with the snooze that the act ended."""
    set_to = _set_by(act)
    names = [*set_to, "settled_at"] if "status" in set_to else list(set_to)
    restored: dict[str, Any] = {name: _before(act, name) for name in names}
    if "snoozed_until" in set_to:
        restored["is_archived"] = _before(act, "is_archived")
    elif set_to.keys() & {"status", "is_archived"}:
        snoozed = _before(act, "snoozed_until")
        restored["snoozed_until"] = func.coalesce(snoozed, Feedback.snoozed_until)
        archived = case((snoozed.is_not(None), _before(act, "is_archived")), else_=Feedback.is_archived)
        restored.setdefault("is_archived", archived)
    return restored


def _has_tags(act: Act) -> bool:
    return any(name in act_tags.FIELDS for name in act.values)


def _makes_version(act: Act) -> bool:
    return _has_tags(act) or any(name in EVENT_KINDS for name in act.values)


def _column(name: str) -> "InstrumentedAttribute[Any]":
    column: InstrumentedAttribute[Any] = getattr(Feedback, name)
    return column


def _before(act: Act, name: str) -> "ScalarSelect[Any]":
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
    # Without a column of theirs (tags alone) the roll-ups stay as they are.
    following = rollup.following(session.connection(), ids, facts=False) if values else nullcontext()
    with following:
        session.execute(changed, execution_options={"synchronize_session": False})


def _put_tags(
    session: Session, act: Act, ids: Sequence[int], author: Author, now: datetime, *, back: bool = False
) -> None:
    if not _has_tags(act) or not ids:
        return
    act_tags.put(session, act, ids, back=back)
    for chosen, details in act_tags.told(session, act, ids, back=back):
        event.add_many(
            session, chosen, "tags", actor=author.name, actor_id=author.user_id, details=details, now=now
        )


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
    if name == "snoozed_until" and back_from is _NOTHING:
        # What each was snoozed until before is not told: that may be as many moments as submissions.
        details = {"to": _word(session, name, to)}
        event.add_many(
            session, ids, "snooze", actor=author.name, actor_id=author.user_id, details=details, now=now
        )
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
    # The timeline keeps names as they were, and moments as text.
    if isinstance(value, datetime):
        return rfc3339(value)
    if name != "assignee_id" or value is None:
        return value
    return session.scalar(select(User.name).where(User.id == value))
