"""Journal, links, replicas, records, arrivals."""

import sqlalchemy as sa
from alembic import op

revision = "sync_0001"
down_revision = None
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
NAME = sa.String(64)
DIGEST = sa.LargeBinary(32)


def upgrade() -> None:
    _journal()
    _replication()
    _records()
    _arrivals()


def _journal() -> None:
    op.create_table(
        "journal_state",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("digest", DIGEST, nullable=False),
        sa.Column("session", NUMBER, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=True),
    )
    op.create_table(
        "journal_entry",
        sa.Column("number", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("fact_id", NAME, nullable=False, unique=True),
        sa.Column("type", sa.String(128), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.Column("statistical", sa.LargeBinary(), nullable=False),
        sa.Column("operational", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("salt", sa.LargeBinary(16), nullable=False),
        sa.Column("restricted", sa.Boolean(), nullable=False),
        sa.Column("digest", DIGEST, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
    )
    op.create_table(
        "outbox_source",
        sa.Column("service", NAME, primary_key=True),
        sa.Column("stream", NAME, primary_key=True),
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("fact_id", NAME, nullable=False),
    )


def _replication() -> None:
    op.create_table(
        "link",
        sa.Column("destination", NAME, primary_key=True),
        sa.Column("clearance", NAME, nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("resumes", sa.Integer(), nullable=False),
        sa.Column("held_number", NUMBER, nullable=True),
        sa.Column("held_digest", DIGEST, nullable=True),
        sa.Column("state", NAME, nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("last_heard_at", INSTANT, nullable=True),
        sa.Column("behind_since", INSTANT, nullable=True),
    )
    op.create_table(
        "replica",
        sa.Column("origin", NAME, primary_key=True),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("digest", DIGEST, nullable=False),
        sa.Column("state", NAME, nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("head_number", NUMBER, nullable=True),
        sa.Column("head_digest", DIGEST, nullable=True),
        sa.Column("last_heard_at", INSTANT, nullable=True),
        sa.Column("behind_since", INSTANT, nullable=True),
        sa.Column("session", NUMBER, nullable=False),
        sa.Column("boot", NAME, nullable=True),
        sa.Column("withheld", NUMBER, nullable=False),
    )
    op.create_table(
        "replica_entry",
        sa.Column("origin", NAME, primary_key=True),
        sa.Column("number", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("disclosure", sa.String(16), nullable=False),
        sa.Column("parts", sa.LargeBinary(), nullable=False),
        sa.Column("digest", DIGEST, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "quarantine",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("queue", sa.String(128), nullable=False),
        sa.Column("origin", NAME, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("header", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sqlite_autoincrement=True,
    )


def _records() -> None:
    op.create_table(
        "record",
        sa.Column("origin", NAME, primary_key=True),
        sa.Column("kind", NAME, primary_key=True),
        sa.Column("subject", NAME, primary_key=True),
        sa.Column("version", NUMBER, nullable=False),
        sa.Column("type", sa.String(128), nullable=False),
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("statistical", sa.JSON(), nullable=False),
        sa.Column("operational", sa.JSON(), nullable=True),
        sa.Column("updated_at", INSTANT, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "parked",
        sa.Column("origin", NAME, primary_key=True),
        sa.Column("number", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("subject", NAME, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
    )


def _arrivals() -> None:
    op.create_table(
        "arrival_state",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("number", NUMBER, nullable=False),
    )
    op.create_table(
        "arrival",
        sa.Column("number", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("origin", NAME, nullable=False),
        sa.Column("entry_number", NUMBER, nullable=False),
        sa.Column("fact_id", NAME, nullable=False, unique=True),
        sa.Column("type", sa.String(128), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
    )
