"""Until when a submission may be snoozed from its menu: moments in the viewer's time zone."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import request

from app.blueprints.admin.dashboard_figures import zone_of
from app.clock import rfc3339
from app.errors import ClientError

MORNING = time(9)
LATER = timedelta(hours=3)


@dataclass(frozen=True)
class SnoozeChoice:
    """A moment of the menu, with its words; `until` is RFC 3339."""

    label: str
    when: str
    until: str


def viewer_zone() -> ZoneInfo:
    """Return the time zone that the browser said by its cookie, else UTC."""
    try:
        return zone_of(request.cookies.get("zone", "UTC"))
    except ClientError:
        return ZoneInfo("UTC")


def choices(now: datetime, zone: ZoneInfo) -> tuple[SnoozeChoice, ...]:
    """Return later today (while it is today), tomorrow morning and next Monday morning."""
    local = now.astimezone(zone)
    later = (local + LATER).replace(minute=0, second=0, microsecond=0)
    tomorrow = local.date() + timedelta(days=1)
    monday = local.date() + timedelta(days=7 - local.weekday())
    moments = [
        ("Later today", later) if later.date() == local.date() else None,
        ("Tomorrow", morning(tomorrow, zone)),
        ("Next week", morning(monday, zone)) if monday != tomorrow else None,
    ]
    return tuple(
        SnoozeChoice(label, f"{moment:%a} {moment.day} {moment:%b}, {moment:%H:%M}", rfc3339(moment))
        for label, moment in filter(None, moments)
    )


def days(now: datetime, zone: ZoneInfo) -> tuple[str, str]:
    """Return the first and the last day of the date field: tomorrow, and a year from today."""
    today = now.astimezone(zone).date()
    return (today + timedelta(days=1)).isoformat(), (today + timedelta(days=365)).isoformat()


def morning(day: date, zone: ZoneInfo) -> datetime:
    """Return nine o'clock of a day in a time zone."""
    return datetime.combine(day, MORNING, zone)


def day_of(text: str) -> date:
    """Read the day of a date field. Raises ValueError."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError("is no day")
    return date.fromisoformat(text)
