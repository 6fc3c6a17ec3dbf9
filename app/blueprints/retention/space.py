"""Giving space back: what could be gained and what it would take, and doing it, each run written down."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from app import jobs
from app.clock import utc_now
from app.database import space
from app.database.space import Outcome, Space, SpaceRefused
from app.database.transactions import current_session, transaction
from app.errors import ClientError
from app.extensions import db
from app.models import SpaceRun, audit, space_run
from app.models.audit import current_acting
from app.models.space_run import ANALYZE, FULL, INCREMENTAL, Estimate

# What a press of the page's button gives back at most, in the background: 1 GB of SQLite's usual pages.
PAGES_AT_ONCE = 250_000


@dataclass(frozen=True)
class SpaceView:
    """The database's room, what a full run would take, and the last runs."""

    space: Space
    estimate: Estimate
    runs: Sequence[SpaceRun]
    refusal: str | None

    @property
    def can_give_back(self) -> bool:
        """Whether space can be given back beside readers and writers."""
        if self.space.database == "postgresql":
            return True
        return bool(self.space.incremental and self.space.free_pages)


def load() -> SpaceView:
    """Measure the database and read the last runs."""
    measured = space.measure(db.engine)
    session = current_session()
    runs = space_run.last(session)
    kind = ANALYZE if measured.database == "postgresql" else FULL
    estimate = space_run.estimate(measured, space_run.last(session, kind))
    return SpaceView(measured, estimate, runs, _refusal(measured, estimate))


def give_back(pages: int, on_progress: space.Progress | None = None) -> Outcome:
    """Give up to `pages` free pages back in short steps. Raises ClientError 409 where that cannot be."""
    return _run(INCREMENTAL, lambda: space.incremental(db.engine, pages, on_progress))


def vacuum(on_progress: space.Progress | None = None, on_watch: Callable[[], None] | None = None) -> Outcome:
    """Write a SQLite file anew, or run VACUUM (ANALYZE) on PostgreSQL. Raises ClientError 409."""
    view = load()
    current_session().rollback()
    if view.space.database == "postgresql":
        return _run(ANALYZE, lambda: space.analyze(db.engine, on_progress))
    return _run(FULL, lambda: space.full(db.engine, view.estimate.needed_bytes, on_watch))


@jobs.task
def give_space_back() -> None:
    """Give space back in the background, beside readers and writers."""
    if db.engine.dialect.name == "postgresql":
        vacuum()
    else:
        give_back(PAGES_AT_ONCE)


def _run(kind: str, work: Callable[[], Outcome]) -> Outcome:
    started, used = utc_now(), space.measure(db.engine).used_bytes
    current_session().rollback()
    try:
        outcome = work()
    except SpaceRefused as error:
        raise ClientError(409, "conflict", str(error)) from None
    _write(kind, outcome, used, started)
    return outcome


def _write(kind: str, outcome: Outcome, used_bytes: int, started: datetime) -> None:
    with transaction() as session:
        session.add(
            SpaceRun(
                kind=kind,
                started_at=started,
                used_bytes=used_bytes,
                started_by=current_acting().actor,
                **vars(outcome),
            )
        )
        session.flush()
        audit.record(session, "space.vacuum", details={"kind": kind, **vars(outcome)})


def _refusal(measured: Space, estimate: Estimate) -> str | None:
    """Say why a full run cannot be done now; None where it can."""
    try:
        if measured.database == "sqlite":
            space.check_room(measured, estimate.needed_bytes)
    except SpaceRefused as error:
        return str(error)
    return None
