"""What stops a sweep before it touches anything: too large a share of a project, a clock that jumped."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.blueprints.retention.plan import Plan, Share
from app.clock import rfc3339
from app.errors import ClientError
from app.models import ApiToken, Feedback, RetentionRun, User
from app.models.retention import OUTCOMES

# Of a project's submissions, what one run deletes without being forced.
MOST_PERCENT = 20
# So few may always go by the timetable and the API: a small project would else never forget anything.
FEW = 20
# An instance that was off for longer, with nothing new in it, is asked about rather than swept.
LONGEST_GAP = timedelta(days=30)
# Clocks of machines that share a database differ by seconds, of those that lost theirs by years.
SLACK = timedelta(hours=1)


class Refused(ClientError):
    """A guard stopped a run before it touched anything: 409 `retention_refused`."""

    def __init__(self, message: str) -> None:
        super().__init__(409, "retention_refused", message)


def check_clock(session: Session, now: datetime) -> None:
    """Raise Refused when the clock is far from the last run and from the newest of what was made here."""
    last = last_sign(session)
    if last is None:
        return
    if now < last - SLACK:
        raise Refused(
            f"The clock says {rfc3339(now)}, and something here is from {rfc3339(last)}: it was set back. "
            "Nothing was deleted; set the clock right, or force the run."
        )
    if now > last + LONGEST_GAP:
        raise Refused(
            f"The clock says {rfc3339(now)}, and nothing here is newer than {rfc3339(last)}: it was set "
            "forward, or nothing ran for a month. Nothing was deleted; look at the clock, or force the run."
        )


def last_sign(session: Session) -> datetime | None:
    """Return the newest moment of which this instance has a trace: a run, a submission, a user, a token."""
    columns: tuple[InstrumentedAttribute[datetime], ...] = (
        Feedback.created_at,
        User.created_at,
        ApiToken.created_at,
    )
    found = [session.scalar(select(func.max(column))) for column in columns]
    # A run that was refused went by the clock that is in doubt.
    run = RetentionRun.last(session, *(set(OUTCOMES) - {"refused"}))
    found.append(None if run is None else run.seen_at)
    return max((moment for moment in found if moment is not None), default=None)


def too_much(plan: Plan, few: int = 0) -> list[Share]:
    """Return the projects of which more would be deleted than one run may; up to `few` always may."""
    return [share for share in plan.shares if share.percent > MOST_PERCENT and share.rows > few]


def refuse_too_much(shares: list[Share]) -> None:
    """Raise Refused when there are any."""
    if shares:
        which = "; ".join(f"{one.rows:,} of {one.total:,} of {one.name}" for one in shares)
        raise Refused(
            f"More than {MOST_PERCENT} % of a project would go: {which}. Nothing was deleted; "
            "look at the plan, and force the run if that is meant."
        )
