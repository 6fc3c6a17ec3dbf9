"""an index of what has marks on its picture

Revision: 0024, after 0021
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_feedback_submissions_annotated",
        "feedback_submissions",
        ["status", "created_at", "id"],
        sqlite_where=sa.text("has_annotation = 1"),
        postgresql_where=sa.text("has_annotation"),
    )


def downgrade() -> None:
    op.drop_index("ix_feedback_submissions_annotated", "feedback_submissions")
