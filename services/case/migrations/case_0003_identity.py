"""Identity at rest, receipts, evidence, search."""

revision = "case_0003"
down_revision = "case_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet; see the docstring."""
