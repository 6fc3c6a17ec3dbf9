"""What became of submissions: how many stand in each box, and that the open ones are the young ones.

The shares are those of a small team that keeps up: of 3,809 submissions 128 open (41 unread), 17 in progress,
2,940 resolved, 611 closed, 84 rejected, 6 spam, 23 in the trash.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

KEPT = 3809
YOUNG = {"open": 128, "in_progress": 17}
SETTLED = {"closed": 611, "rejected": 84, "trash": 23, "spam": 6}
UNREAD_OF_OPEN = 41 / 128
# A day's share of a year's submissions at its end; an open one is on average a few days old, at most 63.
DAY_SHARE = 891 / 3809 / 30
MEAN_DAYS = {"open": (3.5, 20.0), "in_progress": (8.0, 8.0)}
OLDEST_DAYS = 63


@dataclass(frozen=True)
class Outcome:
    """The box of one submission, and whether somebody has read it."""

    status: str
    is_read: bool


def outcomes(count: int, rng: Random) -> Iterator[Outcome]:
    """Yield the outcomes of `count` submissions, the oldest first; the boxes' shares are exact."""
    young = _young(count, rng)
    open_left = _number(count, YOUNG["open"])
    unread = round(open_left * UNREAD_OF_OPEN)
    settled = _settled(count, len(young))
    for place in range(count):
        status = young.get(place) or _draw(settled, rng)
        is_read = True
        if status == "open":
            is_read = rng.random() * open_left >= unread
            open_left -= 1
            unread -= not is_read
        elif status == "spam":
            is_read = rng.random() < 0.5
        yield Outcome(status, is_read)


def _young(count: int, rng: Random) -> dict[int, str]:
    """Choose the places of what is not settled yet, most of them near the end."""
    chosen: dict[int, str] = {}
    for status, share in YOUNG.items():
        wanted = len(chosen) + _number(count, share)
        while len(chosen) < min(wanted, count):
            mean = rng.choices(MEAN_DAYS[status], (4, 1))[0]
            days = rng.expovariate(1 / mean) % OLDEST_DAYS
            place = count - 1 - int(days * DAY_SHARE * count)
            chosen.setdefault(max(place, 0), status)
    return chosen


def _settled(count: int, young: int) -> dict[str, int]:
    left = {status: _number(count, share) for status, share in SETTLED.items()}
    return {"resolved": count - young - sum(left.values())} | left


def _number(count: int, share: int) -> int:
    return round(count * share / KEPT)


def _draw(left: dict[str, int], rng: Random) -> str:
    """Draw one without putting it back, so that the numbers come out exactly."""
    place = rng.randrange(sum(left.values()))
    for status, number in left.items():
        if place < number:
            left[status] -= 1
            return status
        place -= number
    raise AssertionError("drawn beyond the last one")
