"""Records that came back after a restore."""

import sqlalchemy as sa
from alembic import op

from kernel.database import UtcDateTime

revision = "k002"
down_revision = "k001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "recovered_record",
        sa.Column("kind", sa.String(64), primary_key=True),
        sa.Column("subject", sa.String(64), primary_key=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(64), nullable=True),
        sa.Column("former_number", sa.String(64), nullable=True),
        sa.Column("incomplete", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(64), nullable=True),
        sa.Column("scope", sa.String(64), nullable=True),
        sa.Column("recovered_at", UtcDateTime(), nullable=False),
    )
