"""What the page shows: tonight's plan, each policy with what the next run does by it, the six weeks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from app.blueprints.retention import forecast, guards, pages_sentences, pages_strip, plan
from app.blueprints.retention.forecast import Status
from app.blueprints.retention.pages_sentences import Piece
from app.blueprints.retention.pages_strip import Strip
from app.blueprints.retention.plan import Line, Plan, Share
from app.blueprints.retention.wanted import Wanted
from app.database.transactions import current_session
from app.models import Project, RetentionPolicy, RetentionRun, archive, hold
from app.models.archive import Month
from app.models.retention import DELETE, SUBMISSIONS, Rule

OUTCOMES = {
    "done": ("check", "good", "Done"),
    "running": ("clock", "quiet", "At work"),
    "stopped": ("clock", "warn", "Stopped at its time limit, goes on"),
    "killed": ("triangle-alert", "warn", "Its process was killed, the next run went on"),
    "refused": ("lock", "warn", "Refused"),
    "failed": ("triangle-alert", "bad", "Failed"),
}
TRIGGERS = {"timetable": "by itself"}


@dataclass(frozen=True)
class PolicyRow:
    """A policy on the page: its sentence, and its line of the plan."""

    public_id: str
    name: str
    pieces: tuple[Piece, ...]
    is_active: bool
    archived: str
    line: Line | None
    is_other: bool


@dataclass(frozen=True)
class RunRow:
    """A run on the page."""

    run: RetentionRun
    who: str
    icon: str
    tone: str
    ended: str


@dataclass(frozen=True)
class Overview:
    """All of the page. `left_out` are the projects that the sweep does not touch by itself.

    `plan` is what is due now; `later` so many more become due until the next run.
    """

    now: datetime
    when: str
    plan: Plan
    left_out: Sequence[Share]
    later: int
    archived: int
    status: Status
    policies: tuple[PolicyRow, ...]
    others: tuple[PolicyRow, ...]
    strip: Strip
    runs: tuple[RunRow, ...]
    held: int
    months: Sequence[Month]


def load(now: datetime) -> Overview:
    """Read everything that the page shows, at one moment of the clock."""
    session = current_session()
    drawn = plan.draw(session, Wanted(), now)
    status = forecast.status(session, now)
    rows = policy_rows(drawn)
    nights = forecast.nights(session, now)
    return Overview(
        now=now,
        when=when_words(status.next_run, now),
        plan=drawn,
        left_out=guards.too_much(drawn, guards.FEW),
        later=max(nights[0].rows - drawn.submissions, 0),
        archived=sum(line.rows for line in drawn.lines if line.rule.archive and line.rule.action == DELETE),
        status=status,
        policies=tuple(row for row in rows if not row.is_other),
        others=tuple(row for row in rows if row.is_other),
        strip=pages_strip.draw(nights),
        runs=tuple(map(run_row, forecast.last_runs(session, 4))),
        held=hold.count_held(session),
        months=archive.months(session),
    )


def policy_rows(drawn: Plan) -> list[PolicyRow]:
    """Return every policy, those switched off too."""
    session = current_session()
    names = project_names()
    lines = {line.rule.public_id: line for line in drawn.lines}
    found = session.scalars(select(RetentionPolicy).order_by(RetentionPolicy.id))
    return [_row(policy, names, lines) for policy in found]


def project_names() -> dict[int, str]:
    """Return the projects' names by id."""
    return {row.id: row.name for row in current_session().execute(select(Project.id, Project.name))}


def run_row(run: RetentionRun) -> RunRow:
    """Return a run with its words."""
    icon, tone, ended = OUTCOMES.get(run.outcome, OUTCOMES["failed"])
    if run.outcome in ("refused", "failed") and run.message:
        ended = f"{ended}: {run.message}"
    return RunRow(run, TRIGGERS.get(run.trigger, run.actor or run.trigger), icon, tone, ended)


def when_words(at: datetime, now: datetime) -> str:
    """Name the moment of the next run: `Tonight at 03:00 UTC`, `Within the minute` for a missed one."""
    if at <= now:
        return "Within the minute"
    night = "Tonight" if at - now < timedelta(hours=24) and at.hour < 12 else "Next"
    return f"{night} at {at:%H:%M} UTC"


def due_now(drawn: Plan) -> Sequence[Line]:
    """Return the lines of submissions that something is due by."""
    return [line for line in drawn.lines if line.rule.kind == SUBMISSIONS and line.rows]


def _row(policy: RetentionPolicy, names: Mapping[int, str], lines: Mapping[str, Line]) -> PolicyRow:
    rule: Rule = policy.rule()
    of_submissions = rule.kind == SUBMISSIONS
    archived = ("archived first" if rule.archive else "not archived") if of_submissions else ""
    none: Any = None if not policy.is_active else Line(rule)
    return PolicyRow(
        public_id=policy.public_id,
        name=policy.name,
        pieces=pages_sentences.sentence(rule, names),
        is_active=policy.is_active,
        archived=archived,
        line=lines.get(policy.public_id, none),
        is_other=rule.kind != SUBMISSIONS,
    )
