"""How often somebody may try to sign in: per account and per address, exact over all processes.

A try is counted before the password is looked at, so that tries side by side cannot slip through; a right
password gives the account its tries back. Accounts that do not exist are counted alike.
"""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import BoundedSemaphore

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute

from app.errors import Unavailable
from app.limits_storage import rate_limiter, request_key

# NIST SP 800-63B, 5.2.2 allows at most 100 failures in a row; these stay far below for an hour of guessing.
BY_ACCOUNT: tuple[RateLimitItem, ...] = (
    RateLimitItemPerMinute(5, namespace="sign-in-account"),
    RateLimitItemPerHour(20, namespace="sign-in-account"),
)
BY_ADDRESS: tuple[RateLimitItem, ...] = (RateLimitItemPerMinute(30, namespace="sign-in-address"),)
# One check takes 64 MiB for some 50 ms: more side by side would only cost memory.
CHECKS_SIDE_BY_SIDE = 2
CHECK_TIMEOUT_SECONDS = 10.0
_checks = BoundedSemaphore(CHECKS_SIDE_BY_SIDE)


@dataclass(frozen=True)
class Verdict:
    """Whether a try is allowed, how many follow, and how long the pause is when none do (seconds)."""

    allowed: bool
    left: int
    pause_seconds: int


def count_try(email: str) -> Verdict:
    """Count one try of an account. Raises Unavailable when the counts cannot be kept."""
    keys = [(item, _account(email)) for item in BY_ACCOUNT]
    keys += [(item, request_key()) for item in BY_ADDRESS]
    with _counting():
        for item, key in keys:
            if not rate_limiter().hit(item, key):
                return Verdict(False, 0, _pause(item, key))
        left = [rate_limiter().get_window_stats(item, key).remaining for item, key in keys]
        item, key = keys[left.index(min(left))]
        return Verdict(True, int(min(left)), _pause(item, key))


def forget_tries(email: str) -> None:
    """Give an account its tries back after it signed in."""
    with _counting():
        for item in BY_ACCOUNT:
            rate_limiter().clear(item, _account(email))


@contextmanager
def turn_to_check() -> Iterator[None]:
    """Wait for one of the few places at the password check. Raises Unavailable after 10 s."""
    if not _checks.acquire(timeout=CHECK_TIMEOUT_SECONDS):
        raise Unavailable("Too many people sign in at this moment. Try again in a little while.")
    try:
        yield
    finally:
        _checks.release()


@contextmanager
def _counting() -> Iterator[None]:
    # Without counts a password could be guessed at any speed, so no counts means no sign-in.
    try:
        yield
    except rate_limiter().storage.base_exceptions as error:
        raise Unavailable("Signing in is not possible at this moment. Try again soon.") from error


def _pause(item: RateLimitItem, key: str) -> int:
    reset = rate_limiter().get_window_stats(item, key).reset_time
    return max(1, min(item.get_expiry(), round(reset - time.time())))


def _account(email: str) -> str:
    return hashlib.sha256(email.strip().lower().encode()).hexdigest()
