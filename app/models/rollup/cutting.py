"""How days of UTC fall into a viewer's periods: which quarters of which day belong where.

A day of UTC is a row of `quarter_counts`. The beginnings of the periods cut it into parts, nearly always the
same two on every day; where the clocks change meanwhile there are three. Worked out once for a range.
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise

from app.models.rollup.ledger import QUARTERS_A_DAY, quarter_of
from app.models.rollup.periods import DAY, RANGES

QUARTER = timedelta(minutes=15)


@dataclass(frozen=True)
class Cut:
    """The parts of a day: from which quarter to before which; and by day (ISO 8601) each part and its period.

    The longest part comes first: it is what the others leave of the day, so its quarters are never read.
    A period of -1 lies before the beginning.
    """

    parts: tuple[tuple[int, int], ...]
    places: Mapping[str, tuple[tuple[int, int], ...]]


@lru_cache(maxsize=RANGES)
def cut(starts: tuple[datetime, ...], last: date) -> Cut:
    """Cut the days from the first of `starts` (UTC, rising, whole quarters) to `last`."""
    inner = {quarter for start in starts if (quarter := quarter_of(start))}
    parts = sorted(pairwise((0, *sorted(inner), QUARTERS_A_DAY)), key=_negative_length)
    places = {}
    day = starts[0].date()
    while day <= last:
        periods = (bisect_right(starts, begin_of(day, low)) - 1 for low, _ in parts)
        places[day.isoformat()] = tuple(enumerate(periods))
        day += DAY
    return Cut(tuple(parts), places)


def begin_of(day: date, quarter: int = 0) -> datetime:
    """Return when a quarter of a day (UTC) begins."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + quarter * QUARTER


def _negative_length(part: tuple[int, int]) -> int:
    return part[0] - part[1]
