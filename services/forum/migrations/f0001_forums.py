"""areas, forums, members, compositions, meetings, concerns, actions and their numbers"""

import sqlalchemy as sa
from alembic import op

from kernel.database import UtcDateTime

revision = "f0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "area",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("names", sa.JSON(), nullable=False),
        sa.Column("district", sa.String(64), nullable=False, index=True),
        sa.Column("parent_id", sa.String(36), sa.ForeignKey("area.id"), index=True),
        sa.Column("area_type", sa.String(32)),
        sa.Column("code", sa.String(32)),
        sa.Column("added_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
    )
    op.create_table(
        "forum",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("number", sa.String(32), nullable=False, unique=True),
        sa.Column("names", sa.JSON(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("founding", sa.String(32), nullable=False),
        sa.Column("district", sa.String(64), nullable=False, index=True),
        sa.Column("status", sa.String(32), nullable=False, index=True),
        sa.Column("close_reason", sa.String(32)),
        sa.Column("facilitator", sa.String(200)),
        sa.Column("rhythm_days", sa.Integer(), nullable=False),
        sa.Column("quorum", sa.JSON(), nullable=False),
        sa.Column("proposed_on", sa.Date(), nullable=False),
        sa.Column("established_on", sa.Date()),
        sa.Column("activated_on", sa.Date()),
        sa.Column("last_activity_at", UtcDateTime()),
        sa.Column("at_risk_at", UtcDateTime(), index=True),
        sa.Column("dormant_at", UtcDateTime(), index=True),
        sa.Column("version", sa.Integer(), nullable=False),
    )
    op.create_table(
        "number_sequence",
        sa.Column("iso", sa.String(3), primary_key=True),
        sa.Column("prefix", sa.String(1), primary_key=True),
        sa.Column("year", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("last", sa.Integer(), nullable=False),
    )
    op.create_table(
        "composition",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("forum_id", sa.String(36), sa.ForeignKey("forum.id"), nullable=False, index=True),
        sa.Column("declared_on", sa.Date(), nullable=False),
        sa.Column("declared_by", sa.String(64), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
    )
    op.create_table(
        "forum_area",
        sa.Column("forum_id", sa.String(36), sa.ForeignKey("forum.id"), primary_key=True),
        sa.Column("area_id", sa.String(36), sa.ForeignKey("area.id"), primary_key=True, index=True),
        sa.Column("place", sa.Integer(), nullable=False),
    )
    op.create_table(
        "meeting",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("number", sa.String(32), nullable=False, unique=True),
        sa.Column("forum_id", sa.String(36), sa.ForeignKey("forum.id"), nullable=False, index=True),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("session", sa.String(32), nullable=False),
        sa.Column("planned_at", UtcDateTime(), nullable=False),
        sa.Column("place", sa.String(200), nullable=False),
        sa.Column("agenda", sa.JSON(), nullable=False),
        sa.Column("held_at", UtcDateTime()),
        sa.Column("guests", sa.Integer()),
        sa.Column("quorum_met", sa.Boolean()),
        sa.Column("tension", sa.Integer()),
        sa.Column("cancel_reason", sa.String(32)),
        sa.Column("version", sa.Integer(), nullable=False),
    )
    op.create_table(
        "membership",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("forum_id", sa.String(36), sa.ForeignKey("forum.id"), nullable=False, index=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("sector", sa.String(32), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("joined_on", sa.Date(), nullable=False),
        sa.Column("left_on", sa.Date()),
        sa.Column("contact", sa.String(200)),
        sa.Column("contact_from_women", sa.Boolean(), nullable=False),
        sa.Column("account_id", sa.String(36)),
    )
    op.create_table(
        "attendance_count",
        sa.Column("meeting_id", sa.String(36), sa.ForeignKey("meeting.id"), primary_key=True),
        sa.Column("sector", sa.String(32), primary_key=True),
        sa.Column("sex", sa.String(32), primary_key=True),
        sa.Column("count", sa.Integer(), nullable=False),
    )
    op.create_table(
        "concern",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("forum_id", sa.String(36), sa.ForeignKey("forum.id"), nullable=False, index=True),
        sa.Column("area_id", sa.String(36), sa.ForeignKey("area.id")),
        sa.Column("meeting_id", sa.String(36), sa.ForeignKey("meeting.id")),
        sa.Column("private", sa.Boolean(), nullable=False),
        sa.Column("category", sa.String(32), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("raised_by", sa.String(32), nullable=False),
        sa.Column("priority", sa.String(32), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("raised_at", UtcDateTime(), nullable=False),
        sa.Column("owner_kind", sa.String(32)),
        sa.Column("owner_name", sa.String(200)),
        sa.Column("answer", sa.Text()),
        sa.Column("answered_at", UtcDateTime()),
        sa.Column("answered_by", sa.String(64)),
        sa.Column("version", sa.Integer(), nullable=False),
    )
    op.create_table(
        "action",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("number", sa.String(32), nullable=False, unique=True),
        sa.Column("forum_id", sa.String(36), sa.ForeignKey("forum.id"), nullable=False, index=True),
        sa.Column("meeting_id", sa.String(36), sa.ForeignKey("meeting.id")),
        sa.Column("concern_id", sa.String(36), sa.ForeignKey("concern.id")),
        sa.Column("private", sa.Boolean(), nullable=False),
        sa.Column("title", sa.String(300), nullable=False),
        sa.Column("status", sa.String(32), nullable=False, index=True),
        sa.Column("owner_kind", sa.String(32), nullable=False),
        sa.Column("owner_name", sa.String(200), nullable=False),
        sa.Column("owner_sector", sa.String(32), nullable=False),
        sa.Column("due_on", sa.Date(), index=True),
        sa.Column("overdue_told_on", sa.Date()),
        sa.Column("evidence", sa.Text()),
        sa.Column("claimed_at", UtcDateTime()),
        sa.Column("claimed_by", sa.String(64)),
        sa.Column("finding", sa.Text()),
        sa.Column("verified_at", UtcDateTime()),
        sa.Column("verified_by_member", sa.String(36), sa.ForeignKey("membership.id")),
        sa.Column("verified_by_sector", sa.String(32)),
        sa.Column("drop_reason", sa.String(32)),
        sa.Column("version", sa.Integer(), nullable=False),
    )
