"""Room on each page of the records: most facts replace a record, and one replaced on its own page costs no index entry.

Pages that were written before keep their fill until they are rewritten.
"""

from alembic import op

revision = "sync_0007"
down_revision = "sync_0006"
branch_labels = None
depends_on = None

FILL = 70  # percent, of PostgreSQL; SQLite keeps a table in its index and has no such choice


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"ALTER TABLE record SET (fillfactor = {FILL})")
