"""What was measured, as values: figures of statements, routes and processes over a span of time.

Milliseconds everywhere (`_ms`), moments aware and in UTC. Percentiles come from log buckets and are right to
within 1 % (`app/database/tracking/histogram.py`).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Caller:
    """Who issued a statement: the route, command or job, and the first line of the application."""

    origin: str
    line: str
    count: int


@dataclass(frozen=True)
class Timing:
    """How long something took, over all its runs."""

    count: int
    total_ms: float
    avg_ms: float
    min_ms: float
    max_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float


@dataclass(frozen=True)
class StatementFigures:
    """One statement's figures; `text` is its normalised SQL, `share` its part of all time (0–1)."""

    fingerprint: str
    text: str
    timing: Timing
    rows: int
    errors: int
    slow_count: int
    share: float
    last_seen: datetime
    callers: tuple[Caller, ...]


@dataclass(frozen=True)
class Column:
    """One column of a histogram: how many runs took from `low_ms` (inclusive) to `high_ms`."""

    low_ms: float
    high_ms: float
    count: int


@dataclass(frozen=True)
class Point:
    """One step of a series over time."""

    start: datetime
    count: int
    errors: int
    p50_ms: float
    p95_ms: float
    p99_ms: float


@dataclass(frozen=True)
class StatementDetail:
    """One statement: its figures, how long its runs took, and that over time."""

    figures: StatementFigures
    histogram: tuple[Column, ...]
    series: tuple[Point, ...]


@dataclass(frozen=True)
class Repeat:
    """A statement issued more often in one request than it should be (N+1)."""

    fingerprint: str
    text: str
    line: str
    requests: int
    most: int


@dataclass(frozen=True)
class RouteFigures:
    """One route's figures, with its statements a request and what it repeats."""

    route: str
    timing: Timing
    errors: int
    statements_avg: float
    statements_max: int
    database_avg_ms: float
    repeats: tuple[Repeat, ...]
    last_seen: datetime


@dataclass(frozen=True)
class BrowserFigures:
    """One timing of the visitors' browsers on one page; `timing` is without unit for CLS (times 1,000)."""

    page: str
    metric: str
    timing: Timing


@dataclass(frozen=True)
class Overview:
    """Everything over a span: requests and statements together and over time."""

    since: datetime
    requests: Timing
    request_errors: int
    statements: Timing
    statement_errors: int
    kinds: int
    request_series: tuple[Point, ...]
    statement_series: tuple[Point, ...]


@dataclass(frozen=True)
class ProcessFigures:
    """What one process last said of itself; `gauges` by name, as each was published."""

    worker: str
    kind: str
    pid: int
    started_at: datetime
    seen_at: datetime
    gauges: dict[str, Any]
    monitor_share: float
    monitor_us_a_statement: float
    dropped: int
