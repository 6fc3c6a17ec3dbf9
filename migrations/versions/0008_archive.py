"""archive

Revision: 0008, after 0007
"""

import sqlalchemy as sa
from alembic import op

from app.database.types import UtcTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "archive_parts",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("submissions", sa.BigInteger(), nullable=False),
        sa.Column("screenshots", sa.BigInteger(), nullable=False),
        sa.Column("oldest", UtcTime(), nullable=False),
        sa.Column("newest", UtcTime(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_archive_parts")),
        sa.UniqueConstraint("public_id", name=op.f("uq_archive_parts_public_id")),
        sa.UniqueConstraint("name", name=op.f("uq_archive_parts_name")),
        sqlite_strict=True,
    )
    op.create_index("ix_archive_parts_month", "archive_parts", ["month", "id"])
    op.create_index("ix_archive_parts_created", "archive_parts", ["created_at", "id"])
    op.create_table(
        "archived_submissions",
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("part_id", sa.BigInteger(), nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["part_id"],
            ["archive_parts.id"],
            name=op.f("fk_archived_submissions_part_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("public_id", name=op.f("pk_archived_submissions")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_archived_submissions_part_id"), "archived_submissions", ["part_id"])
    op.create_index(op.f("ix_archived_submissions_project_id"), "archived_submissions", ["project_id"])


def downgrade() -> None:
    op.drop_table("archived_submissions")
    op.drop_table("archive_parts")
