"""Every decision can be named by its number and says what a decision must say."""

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.repo import pages

SECTIONS = {"## Context", "## Decision", "## Rejected"}


def test_every_decision_has_a_number_of_its_own() -> None:
    numbers = Counter(file.name[:4] for file in pages.decision_files())
    assert not [number for number, count in numbers.items() if count > 1]


@pytest.mark.parametrize("file", pages.decision_files(), ids=lambda file: file.name[:4])
def test_a_decision_is_dated_and_whole(file: Path) -> None:
    text = file.read_text("utf-8")
    assert text.startswith(f"# {file.name[:4]}: ")
    assert re.search(r"^Date: \d{4}-\d\d-\d\d\. Status: ", text, re.MULTILINE)
    assert set(text.splitlines()) >= SECTIONS
