"""Links that let somebody set a password: an invitation, or a reset that an admin hands over.

A link is a secret of 256 random bits, kept as a hash, good once and for a while. A user has one at most: a
new one takes the place of the last.
"""

import secrets
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CheckConstraint, CursorResult, ForeignKey, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from app.clock import utc_now
from app.database.types import UtcTime
from app.models.base import Base
from app.models.user import User, secret_hash

INVITATION, RESET = "invitation", "reset"
# An invitation may lie over a weekend; a reset is wanted now (OWASP, Forgot Password cheat sheet).
LASTS = {INVITATION: timedelta(days=7), RESET: timedelta(days=1)}


class AccountLink(Base, kw_only=True):
    """The link that is open for one user."""

    __tablename__ = "account_links"
    __table_args__ = (CheckConstraint("purpose in ('invitation', 'reset')", name="purpose"),)

    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    token_hash: Mapped[str] = mapped_column(unique=True, repr=False)
    purpose: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UtcTime, default_factory=utc_now)
    expires_at: Mapped[datetime] = mapped_column(UtcTime)
    user: Mapped[User] = relationship(init=False, lazy="joined", innerjoin=True)

    @staticmethod
    def create(session: Session, user: User, now: datetime) -> "tuple[AccountLink, str]":
        """Open a link for a user in place of any before, and return it with its secret.

        It is an invitation where the user never had a password, else a reset.
        """
        AccountLink.close(session, user)
        token = secrets.token_urlsafe(32)
        purpose = INVITATION if user.is_invited else RESET
        link = AccountLink(
            user_id=user.id,
            token_hash=secret_hash(token),
            purpose=purpose,
            created_at=now,
            expires_at=now + LASTS[purpose],
        )
        session.add(link)
        return link, token

    @staticmethod
    def find(session: Session, token: str, now: datetime) -> "AccountLink | None":
        """Return the open link of an active user for its secret, or None."""
        found = session.scalar(select(AccountLink).where(AccountLink.token_hash == secret_hash(token)))
        if found is None or found.expires_at <= now or not found.user.is_active:
            return None
        return found

    @staticmethod
    def use(session: Session, token: str, now: datetime) -> "tuple[User, str] | None":
        """Close the link of this secret and return its user and purpose; None where it is not open any more.

        Inside a write transaction: of two that come at once, the database gives it to one.
        """
        found = AccountLink.find(session, token, now)
        if found is None:
            return None
        user, purpose = found.user, found.purpose
        session.expunge(found)
        done = session.execute(delete(AccountLink).where(AccountLink.token_hash == secret_hash(token)))
        return (user, purpose) if cast(CursorResult[Any], done).rowcount == 1 else None

    @staticmethod
    def close(session: Session, user: User) -> None:
        """Make a user's link worth nothing."""
        session.execute(delete(AccountLink).where(AccountLink.user_id == user.id))
