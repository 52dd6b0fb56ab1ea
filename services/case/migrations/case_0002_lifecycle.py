"""The whole life of a case."""

revision = "case_0002"
down_revision = "case_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet; see the docstring."""
