"""Sums over a window of time: of a statement, a route, a browser's timing. Adding two is exact.

A window belongs to one process; the rows of several processes are added when they are read.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.database.tracking.histogram import Histogram

MOST_CALLERS = 20
# How many statements a window tells apart; the rarest of more become one.
MOST_STATEMENTS = 500
OTHERS = "others"
WHOLE = ""  # the key of the sum of all statements, and of all routes


@dataclass(slots=True)
class Sum:
    """Durations: how many, together, least and most, in microseconds, and in log buckets."""

    count: int = 0
    total_us: int = 0
    min_us: int = 0
    max_us: int = 0
    histogram: Histogram = field(default_factory=Histogram)

    def add(self, duration_us: int) -> None:
        """Count one duration."""
        self.min_us = duration_us if self.count == 0 else min(self.min_us, duration_us)
        self.max_us = max(self.max_us, duration_us)
        self.count += 1
        self.total_us += duration_us
        self.histogram.add(duration_us)

    def merge(self, other: "Sum") -> None:
        """Add another's durations."""
        if other.count:
            self.min_us = min(self.min_us, other.min_us) if self.count else other.min_us
        self.max_us = max(self.max_us, other.max_us)
        self.count += other.count
        self.total_us += other.total_us
        self.histogram.merge(other.histogram)

    def values(self) -> dict[str, Any]:
        """Return the columns of a row."""
        return {
            "count": self.count,
            "total_us": self.total_us,
            "min_us": self.min_us,
            "max_us": self.max_us,
            "histogram": self.histogram.as_json(),
        }


@dataclass(slots=True)
class StatementSum(Sum):
    """A statement's durations, rows, errors and slow runs; its callers are counted by samples."""

    rows: int = 0
    errors: int = 0
    slow: int = 0
    callers: dict[tuple[str, str], int] = field(default_factory=dict)

    def merge(self, other: "Sum") -> None:
        """Add another's runs."""
        Sum.merge(self, other)
        assert isinstance(other, StatementSum)
        self.rows += other.rows
        self.errors += other.errors
        self.slow += other.slow
        _add_counts(self.callers, other.callers)

    def values(self) -> dict[str, Any]:
        """Return the columns of a row."""
        callers = sorted(self.callers.items(), key=lambda item: -item[1])[:MOST_CALLERS]
        return Sum.values(self) | {
            "rows": self.rows,
            "errors": self.errors,
            "slow": self.slow,
            "callers": [[origin, line, count] for (origin, line), count in callers],
        }


@dataclass(slots=True)
class RouteSum(Sum):
    """A route's requests; `repeats` maps a fingerprint to [requests that repeat it, most often, line]."""

    errors: int = 0
    statements: int = 0
    statements_max: int = 0
    database_us: int = 0
    repeats: dict[str, list[Any]] = field(default_factory=dict)

    def repeat(self, fingerprint: str, times: int, line: str) -> None:
        """Note that one request issued a statement too often."""
        self._add_repeat(fingerprint, 1, times, line)

    def _add_repeat(self, fingerprint: str, requests: int, most: int, line: str) -> None:
        known = self.repeats.setdefault(fingerprint, [0, 0, line])
        known[0] += requests
        known[1] = max(known[1], most)
        known[2] = line or known[2]

    def merge(self, other: "Sum") -> None:
        """Add another's requests."""
        Sum.merge(self, other)
        assert isinstance(other, RouteSum)
        self.errors += other.errors
        self.statements += other.statements
        self.statements_max = max(self.statements_max, other.statements_max)
        self.database_us += other.database_us
        for fingerprint, (requests, most, line) in other.repeats.items():
            self._add_repeat(fingerprint, requests, most, line)

    def values(self) -> dict[str, Any]:
        """Return the columns of a row."""
        return Sum.values(self) | {
            "errors": self.errors,
            "statements": self.statements,
            "statements_max": self.statements_max,
            "database_us": self.database_us,
            "repeats": self.repeats,
        }


@dataclass(slots=True)
class Window:
    """All sums of one span of time in one process."""

    statements: dict[str, StatementSum] = field(default_factory=dict)
    routes: dict[str, RouteSum] = field(default_factory=dict)
    browser: dict[tuple[str, str], Sum] = field(default_factory=dict)
    last_seen: datetime | None = None

    def __bool__(self) -> bool:
        return bool(self.statements or self.routes or self.browser)

    def merge(self, other: "Window") -> None:
        """Add another's sums."""
        for key, statement in other.statements.items():
            full = len(self.statements) > 2 * MOST_STATEMENTS and key not in self.statements
            self.statements.setdefault(OTHERS if full else key, StatementSum()).merge(statement)
        for route, requests in other.routes.items():
            self.routes.setdefault(route, RouteSum()).merge(requests)
        for timing, durations in other.browser.items():
            self.browser.setdefault(timing, Sum()).merge(durations)
        self.last_seen = other.last_seen or self.last_seen

    def fold_rarest(self) -> None:
        """Make one of the rarer half of the statements, where there are more than are told apart."""
        if len(self.statements) <= MOST_STATEMENTS:
            return
        kept = {WHOLE, OTHERS}
        rarest = sorted(self.statements.keys() - kept, key=lambda key: self.statements[key].count)
        for key in rarest[: len(rarest) // 2]:
            self.statements.setdefault(OTHERS, StatementSum()).merge(self.statements.pop(key))


def _add_counts(counts: dict[tuple[str, str], int], others: dict[tuple[str, str], int]) -> None:
    for key, count in others.items():
        counts[key] = counts.get(key, 0) + count


def statement_of(row: Any) -> StatementSum:
    """Read a statement's sum from its row."""
    return StatementSum(
        **_sum(row),
        rows=row.rows,
        errors=row.errors,
        slow=row.slow,
        callers={(origin, line): count for origin, line, count in row.callers},
    )


def route_of(row: Any) -> RouteSum:
    """Read a route's sum from its row."""
    return RouteSum(
        **_sum(row),
        errors=row.errors,
        statements=row.statements,
        statements_max=row.statements_max,
        database_us=row.database_us,
        repeats=row.repeats,
    )


def sum_of(row: Any) -> Sum:
    """Read a plain sum from its row."""
    return Sum(**_sum(row))


def _sum(row: Any) -> dict[str, Any]:
    return {
        "count": row.count,
        "total_us": row.total_us,
        "min_us": row.min_us,
        "max_us": row.max_us,
        "histogram": Histogram.of_json(row.histogram),
    }
