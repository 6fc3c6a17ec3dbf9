"""macros: replies and notes that are written once, with what is set when they are sent

Revision: 0020d, after 0020c
"""

import sqlalchemy as sa
from alembic import op

from app.database.types import Json, UtcTime

revision = "0020d"
down_revision = "0020c"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "macros",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=True),
        sa.Column("assignee", sa.String(), nullable=True),
        sa.Column("tags", Json, nullable=False),
        sa.Column("is_shared", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.CheckConstraint("kind in ('reply', 'note')", name=op.f("ck_macros_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_macros")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_macros_user_id"), ondelete="CASCADE"
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_macros_public_id")),
        sa.UniqueConstraint("user_id", "name", name=op.f("uq_macros_user_id_name")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_macros_is_shared"), "macros", ["is_shared"])


def downgrade() -> None:
    op.drop_table("macros")
