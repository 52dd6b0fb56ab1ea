"""Tokens of the search index stand in the order in which they are read: by token, then case, then party.

They are copied, not made anew: no key is needed."""

import sqlalchemy as sa
from alembic import op

revision = "case_0009"
down_revision = "case_0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A table of its own beside the old one, whose place it takes: SQLite cannot change a primary key."""
    op.drop_index("ix_search_token_case_id", "search_token")
    op.rename_table("search_token", "search_token_before")
    op.create_table(
        "search_token",
        sa.Column("token", sa.LargeBinary(12), nullable=False),
        sa.Column("case_id", sa.String(36), nullable=False),
        sa.Column("party_id", sa.String(36), nullable=False),
        sa.PrimaryKeyConstraint("token", "case_id", "party_id", name="search_token_order"),
    )
    op.execute(
        "INSERT INTO search_token (token, case_id, party_id) SELECT token, case_id, party_id FROM search_token_before"
    )
    op.drop_table("search_token_before")
    op.create_index("ix_search_token_case_id", "search_token", ["case_id"])
