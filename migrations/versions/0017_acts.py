"""what submissions were before an act, so that it can be undone

Revision: 0017, after 0016
"""

import sqlalchemy as sa
from alembic import op

from app.database.types import Json, UtcTime

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "acts",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("values", Json, nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("undone_at", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_acts")),
        sa.UniqueConstraint("public_id", name=op.f("uq_acts_public_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_acts_user_id"), ondelete="CASCADE"),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_acts_user_id"), "acts", ["user_id"])
    op.create_index(op.f("ix_acts_created_at"), "acts", ["created_at"])
    op.create_table(
        "act_rows",
        sa.Column("act_id", sa.BigInteger(), nullable=False),
        sa.Column("feedback_id", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("is_read", sa.Boolean(), nullable=False),
        sa.Column("is_archived", sa.Boolean(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("assignee_id", sa.BigInteger(), nullable=True),
        sa.Column("settled_at", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("act_id", "feedback_id", name=op.f("pk_act_rows")),
        sa.ForeignKeyConstraint(["act_id"], ["acts.id"], name=op.f("fk_act_rows_act_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["feedback_id"],
            ["feedback_submissions.id"],
            name=op.f("fk_act_rows_feedback_id"),
            ondelete="CASCADE",
        ),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_act_rows_feedback_id"), "act_rows", ["feedback_id"])


def downgrade() -> None:
    op.drop_table("act_rows")
    op.drop_table("acts")
