"""Spans of time as a viewer counts them: hours, days, weeks and months of their own time zone.

A day lasts from one local midnight to the next, be that 23, 24 or 25 hours. `now` is given, never read.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal, get_args
from zoneinfo import ZoneInfo

Step = Literal["hour", "day", "week", "month"]
STEPS: tuple[Step, ...] = get_args(Step)
# Beyond so many days a finer step has more points than a chart has room for.
MOST_DAYS = {"hour": 7, "day": 366, "week": 366, "month": 366}
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


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
        return tuple(start.astimezone(self.zone) for start in self.starts)

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
    last = now.astimezone(zone).date()
    first = last - (days - 1) * DAY
    chosen = step or _usual(days)
    return Periods(days, chosen, zone, tuple(dict.fromkeys(_starts(first, last, zone, chosen, now))), now)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return when a local day begins, in UTC; where the clock leaps over midnight, the moment of the leap."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def _usual(days: int) -> Step:
    return "hour" if days <= 2 else "day" if days <= 92 else "week" if days <= 200 else "month"


def _starts(first: date, last: date, zone: ZoneInfo, step: Step, now: datetime) -> Iterator[datetime]:
    yield midnight(first, zone)
    day = first
    while day <= last:
        if step == "day" or (step == "week" and day.weekday() == 0) or (step == "month" and day.day == 1):
            yield midnight(day, zone)
        if step == "hour":
            yield from _hours(day, zone, now)
        day += DAY


def _hours(day: date, zone: ZoneInfo, now: datetime) -> Iterator[datetime]:
    at, end = midnight(day, zone), min(midnight(day + DAY, zone), now)
    while at < end:
        yield at
        at += HOUR
