"""hold query

Revision: 0012, after 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("holds", sa.Column("query", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("holds", "query")
