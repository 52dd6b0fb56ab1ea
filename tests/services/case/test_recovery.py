"""What came back from a directorate after this service's database was put back from an old backup."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from contracts import numbers
from contracts.recovered import RecoveredQuery
from kernel.fact import Fact
from kernel.recovered import RecoveredRecord
from services.case.handlers import recovery
from services.case.tables import CaseRecord
from services.case.tables.columns import Base
from tests.conftest import MakeDatabase
from tests.services.case.office import (
    DIRECTOR,
    INSPECTOR,
    ISO,
    OTHER_SUPERVISOR,
    SUPERVISOR,
    Office,
)


@pytest.fixture
def before(make_database: MakeDatabase) -> Office:
    """The office as it was, until its machine burnt."""
    return Office(make_database("case"))


@pytest.fixture
def after(make_database: MakeDatabase) -> Office:
    """The office that goes on, from a backup."""
    return Office(make_database("case"))


def put_back(before: Office, after: Office) -> None:
    """Copy every row, as a backup does."""
    for table in Base.metadata.sorted_tables:
        with before.database.read() as session:
            rows = [dict(row) for row in session.execute(table.select()).mappings()]
        if rows:
            with after.database.write_silently() as session:
                session.execute(table.insert(), rows)


def lost(before: Office, known: int) -> list[Fact]:
    """What `before` told since it had told `known` facts."""
    return before.facts()[known:]


def take_over(office: Office, facts: list[Fact], since: dict[str, int] | None = None) -> Any:
    with office.database.write() as session:
        return recovery.take_over(session, facts, iso=ISO, since=since or {}, now=office.now)


def row(office: Office, case: CaseRecord) -> CaseRecord:
    with office.database.read() as session:
        return session.get_one(CaseRecord, case.id)


def listed(office: Office, by: Any) -> list[RecoveredRecord]:
    with office.database.read() as session:
        return recovery.list_recovered(session, RecoveredQuery().load({}), by=by).items


def test_a_case_that_is_gone_keeps_its_number_and_is_incomplete(before: Office, after: Office) -> None:
    before.open()
    put_back(before, after)
    gone = before.open()
    done = take_over(after, lost(before, 1))
    assert (done.facts, done.incomplete, done.renumbered) == (1, 1, 0)
    (found,) = listed(after, SUPERVISOR)
    assert (found.subject, found.number, found.incomplete) == (gone.id, gone.number, True)
    assert after.open().number == numbers.number(ISO, 2026, 3)


def test_a_case_opened_since_gives_way_and_keeps_the_number_on_its_paper(before: Office, after: Office) -> None:
    before.open()
    put_back(before, after)
    gone = before.open()
    since = after.open()
    assert since.number == gone.number
    facts = len(after.facts())
    done = take_over(after, lost(before, 1))
    assert done.renumbered == 1
    changed = row(after, since)
    assert changed.number == numbers.number(ISO, 2026, 3)
    told = after.facts()[facts:]
    assert [(one.type, one.operational_values()["case_number"]) for one in told] == [
        ("case.recovered.v1", changed.number)
    ]
    found = {one.subject: one for one in listed(after, SUPERVISOR)}
    assert (found[since.id].former_number, found[since.id].incomplete) == (gone.number, False)
    assert found[gone.id].number == gone.number
    assert take_over(after, lost(before, 1)).renumbered == 0, "done again, it changes nothing"
    assert after.open().number == numbers.number(ISO, 2026, 4)


def test_an_older_row_is_brought_to_what_its_facts_say(before: Office, after: Office) -> None:
    case = before.open()
    put_back(before, after)
    before.triage(case)
    before.assign(case)
    done = take_over(after, lost(before, 1))
    assert (done.restored, done.incomplete) == (1, 1)
    found = row(after, case)
    assert (found.version, found.status, found.risk, found.incomplete) == (3, "assigned", "medium", True)
    assert after.facts() == [], "everybody else knows it already"
    with after.database.write_silently() as session:
        session.get_one(CaseRecord, case.id).number = numbers.number(ISO, 2026, 9)
        with pytest.raises(DBAPIError, match="cannot be changed"):
            session.flush()
        session.rollback()


def test_an_older_row_is_told_again_where_its_facts_came_back_in_part(before: Office, after: Office) -> None:
    case = before.open()
    put_back(before, after)
    before.triage(case, risk="high")
    in_part = [replace(one, operational=b"", sealed=b"") for one in lost(before, 1)]
    assert take_over(after, in_part).restored == 1
    (told,) = after.facts()
    found = row(after, case)
    assert (found.version, found.status, found.incomplete) == (3, "triaged", True)
    assert (told.version, told.operational_values()["case_number"]) == (3, case.number)
    assert take_over(after, in_part).restored == 0, "done again, it changes nothing"


def test_a_row_changed_since_stays_as_people_left_it_and_is_told_again(before: Office, after: Office) -> None:
    case = before.open()
    put_back(before, after)
    before.triage(case, risk="high")
    before.assign(case)
    after.triage(case, risk="low")
    done = take_over(after, lost(before, 1), since={case.id: 2})
    assert (done.restored, done.incomplete) == (0, 0)
    found = row(after, case)
    assert (found.version, found.status, found.risk) == (4, "triaged", "low")
    assert after.facts()[-1].version == 4
    take_over(after, lost(before, 1), since={case.id: 2})
    assert row(after, case).version == 4


def test_nobody_but_the_inspectorate_learns_of_what_stands_behind_the_wall(before: Office, after: Office) -> None:
    put_back(before, after)
    before.open()
    before.open(category="complaint_against_police")
    take_over(after, lost(before, 0))
    assert len(listed(after, SUPERVISOR)) == len(listed(after, DIRECTOR)) == 1
    assert listed(after, OTHER_SUPERVISOR) == []
    assert len(listed(after, INSPECTOR)) == 2
