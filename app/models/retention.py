"""Policies (how long each kind of data stays) and runs (what a sweep did), as they are stored."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.clock import utc_now
from app.database.types import Json, UtcTime
from app.models.base import Base
from app.models.identifiers import new_public_id

SUBMISSIONS = "submissions"
# What else has a policy; these are kept by age only, and only deleted.
OTHER_KINDS = ("audit", "statistics", "slow_log", "sessions", "deliveries", "rate_limits")
KINDS = (SUBMISSIONS, *OTHER_KINDS)
DELETE, DROP_SCREENSHOTS, ANONYMISE = "delete", "drop_screenshots", "anonymise"
ACTIONS = (DELETE, DROP_SCREENSHOTS, ANONYMISE)
CREATED, CHANGED = "created", "changed"
DAYS, COUNT, BYTES = "days", "submissions", "bytes"
MEASURES = (DAYS, COUNT, BYTES)
# What `anonymise` may take away, in the order in which it is named.
FIELDS = ("reporter", "session", "address", "agent", "app_state", "text")
# How a run ended. `stopped`: at its time budget, the next one goes on; `refused`: a guard; `killed` is found
# by the run after it.
OUTCOMES = ("running", "done", "stopped", "refused", "failed", "killed")
TRIGGERS = ("timetable", "command", "api", "page")


class RetentionPolicy(Base, kw_only=True):
    """One policy. Exactly one of `keep_days`, `keep_submissions`, `keep_bytes` is set."""

    __tablename__ = "retention_policies"
    __table_args__ = (
        CheckConstraint("action in ('delete', 'drop_screenshots', 'anonymise')", name="action"),
        CheckConstraint("since in ('created', 'changed')", name="since"),
        CheckConstraint(
            "case when keep_days is null then 0 else 1 end"
            " + case when keep_submissions is null then 0 else 1 end"
            " + case when keep_bytes is null then 0 else 1 end = 1",
            name="measure",
        ),
    )

    id: Mapped[int] = mapped_column(init=False, primary_key=True)
    public_id: Mapped[str] = mapped_column(init=False, unique=True, default_factory=new_public_id)
    name: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str] = mapped_column(default=SUBMISSIONS)
    project_id: Mapped[int | None] = mapped_column(
        ForeignKey("projects.id", ondelete="CASCADE"), index=True, default=None
    )
    category: Mapped[str | None] = mapped_column(default=None)
    status: Mapped[str | None] = mapped_column(default=None)
    query: Mapped[str | None] = mapped_column(default=None)
    keep_days: Mapped[int | None] = mapped_column(default=None)
    keep_submissions: Mapped[int | None] = mapped_column(default=None)
    keep_bytes: Mapped[int | None] = mapped_column(default=None)
    since: Mapped[str] = mapped_column(default=CREATED)
    action: Mapped[str] = mapped_column(default=DELETE)
    fields: Mapped[list[str]] = mapped_column(Json, default_factory=list)
    archive: Mapped[bool] = mapped_column(default=False)
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(UtcTime, default_factory=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UtcTime, default_factory=utc_now)

    def rule(self) -> "Rule":
        """Return the policy as a value that no session holds."""
        return Rule(
            **{name: getattr(self, name) for name in Rule.__dataclass_fields__ if name != "fields"},
            fields=tuple(self.fields),
        )

    @staticmethod
    def by_public_id(session: Session, public_id: str) -> "RetentionPolicy | None":
        """Load one policy."""
        return session.scalar(select(RetentionPolicy).where(RetentionPolicy.public_id == public_id))


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A policy as a value: what is governed, how much of it stays, and what becomes of the rest."""

    public_id: str = ""
    name: str = ""
    kind: str = SUBMISSIONS
    project_id: int | None = None
    category: str | None = None
    status: str | None = None
    query: str | None = None
    keep_days: int | None = None
    keep_submissions: int | None = None
    keep_bytes: int | None = None
    since: str = CREATED
    action: str = DELETE
    fields: tuple[str, ...] = ()
    archive: bool = False

    @property
    def measure(self) -> str:
        """By what is kept: `days`, `submissions` or `bytes`."""
        kept = {DAYS: self.keep_days, COUNT: self.keep_submissions, BYTES: self.keep_bytes}
        return next(name for name, value in kept.items() if value is not None)

    @property
    def weight(self) -> tuple[bool, bool, bool, bool]:
        """How specific it is: a query before a project before a category before a status."""
        return (
            self.query is not None,
            self.project_id is not None,
            self.category is not None,
            self.status is not None,
        )

    def competes(self, other: "Rule") -> bool:
        """Tell whether a submission can be governed by one of the two only, by the more specific."""
        alike = self.kind == other.kind and self.action == other.action and self.measure == other.measure
        return alike and not any(
            mine is not None and its is not None and mine != its
            for mine, its in (
                (self.project_id, other.project_id),
                (self.category, other.category),
                (self.status, other.status),
            )
        )

    def ties(self, other: "Rule") -> bool:
        """Tell whether a submission could be governed by both alike."""
        return self.competes(other) and self.weight == other.weight


class RetentionRun(Base, kw_only=True):
    """One sweep: who asked for what, how it ended, what went. Times of work are without pauses."""

    __tablename__ = "retention_runs"
    __table_args__ = (Index("ix_retention_runs_started", "started_at", "id"),)

    id: Mapped[int] = mapped_column(init=False, primary_key=True)
    public_id: Mapped[str] = mapped_column(init=False, unique=True, default_factory=new_public_id)
    trigger: Mapped[str]
    actor: Mapped[str] = mapped_column(default="")
    request: Mapped[dict[str, Any]] = mapped_column(Json, default_factory=dict)
    started_at: Mapped[datetime] = mapped_column(UtcTime)
    seen_at: Mapped[datetime] = mapped_column(UtcTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcTime, default=None)
    outcome: Mapped[str] = mapped_column(default="running")
    message: Mapped[str] = mapped_column(default="")
    submissions: Mapped[int] = mapped_column(default=0)
    screenshots: Mapped[int] = mapped_column(default=0)
    changed: Mapped[int] = mapped_column(default=0)
    others: Mapped[int] = mapped_column(default=0)
    freed_bytes: Mapped[int] = mapped_column(default=0)
    batches: Mapped[int] = mapped_column(default=0)
    duration_ms: Mapped[int] = mapped_column(default=0)
    longest_lock_ms: Mapped[int] = mapped_column(default=0)
    lines: Mapped[list[dict[str, Any]]] = mapped_column(Json, default_factory=list)

    @property
    def rows_per_second(self) -> float:
        """Submissions deleted or changed a second, pauses included."""
        rows = self.submissions + self.changed + self.others
        return round(rows / (self.duration_ms / 1000), 1) if self.duration_ms else 0.0

    @staticmethod
    def last(session: Session, *outcomes: str) -> "RetentionRun | None":
        """Return the newest run, of the given outcomes only."""
        query = select(RetentionRun).order_by(RetentionRun.id.desc()).limit(1)
        return session.scalar(query.where(RetentionRun.outcome.in_(outcomes)) if outcomes else query)
