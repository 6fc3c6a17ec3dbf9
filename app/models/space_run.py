"""What giving space back took, run by run: from it the next run's time and room are estimated."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from sqlalchemy import CheckConstraint, Index, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.database.space import COPIES, Space
from app.database.types import UtcTime
from app.models.base import Base

INCREMENTAL, FULL, ANALYZE = "incremental", "full", "analyze"
LAST = 5  # runs that an estimate looks at
# Where none has run yet: a slow disk's rate, so that the first estimate is rather too long.
ASSUMED_BYTES_A_MS = 50_000
# Files grow, and what was measured was sampled five times a second.
MARGIN = 1.2


class SpaceRun(Base, kw_only=True):
    """One run, ended. Sizes are the database's in bytes; `peak_bytes` what the disks held more meanwhile."""

    __tablename__ = "space_runs"
    __table_args__ = (
        CheckConstraint("kind in ('incremental', 'full', 'analyze')", name="kind"),
        Index("ix_space_runs_kind", "kind", "id"),
    )

    id: Mapped[int] = mapped_column(init=False, primary_key=True)
    kind: Mapped[str]
    started_at: Mapped[datetime] = mapped_column(UtcTime)
    duration_ms: Mapped[int]
    used_bytes: Mapped[int]
    before_bytes: Mapped[int]
    after_bytes: Mapped[int]
    peak_bytes: Mapped[int]
    started_by: Mapped[str]

    @property
    def freed_bytes(self) -> int:
        """By how much the database became smaller."""
        return self.before_bytes - self.after_bytes


@dataclass(frozen=True)
class Estimate:
    """What a full run would take; `measured` is False where this machine has not run one yet."""

    duration: timedelta
    needed_bytes: int
    measured: bool


def last(session: Session, kind: str | None = None, limit: int = LAST) -> Sequence[SpaceRun]:
    """Return the last runs, the newest first."""
    query = select(SpaceRun).order_by(SpaceRun.id.desc()).limit(limit)
    return session.scalars(query if kind is None else query.where(SpaceRun.kind == kind)).all()


def estimate(space: Space, runs: Sequence[SpaceRun]) -> Estimate:
    """Estimate a full run by the bytes in use: at the median rate of the last ones, in the room they took.

    The room is what SQLite's documentation asks for, twice the file, until runs were measured; never less
    than once the bytes in use.
    """
    used = space.used_bytes
    known = [run for run in runs if run.used_bytes > 0 and run.kind in (FULL, ANALYZE)]
    if not known:
        return Estimate(timedelta(milliseconds=used / ASSUMED_BYTES_A_MS), COPIES * used, measured=False)
    ms_a_byte = median(run.duration_ms / run.used_bytes for run in known)
    share = max(run.peak_bytes / run.used_bytes for run in known)
    needed = min(max(share * MARGIN, 1.0), COPIES) * used
    return Estimate(timedelta(milliseconds=ms_a_byte * used), round(needed), measured=True)
