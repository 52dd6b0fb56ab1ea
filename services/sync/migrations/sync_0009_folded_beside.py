"""How far the records of a replica reach is a row of its own, so that they can be folded beside its next entries."""

import sqlalchemy as sa
from alembic import op

revision = "sync_0009"
down_revision = "sync_0008"
branch_labels = None
depends_on = None

NAME = sa.String(64)
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "folded",
        sa.Column("origin", NAME, primary_key=True),
        sa.Column("number", NUMBER, nullable=False),
    )
    op.execute("INSERT INTO folded (origin, number) SELECT origin, folded FROM replica")
    op.drop_column("replica", "folded")
