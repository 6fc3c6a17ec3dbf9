"""roll-ups

Revision: 0009, after 0008
"""

import sqlalchemy as sa
from alembic import op

from app.database.types import UtcTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

MOMENTS = {"first_answered_at": "answered", "settled_at": "settled"}


def upgrade() -> None:
    for column, name in MOMENTS.items():
        op.add_column("feedback_submissions", sa.Column(column, UtcTime(), nullable=True))
        op.create_index(
            f"ix_feedback_submissions_{name}",
            "feedback_submissions",
            [column],
            sqlite_where=sa.text(f"{column} is not null"),
            postgresql_where=sa.text(f"{column} is not null"),
        )
    # The last change is the nearest thing known to when it was settled.
    op.execute(
        "update feedback_submissions set settled_at = updated_at"
        " where status in ('resolved', 'closed', 'rejected')"
    )
    _table("quarter_counts", [("category", sa.String())], [f"q{quarter:02}" for quarter in range(96)])
    _table("fact_counts", [("value", sa.String())], [], first="fact")
    _table("response_counts", [("bucket", sa.BigInteger())], [], first="measure")
    op.create_table(
        "rollup_state",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("counted_to", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rollup_state")),
        sqlite_strict=True,
    )
    op.execute("insert into rollup_state (id, counted_to) values (1, 0)")


def _table(name: str, last: list[tuple[str, object]], counts: list[str], first: str | None = None) -> None:
    """Make a table of counts by day and project; `first` and `last` are the rest of its key."""
    key = [
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
    ]
    if first is not None:
        key.insert(0, sa.Column(first, sa.String(), nullable=False))
    key += [sa.Column(column, kind, autoincrement=False, nullable=False) for column, kind in last]
    names = [column.name for column in key]
    op.create_table(
        name,
        *key,
        *(
            sa.Column(count, sa.BigInteger(), server_default="0", nullable=False)
            for count in ("submissions", *counts)
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f(f"fk_{name}_project_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint(*names, name=op.f(f"pk_{name}")),
        sqlite_strict=True,
    )


def downgrade() -> None:
    for name in ("rollup_state", "response_counts", "fact_counts", "quarter_counts"):
        op.drop_table(name)
    for column, name in MOMENTS.items():
        op.drop_index(f"ix_feedback_submissions_{name}", "feedback_submissions")
        op.drop_column("feedback_submissions", column)
