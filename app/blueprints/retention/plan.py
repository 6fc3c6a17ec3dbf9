"""What the next run removes, by policy: the same conditions that the run deletes by, counted."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, case, cast, false, func, select
from sqlalchemy.orm import Session

from app.blueprints.retention.kinds import KINDS, Aged
from app.blueprints.retention.wanted import Wanted
from app.models import Feedback, Project, Screenshot, daily_count
from app.models.due import Due, find_due, submission_bytes
from app.models.forgetting import FORGOTTEN
from app.models.removal import Condition
from app.models.retention import ANONYMISE, DELETE, DROP_SCREENSHOTS, SUBMISSIONS, Rule


@dataclass(frozen=True)
class Line:
    """What one policy makes go; `bytes` are text and pictures as the quota counts them, `held` are kept."""

    rule: Rule
    rows: int = 0
    screenshots: int = 0
    bytes: int = 0
    oldest: datetime | None = None
    newest: datetime | None = None
    held: int = 0
    by_project: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Share:
    """How much of a project's submissions would be deleted."""

    project_id: int
    name: str
    rows: int
    total: int

    @property
    def percent(self) -> float:
        """Of a hundred."""
        return 100 * self.rows / self.total if self.total else 0.0


@dataclass(frozen=True)
class Plan:
    """What a run at this moment would do."""

    moment: datetime
    lines: tuple[Line, ...]
    shares: tuple[Share, ...] = ()

    @property
    def submissions(self) -> int:
        """Submissions that are deleted."""
        return sum(line.rows for line in self.lines if _deletes(line.rule))

    @property
    def changed(self) -> int:
        """Submissions that lose a picture or fields, and stay."""
        return sum(line.rows for line in self.lines if line.rule.action != DELETE)

    @property
    def others(self) -> int:
        """Rows of other kinds that are deleted."""
        return sum(line.rows for line in self.lines if line.rule.kind != SUBMISSIONS)

    @property
    def rows(self) -> int:
        """All of them."""
        return sum(line.rows for line in self.lines)

    @property
    def screenshots(self) -> int:
        """Pictures that go."""
        return sum(line.screenshots for line in self.lines)

    @property
    def bytes(self) -> int:
        """Bytes of text and pictures that go."""
        return sum(line.bytes for line in self.lines)

    @property
    def held(self) -> int:
        """What holds keep back, of what policies would delete or change."""
        return sum(line.held for line in self.lines)


@dataclass(frozen=True)
class Work:
    """What a run carries out: due submissions, and ages of other kinds."""

    dues: tuple[Due, ...]
    others: tuple[Rule, ...]
    narrowing: tuple[Condition, ...] = ()

    def without(self, project_ids: Sequence[int]) -> "Work":
        """Return the same without some projects' submissions."""
        left_out = [Feedback.project_id.not_in(project_ids)] if project_ids else []
        return Work(self.dues, self.others, (*self.narrowing, *left_out))


def find_work(session: Session, wanted: Wanted, now: datetime) -> Work:
    """Find what is due at a moment. Raises ClientError 404 for an unknown policy."""
    rules = wanted.rules(session)
    chosen = wanted.chosen(session, rules)
    dues = [due for due in find_due(session, rules, now) if due.rule in chosen]
    others = [rule for rule in chosen if rule.kind in KINDS]
    return Work(tuple(dues), tuple(others), tuple(wanted.narrowing()))


def draw(session: Session, wanted: Wanted, now: datetime) -> Plan:
    """Count what a run at this moment would do. Raises ClientError 404 for an unknown policy."""
    work = find_work(session, wanted, now)
    return count(session, work, now)


def count(session: Session, work: Work, now: datetime) -> Plan:
    """Count what is due; a policy that nothing is due by has its line with zeros."""
    lines = [_line(session, due, work.narrowing) for due in work.dues]
    lines += [_other_line(session, rule, now) for rule in work.others]
    return Plan(now, tuple(lines), _shares(session, lines))


def cutoff(rule: Rule, now: datetime) -> datetime:
    """Return the moment before which a policy by age deletes."""
    assert rule.keep_days is not None
    return now - timedelta(days=rule.keep_days)


def _line(session: Session, due: Due, narrowing: Sequence[Condition]) -> Line:
    rows = session.execute(
        select(
            Feedback.project_id,
            func.count(),
            func.count(Screenshot.id),
            cast(func.coalesce(func.sum(_freed(due)), 0), BigInteger),
            func.min(Feedback.created_at),
            func.max(Feedback.created_at),
        )
        .select_from(Feedback)
        .outerjoin(Screenshot, Screenshot.feedback_id == Feedback.id)
        .where(*due.free, *narrowing)
        .group_by(Feedback.project_id)
    ).all()
    held = session.scalar(select(func.count()).select_from(Feedback).where(*due.held, *narrowing)) or 0
    if not rows:
        return Line(due.rule, held=held)
    return Line(
        due.rule,
        rows=sum(row[1] for row in rows),
        screenshots=0 if due.rule.action == ANONYMISE else sum(row[2] for row in rows),
        bytes=sum(row[3] for row in rows),
        oldest=min(row[4] for row in rows),
        newest=max(row[5] for row in rows),
        held=held,
        by_project={row[0]: row[1] for row in rows},
    )


def _freed(due: Due) -> Any:
    if due.rule.action == DROP_SCREENSHOTS:
        return func.coalesce(Screenshot.size_bytes, 0)
    if due.rule.action == ANONYMISE:
        goes = due.has_text if "text" in due.rule.fields else false()
        return case((goes, func.octet_length(Feedback.description) - len(FORGOTTEN)), else_=0)
    return submission_bytes()


def _other_line(session: Session, rule: Rule, now: datetime) -> Line:
    aged: Aged = KINDS[rule.kind].aged(session, cutoff(rule, now))
    return Line(rule, rows=aged.rows, oldest=aged.oldest, newest=aged.newest)


def _shares(session: Session, lines: Sequence[Line]) -> tuple[Share, ...]:
    going: dict[int, int] = {}
    for line in lines:
        if _deletes(line.rule):
            for project_id, rows in line.by_project.items():
                going[project_id] = going.get(project_id, 0) + rows
    if not going:
        return ()
    totals = dict(iter(session.execute(daily_count.totals_by_project())))
    names = dict(iter(session.execute(select(Project.id, Project.name))))
    return tuple(
        Share(project_id, names[project_id], rows, totals.get(project_id, 0))
        for project_id, rows in sorted(going.items())
    )


def _deletes(rule: Rule) -> bool:
    return rule.kind == SUBMISSIONS and rule.action == DELETE
