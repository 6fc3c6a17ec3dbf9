"""One's own account: name, password, second factor, sessions. Each change asks for what it needs to be sure.

A new password and a confirmed second factor end every other session; the one at hand gets a new secret.
"""

from dataclasses import dataclass
from datetime import datetime

from flask import request
from sqlalchemy.orm import Session

from app.blueprints.admin import throttle
from app.blueprints.admin.settings import wrong
from app.blueprints.admin.signin import second_try
from app.clock import utc_now
from app.config import current_settings
from app.database.transactions import transaction
from app.errors import ClientError, not_found
from app.extensions import db
from app.models import AccountLink, User, UserSession, audit, second_factor
from app.models.agents import describe
from app.models.user import hash_password, password_matches, secret_hash
from app.security import Actor, needs, start_session

ISSUER = "Earmark"


@dataclass(frozen=True)
class OpenSession:
    """One sign-in as its owner sees it."""

    name: str
    browser: str
    started_at: datetime
    seen_at: datetime
    is_this: bool


def own(someone: Actor) -> User:
    """Load one's own user."""
    return db.session.get_one(User, someone.user_id)


def by_browser() -> tuple[Actor, str]:
    """Return who asks and the session's secret. Raises ClientError 403 for a bearer token.

    A token is for scripts; who holds one must not be able to change how its owner signs in.
    """
    someone = needs("viewer")
    if someone.session_token is None:
        raise ClientError(403, "forbidden", "This is for a signed-in browser, not for a token.")
    return someone, someone.session_token


def open_sessions(user: User, token: str) -> list[OpenSession]:
    """Return a user's sessions, the last used first."""
    return [
        OpenSession(
            name=found.public_name,
            browser=_browser(found.user_agent),
            started_at=found.created_at,
            seen_at=found.seen_at,
            is_this=found.token_hash == secret_hash(token),
        )
        for found in UserSession.of_user(db.session(), user.id, utc_now())
    ]


def change_name(name: str) -> None:
    """Change one's own name, checked before."""
    someone, _ = by_browser()
    with transaction() as session:
        session.get_one(User, someone.user_id).name = name


def change_password(current: str, new: str) -> None:
    """Set a new password; every session ends, and this browser's goes on under a new secret.

    Raises ClientError 422 for `current` or `password`, 429 after too many wrong ones.
    """
    someone, _ = by_browser()
    _check_password(someone, current, field="current")
    hashed = checked_hash(new)
    with transaction() as session:
        user = session.get_one(User, someone.user_id)
        user.set_password_hash(session, hashed)
        AccountLink.close(session, user)
        token = _new_session(session, user)
        audit.record(session, "user.password", target=f"user:{user.email}")
    start_session(token)


def checked_hash(password: str) -> str:
    """Hash a new password. Raises ClientError 422 for `password` where it is too short or too long."""
    try:
        return hash_password(password)
    except ValueError as error:
        raise wrong("password", str(error)) from None


def end_session(name: str) -> None:
    """End one of one's own sessions. Raises ClientError `not_found` (404) for any other."""
    someone, _ = by_browser()
    with transaction() as session:
        open_ = UserSession.of_user(session, someone.user_id, utc_now())
        found = next((one for one in open_ if one.public_name == name), None)
        if found is None:
            raise not_found("This session")
        session.delete(found)
        audit.record(session, "session.end", target=f"user:{someone.email}")


def end_other_sessions() -> None:
    """End every session of one's own but this browser's."""
    someone, token = by_browser()
    with transaction() as session:
        UserSession.end_others(session, someone.user_id, token)
        audit.record(session, "session.end", target=f"user:{someone.email}", details={"which": "all others"})


def begin_second_factor(password: str) -> None:
    """Make a secret to enrol. Raises ClientError 422 for a wrong `password`, 409 where one is on already."""
    someone, _ = by_browser()
    _check_password(someone, password)
    with transaction() as session:
        user = session.get_one(User, someone.user_id)
        if user.has_second_factor:
            raise ClientError(409, "conflict", "The second factor is on already.")
        second_factor.begin(user)


def confirm_second_factor(code: str) -> list[str]:
    """Switch the second factor on and return its recovery codes, shown once; other sessions end.

    Raises ClientError 422 for `code`, 409 where nothing was begun, 429 after too many tries.
    """
    someone, token = by_browser()
    _count(second_try(someone.email))
    with transaction() as session:
        user = session.get_one(User, someone.user_id)
        if user.totp_nonce is None or user.has_second_factor:
            raise ClientError(409, "conflict", "There is nothing to confirm. Begin again from your profile.")
        codes = second_factor.confirm(session, user, code, utc_now())
        if codes is None:
            raise wrong("code", "is not the code that the app shows at this moment")
        UserSession.end_others(session, user.id, token)
        audit.record(session, "user.second-factor-on", target=f"user:{user.email}")
    throttle.forget_tries(second_try(someone.email))
    return codes


def new_recovery_codes(password: str) -> list[str]:
    """Replace the recovery codes and return the new ones, shown once. Raises ClientError 422, 409."""
    someone, _ = by_browser()
    _check_password(someone, password)
    with transaction() as session:
        user = session.get_one(User, someone.user_id)
        if not user.has_second_factor:
            raise ClientError(409, "conflict", "The second factor is off.")
        codes = second_factor.renew_recovery_codes(session, user)
        audit.record(session, "user.recovery-codes", target=f"user:{user.email}")
    return codes


def remove_second_factor(password: str) -> None:
    """Switch the second factor off. Raises ClientError 422 for a wrong `password`."""
    someone, _ = by_browser()
    _check_password(someone, password)
    with transaction() as session:
        user = session.get_one(User, someone.user_id)
        second_factor.remove(session, user)
        audit.record(session, "user.second-factor-off", target=f"user:{user.email}")


def _new_session(session: Session, user: User) -> str:
    return UserSession.start(
        session,
        user,
        user_agent=request.headers.get("User-Agent", ""),
        now=utc_now(),
        days=current_settings().session_days,
    )


def _check_password(someone: Actor, password: str, field: str = "password") -> None:
    # Counted like a sign-in: whoever found a browser open must not guess the password here.
    _count(someone.email)
    with throttle.turn_to_check():
        if not password_matches(own(someone), password):
            raise wrong(field, "is not your password")
    throttle.forget_tries(someone.email)


def _count(key: str) -> None:
    verdict = throttle.count_try(key)
    if not verdict.allowed:
        message = f"Too many tries. Wait {verdict.pause_seconds} seconds, then try again."
        raise ClientError(429, "rate_limited", message, retry_after=verdict.pause_seconds)


def _browser(user_agent: str) -> str:
    browser, system = describe(user_agent)
    return ", ".join(word for word in (browser, system) if word) or "Unknown browser"
