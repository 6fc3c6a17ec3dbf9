"""What the performance API takes. Types are strict, and a name that is not known is refused."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, StringConstraints, WithJsonSchema

from app.blueprints.performance.spans import DEFAULT_SINCE, parse_since
from app.clock import utc_now
from app.validation import Strict

LONGEST_SQL = 20_000
MOST_PARAMS = 1000

StatementSort = Literal["total", "avg", "p95", "p99", "max", "count", "rows", "slow", "errors", "last_seen"]
RouteSort = Literal["total", "avg", "p95", "p99", "max", "count", "errors", "last_seen"]


def _count(value: Any) -> Any:
    return int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]{1,6}", value) else value


def _since(value: Any) -> Any:
    return parse_since(value, utc_now()) if isinstance(value, str) else value


def _sort(value: Any) -> Any:
    # The figures' own names are taken too: `total_ms` is `total`, `slow_count` is `slow`.
    return re.sub(r"(?<=[a-z0-9])_(ms|count)$", "", value) if isinstance(value, str) else value


def last_day() -> datetime:
    """Return the moment from which figures are shown where nothing else is asked."""
    return parse_since(DEFAULT_SINCE, utc_now())


Since = Annotated[
    datetime,
    BeforeValidator(_since),
    Field(description="A length such as 1h, 24h (the default) or 7d, or an RFC 3339 time."),
    WithJsonSchema({"type": "string", "default": DEFAULT_SINCE}),
]
Limit = Annotated[int, Field(ge=1, le=200), BeforeValidator(_count)]
Fingerprint = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{12}$")]


class SpanQuery(Strict):
    """How far back the figures look."""

    since: Since = Field(default_factory=last_day)


class StatementsQuery(SpanQuery):
    """Which statements, and in which order; the most first."""

    sort: Annotated[StatementSort, BeforeValidator(_sort)] = "total"
    limit: Limit = 50
    search: Annotated[str, Field(max_length=200, description="A part of the SQL.")] | None = None


class RoutesQuery(SpanQuery):
    """Which routes, and in which order; the most first."""

    sort: Annotated[RouteSort, BeforeValidator(_sort)] = "total"
    limit: Limit = 50


class SlowQuery(Strict):
    """A page of the slow log; without `since` all that it holds."""

    fingerprint: Fingerprint | None = None
    since: Since | None = None
    limit: Limit = 50
    cursor: str | None = None


class StatementPath(BaseModel):
    """The address of a statement."""

    fingerprint: Annotated[str, Field(max_length=64, description="Fingerprint.")]


class RunningPath(BaseModel):
    """The address of a running statement."""

    statement_id: Annotated[str, Field(max_length=128, description="Id of a running statement.")]


class PlanBody(Strict):
    """A statement of the operator's, to be planned and never run."""

    sql: Annotated[str, Field(min_length=1, max_length=LONGEST_SQL)]
    params: (
        Annotated[list[str | int | float | bool | None], Field(max_length=MOST_PARAMS)]
        | Annotated[dict[str, str | int | float | bool | None], Field(max_length=MOST_PARAMS)]
        | None
    ) = None


class IndexBody(SpanQuery):
    """An index that the advice of that span, or for one statement, offers, word for word."""

    ddl: Annotated[str, Field(min_length=1, max_length=LONGEST_SQL)]
    fingerprint: Annotated[str, Field(max_length=64)] | None = None
