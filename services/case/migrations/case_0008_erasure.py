"""Requests to erase identity, and legal holds."""

import sqlalchemy as sa
from alembic import op

from kernel.database import UtcDateTime

revision = "case_0008"
down_revision = "case_0007"
branch_labels = None
depends_on = None

ID = sa.String(36)
WORD = sa.String(32)
ACCOUNT = sa.String(64)


def upgrade() -> None:
    op.create_table(
        "erasure",
        sa.Column("id", ID, primary_key=True),
        sa.Column("version", sa.Integer(), nullable=False),
        _of_case(),
        sa.Column("status", WORD, nullable=False),
        sa.Column("asked_by", WORD, nullable=False),
        sa.Column("alone", WORD, nullable=False),
        sa.Column("pressure", WORD, nullable=False),
        sa.Column("refusal", WORD),
        sa.Column("requested_by", ACCOUNT, nullable=False),
        sa.Column("requested_at", UtcDateTime(), nullable=False),
        sa.Column("decided_by", ACCOUNT),
        sa.Column("decided_at", UtcDateTime()),
    )
    op.create_index("erasure_status", "erasure", ["status", "id"])
    op.create_table(
        "legal_hold",
        sa.Column("id", ID, primary_key=True),
        sa.Column("version", sa.Integer(), nullable=False),
        _of_case(),
        sa.Column("placed_by", ACCOUNT, nullable=False),
        sa.Column("placed_at", UtcDateTime(), nullable=False),
        sa.Column("lifted_by", ACCOUNT),
        sa.Column("lifted_at", UtcDateTime()),
    )


def _of_case() -> sa.Column[str]:
    return sa.Column("case_id", ID, sa.ForeignKey("case_record.id"), nullable=False, index=True)
