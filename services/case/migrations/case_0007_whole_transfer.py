"""A release in parts, and how many of them are here."""

import sqlalchemy as sa
from alembic import op

from kernel.database import UtcDateTime

revision = "case_0007"
down_revision = "case_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("transfer", sa.Column("parts", sa.Integer()))
    op.add_column("transfer", sa.Column("parts_here", sa.Integer()))
    op.create_table(
        "transfer_part",
        sa.Column("transfer_id", sa.String(36), primary_key=True),
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("part", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("arrived_at", UtcDateTime(), nullable=False),
    )
