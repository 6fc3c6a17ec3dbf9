"""What users keep under a name, for themselves or for everybody: saved views and macros."""

from datetime import datetime
from typing import Self

from sqlalchemy import ForeignKey, Select, or_, select
from sqlalchemy.orm import Mapped, Session, declared_attr, mapped_column, relationship

from app.clock import utc_now
from app.database.types import UtcTime
from app.models.base import Base
from app.models.identifiers import new_public_id
from app.models.user import User


class Owned(Base, kw_only=True):
    """Something of a user's; its name stands once for each user (a constraint of each table)."""

    __abstract__ = True

    id: Mapped[int] = mapped_column(init=False, primary_key=True)
    public_id: Mapped[str] = mapped_column(init=False, unique=True, default_factory=new_public_id)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str]
    is_shared: Mapped[bool] = mapped_column(default=False, index=True)
    created_at: Mapped[datetime] = mapped_column(UtcTime, default_factory=utc_now)

    @declared_attr
    def user(cls) -> Mapped[User]:  # noqa: N805  # SQLAlchemy passes the class
        """Load the owner in the same statement."""
        return relationship(init=False, lazy="joined", innerjoin=True)

    @classmethod
    def seen_by(cls, user_id: int) -> Select[Self]:
        """Select a user's own ones and those that others share, by name."""
        is_seen = or_(cls.user_id == user_id, cls.is_shared.is_(True))
        return select(cls).where(is_seen).order_by(cls.name, cls.id)

    @classmethod
    def find(cls, session: Session, public_id: str, user_id: int) -> Self | None:
        """Load one that the user may see, or None."""
        return session.scalar(cls.seen_by(user_id).where(cls.public_id == public_id))
