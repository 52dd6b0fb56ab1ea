"""Lives of a journal, twins, and what recovery remembers."""

import sqlalchemy as sa
from alembic import op

revision = "sync_0005"
down_revision = "sync_0004"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
NAME = sa.String(64)
DIGEST = sa.LargeBinary(32)


def upgrade() -> None:
    _lives()
    _recovery()


def _lives() -> None:
    for column in (
        sa.Column("parent_number", NUMBER, nullable=True),
        sa.Column("parent_digest", DIGEST, nullable=True),
        sa.Column("doubt", NAME, nullable=True),
        sa.Column("doubt_reason", sa.Text(), nullable=True),
        sa.Column("doubt_about", NAME, nullable=True),
    ):
        op.add_column("journal_state", column)
    op.add_column("journal_entry", sa.Column("proof", DIGEST, nullable=True))
    op.add_column("replica", sa.Column("begun", NUMBER, nullable=False, server_default="1"))
    op.create_table(
        "life",
        sa.Column("origin", NAME, primary_key=True),
        sa.Column("epoch", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("parent_number", NUMBER, nullable=False),
        sa.Column("parent_digest", DIGEST, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
    )
    op.create_table(
        "set_aside",
        sa.Column("origin", NAME, primary_key=True),
        sa.Column("digest", DIGEST, primary_key=True),
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("disclosure", sa.String(16), nullable=False),
        sa.Column("parts", sa.LargeBinary(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
    )


def _recovery() -> None:
    op.create_table(
        "recall",
        sa.Column("source", NAME, primary_key=True),
        sa.Column("asks", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("after", NUMBER, nullable=False),
        sa.Column("until", NUMBER, nullable=True),
        sa.Column("epoch", sa.Integer(), nullable=True),
        sa.Column("session", NUMBER, nullable=False),
        sa.Column("held_number", NUMBER, nullable=True),
        sa.Column("held_digest", DIGEST, nullable=True),
        sa.Column("at_number", NUMBER, nullable=True),
        sa.Column("at_digest", DIGEST, nullable=True),
        sa.Column("heard_at", INSTANT, nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
    )
    op.create_table(
        "recalled_entry",
        sa.Column("source", NAME, primary_key=True),
        sa.Column("number", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("parts", sa.LargeBinary(), nullable=False),
        sa.Column("digest", DIGEST, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "recovery",
        sa.Column("epoch", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("after", NUMBER, nullable=False),
        sa.Column("until", NUMBER, nullable=False),
        sa.Column("renumbered", NUMBER, nullable=False),
        sa.Column("source", NAME, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("handed_at", INSTANT, nullable=True),
        sa.Column("forks", sa.Text(), nullable=False, server_default=""),
    )
