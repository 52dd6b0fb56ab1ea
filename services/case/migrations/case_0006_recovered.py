"""Cases of which something was lost in a restore."""

import sqlalchemy as sa
from alembic import op

revision = "case_0006"
down_revision = "case_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("case_record", sa.Column("incomplete", sa.Boolean(), nullable=False, server_default=sa.false()))
