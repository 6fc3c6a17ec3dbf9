"""Saved views: filters of the inbox that people keep under a name, for themselves or for everybody."""

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped

from app.models.owned import Owned

# So that the rail stays a list that one reads: each of these is a line, and a count.
MOST_VIEWS = 50


class SavedView(Owned, kw_only=True):
    """A filter under a name. `query` is the query of the inbox's address, `status=open&category=bug`."""

    __tablename__ = "saved_views"
    __table_args__ = (UniqueConstraint("user_id", "name"),)

    query: Mapped[str]
