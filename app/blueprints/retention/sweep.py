"""The sweep: carries policies out in short transactions that give way to whoever waits to write.

One at a time over all processes. Each batch is one write transaction with its figures in the run's row, so a
kill leaves whole batches and a row that tells them; the next run goes on from there, because what is left is
still due. Batches are sized by how long the last one worked.
"""

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.blueprints.retention import archive, guards, record
from app.blueprints.retention import plan as plans
from app.blueprints.retention.batches import Batches
from app.blueprints.retention.kinds import KINDS
from app.blueprints.retention.plan import Work
from app.blueprints.retention.record import Record
from app.blueprints.retention.wanted import How, Wanted
from app.clock import utc_now
from app.database.checkpoint import checkpoint
from app.database.sole import AlreadyHeld, sole
from app.database.transactions import current_session, transaction
from app.errors import ClientError
from app.extensions import db
from app.models import Feedback, RetentionRun, blob_outbox, event, hold
from app.models.due import Due
from app.models.forgetting import anonymise, drop_screenshots
from app.models.removal import Foreseen, Removed, foresee, remove
from app.models.retention import ANONYMISE, DELETE, Rule
from app.storage import storage

# The lock is to be held for at most 50 ms (docs/performance.md, F11). Batches aim well below with the work
# before the commit: what the commit takes hangs on the disk, and hardly on the size.
WORK_SECONDS = 0.018
# What each transaction costs anyway is half of a smaller one: 50 rows took 3.4 ms of processor time, 100 took
# 5.2, 300 took 13 (docs/performance.md).
FIRST_BATCH, LEAST_BATCH, MOST_BATCH = 100, 50, 2_000
# Waiting writers look for the lock every half millisecond (app/database/turn.py).
PAUSE_SECONDS = 0.002
PAUSE_SHARE = 0.25
# Archived at once, ahead of their removal: a part of each small batch's own would be many and slow to write.
ARCHIVE_AHEAD = 500
# Rows of the outbox worked off between two batches; one names at most 500 blobs.
MOST_OWED = 20
NAME = "retention"


class Busy(ClientError):
    """Another sweep is at work: 409 `retention_running`."""

    def __init__(self) -> None:
        super().__init__(409, "retention_running", "Another sweep is at work. Nothing was done.")


Progress = Callable[[int], object]


@dataclass
class _State:
    """A run at work, and how the next batch is made."""

    record: Record
    now: datetime
    how: How
    progress: Progress
    archive: bool
    size: int = FIRST_BATCH
    rest_until: float = 0.0  # when the lock has been free for long enough after the last batch
    owed: list[blob_outbox.Owed] = field(default_factory=list)  # blobs that are deleted and not struck out

    @property
    def is_over(self) -> bool:
        limit = self.how.max_seconds
        return limit is not None and time.monotonic() - self.record.began >= limit


def run(wanted: Wanted, how: How, now: datetime, progress: Progress = lambda _rows: None) -> RetentionRun:
    """Carry out what is wanted and return the run's row, detached.

    Raises Busy when another sweep is at work, guards.Refused when a guard stops this one, ClientError 404 for
    an unknown policy, Unavailable when the archive cannot be written. What was done before stays done.
    """
    try:
        with sole(db.engine, NAME), _quick_collections():
            return _alone(wanted, how, now, progress)
    except AlreadyHeld:
        raise Busy from None


@contextmanager
def _quick_collections() -> Iterator[None]:
    """Have Python's collector pass over what is there already: looking through all of it took 45 ms.

    It fell into every batch of a thousand, with the lock held.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _alone(wanted: Wanted, how: How, now: datetime, progress: Progress) -> RetentionRun:
    hold.settle(now)
    try:
        work, message = _guarded(wanted, how, now)
    except guards.Refused as error:
        record.refused(wanted, how, now, error.message)
        raise
    begun = Record.begin(wanted, how, now)
    try:
        done = _carry_out(_State(begun, now, how, progress, wanted.archive), work)
    except Exception as error:
        begun.end("failed", error.message if isinstance(error, ClientError) else "It failed; see the log.")
        raise
    except BaseException:
        begun.end("stopped", "It was interrupted; the next run goes on.")
        raise
    outcome = "done" if done else "stopped"
    return begun.end(outcome, message if done else "Its time was up; the next run goes on.")


def _guarded(wanted: Wanted, how: How, now: datetime) -> tuple[Work, str]:
    """Find the work that the guards allow, and what is to be said of it."""
    session = current_session()
    try:
        if not how.force:
            guards.check_clock(session, now)
        work = plans.find_work(session, wanted, now)
        shares = [] if how.force else guards.too_much(plans.count(session, work, now), how.few)
    finally:
        session.rollback()
    if not how.leave_out:
        guards.refuse_too_much(shares)
    if not shares:
        return work, ""
    names = ", ".join(f"{share.name} ({share.percent:.0f} %)" for share in shares)
    message = f"Left out, because more than {guards.MOST_PERCENT} % would go: {names}."
    return work.without([share.project_id for share in shares]), message


def _carry_out(state: _State, work: Work) -> bool:
    """Work until nothing is left; False when the time was up before."""
    for due in work.dues:
        if not _sweep(state, due, work):
            return False
    return all(_forget(state, rule) for rule in work.others)


@dataclass(frozen=True)
class _Copied:
    """What the archive holds of those that are to go next, as they were at a moment."""

    ids: frozenset[int] = frozenset()
    at: datetime | None = None


def _sweep(state: _State, due: Due, work: Work) -> bool:
    """Carry out one policy on submissions, and leave no blob of it behind."""
    done = _work_through(state, due, work)
    if state.owed:
        with transaction() as session:
            blob_outbox.strike(session, state.owed)
        state.owed = []
    blob_outbox.work_off(storage())
    return done


def _work_through(state: _State, due: Due, work: Work) -> bool:
    """Work through what is due by one policy, the oldest first; False when the time was up before."""
    place: Any = None
    batches = Batches.of(due, work)
    copied = _Copied()
    archives = due.rule.action == DELETE and (state.archive or due.rule.archive)
    while not state.is_over:
        found = batches.next(place, state.size)
        if not found:
            return True
        ids = [row.id for row in found]
        if archives:
            if not copied.ids.issuperset(ids):
                copied = _copy_ahead(state, batches, place)
            ids = [one for one in ids if one in copied.ids]
        foreseen = foresee(current_session(), ids) if due.rule.action == DELETE else None
        act = partial(_act, due=due, work=work, ids=ids, foreseen=foreseen, as_of=copied.at)
        gone = _batch(state, due.rule, act)
        checkpoint(db.engine)
        state.owed = blob_outbox.delete_blobs(storage(), MOST_OWED)
        state.progress(gone)
        place = found[-1]
    return False


def _copy_ahead(state: _State, batches: Batches, place: Any) -> _Copied:
    """Archive the next ones; those of an earlier call are known to the archive and not written again."""
    at = utc_now()
    ids = [row.id for row in batches.next(place, max(ARCHIVE_AHEAD, state.size))]
    archive.store(ids, state.now)
    return _Copied(frozenset(ids), at)


def _act(
    session: Session,
    *,
    due: Due,
    work: Work,
    ids: list[int],
    foreseen: Foreseen | None,
    as_of: datetime | None,
) -> tuple[int, Removed]:
    """Do what the policy says to those that are due still; returns rows, and what went.

    What was changed since it was archived (`as_of`) stays for the next run, which archives it again.
    """
    conditions = [*due.free, *work.narrowing]
    if as_of is not None:
        conditions.append(Feedback.updated_at < as_of)
    if due.rule.action == DELETE:
        removed = remove(session, ids, only=conditions, foreseen=foreseen)
        return removed.submissions, removed
    query = select(Feedback.id).where(Feedback.id.in_(ids), *conditions).with_for_update(of=Feedback)
    still = list(session.scalars(query))
    if due.rule.action == ANONYMISE:
        removed = anonymise(session, still, due.rule.fields)
    else:
        removed = drop_screenshots(session, still)
    kind = "redact" if due.rule.action == ANONYMISE else "screenshot"
    event.add_many(session, still, kind, actor=event.EARMARK, details={"policy": due.rule.name})
    return len(still), replace(removed, submissions=0)


def _forget(state: _State, rule: Rule) -> bool:
    """Carry out a policy on another kind."""
    before = plans.cutoff(rule, state.now)
    while not state.is_over:
        gone = _batch(
            state, rule, lambda session: (KINDS[rule.kind].forget(session, before, state.size), Removed())
        )
        if not gone:
            return True
        state.progress(gone)
    return False


def _batch(state: _State, rule: Rule, act: Callable[[Session], tuple[int, Removed]]) -> int:
    """Give way, run one write transaction, note its figures, and size the next one by it."""
    time.sleep(max(0.0, state.rest_until - time.monotonic()))
    with transaction() as session:
        began = time.monotonic()
        blob_outbox.strike(session, state.owed)
        rows, removed = act(session)
        state.record.note(session, rule, rows, removed)
        worked = time.monotonic() - began
    ended = time.monotonic()
    held = ended - began
    state.owed = []
    state.record.longest_lock_ms = max(state.record.longest_lock_ms, round(held * 1000))
    state.size = next_size(state.size, worked)
    # What is read and deleted until the next batch is part of the pause: nobody waits for that.
    state.rest_until = ended + max(PAUSE_SECONDS, held * PAUSE_SHARE)
    return rows


def next_size(size: int, worked_seconds: float) -> int:
    """Return the size at which a batch would work for `WORK_SECONDS`, by steps: one slow one is no rule."""
    factor = min(max(WORK_SECONDS / max(worked_seconds, 1e-6), 0.5), 1.5)
    return min(max(int(size * factor), LEAST_BATCH), MOST_BATCH)
