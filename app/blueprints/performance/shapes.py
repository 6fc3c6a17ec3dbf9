"""The shapes of the performance API's answers, as OpenAPI describes them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from app.blueprints.performance.views import Sample
from app.database.advice.advise import IndexAdvice, Search
from app.database.gauges.alerts import Alert
from app.database.gauges.measure import DatabaseGauges
from app.database.gauges.running import LongRunning
from app.database.gauges.waits import Waits
from app.database.plans.plan import Finding, Node, Plan
from app.database.tracking.figures import Caller, Column, Point, ProcessFigures, Repeat
from app.observability.resources import DiskGauges, ProcessGauges
from app.responses import PageInfo


class Timed(BaseModel):
    """How long something took, over all its runs; percentiles are right to within 1 %."""

    count: int
    total_ms: float
    avg_ms: float
    min_ms: float
    max_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float


class Statement(Timed):
    """One statement's figures; `share` is its part of all time (0–1)."""

    fingerprint: str
    text: str
    rows: int
    errors: int
    slow_count: int
    share: float
    last_seen: datetime
    callers: list[Caller]


class StatementList(BaseModel):
    """Statements, the most first."""

    success: Literal[True]
    data: list[Statement]
    page: PageInfo


class Issuer(BaseModel):
    """A route, command or job that issues a statement."""

    origin: str
    count: int


class WholeStatement(Statement):
    """One statement with all that is known of it; `plan` is that of the slowest run that has one."""

    routes: list[Issuer]
    histogram: list[Column]
    series: list[Point]
    samples: list[Sample]
    plan: Plan | None
    advice: list[IndexAdvice]
    search: Search


class OneStatement(BaseModel):
    """One statement."""

    success: Literal[True]
    data: WholeStatement


class Begun(BaseModel):
    """When the statistics began."""

    since: datetime


class Afresh(BaseModel):
    """The statistics began afresh."""

    success: Literal[True]
    data: Begun


class SlowList(BaseModel):
    """A page of the slow log, the newest first."""

    success: Literal[True]
    data: list[Sample]
    page: PageInfo


class Browsed(Timed):
    """One timing of the browsers; CLS in thousandths."""

    page: str
    metric: str


class Route(Timed):
    """One route's figures on the server, the browsers' own beside them."""

    route: str
    errors: int
    statements_avg: float
    statements_max: int
    database_avg_ms: float
    repeats: list[Repeat]
    last_seen: datetime
    browser: list[Browsed]


class RouteList(BaseModel):
    """Routes, the most first."""

    success: Literal[True]
    data: list[Route]
    page: PageInfo


class PlanAnswer(BaseModel):
    """A plan's first steps, what is wrong with it (worst first), and indexes that would be used."""

    database: str
    plan: list[Node]
    findings: list[Finding]
    indexes: list[IndexAdvice]
    search: Search


class OnePlan(BaseModel):
    """The plan of a statement."""

    success: Literal[True]
    data: PlanAnswer


class IndexUse(BaseModel):
    """One index: `used` says whether the plan of a tracked statement uses it."""

    name: str
    table: str
    columns: list[str]
    unique: bool
    size_bytes: int | None
    used: bool
    used_by: list[str]
    verdict: Literal["used", "unused", "duplicate", "redundant", "unknown"]
    because: str


class IndexLists(BaseModel):
    """Every index, and those that are missing, the most gain first."""

    indexes: list[IndexUse]
    advice: list[IndexAdvice]
    search: Search


class Indexes(BaseModel):
    """The indexes."""

    success: Literal[True]
    data: IndexLists


class Built(BaseModel):
    """The index that was built."""

    ddl: str


class BuiltIndex(BaseModel):
    """An index was built."""

    success: Literal[True]
    data: Built


Level = Literal["ok", "warning", "critical"]


@dataclass(frozen=True)
class ProcessAnswer(ProcessGauges):
    """This process, with the level of its part of the machine's memory."""

    level: Level


@dataclass(frozen=True)
class DatabaseAnswer(DatabaseGauges):
    """The database, its growth, and the level of the disk that it lies on."""

    growth_bytes_a_day: float | None
    days_until_full: float | None
    level: Level


class ResourceAnswer(BaseModel):
    """This process, the disks (`database`, `screenshots`, `logs`), the database, every process, alerts."""

    process: ProcessAnswer
    processes: list[ProcessFigures]
    disks: dict[str, DiskGauges | None]
    database: DatabaseAnswer
    alerts: list[Alert]


class Resources(BaseModel):
    """What the process, its disks and the database take."""

    success: Literal[True]
    data: ResourceAnswer


class PoolSettings(BaseModel):
    """What the pool was told: null is no limit."""

    size: int
    max_overflow: int
    timeout_s: float
    capacity: int | None


class PoolFigures(BaseModel):
    """One process's connections; `use` is the part of the capacity that is checked out (0–1)."""

    settings: PoolSettings
    checked_out: int
    idle: int
    overflow: int
    use: float
    health_score: int
    waits: Waits


class WorkerPool(PoolFigures):
    """The connections of one process, as it said last."""

    worker: str
    kind: str
    pid: int


class PoolAnswer(PoolFigures):
    """This process's connections, every process's, and what runs for long in any."""

    workers: list[WorkerPool]
    statements: list[LongRunning]


class Pool(BaseModel):
    """The connection pool."""

    success: Literal[True]
    data: PoolAnswer


class Asked(BaseModel):
    """The statement that was asked to end."""

    id: str


class Ending(BaseModel):
    """A statement will end within a second."""

    success: Literal[True]
    data: Asked
