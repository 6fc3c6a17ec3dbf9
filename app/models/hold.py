"""Holds: what keeps a submission from every removal until somebody, or its date, ends the hold.

A hold is on one submission, or on all that a filter finds, now and later. `held_submissions` says which hold
keeps which submission; `feedback_submissions.held` follows those rows in the same transaction. Their foreign
key refuses to delete a held submission, so that no path past this module removes one.

Holds on many submissions are placed and ended in short transactions. What a kill leaves undone is owed by the
hold's row and done by `settle`, which may run at any time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    Select,
    Table,
    delete,
    exists,
    func,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.clock import rfc3339, utc_now
from app.database.transactions import current_session, transaction
from app.database.types import UtcTime
from app.errors import ClientError, FieldError
from app.models import event
from app.models.base import Base
from app.models.feedback import Feedback
from app.models.identifiers import new_public_id
from app.models.inbox_filter import InboxFilter
from app.models.query import QueryContext, parse

SUBMISSION, FILTER = "submission", "filter"
LONGEST_REASON = 500  # characters
BY_ITS_DATE = "its date"  # who ended a hold that ran out
# Submissions marked in one transaction: 11–31 ms on two busy cores; no write may take longer than 50.
BATCH = 500


class Hold(Base, kw_only=True):
    """One hold; `released_at` is when it ended, None while it holds."""

    __tablename__ = "holds"
    __table_args__ = (
        CheckConstraint("covers in ('submission', 'filter')", name="covers"),
        Index("ix_holds_created", "created_at", "id"),
        Index(
            "ix_holds_active",
            "until",
            sqlite_where=text("released_at is null"),
            postgresql_where=text("released_at is null"),
        ),
    )

    id: Mapped[int] = mapped_column(init=False, primary_key=True)
    public_id: Mapped[str] = mapped_column(init=False, unique=True, default_factory=new_public_id)
    covers: Mapped[str]
    reason: Mapped[str]
    placed_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UtcTime, default_factory=utc_now)
    until: Mapped[datetime | None] = mapped_column(UtcTime, default=None)
    released_at: Mapped[datetime | None] = mapped_column(UtcTime, default=None)
    released_by: Mapped[str | None] = mapped_column(default=None)
    project_id: Mapped[int | None] = mapped_column(
        ForeignKey("projects.id", ondelete="CASCADE"), index=True, default=None
    )
    category: Mapped[str | None] = mapped_column(default=None)
    status: Mapped[str | None] = mapped_column(default=None)
    query: Mapped[str | None] = mapped_column(default=None)

    @property
    def is_active(self) -> bool:
        """Whether it still holds."""
        return self.released_at is None

    @staticmethod
    def by_public_id(session: Session, public_id: str) -> "Hold | None":
        """Load one hold, ended or not."""
        return session.scalar(select(Hold).where(Hold.public_id == public_id))

    @staticmethod
    def of(session: Session, feedback_id: int) -> Sequence["Hold"]:
        """Return the holds that keep a submission, the oldest first."""
        query = (
            select(Hold)
            .join(HeldSubmission, HeldSubmission.hold_id == Hold.id)
            .where(HeldSubmission.feedback_id == feedback_id)
            .order_by(Hold.id)
        )
        return session.scalars(query).all()

    def conditions(self, now: datetime) -> list[ColumnElement[bool]]:
        """Return the SQL conditions of a hold on a filter."""
        return conditions_of(self, now)


class HeldSubmission(Base, kw_only=True):
    """A submission that a hold keeps."""

    __tablename__ = "held_submissions"

    feedback_id: Mapped[int] = mapped_column(
        ForeignKey("feedback_submissions.id", ondelete="RESTRICT"), primary_key=True
    )
    hold_id: Mapped[int] = mapped_column(
        ForeignKey("holds.id", ondelete="CASCADE"), primary_key=True, index=True
    )


@dataclass(frozen=True, kw_only=True)
class Terms:
    """Why a submission is kept, by whose word, and until when (None: until somebody ends it)."""

    reason: str
    placed_by: str
    until: datetime | None = None

    def check(self, now: datetime) -> None:
        """Raise ClientError `validation_failed` (422) for terms that cannot be kept."""
        faults = []
        if not 1 <= len(self.reason.strip()) <= LONGEST_REASON or "\x00" in self.reason:
            faults.append(FieldError("reason", f"has 1 to {LONGEST_REASON} characters"))
        if self.until is not None and self.until <= now:
            faults.append(FieldError("until", "is a time to come"))
        if faults:
            raise ClientError(422, "validation_failed", "Nothing was held.", faults)


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Which submissions a hold on a filter keeps; at least one part is given."""

    project_id: int | None = None
    category: str | None = None
    status: str | None = None
    query: str | None = None


def conditions_of(scope: Scope | Hold, now: datetime) -> list[ColumnElement[bool]]:
    """Return the SQL conditions of a filter. Raises QueryError (422) for a query that cannot be read."""
    wanted = InboxFilter(project_id=scope.project_id, category=scope.category, status=scope.status)
    queried = parse(scope.query).conditions(QueryContext(now)) if scope.query else ()
    return [*wanted.conditions(), *queried]


def place(session: Session, found: Feedback, terms: Terms, now: datetime) -> Hold:
    """Hold one submission, inside the caller's write transaction. Raises ClientError 422."""
    made = begin(session, terms, now)
    keep(session, made.id, [found.id])
    session.refresh(found, ["held"])
    return made


def begin(session: Session, terms: Terms, now: datetime) -> Hold:
    """Add a hold that keeps nothing yet, inside the caller's write transaction. Raises ClientError 422."""
    terms.check(now)
    made = _made(terms, now, covers=SUBMISSION)
    session.add(made)
    session.flush()
    return made


def keep(session: Session, hold_id: int, feedback_ids: Sequence[int]) -> None:
    """Have a hold keep these submissions too, inside the caller's write transaction; at most `BATCH`."""
    _keep(session, hold_id, feedback_ids, [])


def place_on(session: Session, scope: Scope, terms: Terms, now: datetime) -> Hold:
    """Add a hold on all that a filter finds, inside the caller's write transaction; `spread` marks them.

    Raises ClientError 422, also for a filter without any part: that would hold everything.
    """
    terms.check(now)
    parts = {name: value for name, value in vars(scope).items() if value is not None}
    if not parts:
        fault = [FieldError("filter", "names a project, a category, a status or a query")]
        raise ClientError(422, "validation_failed", "Nothing was held.", fault)
    conditions_of(scope, now)
    made = _made(terms, now, covers=FILTER, **parts)
    session.add(made)
    session.flush()
    return made


def spread(hold_id: int, now: datetime) -> int:
    """Mark what a hold on a filter finds and does not keep yet, in short transactions; return how many."""
    marked, after = 0, 0
    while True:
        hold = current_session().get(Hold, hold_id)
        if hold is None or not hold.is_active or hold.covers != FILTER:
            return marked
        conditions = hold.conditions(now)
        # Read outside the transaction: where nearly all is marked already this looks at many rows.
        ids = current_session().scalars(_not_kept(hold_id, conditions, after)).all()
        if not ids:
            return marked
        with transaction() as session:
            still = session.get(Hold, hold_id)
            if still is None or not still.is_active:
                return marked
            marked += _keep(session, hold_id, ids, conditions)
        after = ids[-1]


def release(session: Session, hold: Hold, by: str, now: datetime) -> None:
    """End a hold, inside the caller's write transaction; `clear` frees its submissions."""
    if hold.is_active:
        hold.released_at, hold.released_by = now, by
        session.flush()


def clear(hold_id: int) -> int:
    """Free what an ended hold kept, in short transactions; return how many no other hold keeps."""
    freed = 0
    while True:
        with transaction() as session:
            ids = session.scalars(
                select(HeldSubmission.feedback_id).where(HeldSubmission.hold_id == hold_id).limit(BATCH)
            ).all()
            freed += _free(session, hold_id, ids)
        if len(ids) < BATCH:
            return freed


def settle(now: datetime) -> None:
    """End the holds whose date has come, free what ended ones left, mark what newly matches a filter.

    Called by the timetable, and before each sweep so that it sees every submission that a filter holds.
    """
    session = current_session()
    if session.scalar(select(_run_out(now).exists())):
        with transaction() as session:
            session.execute(
                update(Hold)
                .where(Hold.released_at.is_(None), Hold.until <= now)
                .values(released_at=now, released_by=BY_ITS_DATE)
            )
    for hold_id in session.scalars(_left_over()).all():
        clear(hold_id)
    active = select(Hold.id).where(Hold.released_at.is_(None), Hold.covers == FILTER)
    for hold_id in session.scalars(active.order_by(Hold.id)).all():
        spread(hold_id, now)
    session.rollback()


def refuse_held(session: Session, feedback_ids: Sequence[int]) -> None:
    """Raise ClientError `held` (409) when one of the submissions is held; it names a hold, and how many."""
    query = (
        select(Hold, func.count().over())
        .join(HeldSubmission, HeldSubmission.hold_id == Hold.id)
        .where(HeldSubmission.feedback_id.in_(feedback_ids))
        .order_by(Hold.id)
        .limit(1)
    )
    row = session.execute(query).first()
    if row is None:
        return
    hold, count = row
    whom = "This submission is held" if len(feedback_ids) == 1 else f"{count:,} of these are held"
    raise ClientError(409, "held", f"{whom}: {words_of(hold)} Release the hold first. Nothing was deleted.")


def words_of(hold: Hold) -> str:
    """Write why, by whom and until when, in one sentence."""
    until = "" if hold.until is None else f", until {hold.until.day} {hold.until:%b %Y}"
    reason = hold.reason if hold.reason.endswith((".", "!", "?")) else hold.reason + "."
    return f"“{reason}” ({hold.placed_by}{until})"


def count_held(session: Session) -> int:
    """Return how many submissions are held, by their own small index."""
    return session.scalar(select(func.count()).select_from(Feedback).where(Feedback.held)) or 0


def listing(*, active: bool = True) -> Select[Any]:
    """Select holds' columns, with how many `submissions` each keeps; page it by `created_at, id`."""
    kept = select(func.count()).where(HeldSubmission.hold_id == Hold.id).scalar_subquery()
    ended = Hold.released_at.is_(None) if active else Hold.released_at.is_not(None)
    return select(*Hold.__table__.columns, kept.label("submissions")).where(ended)


def _made(terms: Terms, now: datetime, **values: Any) -> Hold:
    return Hold(
        reason=terms.reason.strip(), placed_by=terms.placed_by, until=terms.until, created_at=now, **values
    )


def _not_kept(hold_id: int, conditions: Sequence[ColumnElement[bool]], after: int) -> Select[int]:
    kept = exists().where(HeldSubmission.feedback_id == Feedback.id, HeldSubmission.hold_id == hold_id)
    return (
        select(Feedback.id).where(*conditions, Feedback.id > after, ~kept).order_by(Feedback.id).limit(BATCH)
    )


def _keep(
    session: Session, hold_id: int, ids: Sequence[int], conditions: Sequence[ColumnElement[bool]]
) -> int:
    # Locked on PostgreSQL, so that who is just deleting one is waited for and the row is then left out.
    query = select(Feedback.id).where(Feedback.id.in_(ids), *conditions).with_for_update()
    there = session.scalars(query).all()
    if not there:
        return 0
    make = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = make(cast(Table, HeldSubmission.__table__)).on_conflict_do_nothing()
    session.execute(statement, [{"hold_id": hold_id, "feedback_id": found} for found in there])
    session.execute(
        update(Feedback)
        .where(Feedback.id.in_(there))
        .values(held=True)
        .execution_options(synchronize_session=False)
    )
    _note(session, hold_id, there, "placed")
    return len(there)


def _free(session: Session, hold_id: int, ids: Sequence[int]) -> int:
    """Take the hold off these submissions; those that another one keeps stay held."""
    if not ids:
        return 0
    session.execute(
        delete(HeldSubmission).where(HeldSubmission.hold_id == hold_id, HeldSubmission.feedback_id.in_(ids))
    )
    still = exists().where(HeldSubmission.feedback_id == Feedback.id)
    freed = session.execute(
        update(Feedback)
        .where(Feedback.id.in_(ids), ~still)
        .values(held=False)
        .returning(Feedback.id)
        .execution_options(synchronize_session=False)
    )
    ids = [row.id for row in freed]
    _note(session, hold_id, ids, "ended")
    return len(ids)


def _note(session: Session, hold_id: int, ids: Sequence[int], what: str) -> None:
    """Say it in the timelines: who held it and why, or that nothing holds it any longer."""
    hold = session.get(Hold, hold_id)
    if hold is None or not ids:
        return
    who = hold.placed_by if what == "placed" else hold.released_by or BY_ITS_DATE
    until = None if hold.until is None else rfc3339(hold.until)
    details = {"what": what, "reason": hold.reason, "until": until}
    event.add_many(session, ids, "hold", actor=who, details=details)


def _run_out(now: datetime) -> Select[int]:
    return select(Hold.id).where(Hold.released_at.is_(None), Hold.until <= now)


def _left_over() -> Select[int]:
    """Select ended holds that still keep something."""
    keeps = exists().where(HeldSubmission.hold_id == Hold.id)
    return select(Hold.id).where(Hold.released_at.is_not(None), keeps).order_by(Hold.id)
