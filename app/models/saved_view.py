"""Saved views: filters of the inbox that people keep under a name, for themselves or for everybody."""

from datetime import datetime

from sqlalchemy import ForeignKey, Select, UniqueConstraint, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from app.clock import utc_now
from app.database.types import UtcTime
from app.models.base import Base
from app.models.identifiers import new_public_id
from app.models.user import User

# So that the rail stays a list that one reads: each of these is a line, and a count.
MOST_VIEWS = 50


class SavedView(Base, kw_only=True):
    """A filter under a name. `query` is the query of the inbox's address, `status=open&category=bug`."""

    __tablename__ = "saved_views"
    __table_args__ = (UniqueConstraint("user_id", "name"),)

    id: Mapped[int] = mapped_column(init=False, primary_key=True)
    public_id: Mapped[str] = mapped_column(init=False, unique=True, default_factory=new_public_id)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str]
    query: Mapped[str]
    is_shared: Mapped[bool] = mapped_column(default=False, index=True)
    created_at: Mapped[datetime] = mapped_column(UtcTime, default_factory=utc_now)
    user: Mapped[User] = relationship(init=False, lazy="joined", innerjoin=True)

    @staticmethod
    def seen_by(user_id: int) -> Select["SavedView"]:
        """Select a user's own views and those that others share, by name."""
        return (
            select(SavedView)
            .where(or_(SavedView.user_id == user_id, SavedView.is_shared.is_(True)))
            .order_by(SavedView.name, SavedView.id)
        )

    @staticmethod
    def find(session: Session, public_id: str, user_id: int) -> "SavedView | None":
        """Load a view that the user may see, or None."""
        return session.scalar(SavedView.seen_by(user_id).where(SavedView.public_id == public_id))
