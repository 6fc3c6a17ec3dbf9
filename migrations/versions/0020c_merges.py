"""submissions that say what another one says already

Revision: 0020c, after 0020b
"""

import sqlalchemy as sa
from alembic import op

from app.database.types import UtcTime

revision = "0020c"
down_revision = "0020b"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "merges",
        sa.Column("feedback_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("into_id", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("feedback_id", name=op.f("pk_merges")),
        sa.ForeignKeyConstraint(
            ["feedback_id"],
            ["feedback_submissions.id"],
            name=op.f("fk_merges_feedback_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["into_id"], ["feedback_submissions.id"], name=op.f("fk_merges_into_id"), ondelete="SET NULL"
        ),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_merges_into_id"), "merges", ["into_id"])


def downgrade() -> None:
    op.drop_table("merges")
