"""Relayed facts, keys by number, sealed recovery."""

revision = "sync_0006"
down_revision = "sync_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet; see the docstring."""
