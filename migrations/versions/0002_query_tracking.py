"""query tracking

Revision: 0002, after 0001
"""

import sqlalchemy as sa
from alembic import op

from app.database.types import Json, UtcTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "browser_statistics",
        sa.Column("seconds", sa.BigInteger(), nullable=False),
        sa.Column("start", UtcTime(), nullable=False),
        sa.Column("page", sa.String(), nullable=False),
        sa.Column("metric", sa.String(), nullable=False),
        sa.Column("worker", sa.String(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("total_us", sa.BigInteger(), nullable=False),
        sa.Column("min_us", sa.BigInteger(), nullable=False),
        sa.Column("max_us", sa.BigInteger(), nullable=False),
        sa.Column("histogram", Json, nullable=False),
        sa.Column("last_seen", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint(
            "seconds", "page", "metric", "start", "worker", name=op.f("pk_browser_statistics")
        ),
        sqlite_strict=True,
    )
    op.create_index("ix_browser_statistics_start", "browser_statistics", ["seconds", "start"])

    op.create_table(
        "processes",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("worker", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("pid", sa.BigInteger(), nullable=False),
        sa.Column("started_at", UtcTime(), nullable=False),
        sa.Column("seen_at", UtcTime(), nullable=False),
        sa.Column("gauges", Json, nullable=False),
        sa.Column("end_statement", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_processes")),
        sa.UniqueConstraint("worker", name=op.f("uq_processes_worker")),
        sqlite_strict=True,
    )
    op.create_table(
        "query_statistics",
        sa.Column("seconds", sa.BigInteger(), nullable=False),
        sa.Column("start", UtcTime(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("worker", sa.String(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("total_us", sa.BigInteger(), nullable=False),
        sa.Column("min_us", sa.BigInteger(), nullable=False),
        sa.Column("max_us", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("errors", sa.BigInteger(), nullable=False),
        sa.Column("slow", sa.BigInteger(), nullable=False),
        sa.Column("histogram", Json, nullable=False),
        sa.Column("callers", Json, nullable=False),
        sa.Column("last_seen", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint(
            "seconds", "fingerprint", "start", "worker", name=op.f("pk_query_statistics")
        ),
        sqlite_strict=True,
    )
    op.create_index("ix_query_statistics_start", "query_statistics", ["seconds", "start"])

    op.create_table(
        "query_texts",
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_query_texts")),
        sqlite_strict=True,
    )
    op.create_table(
        "request_statistics",
        sa.Column("seconds", sa.BigInteger(), nullable=False),
        sa.Column("start", UtcTime(), nullable=False),
        sa.Column("route", sa.String(), nullable=False),
        sa.Column("worker", sa.String(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("total_us", sa.BigInteger(), nullable=False),
        sa.Column("min_us", sa.BigInteger(), nullable=False),
        sa.Column("max_us", sa.BigInteger(), nullable=False),
        sa.Column("errors", sa.BigInteger(), nullable=False),
        sa.Column("statements", sa.BigInteger(), nullable=False),
        sa.Column("statements_max", sa.BigInteger(), nullable=False),
        sa.Column("database_us", sa.BigInteger(), nullable=False),
        sa.Column("histogram", Json, nullable=False),
        sa.Column("repeats", Json, nullable=False),
        sa.Column("last_seen", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("seconds", "route", "start", "worker", name=op.f("pk_request_statistics")),
        sqlite_strict=True,
    )
    op.create_index("ix_request_statistics_start", "request_statistics", ["seconds", "start"])

    op.create_table(
        "resource_samples",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("taken_at", UtcTime(), nullable=False),
        sa.Column("gauges", Json, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resource_samples")),
        sqlite_strict=True,
    )
    op.create_index("ix_resource_samples_taken_at", "resource_samples", ["taken_at"])

    op.create_table(
        "slow_queries",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=True),
        sa.Column("line", sa.String(), nullable=False),
        sa.Column("duration_us", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("plan", Json, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slow_queries")),
        sqlite_strict=True,
    )
    op.create_index("ix_slow_queries_created_at_id", "slow_queries", ["created_at", "id"])
    op.create_index(
        "ix_slow_queries_fingerprint_created_at_id", "slow_queries", ["fingerprint", "created_at", "id"]
    )


def downgrade() -> None:
    for name in (
        "slow_queries",
        "resource_samples",
        "request_statistics",
        "query_texts",
        "query_statistics",
        "processes",
        "browser_statistics",
    ):
        op.drop_table(name)
