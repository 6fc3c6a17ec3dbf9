"""How much one client may send: a wide limit on requests, a narrow one on submissions.

Owns the order of counting: every request counts against the flood limit, and only what is kept counts as a
submission; what is refused after it was counted is given back. A limits store that is away lets requests
through, for it must not stop intake.
"""

import logging
import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, cast

from limits import RateLimitItem, parse_many
from limits.storage import SlidingWindowCounterSupport

from app.config import current_settings
from app.errors import ClientError
from app.limits_storage import rate_limiter
from app.models.project import IntakeProject

log = logging.getLogger("earmark.intake")
ANSWERS = "20 per hour"  # of a reporter on one submission: a talk, and no flood
LOOKS = "600 per minute"  # of open pages at one address that ask whether something is new: 15 of them


def count_request(client: str) -> None:
    """Count one request of a client (a key, not an address). Raises ClientError 429 `rate_limited`."""
    items = _parsed(current_settings().flood_rate_limit)
    exceeded = _hit(items, "flood", client)
    if exceeded is not None:
        raise _rate_limited(exceeded, "Too many requests from this address.", "flood", client)


def count_look(client: str) -> None:
    """Count one look of an open page for what is new. Raises ClientError 429 `rate_limited`."""
    exceeded = _hit(_parsed(LOOKS), "look", client)
    if exceeded is not None:
        raise _rate_limited(exceeded, "Too many pages of this address ask for what is new.", "look", client)


def count_submission(project: IntakeProject, client: str) -> ClientError | None:
    """Count one submission, or return the 429 `rate_limited` that is due instead."""
    exceeded = _hit(_items(project), "submission", project.public_key, client)
    if exceeded is None:
        return None
    message = "This address sent as much as is taken for now. Nothing was kept; try again later."
    return _rate_limited(exceeded, message, "submission", project.public_key, client)


def count_answer(public_id: str) -> None:
    """Count an answer on a submission's own page. Raises ClientError 429 `rate_limited`."""
    exceeded = _hit(_parsed(ANSWERS), "answer", public_id)
    if exceeded is not None:
        message = "This page took as many answers as it does in an hour. Try again later."
        raise _rate_limited(exceeded, message, "answer", public_id)


def give_back(project: IntakeProject, client: str) -> None:
    """Uncount a submission that was not kept."""
    for item in _items(project):
        _try(item, ("submission", project.public_key, client), cost=-1)


def _items(project: IntakeProject) -> Sequence[RateLimitItem]:
    return _parsed(project.rate_limit or current_settings().intake_rate_limit)


@lru_cache(maxsize=256)
def _parsed(text: str) -> Sequence[RateLimitItem]:
    return tuple(parse_many(text))


def _hit(items: Sequence[RateLimitItem], *keys: str) -> RateLimitItem | None:
    """Count against every limit, or against none; return the one that is exceeded."""
    for index, item in enumerate(items):
        if not _try(item, keys):
            for earlier in items[:index]:
                _try(earlier, keys, cost=-1)
            return item
    return None


def _try(item: RateLimitItem, keys: tuple[str, ...], cost: int = 1) -> bool:
    try:
        return rate_limiter().hit(item, *keys, cost=cost)
    except _store_errors():
        log.warning("the limits store is away; the request was let through")
        return True


def _store_errors() -> tuple[type[Exception], ...]:
    errors: Any = rate_limiter().storage.base_exceptions
    return errors if isinstance(errors, tuple) else (errors,)


def _rate_limited(item: RateLimitItem, message: str, *keys: str) -> ClientError:
    wait_seconds = _seconds_until_free(item, *keys)
    headers = {
        "RateLimit-Limit": str(item.amount),
        "RateLimit-Remaining": "0",
        "RateLimit-Reset": str(wait_seconds),
    }
    return ClientError(429, "rate_limited", message, retry_after=wait_seconds, headers=headers)


def _seconds_until_free(item: RateLimitItem, *keys: str) -> int:
    expiry = item.get_expiry()
    storage = cast(SlidingWindowCounterSupport, rate_limiter().storage)
    try:
        previous, _, current, current_left = storage.get_sliding_window(item.key_for(*keys), expiry)
    except _store_errors():
        return expiry
    # `limits` counts a slot's time to live until the end of the slot after it.
    return wait_seconds(item.amount, expiry, previous, current, max(0.0, current_left - expiry))


def wait_seconds(amount: int, expiry: int, previous: int, current: int, left: float) -> int:
    """Return whole seconds until a sliding-window counter has room for one more, at least 1.

    `expiry` is the length of a slot, `left` what is left of the present one, in seconds; `previous` and
    `current` are the slots' counts. The previous slot weighs less with each second; where that is not
    enough, the present slot has to become the previous one first. `limits` itself reports the end of the
    slot, which is too early.
    """
    room = amount - 1
    if current > room:
        wait = left + expiry - room * expiry / current
    elif previous:
        wait = left - (room - current) * expiry / previous
    else:
        wait = 0.0
    return max(1, math.ceil(wait))
