"""What makes catching up fast."""

revision = "sync_0007"
down_revision = "sync_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet; see the docstring."""
