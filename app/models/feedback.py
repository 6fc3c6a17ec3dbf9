"""Submissions: what a reporter sent, its place in the inbox, and the rules of changing it.

Every change keeps the roll-up (`daily_counts`) and the project's bytes exact in the same transaction.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    bindparam,
    false,
    func,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from app.clock import rfc3339, utc_now
from app.database.types import Json, UtcTime
from app.models import daily_count, event, rollup, search, snooze, tag
from app.models.base import Base
from app.models.identifiers import LENGTH, is_public_id, new_public_id, reference
from app.models.project import Project
from app.models.rollup.ledger import Ledger
from app.models.screenshot import Screenshot
from app.models.status_link import is_status_token, status_token
from app.models.user import User

if TYPE_CHECKING:
    pass

STATUSES = ("open", "in_progress", "resolved", "closed", "rejected", "spam", "trash")
SETTLED = frozenset({"resolved", "closed", "rejected"})
UNSETTLED = frozenset({"open", "in_progress"})
# What is neither open nor in progress: the condition of an index, whose order queries must repeat (`due`).
ENDED = ("resolved", "closed", "rejected", "spam", "trash")
CHANGEABLE = (
    "status",
    "is_read",
    "is_archived",
    "category",
    "admin_notes",
    "assignee",
    "tags",
    "snoozed_until",
)
# Columns that a submission arrives without, beside those with a default of the database's own.
SET_LATER = ("assignee_id", "first_answered_at", "settled_at", "snoozed_until")
# Changes that stand in the timeline, under their kind; reading is none, and makes no new version.
EVENT_KINDS = {
    "status": "status",
    "is_archived": "archive",
    "category": "category",
    "admin_notes": "note",
    "assignee": "assignee",
    "snoozed_until": "snooze",
}


def _partial(name: str, *columns: Any, where: str, unique: bool = False) -> Index:
    """Return an index of the rows that meet a condition, which both databases read alike."""
    condition = text(where)
    return Index(name, *columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


class Feedback(Base, kw_only=True):
    """One submission."""

    __tablename__ = "feedback_submissions"
    __table_args__ = (
        CheckConstraint(
            "status in ('open', 'in_progress', 'resolved', 'closed', 'rejected', 'spam', 'trash')",
            name="status",
        ),
        CheckConstraint("rating is null or rating between 1 and 5", name="rating"),
        Index("ix_feedback_submissions_created", "created_at", "id"),
        Index("ix_feedback_submissions_box", "status", "created_at", "id"),
        # Every row stands in it, but SQLite uses it only where a project is asked for: it would else skip
        # through the projects for a box of all of them, and sort that.
        Index(
            "ix_feedback_submissions_project_box",
            "project_id",
            "status",
            "created_at",
            "id",
            sqlite_where=text("project_id is not null"),
        ),
        Index("ix_feedback_submissions_updated", "updated_at", "id"),
        # For policies by last change (`due`). No open submission stands in it: intake writes nothing for it.
        _partial(
            "ix_feedback_submissions_ended",
            "status",
            "updated_at",
            "id",
            where=f"status in {ENDED}",
        ),
        _partial(
            "ix_feedback_submissions_answered",
            "first_answered_at",
            where="first_answered_at is not null",
        ),
        _partial(
            "ix_feedback_submissions_settled",
            "settled_at",
            where="settled_at is not null",
        ),
        _partial(
            "ix_feedback_submissions_snoozed",
            "snoozed_until",
            where="snoozed_until is not null",
        ),
        _partial(
            "uq_feedback_submissions_idempotency",
            "project_id",
            "idempotency_key",
            unique=True,
            where="idempotency_key is not null",
        ),
        _partial(
            "ix_feedback_submissions_session",
            "session_id",
            where="session_id is not null",
        ),
        _partial(
            "ix_feedback_submissions_assignee",
            "assignee_id",
            "created_at",
            "id",
            where="assignee_id is not null",
        ),
        _partial(
            "ix_feedback_submissions_reporter",
            text("lower(reporter_email)"),
            where="reporter_email is not null",
        ),
        _partial(
            "ix_feedback_submissions_reporter_id",
            "reporter_id",
            where="reporter_id is not null",
        ),
        Index(
            "ix_feedback_submissions_unread",
            "status",
            "created_at",
            "id",
            sqlite_where=text("is_read = 0"),
            postgresql_where=text("not is_read"),
        ),
        Index(
            "ix_feedback_submissions_archived",
            "status",
            "created_at",
            "id",
            sqlite_where=text("is_archived = 1"),
            postgresql_where=text("is_archived"),
        ),
        Index(
            "ix_feedback_submissions_annotated",
            "status",
            "created_at",
            "id",
            sqlite_where=text("has_annotation = 1"),
            postgresql_where=text("has_annotation"),
        ),
        _partial(
            "ix_feedback_submissions_rated",
            "status",
            "created_at",
            "id",
            where="rating is not null",
        ),
        _partial(
            "ix_feedback_submissions_noted",
            "id",
            where="admin_notes != ''",
        ),
        _partial(
            "ix_feedback_submissions_held",
            "id",
            where="held",
        ),
    )

    id: Mapped[int] = mapped_column(init=False, primary_key=True)
    public_id: Mapped[str] = mapped_column(init=False, unique=True, default_factory=new_public_id)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    category: Mapped[str]
    status: Mapped[str] = mapped_column(default="open")
    description: Mapped[str]
    url: Mapped[str | None] = mapped_column(default=None)
    session_id: Mapped[str | None] = mapped_column(default=None)
    timestamp: Mapped[datetime | None] = mapped_column(UtcTime, default=None)
    browser: Mapped[str | None] = mapped_column(default=None)
    os: Mapped[str | None] = mapped_column(default=None)
    user_agent: Mapped[str | None] = mapped_column(default=None)
    screen_resolution: Mapped[str | None] = mapped_column(default=None)
    viewport_size: Mapped[str | None] = mapped_column(default=None)
    device_pixel_ratio: Mapped[float | None] = mapped_column(default=None)
    has_screenshot: Mapped[bool] = mapped_column(default=False)
    has_annotation: Mapped[bool] = mapped_column(default=False)
    annotation_coords: Mapped[list[dict[str, Any]] | None] = mapped_column(Json, default=None)
    screenshot_scale: Mapped[float] = mapped_column(default=1.0)
    api_state: Mapped[dict[str, Any] | None] = mapped_column(Json, default=None)
    custom: Mapped[dict[str, str] | None] = mapped_column(Json, default=None)
    rating: Mapped[int | None] = mapped_column(default=None)
    reporter_id: Mapped[str | None] = mapped_column(default=None)
    reporter_name: Mapped[str | None] = mapped_column(default=None)
    reporter_email: Mapped[str | None] = mapped_column(default=None)
    created_at: Mapped[datetime] = mapped_column(UtcTime, default_factory=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UtcTime, default_factory=utc_now)
    first_answered_at: Mapped[datetime | None] = mapped_column(UtcTime, default=None)
    settled_at: Mapped[datetime | None] = mapped_column(UtcTime, default=None)
    is_read: Mapped[bool] = mapped_column(default=False)
    is_archived: Mapped[bool] = mapped_column(default=False)
    snoozed_until: Mapped[datetime | None] = mapped_column(UtcTime, init=False, default=None)
    admin_notes: Mapped[str] = mapped_column(default="")
    idempotency_key: Mapped[str | None] = mapped_column(default=None)
    content_digest: Mapped[str | None] = mapped_column(default=None)
    address_hash: Mapped[str | None] = mapped_column(default=None)
    held: Mapped[bool] = mapped_column(init=False, server_default=false())  # follows held_submissions

    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), default=None)
    version: Mapped[int] = mapped_column(init=False, server_default="1")

    # What the reporter's link is signed with; below zero while it is revoked.
    link_number: Mapped[int] = mapped_column(init=False, server_default="0")

    project: Mapped[Project] = relationship(init=False, lazy="joined", innerjoin=True)
    screenshot: Mapped[Screenshot | None] = relationship(init=False, lazy="joined", passive_deletes=True)
    assignee: Mapped[User | None] = relationship(init=False, lazy="joined", passive_deletes=True)

    @property
    def reference(self) -> str:
        """The short form for people, `5TD-R8W`."""
        return reference(self.public_id)

    @property
    def status_token(self) -> str:
        """The token of the reporter's private page, `/f/TOKEN`."""
        return status_token(self.public_id, self.link_number)

    @staticmethod
    def by_public_id(session: Session, public_id: str, *, lock: bool = False) -> "Feedback | None":
        """Load one submission with its project and screenshot, in one statement.

        With `lock`, for a change: on PostgreSQL nobody else changes the row until the commit, so that counts
        move from what it really was. On SQLite the write transaction is that lock.
        """
        if not is_public_id(public_id):
            return None
        query = select(Feedback).where(Feedback.public_id == public_id)
        return session.scalar(query.with_for_update(of=Feedback) if lock else query)

    @staticmethod
    def by_status_token(session: Session, token: str, *, lock: bool = False) -> "Feedback | None":
        """Load the submission that a status link belongs to, or None for a forged, unknown or revoked one."""
        found = Feedback.by_public_id(session, token[:LENGTH], lock=lock)
        if found is None or found.link_number < 0:
            return None
        return found if is_status_token(token, found.public_id, found.link_number) else None

    def change(
        self,
        session: Session,
        now: datetime,
        *,
        actor: str = event.EARMARK,
        actor_id: int | None = None,
        **values: Any,
    ) -> None:
        """Set some of `CHANGEABLE`, inside a write transaction.

        Moves the submission in the roll-up, and writes what changed into the timeline as a new version. What
        else follows for one that is snoozed is set as well.
        """
        unknown = set(values) - set(CHANGEABLE)
        assert not unknown, f"not changeable: {unknown}"
        tags = values.pop("tags", None)
        implied = snooze.also(values, self.snoozed_until)
        told = {"snoozed_until"} if "is_archived" in values else set()
        said = self._said({name: value for name, value in implied.items() if name in told} | values)
        values = implied | values
        if tags is not None and (changed := tag.replace(session, self.id, tags)):
            said["tags"] = changed
        if not values and not said:
            return
        with self.counted(session):
            for name, value in values.items():
                setattr(self, name, value)
            self.settled_at = _settled_at(self, now)
            self.updated_at = now
            self.version += bool(said)
        if "note" in said:
            search.touch(session, [self.id])
        for kind, details in said.items():
            event.add(session, self.id, kind, actor=actor, actor_id=actor_id, details=details, now=now)

    def change_link(
        self, session: Session, *, revoked: bool, actor: str, actor_id: int, now: datetime
    ) -> None:
        """Revoke the reporter's link, or give the reporter a new one, inside a write transaction."""
        # A revoked link never comes back: whatever follows it has a number of its own.
        following = self.link_number + 1 if self.link_number >= 0 else -self.link_number
        self.link_number = -following if revoked else following
        event.add(
            session,
            self.id,
            "link",
            actor=actor,
            actor_id=actor_id,
            details={"to": "revoked" if revoked else "new"},
            now=now,
        )

    def _said(self, values: Mapping[str, Any]) -> dict[str, dict[str, Any] | None]:
        """Return the events that changing to `values` makes: what the timeline says of each."""
        said: dict[str, dict[str, Any] | None] = {}
        for name, value in values.items():
            old = getattr(self, name)
            if name not in EVENT_KINDS or value == old:
                continue
            if name == "admin_notes":
                said["note"] = None  # the notes stand on the page themselves
            elif name == "assignee":
                said["assignee"] = {"from": old and old.name, "to": value and value.name}
            elif name == "snoozed_until":
                said["snooze"] = {"to": value and rfc3339(value)}
            else:
                said[EVENT_KINDS[name]] = {"from": old, "to": value}
        return said

    @contextmanager
    def counted(self, session: Session) -> Iterator[None]:
        """Keep the roll-ups exact while the body changes this submission, inside a write transaction."""
        before, counts = daily_count.delta(self, -1), Ledger.of(self)
        yield
        session.flush()
        connection = session.connection()
        daily_count.add(connection, [before, daily_count.delta(self, 1)])
        rollup.move(connection, self.id, counts, Ledger.of(self))

    @staticmethod
    def add_bytes(session: Session, feedback_id: int, difference: int) -> None:
        """Correct the project's stored bytes after a picture changed its size."""
        owner = select(Feedback.project_id).where(Feedback.id == feedback_id).scalar_subquery()
        session.execute(
            update(Project)
            .where(Project.id == owner)
            .values(stored_bytes=Project.stored_bytes + difference)
            .execution_options(synchronize_session=False)
        )


def settling(status: str, now: datetime) -> dict[str, Any]:
    """Return what else a statement sets that changes many to this status; the rule of `_settled_at`."""
    if status in SETTLED:
        return {"settled_at": func.coalesce(Feedback.settled_at, bindparam(None, now, UtcTime))}
    return {"settled_at": None} if status in UNSETTLED else {}


def _settled_at(found: Feedback, now: datetime) -> datetime | None:
    # What was settled keeps its time, what is open again has none; spam and trash leave it as it was.
    if found.status in SETTLED:
        return found.settled_at or now
    return None if found.status in UNSETTLED else found.settled_at


def content_bytes(description: str) -> int:
    """Return what a submission's text counts against its project's quota, in bytes."""
    return len(description.encode())
