"""Keeping the roll-ups exact: moving what changed, and counting what came behind the watermark."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Connection,
    Row,
    Select,
    String,
    column,
    func,
    select,
    table,
    text,
    update,
)
from sqlalchemy.exc import OperationalError

from app.database.among import among
from app.database.prepared_select import PreparedSelect
from app.database.transactions import transaction
from app.database.types import Json, UtcTime
from app.models import daily_count
from app.models.daily_count import Bucket, delta, sums_of
from app.models.rollup.ledger import LEFT_OUT, Counted, Ledger
from app.models.rollup.tables import STATE_ID, add, state

# Few enough that the write lock is held briefly; how long was not measured.
FOLDED_AT_ONCE = 1_000
# Who waits longer stands in the way of writers that queue behind: the next round tries again.
LOCK_TIMEOUT_MS = 500

_JSON: JSON = Json
# Not the model's table: the model itself keeps its roll-ups by this module.
submissions = table(
    "feedback_submissions",
    column("id", BigInteger),
    column("project_id", BigInteger),
    column("created_at", UtcTime),
    column("category", String),
    column("status", String),
    column("is_archived", Boolean),
    column("is_read", Boolean),
    column("has_screenshot", Boolean),
    column("url", String),
    column("browser", String),
    column("os", String),
    column("custom", _JSON),
    column("rating", BigInteger),
    column("first_answered_at", UtcTime),
    column("settled_at", UtcTime),
)
_TELLING = ("url", "browser", "os", "custom", "rating")
WHOLE = tuple(submissions.c)
_REACHED = select(state.c.counted_to).where(state.c.id == STATE_ID)


def _tail(reached: Any) -> Select[Any]:
    return select(*WHOLE).where(submissions.c.id > reached).order_by(submissions.c.id)


_BEHIND = PreparedSelect(_tail(func.coalesce(_REACHED.scalar_subquery(), 0)))
_PLACE = tuple(item for item in submissions.c if item.name not in _TELLING)


@contextmanager
def following(connection: Connection, feedback_ids: Sequence[int], *, facts: bool = True) -> Iterator[None]:
    """Keep every count exact while the body changes or removes these submissions by statements of its own.

    Inside the caller's write transaction. `facts=False` is quicker, and says that nothing is removed and that
    page, browser, release and rating stay as they are.
    """
    hold_still(connection)
    before = _read(connection, feedback_ids, WHOLE if facts else _PLACE)
    yield
    after = _read(connection, feedback_ids, WHOLE if facts else _PLACE)
    daily_count.add(
        connection, [*(delta(row, -1) for row in before.values()), *(delta(row, 1) for row in after.values())]
    )
    reached = counted_to(connection)
    ledger = Ledger()
    crossed = []
    for key, old in before.items():
        new = after.get(key)
        if key > reached or (new is not None and tuple(new) == tuple(old)):
            continue
        if facts:
            _exchange(ledger, old, new)
        else:
            assert new is not None, "what is removed takes its facts with it"
            ledger.add_times(old, -1)
            ledger.add_times(new, 1)
            if (old.status in LEFT_OUT) != (new.status in LEFT_OUT):
                crossed.append(key)
    _add_facts(ledger, _read(connection, crossed, WHOLE).values())
    add(connection, ledger)
    if any(key >= reached for key in before.keys() - after.keys()):
        _draw_back(connection)


@dataclass(frozen=True)
class Leaving:
    """Submissions that are to go, and what the roll-ups lose with them."""

    rows: Sequence[Any]
    days: Mapping[Bucket, Sequence[int]]
    ledger: Ledger

    @staticmethod
    def of(rows: Sequence[Any]) -> "Leaving":
        """Work it out of rows with the columns of `WHOLE`; this asks no database."""
        return Leaving(rows, sums_of(delta(row, -1) for row in rows), _taken(rows))

    def counted(self, reached: int) -> Ledger:
        """Return what is lost of those up to the watermark."""
        behind = [row for row in self.rows if row.id <= reached]
        return self.ledger if len(behind) == len(self.rows) else _taken(behind)


def leave(connection: Connection, leaving: Leaving) -> None:
    """Take what submissions counted for that were just deleted, inside the caller's write transaction.

    `leaving` as they were when the transaction deleted them.
    """
    daily_count.add_sums(connection, leaving.days)
    reached = counted_to(connection)
    add(connection, leaving.counted(reached))
    if any(row.id >= reached for row in leaving.rows):
        _draw_back(connection)


def move(connection: Connection, feedback_id: int, before: Ledger, after: Ledger) -> None:
    """Move one changed submission from what it counted for to what it counts for now."""
    if feedback_id > counted_to(connection):
        return
    for name in ("quarters", "facts", "responses"):
        getattr(after, name).subtract(getattr(before, name))
    add(connection, after)


def fold(limit: int = FOLDED_AT_ONCE) -> int:
    """Count the oldest submissions behind the watermark in a transaction of its own; returns how many."""
    with transaction() as session:
        connection = session.connection()
        if not hold_off_writers(connection):
            return 0
        reached = counted_to(connection)
        rows = connection.execute(_tail(reached).limit(limit)).all()
        if rows:
            ledger = Ledger()
            for row in rows:
                ledger.add(row)
            add(connection, ledger)
            connection.execute(update(state).values(counted_to=rows[-1].id))
        return len(rows)


def fold_all(seconds: float = 30.0, limit: int = FOLDED_AT_ONCE) -> int:
    """Fold until nothing is left or the time is over; returns how many were counted."""
    end = time.monotonic() + seconds
    done = 0
    while (count := fold(limit)) and time.monotonic() < end:
        done += count
    return done + count


def counted_to(connection: Connection) -> int:
    """Return the watermark: the last id that the roll-ups hold."""
    return connection.scalar(_REACHED) or 0


def tail(connection: Connection) -> Sequence[Any]:
    """Return the submissions behind the watermark, as `Counted`."""
    return _BEHIND.rows(connection)


def hold_still(connection: Connection) -> None:
    """Keep the watermark where it is until the end of the transaction."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("lock table feedback_submissions in row exclusive mode"))


def hold_off_writers(connection: Connection) -> bool:
    """Wait until no writer is under way: an id that is taken but not yet seen would never be counted."""
    if connection.dialect.name != "postgresql":
        return True
    connection.execute(text(f"set local lock_timeout = {LOCK_TIMEOUT_MS}"))
    try:
        with connection.begin_nested():
            connection.execute(text("lock table feedback_submissions in share mode"))
    except OperationalError:
        return False
    return True


def _taken(rows: Iterable[Any]) -> Ledger:
    ledger = Ledger()
    for row in rows:
        ledger.add(row, -1)
    return ledger


def _read(connection: Connection, ids: Sequence[int], columns: Sequence[Any]) -> dict[int, Row[Any]]:
    # PostgreSQL: nobody else changes them meanwhile. SQLite has one writer, and no such words.
    query = select(*columns).where(among(submissions.c.id, ids)).with_for_update()
    return {row.id: row for row in connection.execute(query)}


def _exchange(ledger: Ledger, old: Counted, new: Counted | None) -> None:
    ledger.add(old, -1)
    if new is not None:
        ledger.add(new)


def _add_facts(ledger: Ledger, rows: Iterable[Any]) -> None:
    """Add what submissions say of themselves that came among the figures; take it from those that left."""
    for row in rows:
        ledger.add_facts(row, -1 if row.status in LEFT_OUT else 1)


def _draw_back(connection: Connection) -> None:
    # SQLite gives the highest id again once its row is gone; the next submission must not count as counted.
    highest = select(func.coalesce(func.max(submissions.c.id), 0)).scalar_subquery()
    connection.execute(update(state).where(state.c.counted_to > highest).values(counted_to=highest))
