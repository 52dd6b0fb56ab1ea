"""Cases of which something was lost in a restore, and numbers that have to give way to recovered ones.

The number of a case stays frozen but for one occasion: where the register of recovered records says, in the same
transaction, that it is the former one.
"""

import sqlalchemy as sa
from alembic import op

revision = "case_0006"
down_revision = "case_0005"
branch_labels = None
depends_on = None

FROZEN = ("id", "recording_class", "opened_at", "opened_by")
REFUSED = "what was recorded cannot be changed"
GAVE_WAY = (
    "EXISTS (SELECT 1 FROM recovered_record "
    "WHERE kind = 'case' AND subject = OLD.id AND former_number = OLD.number AND number = NEW.number)"
)


def upgrade() -> None:
    op.add_column("case_record", sa.Column("incomplete", sa.Boolean(), nullable=False, server_default=sa.false()))
    if op.get_bind().dialect.name == "postgresql":
        _guard_on_postgresql()
    else:
        _guard_on_sqlite()


def _guard_on_sqlite() -> None:
    changed = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in FROZEN)
    refused = f"BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END"
    op.execute("DROP TRIGGER case_record_frozen")
    op.execute(f"CREATE TRIGGER case_record_frozen BEFORE UPDATE ON case_record WHEN {changed} {refused}")
    op.execute(
        "CREATE TRIGGER case_record_number BEFORE UPDATE ON case_record "
        f"WHEN OLD.number IS NOT NEW.number AND NOT {GAVE_WAY} {refused}"
    )


def _guard_on_postgresql() -> None:
    changed = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in FROZEN)
    op.execute("DROP TRIGGER case_record_frozen ON case_record")
    op.execute(
        "CREATE TRIGGER case_record_frozen BEFORE UPDATE ON case_record "
        f"FOR EACH ROW WHEN ({changed}) EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE FUNCTION refuse_number() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF NOT {GAVE_WAY} THEN RAISE EXCEPTION '{REFUSED}'; END IF; RETURN NEW; END $$"
    )
    op.execute(
        "CREATE TRIGGER case_record_number BEFORE UPDATE ON case_record "
        "FOR EACH ROW WHEN (OLD.number IS DISTINCT FROM NEW.number) EXECUTE FUNCTION refuse_number()"
    )
