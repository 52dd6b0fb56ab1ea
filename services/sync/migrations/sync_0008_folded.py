"""How far the records of a replica reach: while it catches up they follow its entries in larger strokes."""

import sqlalchemy as sa
from alembic import op

revision = "sync_0008"
down_revision = "sync_0007"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("replica", sa.Column("folded", NUMBER, nullable=False, server_default="0"))
    op.execute("UPDATE replica SET folded = number")  # until now every commit folded what it held
