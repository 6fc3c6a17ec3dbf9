"""The words in which figures stand on the performance pages.

Owns durations, shares and ages as text. Knows no request and no table.
"""

from datetime import datetime, timedelta

from app.amounts import count
from app.database.advice.advise import Search

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
DAYS_A_MONTH, DAYS_A_YEAR = 30.44, 365.25
# A forecast beyond this says more about the last days than about the disk.
FARTHEST_YEARS = 10


def figure(value: float) -> str:
    """Write a number of a column: `0.03`, `6.1`, `18`, `41,206`; two digits that count are enough."""
    if value <= 0:
        return "0"
    if value < 0.095:
        return f"{value:.2f}" if value >= 0.005 else "<0.01"
    return f"{value:.1f}" if value < 9.95 else f"{value:,.0f}"


def milliseconds(value: float) -> str:
    """Write a duration given in milliseconds: `3.1 µs`, `0.2 ms`, `155 ms`, `12 s`, `4 min`."""
    if 0 < value < 0.095:
        return f"{figure(value * 1000)} µs"
    if value < 10_000:
        return f"{figure(value)} ms"
    return f"{value / 1000:,.0f} s" if value < 120_000 else f"{value / 60_000:,.0f} min"


def percent(share: float) -> str:
    """Write a share (0–1): `38 %`, `0.4 %`."""
    return finer_percent(share) if 0 < share < 0.0095 else f"{share * 100:.0f} %"


def finer_percent(share: float) -> str:
    """Write a share (0–1) that stands alone: `38 %`, `2.1 %`, `0.4 %`."""
    value = share * 100
    if 0 < value < 0.05:
        return "<0.1 %"
    return f"{value:.1f} %" if 0 < value < 9.95 else f"{value:.0f} %"


def cut_short(search: Search) -> str:
    """Say that not all possible indexes were tried, and how many were."""
    return (
        f"Time was over before all was tried: {search.tried:,} of {search.possible:,} possible indexes were. "
        "What is missing here may still help."
    )


def short(value: float) -> str:
    """Write a count where there is little room: `41,206`, `179 M`, `1.2 G`."""
    for unit, sign in ((1e9, "G"), (1e6, "M")):
        if value >= unit * 0.9995:
            return f"{value / unit:.1f} {sign}" if value < unit * 9.95 else f"{value / unit:,.0f} {sign}"
    return count(value) if value < 99_950 else f"{value / 1000:.0f} k"


def edge(value_ms: float) -> str:
    """Write the edge of a histogram's column, in ms or from a second on in seconds."""
    return figure(value_ms) if value_ms < 1000 else f"{figure(value_ms / 1000)} s"


def rounded(value: float) -> str:
    """Write a large number short: `1.2 million`, `41,206`."""
    if value < 1_000_000:
        return f"{value:,.0f}"
    unit, name = (1_000_000_000, "billion") if value >= 999_500_000 else (1_000_000, "million")
    return f"{value / unit:.1f} {name}".replace(".0 ", " ")


def in_words(value: int) -> str:
    """Write a small number as a word: `two`, `14`."""
    return SMALL[value] if 0 <= value < len(SMALL) else f"{value:,}"


def times(value: int) -> str:
    """Write how often: `once`, `twice`, `61 times`."""
    return {1: "once", 2: "twice"}.get(value) or f"{value:,} times"


def ago(moment: datetime, now: datetime) -> str:
    """Write how long ago a moment was: `4 s ago`, `14 min ago`, `3 h ago`, `2 days ago`."""
    return "now" if now - moment < timedelta(seconds=1) else f"{lasted(now - moment)} ago"


def lasted(length: timedelta) -> str:
    """Write a length of time in its largest unit: `40 s`, `14 min`, `3 h`, `2 days`."""
    if length < MINUTE:
        return f"{max(0, length // timedelta(seconds=1))} s"
    if length < HOUR:
        return f"{length // MINUTE} min"
    return f"{length // HOUR} h" if length < 2 * DAY else f"{length // DAY} days"


def on_day(moment: datetime, now: datetime) -> str:
    """Write a day as people say it: `15 Nov`, `15 Nov 2025`; today's as its clock, `09:30 UTC`."""
    if moment.date() == now.date():
        return f"{moment:%H:%M} UTC"
    day = f"{moment.day} {moment:%b}"
    return day if moment.year == now.year else f"{day} {moment.year}"


def until_full(days: float | None) -> str:
    """Write when the disk is full: `about 14 months`; empty where nothing says so."""
    if days is None:
        return ""
    if days < 1.5:
        return "about a day"
    if days < 14:
        return f"about {days:.0f} days"
    if days < 2 * DAYS_A_MONTH:
        return f"about {days / 7:.0f} weeks"
    if days < 2 * DAYS_A_YEAR:
        return f"about {days / DAYS_A_MONTH:.0f} months"
    years = days / DAYS_A_YEAR
    return f"about {years:.0f} years" if years <= FARTHEST_YEARS else "more than ten years"
