"""audit log

Revision: 0006, after 0005
"""

import sqlalchemy as sa
from alembic import op

from app.database.types import UtcTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# An entry goes only when an anchor covers it; nothing is ever changed. `replace` on SQLite deletes without a
# trigger, so an insert over an existing number is refused too.
SQLITE = [
    """create trigger audit_entries_keep before update on audit_entries
    begin select raise(abort, 'audit entries are append-only'); end""",
    """create trigger audit_entries_stay before delete on audit_entries
    when not exists (select 1 from audit_anchors where through_id >= old.id)
    begin select raise(abort, 'audit entries are append-only'); end""",
    """create trigger audit_entries_once before insert on audit_entries
    when exists (select 1 from audit_entries where id = new.id)
    begin select raise(abort, 'audit entries are append-only'); end""",
    """create trigger audit_anchors_keep before update on audit_anchors
    begin select raise(abort, 'audit anchors are append-only'); end""",
    """create trigger audit_anchors_stay before delete on audit_anchors
    begin select raise(abort, 'audit anchors are append-only'); end""",
    """create trigger audit_anchors_once before insert on audit_anchors
    when exists (select 1 from audit_anchors where through_id = new.through_id)
    begin select raise(abort, 'audit anchors are append-only'); end""",
]
POSTGRESQL = [
    """create function audit_refuse() returns trigger language plpgsql as $$
    begin
        if tg_op = 'DELETE' and tg_table_name = 'audit_entries' then
            if exists (select 1 from audit_anchors where through_id >= old.id) then
                return old;
            end if;
        end if;
        raise exception 'audit entries are append-only';
    end $$""",
    """create trigger audit_entries_keep before update or delete on audit_entries
    for each row execute function audit_refuse()""",
    """create trigger audit_entries_stay before truncate on audit_entries
    for each statement execute function audit_refuse()""",
    """create trigger audit_anchors_keep before update or delete on audit_anchors
    for each row execute function audit_refuse()""",
    """create trigger audit_anchors_stay before truncate on audit_anchors
    for each statement execute function audit_refuse()""",
]


def upgrade() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=True),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("details", sa.String(), nullable=False),
        sa.Column("previous_hash", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
        sqlite_strict=True,
    )
    op.create_index("ix_audit_entries_created", "audit_entries", ["created_at", "id"])
    op.create_index("ix_audit_entries_actor", "audit_entries", ["actor", "created_at", "id"])
    op.create_index("ix_audit_entries_action", "audit_entries", ["action", "created_at", "id"])
    op.create_index("ix_audit_entries_target", "audit_entries", ["target", "created_at", "id"])
    op.create_table(
        "audit_anchors",
        sa.Column("through_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.Column("last_at", UtcTime(), nullable=False),
        sa.Column("closed_at", UtcTime(), nullable=False),
        sa.Column("previous_hash", sa.String(), nullable=False),
        sa.Column("signature", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("through_id", name=op.f("pk_audit_anchors")),
        sqlite_strict=True,
    )
    postgresql = op.get_bind().dialect.name == "postgresql"
    for statement in POSTGRESQL if postgresql else SQLITE:
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("audit_entries")  # with its triggers
    op.drop_table("audit_anchors")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("drop function audit_refuse()")
