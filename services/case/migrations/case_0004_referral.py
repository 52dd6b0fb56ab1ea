"""Referrals that cannot die in silence, partners, import."""

revision = "case_0004"
down_revision = "case_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet; see the docstring."""
