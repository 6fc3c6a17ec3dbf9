"""Spans of time as a viewer counts them: hours, days, weeks and months of their own time zone.

A day lasts from one local midnight to the next, be that 23, 24 or 25 hours. `now` is given, never read.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Literal, get_args
from zoneinfo import ZoneInfo

Step = Literal["hour", "day", "week", "month"]
STEPS: tuple[Step, ...] = get_args(Step)
# Beyond so many days a finer step has more points than a chart has room for.
MOST_DAYS = {"hour": 7, "day": 366, "week": 366, "month": 366}
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
# Ranges that are kept: the four of the dashboard in as many zones as there are readers in.
RANGES = 128


@dataclass(frozen=True)
class Periods:
    """The last `days` days up to now, parted at `starts` (UTC, rising); the first one is the beginning."""

    days: int
    step: Step
    zone: ZoneInfo
    starts: tuple[datetime, ...]
    now: datetime

    @property
    def since(self) -> datetime:
        """The beginning: a local midnight."""
        return self.starts[0]

    @property
    def local_starts(self) -> tuple[datetime, ...]:
        """The starts as the viewer's clock says them."""
        return _local(self.starts, self.zone)

    def end(self, index: int) -> datetime:
        """Return where a period ends; the last one does now."""
        return self.starts[index + 1] if index + 1 < len(self.starts) else self.now

    def index(self, moment: datetime) -> int:
        """Return which period a moment lies in; -1 for one before the beginning."""
        return bisect_right(self.starts, moment) - 1

    def before(self) -> datetime:
        """Return the beginning of as many days before."""
        return midnight(self.since.astimezone(self.zone).date() - self.days * DAY, self.zone)


def periods(days: int, zone: ZoneInfo, now: datetime, step: Step | None = None) -> Periods:
    """Part the last `days` days, today included; without a step in one that gives a chart enough points."""
    chosen = step or _usual(days)
    starts = _starts(days, now.astimezone(zone).date(), zone, chosen)
    return Periods(days, chosen, zone, starts[: bisect_right(starts, now)], now)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return when a local day begins, in UTC; where the clock leaps over midnight, the moment of the leap."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def _usual(days: int) -> Step:
    return "hour" if days <= 2 else "day" if days <= 92 else "week" if days <= 200 else "month"


# Ninety midnights took as long as reading a chart; they are the same until the next one.
@lru_cache(maxsize=RANGES)
def _starts(days: int, last: date, zone: ZoneInfo, step: Step) -> tuple[datetime, ...]:
    first = last - (days - 1) * DAY
    begins = {midnight(first, zone)}
    for day in (first + place * DAY for place in range(days)):
        if step == "day" or (step == "week" and day.weekday() == 0) or (step == "month" and day.day == 1):
            begins.add(midnight(day, zone))
        if step == "hour":
            begins.update(_hours(day, zone))
    return tuple(sorted(begins))


def _hours(day: date, zone: ZoneInfo) -> Iterator[datetime]:
    at, end = midnight(day, zone), midnight(day + DAY, zone)
    while at < end:
        yield at
        at += HOUR


@lru_cache(maxsize=RANGES)
def _local(starts: tuple[datetime, ...], zone: ZoneInfo) -> tuple[datetime, ...]:
    return tuple(start.astimezone(zone) for start in starts)
