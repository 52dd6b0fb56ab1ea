"""the whole life of a case: consents, staff named, reclassification, confirmation, mediation, assistance, welfare

What an upgrade finds open is due at once: nobody knows how long it has waited. Complaints that were recorded before
stand behind the wall as they did; which unit or account they name stands in no column yet."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from kernel.database import UtcDateTime

revision = "case_0002"
down_revision = "case_0001"
branch_labels = None
depends_on = None

WORD = sa.String(32)
ACCOUNT = sa.String(64)
ID = sa.String(36)
FROZEN = "what was recorded cannot be changed"
UNAPPROVED = "the class of a case changes by an approved reclassification only"


def upgrade() -> None:
    _cases()
    _parties()
    _endings()
    _beside()
    _welfare()
    if op.get_bind().dialect.name == "postgresql":
        _guard_on_postgresql()
    else:
        _guard_on_sqlite()


def _cases() -> None:
    no, nothing = sa.false(), sa.text("''")
    for column in (
        sa.Column("minors", sa.Boolean(), nullable=False, server_default=no),
        sa.Column("units", sa.JSON(), nullable=False, server_default=sa.text("'[]'")),
        sa.Column("walled", sa.Boolean(), nullable=False, server_default=no),
        sa.Column("upstream", sa.Boolean(), nullable=False, server_default=no),
        sa.Column("walled_from", sa.Text(), nullable=False, server_default=nothing),
        sa.Column("next_step", WORD),
        sa.Column("due_at", UtcDateTime()),
        sa.Column("closings", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("reopened", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("duplicate_of", ID),
        sa.Column("before_duplicate", WORD),
    ):
        op.add_column("case_record", column)
    op.create_index("case_record_due", "case_record", ["due_at"])
    op.create_index("case_record_duplicate_of", "case_record", ["duplicate_of"])
    array = "json_build_array" if op.get_bind().dialect.name == "postgresql" else "json_array"
    op.execute(
        f"""
        UPDATE case_record SET
            units = {array}(unit),
            walled = category IN ('complaint_against_police', 'corruption'),
            closings = CASE WHEN status = 'closed' THEN 1 ELSE 0 END,
            due_at = CASE WHEN status IN ('closed', 'withdrawn') THEN NULL ELSE opened_at END,
            next_step = CASE status
                WHEN 'received' THEN 'triage' WHEN 'triaged' THEN 'assign' WHEN 'assigned' THEN 'first_contact'
                WHEN 'in_progress' THEN 'work' WHEN 'on_hold' THEN 'review' WHEN 'resolution_proposed' THEN 'approval'
                ELSE NULL END
        """  # noqa: S608 - names of this file
    )


def _of_case(**options: Any) -> sa.Column[Any]:
    return sa.Column("case_id", ID, sa.ForeignKey("case_record.id"), nullable=False, **options)


def _parties() -> None:
    op.create_table(
        "case_consent",
        sa.Column("id", ID, primary_key=True),
        _of_case(),
        sa.Column("party_id", ID, sa.ForeignKey("case_party.id"), nullable=False),
        sa.Column("purpose", WORD, nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("given_by", WORD, nullable=False),
        sa.Column("alone", WORD, nullable=False),
        sa.Column("sealed", sa.LargeBinary()),
        sa.Column("recorded_by", ACCOUNT, nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
    )
    op.create_index("case_consent_standing", "case_consent", ["case_id", "purpose", "party_id"])
    op.create_table(
        "case_contact_plan",
        sa.Column("id", ID, primary_key=True),
        _of_case(index=True),
        sa.Column("sealed", sa.LargeBinary()),
        sa.Column("recorded_by", ACCOUNT, nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
    )
    op.create_table(
        "case_staff",
        sa.Column("id", ID, primary_key=True),
        _of_case(index=True),
        sa.Column("staff_account", ACCOUNT),
        sa.Column("staff_unit", ACCOUNT),
        sa.Column("post", WORD, nullable=False),
        sa.Column("named_by", ACCOUNT, nullable=False),
        sa.Column("named_at", UtcDateTime(), nullable=False),
    )


def _endings() -> None:
    op.create_table(
        "reclassification",
        sa.Column("id", ID, primary_key=True),
        sa.Column("version", sa.Integer(), nullable=False),
        _of_case(),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("from_class", WORD, nullable=False),
        sa.Column("to_class", WORD, nullable=False),
        sa.Column("ground", WORD, nullable=False),
        sa.Column("status", WORD, nullable=False),
        sa.Column("note_id", ID, nullable=False),
        sa.Column("proposed_by", ACCOUNT, nullable=False),
        sa.Column("proposed_at", UtcDateTime(), nullable=False),
        sa.Column("decided_by", ACCOUNT),
        sa.Column("decided_at", UtcDateTime()),
        sa.UniqueConstraint("case_id", "place"),
    )
    op.create_index("reclassification_status", "reclassification", ["status", "id"])
    op.create_table(
        "confirmation",
        sa.Column("id", ID, primary_key=True),
        sa.Column("version", sa.Integer(), nullable=False),
        _of_case(),
        sa.Column("closing", sa.Integer(), nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=False),
        sa.Column("closed_by", ACCOUNT, nullable=False),
        sa.Column("unit", ACCOUNT),
        sa.Column("from_at", UtcDateTime(), nullable=False),
        sa.Column("until_at", UtcDateTime(), nullable=False),
        sa.Column("answer", WORD),
        sa.Column("unasked", WORD),
        sa.Column("answered_by", ACCOUNT),
        sa.Column("answered_at", UtcDateTime()),
        sa.UniqueConstraint("case_id", "closing"),
    )
    op.create_index("confirmation_open", "confirmation", ["answer", "until_at"])
    op.create_index("confirmation_unit", "confirmation", ["unit", "answer"])


def _beside() -> None:
    op.create_table(
        "mediation",
        sa.Column("id", ID, primary_key=True),
        sa.Column("version", sa.Integer(), nullable=False),
        _of_case(index=True),
        sa.Column("status", WORD, nullable=False),
        sa.Column("mediator", WORD, nullable=False),
        sa.Column("parties", sa.JSON(), nullable=False),
        sa.Column("guarded", sa.Boolean(), nullable=False),
        sa.Column("proposed_by", ACCOUNT, nullable=False),
        sa.Column("proposed_at", UtcDateTime(), nullable=False),
        sa.Column("screen", sa.LargeBinary()),
        sa.Column("screened_at", UtcDateTime()),
        sa.Column("approved_by", ACCOUNT),
        sa.Column("approved_at", UtcDateTime()),
        sa.Column("held_at", UtcDateTime()),
        sa.Column("terms", sa.Integer(), nullable=False),
        sa.Column("follow_ups", sa.Integer(), nullable=False),
        sa.Column("second_follow_up_on", sa.Date()),
        sa.Column("next_follow_up_on", sa.Date()),
        sa.Column("stop_reason", WORD),
    )
    op.create_index("mediation_next", "mediation", ["status", "next_follow_up_on"])
    op.create_table(
        "assistance",
        sa.Column("id", ID, primary_key=True),
        sa.Column("version", sa.Integer(), nullable=False),
        _of_case(index=True),
        sa.Column("status", WORD, nullable=False),
        sa.Column("station", sa.String(200), nullable=False),
        sa.Column("sent_by", ACCOUNT, nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=False),
        sa.Column("answer_due_at", UtcDateTime(), nullable=False),
        sa.Column("no_answer_at", UtcDateTime()),
        sa.Column("acknowledged_at", UtcDateTime()),
        sa.Column("on_scene_at", UtcDateTime()),
        sa.Column("ended_at", UtcDateTime()),
        sa.Column("result", WORD),
        sa.Column("refusal", WORD),
    )
    op.create_index("assistance_unanswered", "assistance", ["status", "answer_due_at"])


def _welfare() -> None:
    op.create_table(
        "welfare_application",
        sa.Column("id", ID, primary_key=True),
        sa.Column("number", sa.String(24), nullable=False, unique=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("status", WORD, nullable=False),
        sa.Column("benefit", WORD, nullable=False),
        sa.Column("applicant", WORD, nullable=False),
        sa.Column("applicant_account", ACCOUNT),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.String(16), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("unit", sa.String(64), nullable=False),
        sa.Column("office", sa.String(200)),
        sa.Column("present", sa.JSON(), nullable=False),
        sa.Column("started_by", ACCOUNT, nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("submitted_at", UtcDateTime()),
        sa.Column("decided_by", ACCOUNT),
        sa.Column("decided_at", UtcDateTime()),
        sa.Column("paid_at", UtcDateTime()),
    )
    op.create_index("welfare_application_unit_status", "welfare_application", ["unit", "status"])


LAST_APPROVED = (
    "(SELECT to_class FROM reclassification WHERE case_id = NEW.id AND status = 'approved' ORDER BY place DESC LIMIT 1)"
)


def _guard_on_sqlite() -> None:
    unapproved = f"BEGIN SELECT RAISE(ABORT, '{UNAPPROVED}'); END"
    frozen = f"BEGIN SELECT RAISE(ABORT, '{FROZEN}'); END"
    op.execute(
        "CREATE TRIGGER case_record_class BEFORE UPDATE ON case_record "
        f"WHEN OLD.current_class IS NOT NEW.current_class AND NEW.current_class IS NOT {LAST_APPROVED} {unapproved}"
    )
    op.execute(
        "CREATE TRIGGER case_record_begins BEFORE INSERT ON case_record "
        f"WHEN NEW.current_class IS NOT NEW.recording_class {unapproved}"
    )
    op.execute(f"CREATE TRIGGER reclassification_kept BEFORE DELETE ON reclassification {frozen}")
    op.execute(
        "CREATE TRIGGER reclassification_frozen BEFORE UPDATE ON reclassification "
        "WHEN OLD.status IS NOT 'proposed' OR OLD.case_id IS NOT NEW.case_id OR OLD.place IS NOT NEW.place "
        "OR OLD.from_class IS NOT NEW.from_class OR OLD.to_class IS NOT NEW.to_class "
        f"OR OLD.proposed_by IS NOT NEW.proposed_by OR NEW.decided_by IS NEW.proposed_by {frozen}"
    )


def _guard_on_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION refuse_class() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF TG_OP = 'INSERT' THEN "
        f"IF NEW.current_class <> NEW.recording_class THEN RAISE EXCEPTION '{UNAPPROVED}'; END IF; "
        f"ELSIF OLD.current_class <> NEW.current_class AND NEW.current_class IS DISTINCT FROM {LAST_APPROVED} "
        f"THEN RAISE EXCEPTION '{UNAPPROVED}'; END IF; RETURN NEW; END $$"
    )
    op.execute(
        "CREATE TRIGGER case_record_class BEFORE INSERT OR UPDATE ON case_record "
        "FOR EACH ROW EXECUTE FUNCTION refuse_class()"
    )
    op.execute(
        "CREATE TRIGGER reclassification_kept BEFORE DELETE ON reclassification "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER reclassification_frozen BEFORE UPDATE ON reclassification FOR EACH ROW "
        "WHEN (OLD.status <> 'proposed' OR OLD.case_id <> NEW.case_id OR OLD.place <> NEW.place "
        "OR OLD.from_class <> NEW.from_class OR OLD.to_class <> NEW.to_class "
        "OR OLD.proposed_by <> NEW.proposed_by OR NEW.decided_by IS NOT DISTINCT FROM NEW.proposed_by) "
        "EXECUTE FUNCTION refuse_change()"
    )
