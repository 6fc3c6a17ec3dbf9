"""holds

Revision: 0003, after 0002
"""

import sqlalchemy as sa
from alembic import op

from app.database.types import UtcTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "holds",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("covers", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("placed_by", sa.String(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("until", UtcTime(), nullable=True),
        sa.Column("released_at", UtcTime(), nullable=True),
        sa.Column("released_by", sa.String(), nullable=True),
        sa.Column("project_id", sa.BigInteger(), nullable=True),
        sa.Column("category", sa.String(), nullable=True),
        sa.Column("status", sa.String(), nullable=True),
        sa.CheckConstraint("covers in ('submission', 'filter')", name=op.f("ck_holds_covers")),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_holds_project_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holds")),
        sa.UniqueConstraint("public_id", name=op.f("uq_holds_public_id")),
        sqlite_strict=True,
    )
    op.create_index("ix_holds_created", "holds", ["created_at", "id"])
    op.create_index(op.f("ix_holds_project_id"), "holds", ["project_id"])
    op.create_index(
        "ix_holds_active",
        "holds",
        ["until"],
        sqlite_where=sa.text("released_at is null"),
        postgresql_where=sa.text("released_at is null"),
    )
    op.create_table(
        "held_submissions",
        sa.Column("feedback_id", sa.BigInteger(), nullable=False),
        sa.Column("hold_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["feedback_id"],
            ["feedback_submissions.id"],
            name=op.f("fk_held_submissions_feedback_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["hold_id"], ["holds.id"], name=op.f("fk_held_submissions_hold_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("feedback_id", "hold_id", name=op.f("pk_held_submissions")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_held_submissions_hold_id"), "held_submissions", ["hold_id"])
    # Adding a column with a constant default rewrites no row, on either database.
    op.add_column(
        "feedback_submissions", sa.Column("held", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.create_index(
        "ix_feedback_submissions_held",
        "feedback_submissions",
        ["id"],
        sqlite_where=sa.text("held"),
        postgresql_where=sa.text("held"),
    )


def downgrade() -> None:
    op.drop_index("ix_feedback_submissions_held", "feedback_submissions")
    op.drop_column("feedback_submissions", "held")
    op.drop_table("held_submissions")
    op.drop_table("holds")
