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
    _handler_requests()
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


def _handler_requests() -> None:
    op.create_table(
        "handler_request",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("number", sa.String(24), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("side", WORD, nullable=False),
        sa.Column("status", WORD, nullable=False),
        sa.Column("home", sa.String(64), nullable=False),
        sa.Column("helper", sa.String(64)),
        sa.Column("case_id", sa.String(36), index=True),
        sa.Column("category_group", WORD, nullable=False),
        sa.Column("language", WORD, nullable=False),
        sa.Column("urgency", WORD, nullable=False),
        sa.Column("handler_preference", WORD, nullable=False),
        sa.Column("asked_by", ACCOUNT),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("handler_id", ACCOUNT),
        sa.Column("open_until", UtcDateTime()),
        sa.Column("fact_id", sa.String(64)),
        sa.Column("sealed", sa.LargeBinary()),
    )
    request = sa.ForeignKey("handler_request.id")
    op.create_table(
        "handler_offer",
        sa.Column("request_id", sa.String(36), request, primary_key=True),
        sa.Column("helper", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("offered_at", UtcDateTime(), nullable=False),
    )
    op.create_table(
        "asked_governorate",
        sa.Column("request_id", sa.String(36), sa.ForeignKey("handler_request.id"), primary_key=True),
        sa.Column("helper", sa.String(64), primary_key=True),
    )
