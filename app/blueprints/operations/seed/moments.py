"""When submissions arrive: growth over a year, quiet nights and weekends, a busy day after a release.

Of 3,809 submissions of a year, 891 are of its last 30 days.
"""

import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

DAYS = 365
RECENT_DAYS = 30
RECENT_SHARE = 891 / 3809
# A younger day is busier: with this many days the month before the last holds nearly as many as the last.
GROWTH_DAYS = 118.0
HOUR = timedelta(hours=1)
WEEKDAYS = (1.15, 1.2, 1.15, 1.1, 1.05, 0.35, 0.4)  # Monday first
HOURS = (
    *(0.25, 0.15, 0.1, 0.1, 0.15, 0.3, 0.6, 1.0, 1.5, 1.8, 1.9, 1.8),
    *(1.5, 1.6, 1.7, 1.6, 1.4, 1.2, 1.2, 1.3, 1.3, 1.1, 0.8, 0.5),
)
BUSY_DAY_OF = 40  # one day in so many, after a release that broke something
BUSY = 1.6


def moments(count: int, until: datetime, rng: Random) -> Iterator[datetime]:
    """Yield `count` moments of the year before `until`, the oldest first."""
    start = until - timedelta(days=DAYS)
    for hour, number in enumerate(_per_hour(count, start, rng)):
        begin = start + hour * HOUR
        for share in sorted(rng.random() for _ in range(number)):
            yield begin + share * HOUR


def _per_hour(count: int, start: datetime, rng: Random) -> list[int]:
    weights = _weights(start, rng)
    split = (DAYS - RECENT_DAYS) * 24
    recent = round(count * RECENT_SHARE)
    return _shares(weights[:split], count - recent) + _shares(weights[split:], recent)


def _weights(start: datetime, rng: Random) -> list[float]:
    weights: list[float] = []
    for day in range(DAYS):
        level = math.exp((day - DAYS) / GROWTH_DAYS) * rng.lognormvariate(0, 0.12)
        if rng.randrange(BUSY_DAY_OF) == 0:
            level *= BUSY
        for hour in range(24):
            moment = start + timedelta(days=day, hours=hour)
            weights.append(level * WEEKDAYS[moment.weekday()] * HOURS[moment.hour])
    return weights


def _shares(weights: list[float], count: int) -> list[int]:
    """Split a whole number by weights, without a remainder."""
    total, reached, given = sum(weights), 0.0, 0
    shares: list[int] = []
    for weight in weights:
        reached += weight
        due = round(count * min(reached / total, 1.0))
        shares.append(due - given)
        given = due
    shares[-1] += count - given
    return shares
