"""submissions are found by a reporter's e-mail whatever its case

Revision: 0018, after 0017
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

NAME, TABLE = "ix_feedback_submissions_reporter", "feedback_submissions"
THERE = sa.text("reporter_email is not null")


def upgrade() -> None:
    _replace(sa.text("lower(reporter_email)"))


def downgrade() -> None:
    _replace("reporter_email")


def _replace(column: str | sa.TextClause) -> None:
    op.drop_index(NAME, TABLE)
    op.create_index(NAME, TABLE, [column], sqlite_where=THERE, postgresql_where=THERE)
