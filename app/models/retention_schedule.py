"""When the daily sweep is due: a time of day in UTC; what was missed is caught up."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models.retention import RetentionPolicy, RetentionRun

DAY = timedelta(days=1)
GOES_ON = ("stopped", "killed", "running")


def time_before(now: datetime, at: str) -> datetime:
    """Return the last moment, up to now, at which the clock (UTC) said `at`, written `03:00`."""
    hour, minute = map(int, at.split(":"))
    today = now.astimezone(UTC).replace(hour=hour, minute=minute, second=0, microsecond=0)
    return today if today <= now else today - DAY


def next_run(session: Session, now: datetime, at: str) -> datetime:
    """Return when the daily sweep runs next; a moment that has passed when one was missed."""
    last_time = time_before(now, at)
    return last_time if is_due(session, now, at) else last_time + DAY


def is_due(session: Session, now: datetime, at: str) -> bool:
    """Tell whether the timetable has a sweep to begin, or one to go on with."""
    last = last_daily(session)
    if last is not None:
        # A run of a clock that was ahead says nothing about today.
        ran_today = time_before(now, at) <= last.started_at <= now
        return not ran_today or last.outcome in GOES_ON
    # Nothing ran yet: what an instance was told since then is due from the next time on.
    since = session.scalar(select(func.min(RetentionPolicy.created_at)))
    return since is not None and since < time_before(now, at)


def last_daily(session: Session) -> RetentionRun | None:
    """Return the newest run of the timetable."""
    query = select(RetentionRun).where(RetentionRun.trigger == "timetable")
    return session.scalar(query.order_by(RetentionRun.id.desc()).limit(1))
