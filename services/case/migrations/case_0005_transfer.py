"""Transfers and handler requests."""

import sqlalchemy as sa
from alembic import op

from kernel.database import UtcDateTime

revision = "case_0005"
down_revision = "case_0004"
branch_labels = None
depends_on = None

WORD = sa.String(32)
ACCOUNT = sa.String(64)


def upgrade() -> None:
    _transfers()
    op.create_table(
        "imported_row",
        sa.Column("source", sa.String(64), primary_key=True),
        sa.Column("key_hash", sa.String(64), primary_key=True),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(36), nullable=False),
        sa.Column("taken_at", UtcDateTime(), nullable=False),
    )


def _transfers() -> None:
    """Every case that is there was recorded here: it is owned and counted here."""
    op.add_column("case_record", sa.Column("owner_epoch", sa.Integer(), nullable=False, server_default=sa.text("1")))
    op.add_column("case_record", sa.Column("owned", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("case_record", sa.Column("counted", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.create_table(
        "transfer",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("number", sa.String(24), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("side", WORD, nullable=False),
        sa.Column("status", WORD, nullable=False),
        sa.Column("case_id", sa.String(36)),
        sa.Column("sender", sa.String(64), nullable=False),
        sa.Column("receiver", sa.String(64), nullable=False),
        sa.Column("unit", sa.String(64)),
        sa.Column("consent", WORD),
        sa.Column("preview", sa.JSON()),
        sa.Column("proposed_by", ACCOUNT),
        sa.Column("decided_by", ACCOUNT),
        sa.Column("reject_reason", WORD),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime()),
        sa.Column("decided_at", UtcDateTime()),
        sa.Column("released_at", UtcDateTime()),
        sa.Column("received_at", UtcDateTime()),
    )
    op.create_index("transfer_case", "transfer", ["case_id"])
    op.create_index("transfer_expiry", "transfer", ["status", "expires_at"])
