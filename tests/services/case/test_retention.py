"""What has been kept for long enough is erased when an operator says so, and only that."""

from datetime import UTC, datetime

import pytest

from contracts.rules import RetentionRules
from services.case import handlers
from services.case.handlers.retention import months_before
from services.case.tables import CaseRecord
from tests.services.case.office import HANDLER, SUPERVISOR, Office

RULES = RetentionRules(neighbour_dispute=12, begging=6)


def closed(office: Office, **values: str) -> CaseRecord:
    case = office.proposed(narrative="what happened", **values)
    return office.close(case)


def due(office: Office) -> list[tuple[str, int]]:
    found = office.run(lambda session: handlers.due(session, now=office.now, rules=RULES))
    return [(each["category"], each["due"]) for each in found]


def erase(office: Office, limit: int = 100) -> int:
    return int(
        office.run(lambda session: handlers.erase_due(session, by=SUPERVISOR, now=office.now, rules=RULES, limit=limit))
    )


def test_a_case_is_due_by_its_category_and_its_end(office: Office) -> None:
    closed(office)
    closed(office, category="begging")
    office.at_work()
    assert due(office) == []
    office.wait(days=200)
    assert due(office) == [("begging", 1)]
    office.wait(days=200)
    assert due(office) == [("begging", 1), ("neighbour_dispute", 1)]


def test_looking_changes_nothing_and_erasing_leaves_the_case_and_a_tombstone(office: Office) -> None:
    case, open_still = closed(office), office.at_work(narrative="goes on")
    office.wait(days=400)
    before = len(office.facts())
    due(office)
    assert len(office.facts()) == before
    assert erase(office) == 1
    assert [fact.type for fact in office.facts(after=before)] == ["case.erased.v1"]
    assert office.get(case, HANDLER).identity is None
    assert case.id in office.listed(SUPERVISOR)
    assert office.get(open_still, HANDLER).identity is not None
    assert office.audited()[-1][1:] == ("read_identity", open_still.id, "allowed", None)
    assert [line[1:] for line in office.audited() if line[1] == "erase_identity"] == [
        ("erase_identity", case.id, "allowed", "retention")
    ]
    assert due(office) == []


def test_erasing_is_bounded_and_goes_on_where_it_was_interrupted(office: Office) -> None:
    for _ in range(3):
        closed(office)
    office.wait(days=400)
    assert [erase(office, limit=2) for _ in range(3)] == [2, 1, 0]


@pytest.mark.parametrize(
    ("now", "months", "before"),
    [("2026-03-31", 1, "2026-02-28"), ("2028-02-29", 12, "2027-02-28"), ("2026-01-15", 13, "2024-12-15")],
)
def test_months_are_counted_by_the_calendar(now: str, months: int, before: str) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert months_before(moment, months) == datetime.fromisoformat(before).replace(tzinfo=UTC)
