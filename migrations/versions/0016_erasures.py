"""erasures

Revision: 0016, after 0015
"""

import sqlalchemy as sa
from alembic import op

from app.database.types import Json, UtcTime

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "erasures",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("mark", sa.String(), nullable=False),
        sa.Column("requested_by", sa.String(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("finished_at", UtcTime(), nullable=True),
        sa.Column("removed", Json, nullable=False),
        sa.Column("certificate", sa.String(), nullable=True),
        sa.CheckConstraint("kind in ('email', 'session', 'reporter')", name=op.f("ck_erasures_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasures")),
        sa.UniqueConstraint("public_id", name=op.f("uq_erasures_public_id")),
        sqlite_strict=True,
    )
    op.create_index("ix_erasures_mark", "erasures", ["mark", "created_at"])
    op.create_index("ix_erasures_created", "erasures", ["created_at", "id"])
    op.create_index(
        "ix_erasures_unfinished",
        "erasures",
        ["id"],
        sqlite_where=sa.text("finished_at is null"),
        postgresql_where=sa.text("finished_at is null"),
    )


def downgrade() -> None:
    op.drop_table("erasures")
