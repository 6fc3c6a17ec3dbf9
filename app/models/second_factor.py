"""The second factor: codes of an authenticator app (TOTP, RFC 6238), and recovery codes for when it is lost.

The secret that the app holds is stored nowhere. It is derived from the instance's secret key and a random
value of the user, so a stolen copy of the database makes no codes. Recovery codes are kept as hashes.
"""

import base64
import hmac
import secrets
from collections.abc import Iterator
from datetime import datetime
from typing import Any, cast

import pyotp
from sqlalchemy import CursorResult, ForeignKey, delete, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.models import signing
from app.models.base import Base
from app.models.identifiers import ALPHABET
from app.models.user import User, secret_hash

STEP_SECONDS = 30
# One step either way for clocks that differ (RFC 6238, 5.2).
DRIFT_STEPS = (0, -1, 1)
SECRET_BYTES = 20  # as RFC 4226, 4 (R6) recommends
RECOVERY_CODES = 10
# 16 signs of 32 are 80 bits: beyond guessing even for who has the hashes.
RECOVERY_LENGTH = 16
GROUP = 4


class RecoveryCode(Base, kw_only=True):
    """A code that signs in once in place of the app's."""

    __tablename__ = "recovery_codes"

    id: Mapped[int] = mapped_column(init=False, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    code_hash: Mapped[str] = mapped_column(repr=False)


def begin(user: User) -> None:
    """Give a user a new secret to enrol; it counts once a code was confirmed."""
    user.totp_nonce = secrets.token_hex(16)
    user.totp_confirmed_at = None
    user.totp_last_step = None


def shared_secret(user: User) -> str:
    """Return the secret that the user's app is given, in base 32."""
    return next(_secrets(user))


def address(user: User, issuer: str) -> str:
    """Return the `otpauth:` address that the QR code carries."""
    return pyotp.TOTP(shared_secret(user)).provisioning_uri(name=user.email, issuer_name=issuer)


def confirm(session: Session, user: User, code: str, now: datetime) -> list[str] | None:
    """Switch the second factor on if the code is right; returns the recovery codes, which are shown once."""
    if user.totp_nonce is None or not _accept_code(session, user, code, now):
        return None
    user.totp_confirmed_at = now
    return renew_recovery_codes(session, user)


def renew_recovery_codes(session: Session, user: User) -> list[str]:
    """Replace a user's recovery codes and return the new ones, which are shown once."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    codes = ["".join(secrets.choice(ALPHABET) for _ in range(RECOVERY_LENGTH)) for _ in range(RECOVERY_CODES)]
    session.add_all(RecoveryCode(user_id=user.id, code_hash=secret_hash(code)) for code in codes)
    return ["-".join(code[at : at + GROUP] for at in range(0, len(code), GROUP)) for code in codes]


def accept(session: Session, user: User, code: str, now: datetime) -> bool:
    """Take a code of the app or a recovery code, each once only, inside a write transaction."""
    if not user.has_second_factor:
        return False
    return _accept_code(session, user, code, now) or _accept_recovery(session, user, code)


def remove(session: Session, user: User) -> None:
    """Switch the second factor off and forget its recovery codes."""
    user.totp_nonce = user.totp_confirmed_at = user.totp_last_step = None
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))


def recovery_codes_left(session: Session, user: User) -> int:
    """Return how many recovery codes are unused."""
    return len(session.scalars(select(RecoveryCode.id).where(RecoveryCode.user_id == user.id)).all())


def _accept_code(session: Session, user: User, code: str, now: datetime) -> bool:
    step = _step_of(user, "".join(code.split()), now)
    if step is None:
        return False
    # The database decides between two requests that bring the same code at once.
    fresh = or_(User.totp_last_step.is_(None), User.totp_last_step < step)
    done = session.execute(
        update(User).where(User.id == user.id, fresh).values(totp_last_step=step),
        execution_options={"synchronize_session": False},
    )
    session.expire(user, ["totp_last_step"])
    return cast(CursorResult[Any], done).rowcount == 1


def _step_of(user: User, code: str, now: datetime) -> int | None:
    """Return the time step whose code this is, or None."""
    if not (code.isascii() and code.isdigit()):
        return None
    current = int(now.timestamp()) // STEP_SECONDS
    for secret in _secrets(user):
        totp = pyotp.TOTP(secret)
        for drift in DRIFT_STEPS:
            if hmac.compare_digest(totp.generate_otp(current + drift), code):
                return current + drift
    return None


def _accept_recovery(session: Session, user: User, code: str) -> bool:
    plain = "".join(sign for sign in code.upper() if sign in ALPHABET)
    done = session.execute(
        delete(RecoveryCode).where(
            RecoveryCode.user_id == user.id, RecoveryCode.code_hash == secret_hash(plain)
        )
    )
    return cast(CursorResult[Any], done).rowcount > 0


def _secrets(user: User) -> Iterator[str]:
    # Under the secret key in force first; what was enrolled under an earlier one still counts.
    assert user.totp_nonce is not None
    for key in signing.keys():  # noqa: SIM118  # a function, not a dictionary's
        digest = bytes.fromhex(signing.sign("totp", f"{user.public_id}:{user.totp_nonce}", key))
        yield base64.b32encode(digest[:SECRET_BYTES]).decode()
