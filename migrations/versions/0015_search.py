"""search

Revision: 0015, after 0014
"""

import sqlalchemy as sa
from alembic import op

from app.database.search.index import TextIndex

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

INDEX = TextIndex("feedback_fts")


def upgrade() -> None:
    op.create_table(
        "search_state",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("indexed_to", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_state")),
        sqlite_strict=True,
    )
    op.execute("insert into search_state (id, indexed_to) values (1, 0)")
    op.create_table(
        "search_touched",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("feedback_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_touched")),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    INDEX.create(op.get_bind())


def downgrade() -> None:
    INDEX.drop(op.get_bind())
    op.drop_table("search_touched")
    op.drop_table("search_state")
