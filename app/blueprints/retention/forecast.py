"""What the coming nights delete if nobody touches anything before, and the last runs: for pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, case, cast, func, select
from sqlalchemy.orm import Session

from app.config import current_settings
from app.models import Feedback, RetentionPolicy, RetentionRun, Screenshot
from app.models.due import governed, submission_bytes
from app.models.retention import CHANGED, DAYS, DELETE, SUBMISSIONS, Rule
from app.models.retention_schedule import DAY, last_daily, next_run

NIGHTS = 42
WEEK = 7


@dataclass(frozen=True)
class Night:
    """What one daily run deletes: submissions and their bytes, by policy name where there is any."""

    at: datetime
    rows: int
    bytes: int
    by_policy: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Week:
    """What seven nights delete; `at` is the first of them."""

    at: datetime
    rows: int
    bytes: int


@dataclass(frozen=True)
class Status:
    """The last and the next daily run, and whether the last one failed. `last` is of any trigger."""

    next_run: datetime
    last: RetentionRun | None
    last_daily: RetentionRun | None
    running: bool

    @property
    def has_failed(self) -> bool:
        """Whether the last daily run did not do what it was for."""
        return self.last_daily is not None and self.last_daily.outcome in ("failed", "refused")


def status(session: Session, now: datetime) -> Status:
    """Return how it stands with the daily sweep."""
    last = RetentionRun.last(session)
    at = current_settings().retention_time
    return Status(
        next_run=next_run(session, now, at),
        last=last,
        last_daily=last_daily(session),
        running=last is not None and last.outcome == "running",
    )


def last_runs(session: Session, count: int = 10) -> Sequence[RetentionRun]:
    """Return the newest runs, of any trigger."""
    return session.scalars(select(RetentionRun).order_by(RetentionRun.id.desc()).limit(count)).all()


def nights(session: Session, now: datetime, count: int = NIGHTS) -> tuple[Night, ...]:
    """Return what policies by age delete in each of the coming nights; what a hold keeps is left out.

    The first night has what is due already. Policies by number or bytes depend on what is still to come, and
    are not foreseen. One statement a policy.
    """
    first = next_run(session, now, current_settings().retention_time)
    moments = [first + DAY * number for number in range(count)]
    query = select(RetentionPolicy).where(RetentionPolicy.is_active).order_by(RetentionPolicy.id)
    rules = [policy.rule() for policy in session.scalars(query)]
    by_age = [one for one in rules if (one.kind, one.action, one.measure) == (SUBMISSIONS, DELETE, DAYS)]
    found = {rule.name: _by_night(session, rule, by_age, moments) for rule in by_age}
    return tuple(_night(number, moment, found) for number, moment in enumerate(moments))


def weeks(coming: Sequence[Night]) -> tuple[Week, ...]:
    """Sum nights by seven."""
    sevens = [coming[first : first + WEEK] for first in range(0, len(coming), WEEK)]
    return tuple(
        Week(some[0].at, sum(night.rows for night in some), sum(night.bytes for night in some))
        for some in sevens
    )


def _night(number: int, at: datetime, found: dict[str, dict[int, tuple[int, int]]]) -> Night:
    parts = {name: by_night[number] for name, by_night in found.items() if number in by_night}
    return Night(
        at,
        rows=sum(rows for rows, _ in parts.values()),
        bytes=sum(size for _, size in parts.values()),
        by_policy=tuple((name, rows) for name, (rows, _) in parts.items()),
    )


def _by_night(
    session: Session, rule: Rule, rules: Sequence[Rule], moments: Sequence[datetime]
) -> dict[int, tuple[int, int]]:
    """Return rows and bytes by the number of the night in which they are due first."""
    assert rule.keep_days is not None
    age = timedelta(days=rule.keep_days)
    moment = Feedback.updated_at if rule.since == CHANGED else Feedback.created_at
    night = case(*((moment < at - age, number) for number, at in enumerate(moments)))
    query = (
        select(night, func.count(), cast(func.sum(submission_bytes()), BigInteger))
        .select_from(Feedback)
        .outerjoin(Screenshot, Screenshot.feedback_id == Feedback.id)
        .where(*governed(rule, rules, moments[0]), moment < moments[-1] - age, Feedback.held.is_(False))
        .group_by(night)
    )
    return {row[0]: (row[1], row[2]) for row in session.execute(query)}
