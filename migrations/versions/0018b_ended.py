"""an index of what is settled or put away, by its last change

Revision: 0018b, after 0018
"""

import sqlalchemy as sa
from alembic import op

revision = "0018b"
down_revision = "0018"
branch_labels = None
depends_on = None

ENDED = "status in ('resolved', 'closed', 'rejected', 'spam', 'trash')"


def upgrade() -> None:
    op.create_index(
        "ix_feedback_submissions_ended",
        "feedback_submissions",
        ["status", "updated_at", "id"],
        sqlite_where=sa.text(ENDED),
        postgresql_where=sa.text(ENDED),
    )


def downgrade() -> None:
    op.drop_index("ix_feedback_submissions_ended", "feedback_submissions")
