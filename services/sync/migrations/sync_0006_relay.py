"""Relayed facts, keys by number, sealed recovery."""

import sqlalchemy as sa
from alembic import op

revision = "sync_0006"
down_revision = "sync_0005"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
NAME = sa.String(64)


def upgrade() -> None:
    op.add_column("arrival", sa.Column("relayed_by", NAME, nullable=True))
    op.add_column("arrival", sa.Column("digest", sa.LargeBinary(32), nullable=True))
    op.create_table(
        "relay",
        sa.Column("fact_id", NAME, primary_key=True),
        sa.Column("origin", NAME, nullable=False),
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("task", NAME, nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("done_at", INSTANT, nullable=True),
        sa.Column("result", NAME, nullable=True),
    )
    op.create_index("ix_relay_done_at", "relay", ["done_at"])
