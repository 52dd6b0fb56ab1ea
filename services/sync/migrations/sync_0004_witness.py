"""What other directorates hold of the same origins."""

import sqlalchemy as sa
from alembic import op

revision = "sync_0004"
down_revision = "sync_0003"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
NAME = sa.String(64)


def upgrade() -> None:
    op.create_table(
        "witness_round",
        sa.Column("witness", NAME, primary_key=True),
        sa.Column("asks", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("heard_at", INSTANT, nullable=True),
    )
    op.create_table(
        "witnessed",
        sa.Column("witness", NAME, primary_key=True),
        sa.Column("origin", NAME, primary_key=True),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("agreed", NUMBER, nullable=False),
        sa.Column("differs_at", NUMBER, nullable=True),
        sa.Column("at", INSTANT, nullable=False),
    )
