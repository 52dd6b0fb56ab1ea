"""What the facts of an office become at its home directorate: both counts, whatever was settled and how."""

from typing import Any

import pytest

from contracts.sync import GroupBy
from services.sync import statistics
from tests.conftest import MakeDatabase
from tests.services.case import life
from tests.services.case.office import DIRECTOR, FORCE, SUPERVISOR, Office
from tests.services.sync.facts import NOW
from tests.services.sync.replica_kit import Origin, Taker

INFORMAL = (
    "advice_given", "mediated_agreement", "service_completed", "content_removed", "returned_home_safe", "no_evidence",
    "cannot_contact", "out_of_mandate_referred",
)  # fmt: skip


@pytest.fixture
def directorate(make_database: MakeDatabase) -> Any:
    """`directorate(office)`: what its statistics show once it holds every fact of the office."""

    def show(office: Office) -> dict[str, Any]:
        database = make_database("sync")
        facts = office.facts()
        origin, taker = Origin("ninewa"), Taker(database, origin="ninewa")
        origin.add(*facts)
        taker.take(origin.hello())
        taker.take(origin.batch(0, len(facts)))
        with database.read() as session:
            shown = statistics.cases(
                session, (GroupBy.ORIGIN,), node="directorate-baghdad", origins=("ninewa",), now=NOW, stale=90.0
            )
        row: dict[str, Any] = shown["rows"][0]
        return row

    return show


def test_ten_crimes_settled_informally_are_ten_at_the_directorate_by_both_counts(
    office: Office, directorate: Any
) -> None:
    for outcome in INFORMAL:
        office.close(office.proposed(outcome, answers=FORCE), by=DIRECTOR)
    office.withdraw(office.at_work(answers=FORCE, category="domestic_abuse"))
    office.withdraw(office.open(answers=FORCE), by=SUPERVISOR)
    row = directorate(office)
    assert (row["cases"], row["reclassified"], row["duplicates"]) == (10, 0, 0)
    assert row["recording_class"]["crime_indicated"] == row["current_class"]["crime_indicated"] == 10


def test_only_what_was_approved_lowers_the_present_count_and_a_duplicate_shows(
    office: Office, directorate: Any
) -> None:
    cases = [office.at_work(answers=FORCE) for _ in range(4)]
    life.approve(office, life.reclassify(office, cases[0]))
    life.refuse(office, life.reclassify(office, cases[1]))
    life.reclassify(office, cases[2])
    life.duplicate(office, cases[3], of=cases[1])
    row = directorate(office)
    assert (row["cases"], row["reclassified"], row["duplicates"]) == (3, 1, 1)
    assert row["recording_class"]["crime_indicated"] == 3
    assert row["current_class"]["crime_indicated"] == 2
