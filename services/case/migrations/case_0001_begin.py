"""cases, who and what is in them, referrals; what was recorded cannot be changed"""

import sqlalchemy as sa
from alembic import op

from kernel.database import UtcDateTime

revision = "case_0001"
down_revision = None
branch_labels = None
depends_on = None

FROZEN = ("id", "number", "recording_class", "opened_at", "opened_by")
WORD = sa.String(32)
ACCOUNT = sa.String(64)


def upgrade() -> None:
    _cases()
    _contents()
    _referrals()
    if op.get_bind().dialect.name == "postgresql":
        _freeze_on_postgresql()
    else:
        _freeze_on_sqlite()


def _cases() -> None:
    op.create_table(
        "case_record",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("number", sa.String(24), nullable=False, unique=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("status", WORD, nullable=False),
        sa.Column("recording_class", WORD, nullable=False),
        sa.Column("current_class", WORD, nullable=False),
        sa.Column("category", WORD, nullable=False),
        sa.Column("restricted", sa.Boolean(), nullable=False),
        sa.Column("risk", WORD),
        sa.Column("channel", WORD, nullable=False),
        sa.Column("district", sa.String(64), nullable=False),
        sa.Column("incident_from", sa.Date()),
        sa.Column("incident_until", sa.Date()),
        sa.Column("reported_at", UtcDateTime(), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("opened_by", ACCOUNT, nullable=False),
        sa.Column("language", WORD, nullable=False),
        sa.Column("interpreter", sa.Boolean(), nullable=False),
        sa.Column("handler_preference", WORD, nullable=False),
        sa.Column("prior_resort", WORD, nullable=False),
        sa.Column("pressure_reported", sa.Boolean(), nullable=False),
        sa.Column("unit", sa.String(64), nullable=False),
        sa.Column("age_band", WORD, nullable=False),
        sa.Column("parties_told", WORD, nullable=False),
        sa.Column("parties_by_sex", sa.JSON()),
        sa.Column("triaged_by", ACCOUNT),
        sa.Column("triaged_at", UtcDateTime()),
        sa.Column("handler_id", ACCOUNT),
        sa.Column("handler_hash", ACCOUNT),
        sa.Column("handlers", sa.JSON(), nullable=False),
        sa.Column("first_contact_at", UtcDateTime()),
        sa.Column("review_on", sa.Date()),
        sa.Column("outcome", WORD),
        sa.Column("proposed_by", ACCOUNT),
        sa.Column("closed_by", ACCOUNT),
        sa.Column("closed_at", UtcDateTime()),
        sa.Column("informed", WORD),
        sa.Column("withdrawal_asked_by", WORD),
        sa.Column("withdrawal_alone", WORD),
        sa.Column("withdrawal_pressure", WORD),
        sa.Column("notes", sa.Integer(), nullable=False),
    )
    op.create_index("case_record_unit_status", "case_record", ["unit", "status"])
    op.create_index("case_record_handler", "case_record", ["handler_id", "status"])
    op.create_index("case_record_opened_by", "case_record", ["opened_by", "status"])
    op.create_table(
        "case_intake",
        sa.Column("case_id", sa.String(36), sa.ForeignKey("case_record.id"), primary_key=True),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("recording_class", WORD, nullable=False),
        sa.Column("rule_version", sa.Integer(), nullable=False),
        sa.Column("answered_at", UtcDateTime(), nullable=False),
    )
    op.create_table(
        "number_sequence",
        sa.Column("iso", sa.String(3), primary_key=True),
        sa.Column("prefix", sa.String(1), primary_key=True),
        sa.Column("year", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("last", sa.Integer(), nullable=False),
    )


def _contents() -> None:
    op.create_table(
        "case_party",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("case_id", sa.String(36), sa.ForeignKey("case_record.id"), nullable=False, index=True),
        sa.Column("role", WORD, nullable=False),
        sa.Column("name", sa.String(200)),
        sa.Column("sex", WORD, nullable=False),
        sa.Column("birth_date", sa.Date()),
        sa.Column("age", sa.Integer()),
        sa.Column("phone", sa.String(40)),
        sa.Column("address", sa.String(500)),
    )
    op.create_table(
        "case_narrative",
        sa.Column("case_id", sa.String(36), sa.ForeignKey("case_record.id"), primary_key=True),
        sa.Column("narrative", sa.Text()),
        sa.Column("place", sa.String(500)),
    )
    op.create_table(
        "case_note",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("case_id", sa.String(36), sa.ForeignKey("case_record.id"), nullable=False, index=True),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("author_id", ACCOUNT, nullable=False),
        sa.Column("written_at", UtcDateTime(), nullable=False),
    )


def _referrals() -> None:
    op.create_table(
        "referral",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("number", sa.String(24), nullable=False, unique=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.String(36), sa.ForeignKey("case_record.id"), nullable=False, index=True),
        sa.Column("status", WORD, nullable=False),
        sa.Column("destination", WORD, nullable=False),
        sa.Column("office", sa.String(200), nullable=False),
        sa.Column("partner_id", ACCOUNT),
        sa.Column("urgency", WORD, nullable=False),
        sa.Column("sent_by", ACCOUNT, nullable=False),
        sa.Column("sender_hash", ACCOUNT, nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("overdue_at", UtcDateTime()),
        sa.Column("answered_at", UtcDateTime()),
        sa.Column("completed_at", UtcDateTime()),
        sa.Column("reject_reason", WORD),
    )
    op.create_index("referral_status_due", "referral", ["status", "due_at"])


def _freeze_on_sqlite() -> None:
    changed = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in FROZEN)
    refused = "BEGIN SELECT RAISE(ABORT, 'what was recorded cannot be changed'); END"
    op.execute(f"CREATE TRIGGER case_record_frozen BEFORE UPDATE ON case_record WHEN {changed} {refused}")
    op.execute(f"CREATE TRIGGER case_record_kept BEFORE DELETE ON case_record {refused}")
    op.execute(f"CREATE TRIGGER case_intake_frozen BEFORE UPDATE ON case_intake {refused}")
    op.execute(f"CREATE TRIGGER case_intake_kept BEFORE DELETE ON case_intake {refused}")


def _freeze_on_postgresql() -> None:
    changed = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in FROZEN)
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'what was recorded cannot be changed'; END $$"
    )
    for name, event, table, condition in (
        ("case_record_frozen", "UPDATE", "case_record", f"WHEN ({changed})"),
        ("case_record_kept", "DELETE", "case_record", ""),
        ("case_intake_frozen", "UPDATE", "case_intake", ""),
        ("case_intake_kept", "DELETE", "case_intake", ""),
    ):
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW {condition} EXECUTE FUNCTION refuse_change()"
        )
