"""People who sign in: inviting, links, roles, deactivating. The same for pages, API and command line.

Refuses whatever would leave nobody who can manage Earmark: the last admin keeps role and access.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.blueprints.admin.settings import wrong
from app.config import current_settings
from app.database.transactions import transaction
from app.errors import ClientError, not_found
from app.extensions import db
from app.models import AccountLink, User, UserSession, audit, second_factor


@dataclass(frozen=True)
class Listed:
    """A user with when a session of theirs was last used; None where none is open."""

    user: User
    seen_at: datetime | None


@dataclass(frozen=True)
class OpenedLink:
    """A link that sets a password, shown once, and until when it is good."""

    user: User
    url: str
    purpose: str
    expires_at: datetime


def all_users() -> Sequence[Listed]:
    """Return all users by e-mail, in one statement."""
    seen = func.max(UserSession.seen_at)
    query = select(User, seen).outerjoin(UserSession, UserSession.user_id == User.id)
    rows = db.session.execute(query.group_by(User.id).order_by(User.email))
    return [Listed(user, seen_at) for user, seen_at in rows]


def load_user(public_id: str) -> User:
    """Load a user. Raises ClientError `not_found` (404)."""
    found = db.session.scalar(select(User).where(User.public_id == public_id))
    if found is None:
        raise not_found("This user")
    return found


def invite(email: str, *, role: str, name: str | None, now: datetime) -> OpenedLink:
    """Add a user without a password, and open the link that sets one.

    Raises ClientError 422 for an address that a user has.
    """
    address = email.strip().lower()
    with transaction() as session:
        if User.by_email(session, address) is not None:
            raise wrong("email", "a user has this address already")
        user = User(email=address, name=name or address.partition("@")[0], role=role)
        session.add(user)
        session.flush()
        opened = _open(session, user, now)
        audit.record(session, "user.invite", target=_target(user), details={"role": role})
    return opened


def open_link(public_id: str, now: datetime) -> OpenedLink:
    """Open a link in place of any before: an invitation until the first password, else a reset.

    Raises ClientError 404, or 409 `conflict` for a user who is deactivated.
    """
    with transaction() as session:
        user = load_user(public_id)
        if not user.is_active:
            raise ClientError(409, "conflict", "The user is deactivated. Activate the user first.")
        opened = _open(session, user, now)
        audit.record(session, f"user.{opened.purpose}", target=_target(user))
    return opened


def _open(session: Session, user: User, now: datetime) -> OpenedLink:
    link, token = AccountLink.create(session, user, now)
    url = f"{current_settings().public_url}/admin/welcome/{token}"
    return OpenedLink(user, url, link.purpose, link.expires_at)


def change_user(public_id: str, values: Mapping[str, Any]) -> User:
    """Change name, role or `is_active`; a new role and deactivating end the user's sessions.

    Raises ClientError 404, or 409 `conflict` where the last admin would lose role or access.
    """
    with transaction() as session:
        user = load_user(public_id)
        role, active = values.get("role", user.role), values.get("is_active", user.is_active)
        if not active or role != "admin":
            _keep_an_admin(session, user)
        user.name = values.get("name", user.name)
        if role != user.role:
            details = {"from": user.role, "to": role}
            user.set_role(session, role)
            audit.record(session, "role.change", target=_target(user), details=details)
        if active != user.is_active:
            user.set_active(session, active)
            audit.record(session, "user.activate" if active else "user.deactivate", target=_target(user))
    return load_user(public_id)


def reset_second_factor(public_id: str) -> User:
    """Take a user's second factor away, whose phone is lost. Raises ClientError 404."""
    with transaction() as session:
        user = load_user(public_id)
        second_factor.remove(session, user)
        user.end_sessions(session)
        audit.record(session, "user.second-factor-reset", target=_target(user))
    return load_user(public_id)


def withdraw_invitation(public_id: str) -> None:
    """Remove a user who never set a password.

    Raises ClientError 404, or 409 `conflict` for one who did: what such a user wrote keeps its author.
    """
    with transaction() as session:
        user = load_user(public_id)
        if not user.is_invited:
            raise ClientError(409, "conflict", "The user has signed in before. Deactivate the user instead.")
        audit.record(session, "user.withdraw", target=_target(user))
        session.delete(user)


def _keep_an_admin(session: Session, user: User) -> None:
    # Locked on PostgreSQL, where two admins could otherwise demote each other at one instant; on SQLite
    # writers take turns. Whoever was only invited cannot manage anything yet.
    able = select(User.id).where(User.role == "admin", User.is_active, User.password_hash != "")
    ids = session.scalars(able.with_for_update()).all()
    if ids == [user.id]:
        raise ClientError(409, "conflict", "This is the last admin. Make somebody else an admin first.")


def _target(user: User) -> str:
    return f"user:{user.email}"
