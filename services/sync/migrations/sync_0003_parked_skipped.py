"""An operator may decide that a parked entry shall not become a record."""

import sqlalchemy as sa
from alembic import op

revision = "sync_0003"
down_revision = "sync_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("parked", sa.Column("skipped_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("parked", sa.Column("skipped_reason", sa.Text(), nullable=True))
