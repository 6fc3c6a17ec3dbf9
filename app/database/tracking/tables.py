"""The tables that query tracking keeps its figures in, defined on any program's metadata.

A row of the three `*_statistics` tables is the sum of one process (`worker`) over one window, a minute or an
hour (`seconds` from `start`). A process writes its own rows over again with its sums so far, so a write whose
answer was lost can simply be repeated; the rows of several processes are added when they are read.
"""

from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
)

from app.database.types import Json, UtcTime

MINUTE = 60
HOUR = 3600


@dataclass(frozen=True)
class StatisticsTables:
    """The tables of one metadata."""

    texts: Table
    statements: Table
    requests: Table
    browser: Table
    slow: Table
    processes: Table
    samples: Table

    @property
    def names(self) -> frozenset[str]:
        """Names of all of them; their own statements are not tracked."""
        return frozenset(table.name for table in vars(self).values())


def define_tables(metadata: MetaData) -> StatisticsTables:
    """Define the tables on a program's metadata, once; its migrations or `create_all` make them."""
    return StatisticsTables(
        texts=Table(
            "query_texts",
            metadata,
            Column("fingerprint", String, primary_key=True),
            Column("text", String, nullable=False),
        ),
        statements=_window_table(
            metadata, "query_statistics", ("fingerprint",), ("rows", "errors", "slow"), "callers"
        ),
        requests=_window_table(
            metadata,
            "request_statistics",
            ("route",),
            ("errors", "statements", "statements_max", "database_us"),
            "repeats",
        ),
        browser=_window_table(metadata, "browser_statistics", ("page", "metric"), (), None),
        slow=_slow_table(metadata),
        processes=_processes_table(metadata),
        samples=Table(
            "resource_samples",
            metadata,
            _identity(),
            Column("taken_at", UtcTime, nullable=False),
            Column("gauges", Json, nullable=False),
            Index("ix_resource_samples_taken_at", "taken_at"),
        ),
    )


def _identity() -> Column[int]:
    return Column("id", BigInteger, primary_key=True)


def _window_table(
    metadata: MetaData, name: str, key: tuple[str, ...], counts: tuple[str, ...], more: str | None
) -> Table:
    return Table(
        name,
        metadata,
        Column("seconds", BigInteger, nullable=False),
        Column("start", UtcTime, nullable=False),
        *(Column(column, String, nullable=False) for column in key),
        Column("worker", String, nullable=False),
        *(
            Column(column, BigInteger, nullable=False)
            for column in ("count", "total_us", "min_us", "max_us", *counts)
        ),
        Column("histogram", Json, nullable=False),
        *((Column(more, Json, nullable=False),) if more else ()),
        Column("last_seen", UtcTime, nullable=False),
        PrimaryKeyConstraint("seconds", *key, "start", "worker"),
        Index(f"ix_{name}_start", "seconds", "start"),
    )


def _slow_table(metadata: MetaData) -> Table:
    return Table(
        "slow_queries",
        metadata,
        _identity(),
        Column("created_at", UtcTime, nullable=False),
        Column("fingerprint", String, nullable=False),
        Column("text", String, nullable=False),
        Column("origin", String, nullable=False),
        Column("request_id", String),
        Column("line", String, nullable=False),
        Column("duration_us", BigInteger, nullable=False),
        Column("rows", BigInteger, nullable=False),
        Column("error", String),
        Column("plan", Json),
        Index("ix_slow_queries_created_at_id", "created_at", "id"),
        Index("ix_slow_queries_fingerprint_created_at_id", "fingerprint", "created_at", "id"),
    )


def _processes_table(metadata: MetaData) -> Table:
    return Table(
        "processes",
        metadata,
        _identity(),
        Column("worker", String, nullable=False),
        Column("kind", String, nullable=False),
        Column("pid", BigInteger, nullable=False),
        Column("started_at", UtcTime, nullable=False),
        Column("seen_at", UtcTime, nullable=False),
        Column("gauges", Json, nullable=False),
        Column("end_statement", String),
        UniqueConstraint("worker"),
    )
