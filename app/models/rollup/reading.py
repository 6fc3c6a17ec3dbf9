"""Reading the roll-ups: what they hold, and the few submissions behind the watermark counted to it.

Everything is read on one snapshot. Beginnings are local midnights, roll-ups of what submissions say of
themselves are by UTC day: what lies between (at most a day) is counted from its rows.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from itertools import pairwise
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Date,
    Row,
    String,
    and_,
    bindparam,
    cast,
    func,
    literal_column,
    or_,
    select,
)

from app.database.prepared_select import PreparedSelect
from app.models.daily_count import DailyCount
from app.models.rollup.cutting import Cut, begin_of, cut
from app.models.rollup.keeping import WHOLE, submissions, tail
from app.models.rollup.ledger import (
    FACTS,
    LEFT_OUT,
    MEASURES,
    QUARTERS,
    bucket_of,
    facts_of,
    middle_of,
)
from app.models.rollup.periods import DAY, Periods
from app.models.rollup.tables import facts, quarters, responses

OPEN = ("open", "in_progress")
# How long something has been open, in days; the last group has no end.
AGES = (1, 3, 7, 28)


@dataclass(frozen=True)
class Told:
    """What the submissions of a range say of themselves, by fact (and `status`): value → how many."""

    counts: dict[str, "Counter[str]"]

    def top(self, fact: str, most: int | None = None) -> list[tuple[str, int]]:
        """Return the values named most often, all without `most`; what is not told stands last."""
        named = sorted(self.counts[fact].items(), key=lambda item: (item[0] == "", -item[1], item[0]))
        return named[:most]


class Reader:
    """Reads for one project, or for all, on one snapshot (`transactions.snapshot`)."""

    def __init__(self, connection: Connection, project_id: int | None = None) -> None:
        self._connection, self._project_id = connection, project_id
        self._tail = [row for row in tail(connection) if self._is_ours(row)]

    def submissions(self, periods: Periods) -> dict[str, list[int]]:
        """Return by category how many submissions came in each period; spam and trash are left out."""
        over = cut(periods.starts, periods.now.date())
        # What lies before the beginning is gathered in a place of its own, the last one.
        found: defaultdict[str, list[int]] = defaultdict(lambda: [0] * (len(periods.starts) + 1))
        for row in self._quarters(over, periods):
            counts = found[row[-2]]
            for part, place in over.places[row[-1]]:
                counts[place] += row[part]
        for row in self._tail:
            found[row.category][periods.index(row.created_at)] += 1
        within = ((category, counts[:-1]) for category, counts in found.items())
        return {category: counts for category, counts in within if any(counts)}

    def told(self, since: datetime) -> Told:
        """Return what submissions since then say of themselves, and their status."""
        edge = self._edge(since)
        # The edge is counted by its rows, so whole days begin behind it.
        whole = since.date() if since == begin_of(since.date()) else since.date() + DAY
        counts = {fact: Counter[str]() for fact in FACTS}
        query = (
            select(facts.c.fact, facts.c.value, _sum(facts.c.submissions))
            .where(facts.c.fact.in_(FACTS), facts.c.day >= whole, *self._of(facts.c.project_id))
            .group_by(facts.c.fact, facts.c.value)
        )
        for fact, value, count in self._connection.execute(query):
            counts[fact][value] += count
        late = [row for row in self._tail if row.created_at >= begin_of(whole)]
        for row in (*edge, *late):
            for fact, value in facts_of(row):
                counts[fact][value] += 1
        return Told(
            {name: +counter for name, counter in (counts | {"status": self._statuses(whole, edge)}).items()}
        )

    def releases(self, since: datetime) -> dict[str, date]:
        """Return when each release was first heard of (UTC), for those that were since then."""
        first = func.min(facts.c.day)
        query = (
            select(facts.c.value, first)
            .where(
                facts.c.fact == "release",
                facts.c.value != "",
                facts.c.submissions > 0,
                *self._of(facts.c.project_id),
            )
            .group_by(facts.c.value)
            .having(first >= since.date())
        )
        return {row[0]: row[1] for row in self._connection.execute(query)}

    def responses(self, since: date) -> "Responses":
        """Return how long answers and settling took, by day (UTC) on which they happened."""
        counts: defaultdict[tuple[str, date], Counter[int]] = defaultdict(Counter)
        reading = _buckets(self._project_id is not None)
        for measure, day, bucket, count in reading.values(
            self._connection, since=since, project=self._project_id
        ):
            counts[measure, day][bucket] += count
        for row in self._tail:
            for measure, moment in zip(MEASURES, (row.first_answered_at, row.settled_at), strict=True):
                if moment is not None and moment.date() >= since:
                    took = (moment - row.created_at).total_seconds()
                    counts[measure, moment.date()][bucket_of(took)] += 1
        return Responses(dict(counts))

    def created_by_day(self, since: date) -> "Counter[date]":
        """Return how many submissions came on each day (UTC)."""
        query = (
            select(quarters.c.day, _sum(quarters.c.submissions))
            .where(quarters.c.day >= since, *self._of(quarters.c.project_id))
            .group_by(quarters.c.day)
        )
        counts = self._counter(query)
        counts.update(row.created_at.date() for row in self._tail if row.created_at.date() >= since)
        return counts

    def boxes(self) -> dict[str, tuple[int, int]]:
        """Return by status how many submissions are there now and how many are unread; no archived ones."""
        query = (
            select(DailyCount.status, _sum(DailyCount.submissions), _sum(DailyCount.unread))
            .where(DailyCount.is_archived.is_(False), *self._of(DailyCount.project_id))
            .group_by(DailyCount.status)
        )
        return {status: (count, unread) for status, count, unread in self._connection.execute(query)}

    def total(self) -> int:
        """Return how many submissions are kept, in every box."""
        query = select(_sum(DailyCount.submissions)).where(*self._of(DailyCount.project_id))
        return self._connection.scalar(query) or 0

    def since(self, moment: datetime) -> int:
        """Return how many submissions came since a moment, by their rows; spam and trash are left out."""
        query = select(func.count()).where(
            submissions.c.created_at >= moment,
            submissions.c.status.not_in(LEFT_OUT),
            *self._of(submissions.c.project_id),
        )
        return self._connection.scalar(query.select_from(submissions)) or 0

    def ages(self, now: datetime) -> list[int]:
        """Return how many of what is open are younger than each of `AGES`, and not than the one before it."""
        bounds = [now - days * DAY for days in AGES]
        by_day = self._open_by_day()
        edges = self._open_on({bound.date() for bound in bounds})
        younger = [
            sum(count for day, count in by_day.items() if day > bound.date())
            + sum(1 for moment in edges if moment >= bound and moment.date() == bound.date())
            for bound in bounds
        ]
        totals = [0, *younger, sum(by_day.values())]
        return [after - before for before, after in pairwise(totals)]

    def oldest(self) -> datetime | None:
        """Return when the oldest submission came that is open."""
        found = [
            self._connection.scalar(
                select(func.min(submissions.c.created_at, type_=submissions.c.created_at.type)).where(
                    submissions.c.status == status,
                    submissions.c.is_archived.is_(False),
                    *self._of(submissions.c.project_id),
                )
            )
            for status in OPEN
        ]
        return min((moment for moment in found if moment is not None), default=None)

    def _counter(self, query: Any) -> "Counter[Any]":
        return Counter({row[0]: row[1] for row in self._connection.execute(query)})

    def _is_ours(self, row: Row[Any]) -> bool:
        return row.status not in LEFT_OUT and self._project_id in (None, row.project_id)

    def _of(self, column: Any) -> tuple[ColumnElement[bool], ...]:
        return () if self._project_id is None else (column == self._project_id,)

    def _quarters(self, over: Cut, periods: Periods) -> Sequence[Sequence[Any]]:
        reading = _reading(over.parts, self._project_id is not None)
        span = {"first": periods.since.date(), "last": periods.now.date()}
        return reading.values(self._connection, **span, project=self._project_id)

    def _edge(self, since: datetime) -> list[Row[Any]]:
        """Return the submissions between a beginning and the next midnight of UTC, spam and trash too."""
        if since == begin_of(since.date()):
            return []
        until = begin_of(since.date() + DAY)
        query = select(*WHOLE).where(
            submissions.c.created_at >= since,
            submissions.c.created_at < until,
            *self._of(submissions.c.project_id),
        )
        return [row for row in self._connection.execute(query) if row.status not in LEFT_OUT]

    def _statuses(self, whole: date, edge: Iterable[Row[Any]]) -> "Counter[str]":
        query = (
            select(DailyCount.status, _sum(DailyCount.submissions))
            .where(
                DailyCount.day >= whole, DailyCount.status.not_in(LEFT_OUT), *self._of(DailyCount.project_id)
            )
            .group_by(DailyCount.status)
        )
        counts = self._counter(query)
        counts.update(row.status for row in edge)
        return counts

    def _open_by_day(self) -> dict[date, int]:
        query = (
            select(DailyCount.day, _sum(DailyCount.submissions))
            .where(
                DailyCount.status.in_(OPEN),
                DailyCount.is_archived.is_(False),
                DailyCount.submissions > 0,
                *self._of(DailyCount.project_id),
            )
            .group_by(DailyCount.day)
        )
        return self._counter(query)

    def _open_on(self, days: Iterable[date]) -> list[datetime]:
        created = submissions.c.created_at
        spans = [and_(created >= begin_of(day), created < begin_of(day + DAY)) for day in sorted(days)]
        query = select(created).where(
            submissions.c.status.in_(OPEN),
            submissions.c.is_archived.is_(False),
            or_(*spans),
            *self._of(submissions.c.project_id),
        )
        return list(self._connection.scalars(query))


@dataclass(frozen=True)
class Responses:
    """How long answers and settling took: log buckets by measure and day (UTC)."""

    counts: dict[tuple[str, date], "Counter[int]"]

    def number(self, measure: str, day: date) -> int:
        """Return how many happened on a day."""
        return self.counts[measure, day].total() if (measure, day) in self.counts else 0

    def median(self, measure: str, since: date, until: date) -> float | None:
        """Return the median in seconds of what happened from `since` to before `until`; None of nothing."""
        whole: Counter[int] = Counter()
        for place in range((until - since).days):
            whole.update(self.counts.get((measure, since + place * DAY), {}))
        return median(whole)


def median(buckets: "Counter[int]") -> float | None:
    """Return the middle of the bucket that holds the median, in seconds; None of nothing."""
    wanted = buckets.total() / 2
    seen = 0
    for bucket in sorted(buckets):
        seen += buckets[bucket]
        if seen >= wanted and seen:
            return middle_of(bucket)
    return None


@cache
def _reading(parts: tuple[tuple[int, int], ...], of_project: bool) -> PreparedSelect:
    """Select how many came in each part of a day, beside its category and day (ISO 8601)."""
    day, category, submissions = quarters.c.day, quarters.c.category, quarters.c.submissions
    others = [_between(low, high) for low, high in parts[1:]]
    # The first part is what the others leave.
    longest = sum((-other for other in others), _sum(submissions))
    sums = [one.label(f"part_{at}") for at, one in enumerate((longest, *others))]
    columns: list[ColumnElement[Any]] = [*sums, category, cast(day, String).label("iso_day")]
    conditions: list[ColumnElement[bool]] = [
        day.between(bindparam("first", type_=Date), bindparam("last", type_=Date))
    ]
    if of_project:
        conditions.append(quarters.c.project_id == bindparam("project", type_=BigInteger))
    return PreparedSelect(select(*columns).where(*conditions).group_by(day, category))


@cache
def _buckets(of_project: bool) -> PreparedSelect:
    table = responses.c
    # In the text itself: a list of values is rendered anew at each run.
    measures: list[ColumnElement[str]] = [literal_column(f"'{measure}'") for measure in MEASURES]
    conditions: list[ColumnElement[bool]] = [table.measure.in_(measures)]
    conditions.append(table.day >= bindparam("since", type_=Date))
    if of_project:
        conditions.append(table.project_id == bindparam("project", type_=BigInteger))
    query = select(table.measure, table.day, table.bucket, _sum(table.submissions).label("submissions"))
    return PreparedSelect(query.where(*conditions).group_by(table.measure, table.day, table.bucket))


def _between(low: int, high: int) -> ColumnElement[int]:
    # As text: SQLAlchemy takes 40 ms to put ninety columns together, SQLite one to add them up.
    return literal_column(f"cast(sum({' + '.join(QUARTERS[low:high])}) as bigint)", BigInteger)


def _sum(column: Any) -> ColumnElement[int]:
    # PostgreSQL sums 64-bit numbers as `numeric`, which would arrive as Decimal.
    return cast(func.sum(column), BigInteger)
