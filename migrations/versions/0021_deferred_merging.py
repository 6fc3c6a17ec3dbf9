"""full text: deletions rewrite nothing of the index; the worker merges what they leave

Revision: 0021, after 0020d
"""

from alembic import op

revision = "0021"
down_revision = "0020d"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _delete_merge(0)


def downgrade() -> None:
    _delete_merge(10)  # FTS5's own


def _delete_merge(percent: int) -> None:
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        sql = "insert into feedback_fts (feedback_fts, rank) values ('deletemerge', ?)"
        connection.exec_driver_sql(sql, (percent,))
