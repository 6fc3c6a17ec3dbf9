"""How far back a figure looks: a length such as `24h`, or a moment."""

import re
from datetime import UTC, datetime, timedelta

DEFAULT_SINCE = "24h"
LENGTH = re.compile(r"([1-9][0-9]{0,4})([mhd])", re.ASCII)
UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
# Figures are kept for a month of hours; what is asked beyond that is answered with what there is.
LONGEST = timedelta(days=366)


def parse_since(text: str, now: datetime) -> datetime:
    """Return the moment that `1h`, `24h`, `7d` or an RFC 3339 time means, at most a year before `now`.

    Raises ValueError with a sentence for anything else.
    """
    if found := LENGTH.fullmatch(text):
        return now - min(int(found[1]) * UNITS[found[2]], LONGEST)
    if not MOMENT.fullmatch(text):
        raise ValueError("must be a length such as 1h, 24h or 7d, or a time such as 2026-11-21T09:30:00Z")
    try:
        return max(datetime.fromisoformat(text.upper()).astimezone(UTC), now - LONGEST)
    except (ValueError, OverflowError):
        raise ValueError("is not a time that exists") from None
