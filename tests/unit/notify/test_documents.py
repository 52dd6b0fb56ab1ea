"""The page for people says what the rules do."""

from pathlib import Path

from contracts.rules import NotifyRules
from services.notify.model import Cause, DeliveryState
from services.notify.rules import RULES

PAGE = (Path(__file__).parents[3] / "docs" / "notifications.md").read_text("utf-8")


def rows() -> list[list[str]]:
    """The cells of every line of a table, without the marks of code."""
    return [
        [cell.strip() for cell in line.strip("|").replace("`", "").split("|")]
        for line in PAGE.splitlines()
        if line.startswith("| `")
    ]


def test_every_rule_is_on_the_page_with_its_fact_and_nothing_else_is() -> None:
    written = {row[0]: row[1].partition(",")[0] for row in rows() if row[0] in {rule.name for rule in RULES}}
    assert written == {rule.name: rule.on for rule in RULES}


def test_every_state_and_cause_of_an_e_mail_is_on_the_page() -> None:
    named = {row[0] for row in rows()}
    assert named == {rule.name for rule in RULES} | set(DeliveryState) | set(Cause)


def test_the_retries_are_those_of_the_page() -> None:
    assert NotifyRules().mail_retry_minutes == (1, 5, 15, 60, 240, 720, 1440, 1440)
    assert "after 1, 5, 15 minutes, 1, 4, 12, 24 and 24 hours" in " ".join(PAGE.split())
