"""What one submission counts for, and sums of it: one definition for counting, moving and checking."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from math import ceil, log
from typing import Any, Protocol
from urllib.parse import urlsplit

FACTS = ("page", "browser", "release", "rating")
MEASURES = ("answer", "settle")
# What nobody wants to see among the figures; they stand in their own boxes.
LEFT_OUT = frozenset({"spam", "trash"})
NOT_TOLD = ""
# A quarter of an hour: every time zone in use is a whole number of them from UTC (IANA tz).
QUARTERS_A_DAY = 96
QUARTERS = tuple(f"q{quarter:02}" for quarter in range(QUARTERS_A_DAY))
_QUIET_DAY = (0,) * QUARTERS_A_DAY
MOST_CHARACTERS = 200
# Log buckets as of DDSketch (Masson, Rim, Lee, VLDB 2019, lemma 2): the middle of one is off by at most
# (γ-1)/(γ+1), with γ = 1.05 2.4 %. A year is bucket 354.
GAMMA = 1.05
_PER_LOG = 1 / log(GAMMA)


class Counted(Protocol):
    """The columns of a submission that roll-ups look at: a row or the entity."""

    project_id: Any
    created_at: Any
    category: Any
    status: Any
    url: Any
    browser: Any
    os: Any
    custom: Any
    rating: Any
    first_answered_at: Any
    settled_at: Any


@dataclass
class Ledger:
    """Differences by key; `add` with a sign of -1 takes away."""

    quarters: Counter[tuple[date, int, str, int]] = field(default_factory=Counter)
    facts: Counter[tuple[str, date, int, str]] = field(default_factory=Counter)
    responses: Counter[tuple[str, date, int, int]] = field(default_factory=Counter)

    @staticmethod
    def of(row: Counted) -> "Ledger":
        """Return what one submission counts for."""
        ledger = Ledger()
        ledger.add(row)
        return ledger

    def add(self, row: Counted, sign: int = 1) -> None:
        """Add all that a submission counts for."""
        if row.status in LEFT_OUT:
            return
        self.add_times(row, sign)
        self.add_facts(row, sign)

    def add_facts(self, row: Counted, sign: int) -> None:
        """Add what a submission says of itself."""
        facts, day, project = self.facts, row.created_at.date(), row.project_id
        for fact, value in facts_of(row):
            facts[fact, day, project, value] += sign

    def add_times(self, row: Any, sign: int) -> None:
        """Add when a submission came, was answered and settled, without what it says of itself."""
        if row.status in LEFT_OUT:
            return
        created, project = row.created_at, row.project_id
        self.quarters[created.date(), project, row.category, quarter_of(created)] += sign
        for measure, moment in (("answer", row.first_answered_at), ("settle", row.settled_at)):
            if moment is not None:
                bucket = bucket_of((moment - created).total_seconds())
                self.responses[measure, moment.date(), project, bucket] += sign

    def quarter_rows(self) -> list[list[Any]]:
        """Return the rows to add to `quarter_counts`: day, project, category, submissions, every quarter."""
        rows: dict[tuple[date, int, str], list[Any]] = {}
        for (day, project, category, quarter), count in sorted(_changed(self.quarters)):
            row = rows.get((day, project, category))
            if row is None:
                row = rows[day, project, category] = [day, project, category, 0, *_QUIET_DAY]
            row[3] += count
            row[4 + quarter] = count
        return list(rows.values())

    def fact_rows(self) -> list[tuple[Any, ...]]:
        """Return the rows to add to `fact_counts`: fact, day, project, value, submissions."""
        return [(*key, count) for key, count in sorted(_changed(self.facts))]

    def response_rows(self) -> list[tuple[Any, ...]]:
        """Return the rows to add to `response_counts`: measure, day, project, bucket, submissions."""
        return [(*key, count) for key, count in sorted(_changed(self.responses))]


def _changed(counter: "Counter[Any]") -> Iterable[tuple[Any, int]]:
    return ((key, count) for key, count in counter.items() if count)


def facts_of(row: Counted) -> tuple[tuple[str, str], ...]:
    """Return what a submission says of itself, as name and value; a value is `NOT_TOLD` where it does not."""
    custom: Mapping[str, str] = row.custom or {}
    rating = NOT_TOLD if row.rating is None else str(row.rating)
    return (
        ("page", page_of(row.url)),
        ("browser", browser_of(row.browser, row.os)),
        ("release", custom.get("release", NOT_TOLD)[:MOST_CHARACTERS]),
        ("rating", rating),
    )


def quarter_of(moment: datetime) -> int:
    """Return which quarter of an hour of its day (UTC) a moment lies in, 0–95."""
    return moment.hour * 4 + moment.minute // 15


def bucket_of(seconds: float) -> int:
    """Return the log bucket of a duration; what is under a second counts as one."""
    return ceil(log(seconds) * _PER_LOG) if seconds > 1 else 0


def middle_of(bucket: int) -> float:
    """Return the duration in seconds that stands for a bucket."""
    return 2 * GAMMA**bucket / (GAMMA + 1) if bucket > 0 else 1.0


@lru_cache(maxsize=4096)
def page_of(url: str | None) -> str:
    """Return host and path of an address, `shop.example/basket`; `NOT_TOLD` for one that is none."""
    if url is None:
        return NOT_TOLD
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return NOT_TOLD
    if parts.scheme not in ("http", "https") or not host:
        return NOT_TOLD
    return f"{host}{parts.path or '/'}"[:MOST_CHARACTERS]


@lru_cache(maxsize=4096)
def browser_of(browser: str | None, system: str | None) -> str:
    """Return a browser and its system without their versions, `Chrome, Windows`."""
    names = [re.sub(r"[ /][\d._]+\Z", "", name).strip() for name in (browser, system) if name]
    return ", ".join(names)[:MOST_CHARACTERS] if browser else NOT_TOLD
