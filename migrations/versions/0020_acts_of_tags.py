"""tags that an act put on and took off, and what was said with it, so that it can be undone

Revision: 0020, after 0019
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    text = "text" if op.get_bind().dialect.name == "sqlite" else "varchar"
    op.execute(f"alter table acts add column said {text} not null default ''")
    op.create_table(
        "act_tags",
        sa.Column("act_id", sa.BigInteger(), nullable=False),
        sa.Column("feedback_id", sa.BigInteger(), nullable=False),
        sa.Column("tag_id", sa.BigInteger(), nullable=False),
        sa.Column("is_added", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("act_id", "feedback_id", "tag_id", name=op.f("pk_act_tags")),
        sa.ForeignKeyConstraint(["act_id"], ["acts.id"], name=op.f("fk_act_tags_act_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["feedback_id"],
            ["feedback_submissions.id"],
            name=op.f("fk_act_tags_feedback_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tag_id"], ["tags.id"], name=op.f("fk_act_tags_tag_id"), ondelete="CASCADE"),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_act_tags_feedback_id"), "act_tags", ["feedback_id"])
    op.create_index(op.f("ix_act_tags_tag_id"), "act_tags", ["tag_id"])


def downgrade() -> None:
    op.drop_table("act_tags")
    op.execute("alter table acts drop column said")
