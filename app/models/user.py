"""People who sign in, their sessions, and their API tokens.

Secrets are kept as hashes only: passwords with Argon2id, session and token secrets (256 random bits, so no
slow hash is needed) with SHA-256.
"""

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import CheckConstraint, ForeignKey, bindparam, delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from app.clock import utc_now
from app.database.prepared_select import PreparedSelect
from app.database.types import UtcTime
from app.models.base import Base
from app.models.identifiers import new_public_id

ROLES = ("viewer", "agent", "admin")
LEAST_PASSWORD = 12  # characters; ASVS 5.0, 6.2.1 asks for 8 and recommends 15
LONGEST_PASSWORD = 256
TOKEN_PREFIX = "em_"  # noqa: S105  # a prefix, not a secret
# `seen_at` and `last_used_at` are written at most this often, so that reading does not write each time.
SEEN_EVERY = timedelta(minutes=5)

_hasher = PasswordHasher()  # the library's defaults follow RFC 9106, second choice (64 MiB)
_unknown_user_hash = _hasher.hash(secrets.token_urlsafe(16))


def initials(name: str) -> str:
    """Return one or two letters for an avatar."""
    words = re.findall(r"[^\W\d_]+", name)
    if not words:
        return "?"
    second: str = words[-1][0] if len(words) > 1 else words[0][1:2]
    return f"{words[0][0]}{second}".upper()


def role_covers(held: str, needed: str) -> bool:
    """Tell whether role `held` may do what role `needed` may."""
    return ROLES.index(held) >= ROLES.index(needed)


def lesser_role(one: str, other: str) -> str:
    """Return the role that may less."""
    return min(one, other, key=ROLES.index)


def secret_hash(secret: str) -> str:
    """Return the form in which a random secret is stored."""
    return hashlib.sha256(secret.encode()).hexdigest()


class User(Base, kw_only=True):
    """A person who signs in."""

    __tablename__ = "users"
    __table_args__ = (CheckConstraint("role in ('viewer', 'agent', 'admin')", name="role"),)

    id: Mapped[int] = mapped_column(init=False, primary_key=True)
    public_id: Mapped[str] = mapped_column(init=False, unique=True, default_factory=new_public_id)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    role: Mapped[str]
    password_hash: Mapped[str] = mapped_column(default="", repr=False)
    is_active: Mapped[bool] = mapped_column(default=True)
    # The second factor (app/models/second_factor.py): begun, confirmed, the last step whose code was taken.
    totp_nonce: Mapped[str | None] = mapped_column(init=False, default=None, repr=False)
    totp_confirmed_at: Mapped[datetime | None] = mapped_column(UtcTime, init=False, default=None)
    totp_last_step: Mapped[int | None] = mapped_column(init=False, default=None, repr=False)
    created_at: Mapped[datetime] = mapped_column(UtcTime, default_factory=utc_now)

    @property
    def is_invited(self) -> bool:
        """Whether the user has yet to set a first password."""
        return self.password_hash == ""

    @property
    def has_second_factor(self) -> bool:
        """Whether signing in asks for a code too."""
        return self.totp_confirmed_at is not None

    @staticmethod
    def by_email(session: Session, email: str) -> "User | None":
        """Find a user by e-mail, whatever its case."""
        return session.scalar(select(User).where(User.email == email.strip().lower()))

    def set_password(self, session: Session, password: str) -> None:
        """Store a new password and end every session of the user.

        Raises ValueError when it is shorter than 12 or longer than 256 characters.
        """
        self.set_password_hash(session, hash_password(password))

    def set_password_hash(self, session: Session, hashed: str) -> None:
        """Store a new password that was hashed before, and end every session of the user."""
        self.password_hash = hashed
        self.end_sessions(session)

    def set_role(self, session: Session, role: str) -> None:
        """Change the role and end every session, so that the old one is held nowhere."""
        self.role = role
        self.end_sessions(session)

    def end_sessions(self, session: Session) -> None:
        """Sign the user out everywhere."""
        if self.id is not None:
            session.execute(delete(UserSession).where(UserSession.user_id == self.id))

    def set_active(self, session: Session, active: bool) -> None:
        """Let the user sign in, or no longer; then every session ends, and tokens are worth nothing."""
        self.is_active = active
        if not active:
            self.end_sessions(session)


def hash_password(password: str) -> str:
    """Return the form in which a password is stored; takes some 50 ms, so not inside a transaction.

    Raises ValueError when it is shorter than 12 or longer than 256 characters.
    """
    if not LEAST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise ValueError(f"a password has {LEAST_PASSWORD} to {LONGEST_PASSWORD} characters")
    return _hasher.hash(password)


def password_matches(user: User | None, password: str) -> bool:
    """Check a password with the same work for a user who does not exist."""
    stored = user.password_hash if user is not None and user.password_hash else _unknown_user_hash
    try:
        _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False
    return user is not None and user.is_active and stored is not _unknown_user_hash


class UserSession(Base, kw_only=True):
    """One sign-in of one browser. The cookie carries its secret; the row can be ended from the server."""

    __tablename__ = "sessions"

    id: Mapped[int] = mapped_column(init=False, primary_key=True)
    token_hash: Mapped[str] = mapped_column(unique=True, repr=False)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    user_agent: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(UtcTime, default_factory=utc_now)
    seen_at: Mapped[datetime] = mapped_column(UtcTime, default_factory=utc_now)
    expires_at: Mapped[datetime] = mapped_column(UtcTime, index=True)
    user: Mapped[User] = relationship(init=False, lazy="joined", innerjoin=True)

    @staticmethod
    def start(session: Session, user: User, *, user_agent: str, now: datetime, days: int) -> str:
        """Add a session that lasts `days` and return its secret; expired ones are removed with it."""
        session.execute(delete(UserSession).where(UserSession.expires_at < now))
        token = secrets.token_urlsafe(32)
        session.add(
            UserSession(
                token_hash=secret_hash(token),
                user_id=user.id,
                user_agent=user_agent[:300],
                created_at=now,
                seen_at=now,
                expires_at=now + timedelta(days=days),
            )
        )
        return token

    @staticmethod
    def find(session: Session, token: str, now: datetime) -> "SignedIn | None":
        """Return the user of a living session for a cookie's secret, or None."""
        for row in _BY_SESSION.rows(session.connection(), hash=secret_hash(token)):
            if row.is_active and row.expires_at > now:
                return SignedIn(
                    row.id, row.seen_at, row.user_id, row.public_id, row.name, row.email, row.role
                )
        return None

    @staticmethod
    def note_seen(session: Session, session_id: int, now: datetime) -> bool:
        """Write when a session was last used, at most every `SEEN_EVERY`; False where it has ended."""
        seen = update(UserSession).where(UserSession.id == session_id).values(seen_at=now)
        return bool(session.connection().execute(seen).rowcount)

    @property
    def public_name(self) -> str:
        """A name for pages and API that is neither the secret nor its hash."""
        return secret_hash(f"name:{self.token_hash}")[:26]

    @staticmethod
    def of_user(session: Session, user_id: int, now: datetime) -> "Sequence[UserSession]":
        """Return a user's living sessions, the last used first."""
        query = select(UserSession).where(UserSession.user_id == user_id, UserSession.expires_at > now)
        return session.scalars(query.order_by(UserSession.seen_at.desc(), UserSession.id.desc())).all()

    @staticmethod
    def end_others(session: Session, user_id: int, token: str) -> None:
        """End every session of a user but this one."""
        others = UserSession.token_hash != secret_hash(token)
        session.execute(delete(UserSession).where(UserSession.user_id == user_id, others))

    @staticmethod
    def end(session: Session, token: str) -> None:
        """End one session: its cookie is worth nothing afterwards."""
        session.execute(delete(UserSession).where(UserSession.token_hash == secret_hash(token)))


class ApiToken(Base, kw_only=True):
    """A bearer token of a user, with a role of its own that is never above the user's."""

    __tablename__ = "api_tokens"
    __table_args__ = (CheckConstraint("role in ('viewer', 'agent', 'admin')", name="role"),)

    id: Mapped[int] = mapped_column(init=False, primary_key=True)
    public_id: Mapped[str] = mapped_column(init=False, unique=True, default_factory=new_public_id)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    role: Mapped[str]
    token_hash: Mapped[str] = mapped_column(unique=True, repr=False)
    last4: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UtcTime, default_factory=utc_now)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcTime, default=None)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcTime, default=None)
    user: Mapped[User] = relationship(init=False, lazy="joined", innerjoin=True)

    @staticmethod
    def create(session: Session, user: User, *, name: str, role: str) -> "tuple[ApiToken, str]":
        """Add a token and return it with its secret, which is shown once and kept nowhere."""
        secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
        token = ApiToken(
            user_id=user.id, name=name, role=role, token_hash=secret_hash(secret), last4=secret[-4:]
        )
        session.add(token)
        return token, secret

    @staticmethod
    def find(session: Session, secret: str) -> "SignedIn | None":
        """Return the user of a living token for a bearer secret, or None; the role is the lesser of both."""
        for row in _BY_TOKEN.rows(session.connection(), hash=secret_hash(secret)):
            if row.is_active and row.revoked_at is None:
                role = lesser_role(row.token_role, row.role)
                return SignedIn(
                    row.id, row.last_used_at, row.user_id, row.public_id, row.name, row.email, role
                )
        return None

    @staticmethod
    def note_used(session: Session, token_id: int, now: datetime) -> None:
        """Write when a token was last used, at most every `SEEN_EVERY`."""
        session.execute(update(ApiToken).where(ApiToken.id == token_id).values(last_used_at=now))

    @property
    def effective_role(self) -> str:
        """The token's role, or the user's where that is less."""
        return lesser_role(self.role, self.user.role)


@dataclass(frozen=True)
class SignedIn:
    """The user of a session or token: `id` and `seen_at` are of that, the role is the one that counts."""

    id: int
    seen_at: datetime | None
    user_id: int
    public_id: str
    name: str
    email: str
    role: str


# Asked at each request, so rows and not entities: a sixth of what those took.
_PERSON = (User.id.label("user_id"), User.public_id, User.name, User.email, User.role, User.is_active)
_BY_SESSION = PreparedSelect(
    select(UserSession.id, UserSession.seen_at, UserSession.expires_at, *_PERSON)
    .join(UserSession.user)
    .where(UserSession.token_hash == bindparam("hash"))
)
_BY_TOKEN = PreparedSelect(
    select(
        ApiToken.id, ApiToken.last_used_at, ApiToken.revoked_at, ApiToken.role.label("token_role"), *_PERSON
    )
    .join(ApiToken.user)
    .where(ApiToken.token_hash == bindparam("hash"))
)
