"""Transfers and handler requests."""

revision = "case_0005"
down_revision = "case_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet; see the docstring."""
