"""what happened to a submission, its version and its assignee

Revision: 0007, after 0006
"""

import sqlalchemy as sa
from alembic import op

from app.database.types import Json, UtcTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A column of its own statement: Alembic would copy the table on SQLite, and dropping the old one would
    # take the rows of its child tables along.
    number = "integer" if op.get_bind().dialect.name == "sqlite" else "bigint"
    op.execute(
        f"alter table feedback_submissions add column assignee_id {number}"
        " constraint fk_feedback_submissions_assignee_id references users (id) on delete set null"
    )
    op.execute(f"alter table feedback_submissions add column version {number} not null default 1")
    op.create_index(
        "ix_feedback_submissions_assignee",
        "feedback_submissions",
        ["assignee_id", "created_at", "id"],
        sqlite_where=sa.text("assignee_id is not null"),
        postgresql_where=sa.text("assignee_id is not null"),
    )
    op.create_table(
        "submission_events",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("feedback_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=True),
        sa.Column("details", Json, nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submission_events")),
        sa.ForeignKeyConstraint(
            ["feedback_id"],
            ["feedback_submissions.id"],
            name=op.f("fk_submission_events_feedback_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["users.id"], name=op.f("fk_submission_events_actor_id"), ondelete="SET NULL"
        ),
        sqlite_strict=True,
        sqlite_autoincrement=True,
    )
    op.create_index("ix_submission_events_feedback", "submission_events", ["feedback_id", "id"])
    op.create_index(op.f("ix_submission_events_actor_id"), "submission_events", ["actor_id"])


def downgrade() -> None:
    op.drop_table("submission_events")
    op.drop_index("ix_feedback_submissions_assignee", "feedback_submissions")
    op.execute("alter table feedback_submissions drop column version")
    op.execute("alter table feedback_submissions drop column assignee_id")
