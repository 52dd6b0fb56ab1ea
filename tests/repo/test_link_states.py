"""Every state of a link has a section for operators: what is seen, why, and what to do."""

import re

import pytest

from contracts.sync import LinkState
from tests.repo import documents

OPERATIONS = (documents.ROOT / "docs" / "operations.md").read_text("utf-8")
ROW = re.compile(r"^\| \[`(\w+)`\]\(#([\w-]+)\) \|", re.MULTILINE)


def sections() -> dict[str, str]:
    """What stands under each heading, by its anchor."""
    parts = re.split(r"^#{2,3} (.+)$", OPERATIONS, flags=re.MULTILINE)
    return {_anchor(title): text for title, text in zip(parts[1::2], parts[2::2], strict=True)}


def _anchor(title: str) -> str:
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def test_the_table_of_states_is_the_closed_list() -> None:
    assert sorted(state for state, _ in ROW.findall(OPERATIONS)) == sorted(state.value for state in LinkState)


@pytest.mark.parametrize("state", [state.value for state in LinkState])
def test_every_state_of_a_link_says_what_is_seen_why_and_what_to_do(state: str) -> None:
    anchor = dict(ROW.findall(OPERATIONS))[state]
    text = sections()[anchor]
    assert f"`{state}`" in text
    assert "*Seen" in text
    assert "*Why" in text
    assert "*Do" in text or "*Why and do" in text
