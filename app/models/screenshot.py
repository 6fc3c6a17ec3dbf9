"""Screenshots: where a submission's picture is kept and how far its re-encoding has come.

The row says what is owed (state, lease, attempts); the job carries only its id. A worker that is killed
leaves a lease that runs out, and the timetable takes the row up again.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, or_, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.clock import utc_now
from app.database.types import UtcTime
from app.models.base import Base

STATES = ("pending", "ready", "failed")
LEASE = timedelta(seconds=60)  # six times the parent's time-out for one picture
MOST_ATTEMPTS = 3


class Screenshot(Base, kw_only=True):
    """The picture of one submission."""

    __tablename__ = "feedback_screenshots"
    __table_args__ = (
        CheckConstraint("state in ('pending', 'ready', 'failed')", name="state"),
        Index(
            "ix_feedback_screenshots_pending",
            "lease_until",
            sqlite_where=text("state = 'pending'"),
            postgresql_where=text("state = 'pending'"),
        ),
    )

    id: Mapped[int] = mapped_column(init=False, primary_key=True)
    feedback_id: Mapped[int] = mapped_column(
        ForeignKey("feedback_submissions.id", ondelete="CASCADE"), unique=True
    )
    blob_key: Mapped[str] = mapped_column(unique=True)
    thumbnail_key: Mapped[str | None] = mapped_column(default=None)
    media_type: Mapped[str]
    size_bytes: Mapped[int]
    width: Mapped[int | None] = mapped_column(default=None)
    height: Mapped[int | None] = mapped_column(default=None)
    state: Mapped[str] = mapped_column(default="pending")
    failure: Mapped[str | None] = mapped_column(default=None)
    lease_until: Mapped[datetime | None] = mapped_column(UtcTime, default=None)
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UtcTime, default_factory=utc_now)

    @property
    def size_kb(self) -> float:
        """Size of what is kept, in kibibytes."""
        return round(self.size_bytes / 1024, 1)

    @staticmethod
    def claim(session: Session, screenshot_id: int, now: datetime) -> "Screenshot | None":
        """Take the lease of a pending screenshot and count the attempt, inside a write transaction.

        None when it is settled, gone, or leased to somebody else.
        """
        claimed = session.scalar(
            update(Screenshot)
            .where(Screenshot.id == screenshot_id, *_free(now))
            .values(lease_until=now + LEASE, attempts=Screenshot.attempts + 1)
            .returning(Screenshot.id)
        )
        return None if claimed is None else session.get(Screenshot, claimed, populate_existing=True)

    @staticmethod
    def owed(session: Session, now: datetime, limit: int = 100) -> Sequence[int]:
        """Return ids of pending screenshots that nobody is working on, those longest owed first."""
        query = select(Screenshot.id).where(*_free(now)).order_by(Screenshot.id).limit(limit)
        return session.scalars(query).all()

    def make_ready(
        self, *, blob_key: str, thumbnail_key: str, size_bytes: int, width: int, height: int
    ) -> None:
        """Point to the re-encoded picture; sizes in pixels and bytes."""
        self.blob_key, self.thumbnail_key = blob_key, thumbnail_key
        self.media_type, self.size_bytes = "image/webp", size_bytes
        self.width, self.height = width, height
        self.state, self.failure, self.lease_until = "ready", None, None

    def fail(self, reason: str) -> None:
        """Mark the picture as one that cannot be shown; the submission's text stays."""
        self.state, self.failure, self.lease_until = "failed", reason, None
        self.size_bytes = 0


def _free(now: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    unleased = or_(Screenshot.lease_until.is_(None), Screenshot.lease_until <= now)
    return Screenshot.state == "pending", unleased
