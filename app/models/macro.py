"""Macros: replies and notes that are written once, with what is set of a submission when they are sent."""

import re
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Select, UniqueConstraint, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from app.clock import utc_now
from app.database.types import Json, UtcTime
from app.models.base import Base
from app.models.feedback import Feedback
from app.models.identifiers import new_public_id
from app.models.user import User

MOST_MACROS = 100  # of one user: a menu that one still reads
# What stands in a text for what is known when it is used.
PLACES = ("name", "first_name", "reference", "project", "agent")
_PLACE = re.compile(r"\{(" + "|".join(PLACES) + r")\}")
# How somebody is addressed who left no name.
NAMELESS = "there"


class Macro(Base, kw_only=True):
    """A text under a name; `assignee` is `me`, `none`, or a user's public id, and None leaves it as it is."""

    __tablename__ = "macros"
    __table_args__ = (
        CheckConstraint("kind in ('reply', 'note')", name="kind"),
        UniqueConstraint("user_id", "name"),
    )

    id: Mapped[int] = mapped_column(init=False, primary_key=True)
    public_id: Mapped[str] = mapped_column(init=False, unique=True, default_factory=new_public_id)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str]
    kind: Mapped[str] = mapped_column(default="reply")
    text: Mapped[str]
    status: Mapped[str | None] = mapped_column(default=None)
    assignee: Mapped[str | None] = mapped_column(default=None)
    tags: Mapped[list[str]] = mapped_column(Json, default_factory=list)
    is_shared: Mapped[bool] = mapped_column(default=False, index=True)
    created_at: Mapped[datetime] = mapped_column(UtcTime, default_factory=utc_now)
    user: Mapped[User] = relationship(init=False, lazy="joined", innerjoin=True)

    @staticmethod
    def seen_by(user_id: int) -> Select["Macro"]:
        """Select a user's own macros and those that others share, by name."""
        return (
            select(Macro)
            .where(or_(Macro.user_id == user_id, Macro.is_shared.is_(True)))
            .order_by(Macro.name, Macro.id)
        )

    @staticmethod
    def find(session: Session, public_id: str, user_id: int) -> "Macro | None":
        """Load a macro that the user may see, or None."""
        return session.scalar(Macro.seen_by(user_id).where(Macro.public_id == public_id))

    def filled(self, found: Feedback, agent: str) -> str:
        """Return the text for one submission; a brace that names no place stays as it is."""
        name = found.reporter_name or NAMELESS
        known = {
            "name": name,
            "first_name": name.split()[0],
            "reference": found.reference,
            "project": found.project.name,
            "agent": agent,
        }
        return _PLACE.sub(lambda place: known[place[1]], self.text)
