"""retention policies and runs

Revision: 0013, after 0012
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from app.database.types import Json, UtcTime
from app.models.identifiers import new_public_id

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# As shipped with this version; later ones do not change what an instance has.
POLICIES = (
    ("Resolved", "submissions", "resolved", 90, "changed"),
    ("Closed", "submissions", "closed", 30, "changed"),
    ("Rejected", "submissions", "rejected", 7, "changed"),
    ("Spam", "submissions", "spam", 30, "changed"),
    ("Trash", "submissions", "trash", 30, "changed"),
    ("Everything", "submissions", None, 365, "created"),
    ("Audit entries", "audit", None, 730, "created"),
    ("Statistics", "statistics", None, 90, "created"),
    ("Slow log", "slow_log", None, 90, "created"),
    ("Sessions", "sessions", None, 90, "created"),
    ("Deliveries", "deliveries", None, 30, "created"),
    ("Rate limits", "rate_limits", None, 1, "created"),
)
MEASURE = " + ".join(
    f"case when keep_{measure} is null then 0 else 1 end" for measure in ("days", "submissions", "bytes")
)


def upgrade() -> None:
    policies = op.create_table(
        "retention_policies",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=True),
        sa.Column("category", sa.String(), nullable=True),
        sa.Column("status", sa.String(), nullable=True),
        sa.Column("query", sa.String(), nullable=True),
        sa.Column("keep_days", sa.BigInteger(), nullable=True),
        sa.Column("keep_submissions", sa.BigInteger(), nullable=True),
        sa.Column("keep_bytes", sa.BigInteger(), nullable=True),
        sa.Column("since", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("fields", Json, nullable=False),
        sa.Column("archive", sa.Boolean(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.CheckConstraint("action in ('delete', 'drop_screenshots', 'anonymise')", name="action"),
        sa.CheckConstraint("since in ('created', 'changed')", name="since"),
        sa.CheckConstraint(f"{MEASURE} = 1", name="measure"),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_retention_policies_project_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retention_policies")),
        sa.UniqueConstraint("name", name=op.f("uq_retention_policies_name")),
        sa.UniqueConstraint("public_id", name=op.f("uq_retention_policies_public_id")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_retention_policies_project_id"), "retention_policies", ["project_id"])
    now = datetime.now(UTC)
    op.bulk_insert(
        policies,
        [
            {
                "public_id": new_public_id(), "name": name, "kind": kind, "status": status,
                "keep_days": days, "since": since, "action": "delete", "fields": [],
                "archive": False, "is_active": True, "created_at": now, "updated_at": now,
            }
            for name, kind, status, days, since in POLICIES
        ],
    )  # fmt: skip
    op.create_table(
        "retention_runs",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("trigger", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("request", Json, nullable=False),
        sa.Column("started_at", UtcTime(), nullable=False),
        sa.Column("seen_at", UtcTime(), nullable=False),
        sa.Column("finished_at", UtcTime(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("submissions", sa.BigInteger(), nullable=False),
        sa.Column("screenshots", sa.BigInteger(), nullable=False),
        sa.Column("changed", sa.BigInteger(), nullable=False),
        sa.Column("others", sa.BigInteger(), nullable=False),
        sa.Column("freed_bytes", sa.BigInteger(), nullable=False),
        sa.Column("batches", sa.BigInteger(), nullable=False),
        sa.Column("duration_ms", sa.BigInteger(), nullable=False),
        sa.Column("longest_lock_ms", sa.BigInteger(), nullable=False),
        sa.Column("lines", Json, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retention_runs")),
        sa.UniqueConstraint("public_id", name=op.f("uq_retention_runs_public_id")),
        sqlite_strict=True,
    )
    op.create_index("ix_retention_runs_started", "retention_runs", ["started_at", "id"])


def downgrade() -> None:
    op.drop_table("retention_runs")
    op.drop_table("retention_policies")
