"""blob outbox

Revision: 0005, after 0004
"""

import sqlalchemy as sa
from alembic import op

from app.database.types import Json

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "blob_outbox",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("blob_keys", Json, nullable=False),
        sa.Column("blobs", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_blob_outbox")),
        sqlite_strict=True,
    )


def downgrade() -> None:
    op.drop_table("blob_outbox")
