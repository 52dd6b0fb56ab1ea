"""Transfers and handler requests."""

import sqlalchemy as sa
from alembic import op

from kernel.database import UtcDateTime

revision = "case_0005"
down_revision = "case_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "imported_row",
        sa.Column("source", sa.String(64), primary_key=True),
        sa.Column("key_hash", sa.String(64), primary_key=True),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(36), nullable=False),
        sa.Column("taken_at", UtcDateTime(), nullable=False),
    )
