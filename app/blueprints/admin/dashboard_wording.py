"""The words of the dashboard: durations, differences, dates as the viewer's calendar has them."""

from datetime import date, datetime

from app.blueprints.admin.wording import number

MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0
# From two days on hours say nothing any more.
LONG = 2 * DAY


def duration_parts(seconds: float) -> tuple[tuple[str, str], ...]:
    """Write a duration as numbers and units: `12 min`, `3 h 10 min`, `2.4 days`."""
    if seconds < HOUR:
        return ((str(max(1, round(seconds / MINUTE))), "min"),)
    if seconds < LONG:
        hours, minutes = divmod(round(seconds / MINUTE), 60)
        return ((str(hours), "h"), (str(minutes), "min")) if minutes else ((str(hours), "h"),)
    days = seconds / DAY
    return ((f"{days:.1f}".removesuffix(".0") if days < 10 else number(round(days)), "days"),)


def duration(seconds: float) -> str:
    """Write a duration in one piece."""
    return " ".join(f"{count} {unit}" for count, unit in duration_parts(seconds))


def more_or_fewer(now: int, before: int, when: str) -> str:
    """Compare two counts: `112 more than before`."""
    if now == before:
        return f"as many as {when}"
    return f"{number(abs(now - before))} {'more' if now > before else 'fewer'} than {when}"


def faster_or_slower(now: float | None, before: float | None) -> tuple[str, str]:
    """Compare two durations, with the tone of it: `40 min faster`, good."""
    if now is None:
        return "nothing in this time", ""
    if before is None:
        return "nothing to compare with", ""
    difference = now - before
    # Less than a minute, or what the log buckets cannot tell apart.
    if abs(difference) < max(MINUTE, 0.05 * before):
        return "as fast as before", ""
    words = f"{abs(difference) / DAY:.1f} days" if before >= LONG else duration(abs(difference))
    return (f"{words} slower", "warn") if difference > 0 else (f"{words} faster", "good")


def until_full(days: float | None) -> str:
    """Write when the disk is full at this pace."""
    if days is None:
        return "not in sight"
    if days < 60:
        return f"in about {max(1, round(days))} days"
    if days < 730:
        return f"in about {days / 30.4:.0f} months"
    return f"in about {days / 365:.0f} years" if days < 3650 else "in more than ten years"


def day(moment: date) -> str:
    """Write a day short: `26 Oct`."""
    return f"{moment.day} {moment:%b}"


def long_day(moment: date) -> str:
    """Write a day long: `Thursday 19 November`."""
    return f"{moment:%A} {moment.day} {moment:%B}"


def period(start: datetime, step: str) -> tuple[str, str]:
    """Write a period as an axis has it, and in full."""
    if step == "hour":
        return f"{start:%H:%M}", f"{long_day(start)}, {start:%H:%M}"
    if step == "week":
        return day(start), f"Week from {long_day(start)}"
    if step == "month":
        return f"{start:%b}", f"{start:%B %Y}" if start.day == 1 else f"{start:%B %Y}, from day {start.day}"
    return day(start), long_day(start)


def many(count: int, one: str, more: str | None = None) -> str:
    """Write a count with its noun."""
    return f"{number(count)} {one if count == 1 else more or one + 's'}"
