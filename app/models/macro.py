"""Macros: replies and notes that are written once, with what is set of a submission when they are sent."""

import re

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.database.types import Json
from app.models.feedback import Feedback
from app.models.owned import Owned

MOST_MACROS = 100  # of one user: a menu that one still reads
# What stands in a text for what is known when it is used.
PLACES = ("name", "first_name", "reference", "project", "agent")
_PLACE = re.compile(r"\{(" + "|".join(PLACES) + r")\}")
# How somebody is addressed who left no name.
NAMELESS = "there"


class Macro(Owned, kw_only=True):
    """A text under a name; `assignee` is `me`, `none`, or a user's public id, and None leaves it as it is."""

    __tablename__ = "macros"
    __table_args__ = (
        CheckConstraint("kind in ('reply', 'note')", name="kind"),
        UniqueConstraint("user_id", "name"),
    )

    kind: Mapped[str] = mapped_column(default="reply")
    text: Mapped[str]
    status: Mapped[str | None] = mapped_column(default=None)
    assignee: Mapped[str | None] = mapped_column(default=None)
    tags: Mapped[list[str]] = mapped_column(Json, default_factory=list)

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
