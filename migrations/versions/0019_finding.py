"""indexes that lists are found by, and words cut by PostgreSQL itself; the index learns releases

Revision: 0019, after 0018b
"""

import sqlalchemy as sa
from alembic import op

from app.database.search import postgresql

revision = "0019"
down_revision = "0018b"
branch_labels = None
depends_on = None

SUBMISSIONS, MESSAGES = "feedback_submissions", "messages"
# Name, table, columns, and which rows stand in it on SQLite and on PostgreSQL.
INDEXES = (
    ("reporter_id", SUBMISSIONS, ["reporter_id"], "reporter_id is not null", "reporter_id is not null"),
    ("unread", SUBMISSIONS, ["status", "created_at", "id"], "is_read = 0", "not is_read"),
    ("archived", SUBMISSIONS, ["status", "created_at", "id"], "is_archived = 1", "is_archived"),
    ("rated", SUBMISSIONS, ["status", "created_at", "id"], "rating is not null", "rating is not null"),
    ("noted", SUBMISSIONS, ["id"], "admin_notes != ''", "admin_notes != ''"),
    ("noted", MESSAGES, ["feedback_id"], "kind = 'note'", "kind = 'note'"),
)


OF_PROJECTS = "ix_feedback_submissions_project_box"


def upgrade() -> None:
    _index_projects("project_id is not null")
    for name, table, columns, on_sqlite, on_postgresql in INDEXES:
        op.create_index(
            f"ix_{table}_{name}",
            table,
            columns,
            sqlite_where=sa.text(on_sqlite),
            postgresql_where=sa.text(on_postgresql),
        )
    postgresql.create(op.get_bind())
    # The worker indexes everything anew, with its release; what is indexed is found meanwhile as before.
    op.execute("update search_state set indexed_to = 0")


def downgrade() -> None:
    _index_projects(None)
    postgresql.drop(op.get_bind())
    for name, table, *_ in INDEXES:
        op.drop_index(f"ix_{table}_{name}", table)


def _index_projects(on_sqlite: str | None) -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.drop_index(OF_PROJECTS, SUBMISSIONS)
        where = {"sqlite_where": sa.text(on_sqlite)} if on_sqlite else {}
        op.create_index(OF_PROJECTS, SUBMISSIONS, ["project_id", "status", "created_at", "id"], **where)
