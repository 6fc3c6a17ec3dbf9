"""messages, tags, and links that can be revoked

Revision: 0010, after 0009
"""

import sqlalchemy as sa
from alembic import op

from app.database.types import UtcTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = "integer" if op.get_bind().dialect.name == "sqlite" else "bigint"
    op.execute(f"alter table feedback_submissions add column link_number {number} not null default 0")
    op.create_table(
        "tags",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("color", sa.BigInteger(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.CheckConstraint("color between 1 and 8", name=op.f("ck_tags_color")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tags")),
        sa.UniqueConstraint("public_id", name=op.f("uq_tags_public_id")),
        sa.UniqueConstraint("key", name=op.f("uq_tags_key")),
        sqlite_strict=True,
    )
    op.create_table(
        "feedback_tags",
        sa.Column("feedback_id", sa.BigInteger(), nullable=False),
        sa.Column("tag_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("feedback_id", "tag_id", name=op.f("pk_feedback_tags")),
        sa.ForeignKeyConstraint(
            ["feedback_id"],
            ["feedback_submissions.id"],
            name=op.f("fk_feedback_tags_feedback_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tag_id"], ["tags.id"], name=op.f("fk_feedback_tags_tag_id"), ondelete="CASCADE"
        ),
        sqlite_strict=True,
    )
    op.create_index("ix_feedback_tags_tag", "feedback_tags", ["tag_id", "feedback_id"])
    op.create_table(
        "messages",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.String(), nullable=False),
        sa.Column("feedback_id", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("author_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.CheckConstraint("kind in ('reply', 'note', 'reporter')", name=op.f("ck_messages_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        sa.UniqueConstraint("public_id", name=op.f("uq_messages_public_id")),
        sa.UniqueConstraint("event_id", name=op.f("uq_messages_event_id")),
        sa.ForeignKeyConstraint(
            ["feedback_id"],
            ["feedback_submissions.id"],
            name=op.f("fk_messages_feedback_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["event_id"], ["submission_events.id"], name=op.f("fk_messages_event_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["author_id"], ["users.id"], name=op.f("fk_messages_author_id"), ondelete="SET NULL"
        ),
        sqlite_strict=True,
    )
    op.create_index("ix_messages_feedback", "messages", ["feedback_id", "id"])
    op.create_index(op.f("ix_messages_author_id"), "messages", ["author_id"])


def downgrade() -> None:
    for name in ("messages", "feedback_tags", "tags"):
        op.drop_table(name)
    op.execute("alter table feedback_submissions drop column link_number")
