"""Counting all submissions again, beside what the roll-ups say; and putting right what differs.

Both are read from one snapshot. A repair adds the difference: what is written meanwhile moves the roll-ups
and what they should be alike, so it may take its time and holds nobody up.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Table, select

from app.database.transactions import snapshot, transaction
from app.extensions import db
from app.models import daily_count
from app.models.daily_count import MEASURES as DAILY_MEASURES
from app.models.daily_count import Bucket, DailyCount
from app.models.rollup import tables
from app.models.rollup.keeping import WHOLE, counted_to, submissions
from app.models.rollup.ledger import QUARTERS, Ledger

READ_AT_ONCE = 5_000
REPAIRED_AT_ONCE = 500
Key = tuple[Any, ...]


@dataclass(frozen=True)
class Difference:
    """One figure of a roll-up that is not what a count gives."""

    table: str
    key: Key
    rolled_up: int
    counted: int

    @property
    def missing(self) -> int:
        """What is to be added to the roll-up."""
        return self.counted - self.rolled_up


@dataclass(frozen=True)
class Check:
    """What a recount found."""

    submissions: int
    figures: int
    differences: tuple[Difference, ...]


def recount(counted: Callable[[int], object] = lambda _: None) -> Check:
    """Count everything again; tells `counted` the number of submissions read each time."""
    with snapshot(db.engine) as connection:
        total, truth = _truth(connection, counted)
        rolled_up = _rolled_up(connection)
    differences = tuple(
        Difference(name, key, rolled_up[name][key], truth[name][key])
        for name in sorted(truth)
        for key in sorted(truth[name].keys() | rolled_up[name].keys())
        if truth[name][key] != rolled_up[name][key]
    )
    return Check(total, sum(map(len, rolled_up.values())), differences)


def repair(differences: Iterable[Difference]) -> None:
    """Add what is missing and take away what is too much, in short transactions."""
    waiting = list(differences)
    for start in range(0, len(waiting), REPAIRED_AT_ONCE):
        with transaction() as session:
            _put_right(session.connection(), waiting[start : start + REPAIRED_AT_ONCE])


def _truth(connection: Connection, counted: Callable[[int], object]) -> tuple[int, dict[str, Counter[Key]]]:
    reached, ledger, total = counted_to(connection), Ledger(), 0
    daily: Counter[Key] = Counter()
    for rows in _batches(connection):
        for bucket, sums in daily_count.sums_of(daily_count.delta(row, 1) for row in rows).items():
            for measure, count in zip(DAILY_MEASURES, sums, strict=True):
                daily[*bucket, measure] += count
        for row in rows:
            if row.id <= reached:
                ledger.add(row)
        total += len(rows)
        counted(len(rows))
    return total, _by_table(ledger) | {"daily_counts": daily}


def _by_table(ledger: Ledger) -> dict[str, Counter[Key]]:
    quarters: Counter[Key] = Counter()
    for (*key, quarter), count in ledger.quarters.items():
        quarters[*key, QUARTERS[quarter]] = count
        quarters[*key, "submissions"] += count
    return {
        "quarter_counts": quarters,
        "fact_counts": Counter(ledger.facts),
        "response_counts": Counter(ledger.responses),
    }


def _batches(connection: Connection) -> Iterator[list[Row[Any]]]:
    last = 0
    while True:
        query = select(*WHOLE).where(submissions.c.id > last).order_by(submissions.c.id).limit(READ_AT_ONCE)
        rows = list(connection.execute(query))
        if not rows:
            return
        yield rows
        last = rows[-1].id


def _rolled_up(connection: Connection) -> dict[str, Counter[Key]]:
    daily: Counter[Key] = Counter()
    columns = [getattr(DailyCount, name) for name in (*Bucket._fields, *DAILY_MEASURES)]
    for *key, unused, unread, shots in connection.execute(select(*columns)):
        for measure, count in zip(DAILY_MEASURES, (unused, unread, shots), strict=True):
            daily[*key, measure] = count
    return {
        "daily_counts": daily,
        "quarter_counts": _quarters(connection),
        "fact_counts": _plain(connection, tables.facts),
        "response_counts": _plain(connection, tables.responses),
    }


def _quarters(connection: Connection) -> "Counter[Key]":
    found: Counter[Key] = Counter()
    for row in connection.execute(select(tables.quarters)).mappings():
        key = (row["day"], row["project_id"], row["category"])
        for name in ("submissions", *QUARTERS):
            if row[name]:
                found[*key, name] = row[name]
    return found


def _plain(connection: Connection, table: Table) -> "Counter[Key]":
    return Counter({tuple(key): count for *key, count in connection.execute(select(table))})


def _put_right(connection: Connection, differences: Iterable[Difference]) -> None:
    ledger = Ledger()
    daily: dict[Bucket, list[int]] = {}
    totals: Counter[Key] = Counter()
    for difference in differences:
        *key, last = difference.key
        if difference.table == "daily_counts":
            sums = daily.setdefault(Bucket(*key), [0, 0, 0])
            sums[DAILY_MEASURES.index(last)] = difference.missing
        elif last == "submissions":
            totals[tuple(key)] += difference.missing
        elif difference.table == "quarter_counts":
            ledger.quarters[*key, QUARTERS.index(last)] = difference.missing
            totals[tuple(key)] -= difference.missing  # adding a quarter adds to its day as well
        else:
            counter = ledger.facts if difference.table == "fact_counts" else ledger.responses
            counter[difference.key] = difference.missing
    daily_count.add_sums(connection, daily)
    tables.add(connection, ledger)
    tables.add_totals(connection, totals)
