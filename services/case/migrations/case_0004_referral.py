"""Referrals that cannot die in silence: consent, steps of silence, outcomes; partners, one-time codes."""

import sqlalchemy as sa
from alembic import op

from kernel.database import UtcDateTime

revision = "case_0004"
down_revision = "case_0003"
branch_labels = None
depends_on = None

WORD = sa.String(32)
ACCOUNT = sa.String(64)
INSTANTS = ("created_at", "next_step_at", "delivered_at", "begun_at", "confirmed_at")
WORDS = ("consent", "not_completed_reason", "revoke_reason", "person_says", "said_by")
ACCOUNTS = ("head_hash", "overridden_by")

before = sa.table(
    "referral",
    sa.column("id", sa.String),
    sa.column("status", sa.String),
    sa.column("sent_at", UtcDateTime()),
    sa.column("due_at", UtcDateTime()),
    sa.column("overdue_at", UtcDateTime()),
    sa.column("created_at", UtcDateTime()),
    sa.column("next_step_at", UtcDateTime()),
    sa.column("escalation", sa.Integer),
    sa.column("withhold", sa.JSON),
)


def upgrade() -> None:
    _partners()
    with op.batch_alter_table("referral") as table:
        for name in INSTANTS:
            table.add_column(sa.Column(name, UtcDateTime()))
        for name in WORDS:
            table.add_column(sa.Column(name, WORD))
        for name in ACCOUNTS:
            table.add_column(sa.Column(name, ACCOUNT))
        table.add_column(sa.Column("partner", sa.String(36)))
        table.add_column(sa.Column("note_id", sa.String(36)))
        table.add_column(sa.Column("suggested", sa.String(36)))
        table.add_column(sa.Column("withhold", sa.JSON()))
        table.add_column(sa.Column("escalation", sa.Integer()))
    _carry_over()
    with op.batch_alter_table("referral") as table:
        for name, kind in (("created_at", UtcDateTime()), ("withhold", sa.JSON()), ("escalation", sa.Integer())):
            table.alter_column(name, existing_type=kind, nullable=False)
        for name in ("sent_at", "due_at"):
            table.alter_column(name, existing_type=UtcDateTime(), nullable=True)
        table.create_foreign_key("referral_of_partner", "partner", ["partner"], ["id"])
        table.create_foreign_key("referral_note", "case_note", ["note_id"], ["id"])
        table.create_index("referral_next_step", ["next_step_at"])
        table.create_index("referral_partner", ["partner", "sent_at"])
    _codes()


def _partners() -> None:
    op.create_table(
        "partner",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("origin", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("names", sa.JSON(), nullable=False),
        sa.Column("destination", WORD, nullable=False),
        sa.Column("categories", sa.JSON(), nullable=False),
        sa.Column("districts", sa.JSON(), nullable=False),
        sa.Column("women_on_staff", sa.Boolean(), nullable=False),
        sa.Column("languages", sa.JSON(), nullable=False),
        sa.Column("phone", sa.String(40)),
        sa.Column("account_id", ACCOUNT),
        sa.Column("head_account_id", ACCOUNT),
        sa.Column("listed_by", ACCOUNT),
        sa.Column("listed_at", UtcDateTime(), nullable=False),
        sa.Column("vetted_by", ACCOUNT),
        sa.Column("vetted_on", sa.Date()),
        sa.Column("expires_on", sa.Date()),
        sa.Column("suspended", sa.Boolean(), nullable=False),
    )


def _carry_over() -> None:
    """What was sent before stays sent, and its silence goes on where it was.

    The release before did not ask for consent: where nobody wrote it down, none is claimed now.
    """
    connection = op.get_bind()
    rows = connection.execute(sa.select(before)).all()
    for row in rows:
        told = 1 if row.overdue_at is not None else 0
        waits = row.status == "sent"
        next_step = row.due_at if not told else row.overdue_at + (row.due_at - row.sent_at) / 2
        connection.execute(
            before.update()
            .where(before.c.id == row.id)
            .values(
                created_at=row.sent_at,
                escalation=told,
                withhold=[],
                next_step_at=next_step if waits else None,
            )
        )


def _codes() -> None:
    op.create_table(
        "referral_code",
        sa.Column("referral_id", sa.String(36), sa.ForeignKey("referral.id"), primary_key=True),
        sa.Column("salt", sa.LargeBinary(16), nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.Column("issued_by", ACCOUNT, nullable=False),
        sa.Column("issued_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("wrong", sa.Integer(), nullable=False),
        sa.Column("shown", sa.Integer(), nullable=False),
        sa.Column("used_at", UtcDateTime()),
    )
    op.create_table(
        "arrival_cursor",
        sa.Column("stream", sa.String(32), primary_key=True),
        sa.Column("number", sa.Integer(), nullable=False),
    )
