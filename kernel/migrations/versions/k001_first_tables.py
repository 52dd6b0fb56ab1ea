"""The kernel's first tables: outbox, inbox, stored answers, audit log."""

import sqlalchemy as sa
from alembic import op

from kernel.database import UtcDateTime

revision = "k001"
down_revision = None
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "outbox_row",
        sa.Column("id", BIG, primary_key=True, autoincrement=True),
        sa.Column("number", sa.BigInteger(), unique=True),
        sa.Column("fact_id", sa.String(64), nullable=False, unique=True),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "outbox_stream",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("stream", sa.String(64), nullable=False),
        sa.Column("numbered", sa.BigInteger(), nullable=False),
        sa.Column("acknowledged", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "inbox_entry",
        sa.Column("consumer", sa.String(64), primary_key=True),
        sa.Column("fact_id", sa.String(64), primary_key=True),
        sa.Column("taken_at", UtcDateTime(), nullable=False),
    )
    op.create_table(
        "stored_answer",
        sa.Column("actor_id", sa.String(64), primary_key=True),
        sa.Column("key", sa.String(128), primary_key=True),
        sa.Column("request", sa.LargeBinary(32), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
    )
    op.create_index("ix_stored_answer_created_at", "stored_answer", ["created_at"])
    op.create_table(
        "audit_entry",
        sa.Column("number", BIG, primary_key=True, autoincrement=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("actor_id", sa.String(64)),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(500)),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
    )
    op.create_index("ix_audit_entry_actor_id", "audit_entry", ["actor_id"])
    op.create_index("ix_audit_entry_subject", "audit_entry", ["subject"])
