"""Contacts, inbox, e-mail, directives and their acknowledgements."""

import sqlalchemy as sa
from alembic import op

revision = "notify_0001"
down_revision = None
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
ID = sa.String(36)
NAME = sa.String(64)


def upgrade() -> None:
    _contacts()
    _notifications()
    _deliveries()
    _directives()
    _cursors()


def _contacts() -> None:
    op.create_table(
        "contact",
        sa.Column("account_id", NAME, primary_key=True),
        sa.Column("hash", NAME, nullable=False, unique=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("unit", NAME, nullable=True),
        sa.Column("forums", sa.JSON(), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("email", sa.String(254), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
    )


def _notifications() -> None:
    op.create_table(
        "notification",
        sa.Column("id", ID, primary_key=True),
        sa.Column("account_id", NAME, nullable=False),
        sa.Column("fact_id", NAME, nullable=False),
        sa.Column("rule", NAME, nullable=False),
        sa.Column("about", NAME, nullable=False),
        sa.Column("subject", NAME, nullable=False),
        sa.Column("reference", NAME, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("read_at", INSTANT, nullable=True),
        sa.UniqueConstraint("fact_id", "rule", "account_id", name="uq_notification_once"),
    )
    op.create_index("ix_notification_inbox", "notification", ["account_id", "id"])
    op.create_index("ix_notification_unread", "notification", ["account_id", "read_at"])


def _deliveries() -> None:
    op.create_table(
        "delivery",
        sa.Column("id", ID, primary_key=True),
        sa.Column("notification_id", ID, sa.ForeignKey("notification.id"), nullable=False, unique=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("cause", sa.String(32), nullable=True),
        sa.Column("reply", sa.Integer(), nullable=True),
        sa.Column("message_id", sa.String(255), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("next_at", INSTANT, nullable=True),
        sa.Column("sent_at", INSTANT, nullable=True),
    )
    op.create_index("ix_delivery_due", "delivery", ["state", "next_at"])


def _directives() -> None:
    op.create_table(
        "directive",
        sa.Column("id", ID, primary_key=True),
        sa.Column("origin", NAME, nullable=False),
        sa.Column("title", sa.JSON(), nullable=False),
        sa.Column("text", sa.JSON(), nullable=False),
        sa.Column("governorates", sa.JSON(), nullable=False),
        sa.Column("issued_at", INSTANT, nullable=False),
    )
    op.create_table(
        "acknowledgement",
        sa.Column("id", ID, primary_key=True),
        sa.Column("directive_id", ID, nullable=False),
        sa.Column("node", NAME, nullable=False),
        sa.Column("role", NAME, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.UniqueConstraint("directive_id", "node", "role", name="uq_acknowledgement_once"),
    )
    op.create_index("ix_acknowledgement_directive_id", "acknowledgement", ["directive_id"])


def _cursors() -> None:
    op.create_table(
        "stream_cursor",
        sa.Column("stream", sa.String(16), primary_key=True),
        sa.Column("number", sa.BigInteger(), nullable=False),
    )
