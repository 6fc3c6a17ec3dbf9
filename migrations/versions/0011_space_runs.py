"""space runs

Revision: 0011, after 0010
"""

import sqlalchemy as sa
from alembic import op

from app.database.types import UtcTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "space_runs",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("started_at", UtcTime(), nullable=False),
        sa.Column("duration_ms", sa.BigInteger(), nullable=False),
        sa.Column("used_bytes", sa.BigInteger(), nullable=False),
        sa.Column("before_bytes", sa.BigInteger(), nullable=False),
        sa.Column("after_bytes", sa.BigInteger(), nullable=False),
        sa.Column("peak_bytes", sa.BigInteger(), nullable=False),
        sa.Column("started_by", sa.String(), nullable=False),
        sa.CheckConstraint("kind in ('incremental', 'full', 'analyze')", name=op.f("ck_space_runs_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_space_runs")),
        sqlite_strict=True,
    )
    op.create_index("ix_space_runs_kind", "space_runs", ["kind", "id"])


def downgrade() -> None:
    op.drop_table("space_runs")
