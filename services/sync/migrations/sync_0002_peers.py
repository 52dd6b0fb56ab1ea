"""Nodes that were admitted here, and keys that are refused."""

import sqlalchemy as sa
from alembic import op

revision = "sync_0002"
down_revision = "sync_0001"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
NAME = sa.String(64)


def upgrade() -> None:
    op.create_table(
        "peer",
        sa.Column("node", NAME, primary_key=True),
        sa.Column("key_id", sa.String(16), primary_key=True),
        sa.Column("key", sa.LargeBinary(32), nullable=False),
        sa.Column("broker_user", NAME, nullable=False),
        sa.Column("serial", NAME, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=True),
        sa.Column("admitted_at", INSTANT, nullable=False),
        sa.Column("revoked_at", INSTANT, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
    )
