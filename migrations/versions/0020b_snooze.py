"""until when a submission is snoozed

Revision: 0020b, after 0020
"""

import sqlalchemy as sa
from alembic import op

from app.database.types import UtcTime

revision = "0020b"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("feedback_submissions", "act_rows"):
        op.add_column(table, sa.Column("snoozed_until", UtcTime(), nullable=True))
    op.create_index(
        "ix_feedback_submissions_snoozed",
        "feedback_submissions",
        ["snoozed_until"],
        sqlite_where=sa.text("snoozed_until is not null"),
        postgresql_where=sa.text("snoozed_until is not null"),
    )


def downgrade() -> None:
    op.drop_index("ix_feedback_submissions_snoozed", "feedback_submissions")
    for table in ("act_rows", "feedback_submissions"):
        op.drop_column(table, "snoozed_until")
