"""Finding persons whose names are sealed: by whom, in which scripts, and what it does not tell."""

from typing import Any

import pytest
from sqlmodel import select

from contracts.case import FindPersons, SamePersons
from kernel.identity import Actor
from services.case import folding, handlers, sealing
from services.case.handlers import Finds
from services.case.refusals import CaseNotFound, ReasonNeeded
from services.case.tables import CaseParty, CaseRecord, SearchToken
from tests.services.case.office import (
    ADMIN,
    DIRECTOR,
    HANDLER,
    INSPECTOR,
    INTAKE,
    OFFICER,
    OTHER_SUPERVISOR,
    OTHER_UNIT,
    REASON,
    SUPERVISOR,
    Office,
)

ZAINAB = {"role": "affected", "name": "زينب علي المختار", "phone": "0770 123 4567", "birth_date": "1987-06-05"}


def find(office: Office, by: Actor, **values: Any) -> list[str]:
    finds: Finds = office.do(handlers.find_persons, FindPersons, by, **values)
    return [item.case.id for item in finds.items]


def same(office: Office, case: CaseRecord, by: Actor, **values: Any) -> list[tuple[str, list[str]]]:
    finds: Finds = office.do(handlers.same_persons, SamePersons, by, case_id=case.id, **values)
    return [(item.case.id, [why.value for why in item.because]) for item in finds.items]


@pytest.mark.parametrize(
    "written", ["زينب", "زَينَب", "زەینەب", "Zainab", "zeyneb ali", "علي زينب", "Zaynab al-Mukhtar", "Ali Mukhtar"]
)
def test_a_person_is_found_in_any_script(office: Office, written: str) -> None:
    case = office.at_work(parties=[ZAINAB])
    office.at_work(parties=[{"role": "affected", "name": "سعاد حسن"}])
    assert find(office, HANDLER, name=written) == [case.id]


@pytest.mark.parametrize("written", ["+964 770 123 4567", "٠٧٧٠١٢٣٤٥٦٧", "۰۷۷۰۱۲۳۴۵۶۷"])
def test_a_person_is_found_by_a_number_in_any_digits(office: Office, written: str) -> None:
    case = office.at_work(parties=[ZAINAB])
    assert find(office, HANDLER, phone=written) == [case.id]
    assert find(office, HANDLER, phone="0770 123 4568") == []
    assert find(office, HANDLER, name="Zainab", phone=written) == [case.id]
    assert find(office, HANDLER, name="Hasan", phone=written) == []


def test_an_exact_spelling_stands_before_one_that_only_sounds_alike(office: Office) -> None:
    exact = office.at_work(parties=[{"role": "affected", "name": "محمد"}])
    alike = office.at_work(parties=[{"role": "affected", "name": "Mohammed"}])
    assert find(office, HANDLER, name="مُحمد") == [exact.id, alike.id]


@pytest.mark.parametrize(
    "stranger", [OFFICER, OTHER_SUPERVISOR, INSPECTOR, ADMIN, DIRECTOR], ids=lambda actor: actor.name
)
def test_whoever_may_not_identify_a_case_does_not_find_it_nor_hear_that_there_is_one(
    office: Office, stranger: Actor
) -> None:
    office.at_work(parties=[ZAINAB])
    finds: Finds = office.do(handlers.find_persons, FindPersons, stranger, name="زينب", reason=REASON)
    nobody: Finds = office.do(handlers.find_persons, FindPersons, stranger, name="سميرة", reason=REASON)
    assert finds == nobody == Finds([], more=False)


def test_a_supervisor_finds_in_the_unit_with_a_reason(office: Office) -> None:
    case = office.open(parties=[ZAINAB])
    office.open(parties=[ZAINAB], unit=OTHER_UNIT)
    assert find(office, SUPERVISOR, name="زينب") == []
    assert find(office, SUPERVISOR, name="زينب", reason=REASON) == [case.id]


@pytest.mark.parametrize("commander", [SUPERVISOR, DIRECTOR], ids=lambda actor: actor.name)
def test_a_complaint_is_found_by_the_inspectorate_alone(office: Office, commander: Actor) -> None:
    complaint = office.open(category="complaint_against_police", parties=[ZAINAB])
    assert find(office, commander, name="زينب", reason=REASON) == []
    assert find(office, INSPECTOR, name="زينب", reason=REASON) == [complaint.id]


def test_each_person_shown_is_a_reading_in_the_audit_log(office: Office) -> None:
    case = office.at_work(parties=[ZAINAB])
    finds = office.do(handlers.find_persons, FindPersons, SUPERVISOR, name="زينب", reason=REASON)
    office.run(lambda session: handlers.note_finds(session, finds, REASON, by=SUPERVISOR, now=office.now))
    assert office.audited()[-1] == (SUPERVISOR.id, "find_person", case.id, "allowed", REASON)


def test_who_enters_a_case_hears_of_the_same_person_in_cases_of_their_own_and_of_no_others(office: Office) -> None:
    before = office.open(parties=[ZAINAB])
    theirs = office.at_work(parties=[ZAINAB])
    now = office.open(parties=[{**ZAINAB, "name": "Zaynab Ali"}])
    assert same(office, now, INTAKE) == [(before.id, ["spelling", "sound", "birth", "phone"][1:])]
    assert {case for case, _ in same(office, now, SUPERVISOR, reason=REASON)} == {before.id, theirs.id}
    with pytest.raises(ReasonNeeded):
        same(office, now, SUPERVISOR)
    with pytest.raises(CaseNotFound):
        same(office, now, OFFICER)


def test_a_first_name_alone_makes_nobody_the_same_person(office: Office) -> None:
    office.open(parties=[{"role": "affected", "name": "زينب"}])
    assert same(office, office.open(parties=[{"role": "affected", "name": "زينب"}]), INTAKE) == []


def test_the_index_says_no_name(office: Office) -> None:
    office.at_work(parties=[ZAINAB])
    rows = office.run(lambda session: session.exec(select(SearchToken)).all())
    assert len(rows) == 7  # three words, each as spelled and as heard, and a telephone number
    assert all(len(row.token) == 12 for row in rows)
    other = Office(office.database)
    assert len({row.token for row in rows}) == 7
    assert find(other, HANDLER, name="زينب") != []


def test_what_is_erased_is_not_found(office: Office) -> None:
    case = office.at_work(parties=[ZAINAB])

    def erase(session: Any) -> None:
        row = session.get_one(CaseRecord, case.id)
        handlers.erase_identity(session, row, by=SUPERVISOR, reason=REASON, now=office.now)

    office.run(erase)
    assert find(office, HANDLER, name="زينب") == []
    assert office.run(lambda session: session.exec(select(SearchToken)).all()) == []


def test_names_of_an_earlier_release_are_indexed_in_bounded_passes(office: Office) -> None:
    cases = [office.at_work(parties=[ZAINAB]) for _ in range(3)]

    def forget(session: Any) -> None:
        for row in session.exec(select(SearchToken)):
            session.delete(row)
        for party in session.exec(select(CaseParty)):
            party.index_version = 0

    office.run(forget)
    assert find(office, HANDLER, name="زينب") == []
    assert [office.run(lambda session: sealing.index_anew(session, limit=2)) for _ in range(3)] == [2, 1, 0]
    assert sorted(find(office, HANDLER, name="زينب")) == sorted(case.id for case in cases)
    assert office.run(lambda session: {party.index_version for party in session.exec(select(CaseParty))}) == {
        folding.VERSION
    }


def test_more_that_fit_than_are_looked_at_are_said_and_not_counted(office: Office) -> None:
    for _ in range(3):
        office.at_work(parties=[ZAINAB])
    finds: Finds = office.do(handlers.find_persons, FindPersons, HANDLER, name="زينب", limit=2)
    assert (len(finds.items), finds.more) == (2, True)
