"""Identity erased because a person asks: by whom, when not, and what remains."""

from typing import Any

import pytest
from sqlmodel import select

from contracts.case import erasure as contract
from contracts.case.erasure import ErasureStatus
from contracts.roles import Role
from contracts.rules import RetentionRules
from kernel.errors import JisrError, MoveRefused
from kernel.identity import Actor
from services.case import handlers
from services.case.refusals import (
    CaseNotFound,
    ErasureNotFound,
    FromOutside,
    HoldNotFound,
    NeededByAuthority,
    NotTheHandler,
    OnHold,
    OwnAct,
)
from services.case.tables import CaseNote, CaseRecord
from tests.conftest import MakeDatabase
from tests.services.case import life
from tests.services.case.office import (
    DIRECTOR,
    FORCE,
    HANDLER,
    INSPECTOR,
    OFFICER,
    OTHER_SUPERVISOR,
    SUPERVISOR,
    Office,
    person,
)

ASKED = {"asked_by": "affected", "alone": "yes", "pressure": "no", "identity_checked": True, "text": "she wishes it"}
OF_UNIT = person("inspector-of-the-unit", Role.INSPECTORATE)
SECOND = person("second-director", Role.PROVINCIAL_DIRECTOR, unit=None)


@pytest.fixture
def office(make_database: MakeDatabase) -> Office:
    return Office(make_database("case"))


def ended(office: Office, **values: Any) -> CaseRecord:
    case = office.proposed(outcome="advice_given", parties=[life.WOMAN], **values)
    return office.close(case, by=DIRECTOR)


def ask(office: Office, case: CaseRecord, by: Actor = HANDLER, **values: Any) -> Any:
    return office.do(handlers.request_erasure, contract.RequestErasure, by, case_id=case.id, **{**ASKED, **values})


def approve(office: Office, asked: Any, by: Actor = INSPECTOR, **values: Any) -> Any:
    return office.do(handlers.approve_erasure, contract.DecideErasure, by, erasure_id=asked["id"], **values)


def hold(office: Office, case: CaseRecord, by: Actor = INSPECTOR) -> Any:
    return office.do(handlers.place_hold, contract.PlaceHold, by, case_id=case.id, text="the prosecutor needs it")


def lift(office: Office, placed: Any, by: Actor = DIRECTOR) -> Any:
    return office.do(handlers.lift_hold, contract.LiftHold, by, hold_id=placed.id)


def listed(office: Office, by: Actor, **values: Any) -> list[Any]:
    return office.do(handlers.list_erasures, contract.ErasureQuery, by, **values).items


def test_what_a_person_asks_to_erase_is_gone_and_the_case_its_class_and_a_tombstone_remain(office: Office) -> None:
    case = ended(office)
    asked = ask(office, case)
    assert [row["id"] for row in listed(office, INSPECTOR, status="requested")] == [asked["id"]]
    assert office.get(case, HANDLER).identity is not None
    approved = approve(office, asked)
    assert (approved["status"], approved["decided_by"]) == (ErasureStatus.APPROVED, INSPECTOR.id)
    file = office.get(case, HANDLER)
    assert file.identity is None
    row = office.row(case)
    assert (row.number, row.status, row.recording_class, row.counted) == (
        case.number,
        case.status,
        case.recording_class,
        True,
    )
    fact = office.last_fact()
    assert fact.type == "case.erased.v1"
    assert fact.statistical_values()["current_class"] == case.current_class
    with office.database.read() as session:
        assert all(note.sealed is None for note in session.exec(select(CaseNote)).all())
    told = [line[:3] for line in office.audited()]
    assert (HANDLER.id, "request_erasure", case.id) in told
    assert (INSPECTOR.id, "erase_identity", case.id) in told
    with pytest.raises(MoveRefused, match="erased already"):
        ask(office, case)
    with pytest.raises(MoveRefused, match="approved already"):
        approve(office, asked, by=DIRECTOR)


@pytest.mark.parametrize(
    ("by", "refusal"),
    [(HANDLER, OwnAct), (SUPERVISOR, FromOutside), (OF_UNIT, FromOutside), (OTHER_SUPERVISOR, ErasureNotFound)],
)
def test_nobody_of_the_unit_and_nobody_who_worked_on_it_approves(
    office: Office, by: Actor, refusal: type[JisrError]
) -> None:
    asked = ask(office, ended(office))
    with pytest.raises(refusal):
        approve(office, asked, by=by)
    assert listed(office, DIRECTOR)[0]["status"] is ErasureStatus.REQUESTED


def test_a_director_who_asked_as_its_handler_does_not_approve(office: Office) -> None:
    both = Actor(HANDLER.id, "both", frozenset({Role.CASE_WORKER, Role.PROVINCIAL_DIRECTOR}), "ninewa", None)
    asked = ask(office, ended(office))
    with pytest.raises(OwnAct):
        approve(office, asked, by=both)


def test_only_who_works_on_an_ended_case_writes_a_request_and_once(office: Office) -> None:
    case = office.at_work(parties=[life.WOMAN])
    with pytest.raises(MoveRefused, match="after its end"):
        ask(office, case)
    other = ended(office)
    with pytest.raises(CaseNotFound):
        ask(office, other, by=OFFICER)
    with pytest.raises(NotTheHandler):
        ask(office, other, by=DIRECTOR)
    ask(office, other)
    with pytest.raises(MoveRefused, match="waits already"):
        ask(office, other, by=SUPERVISOR)


def test_a_refused_request_changes_nothing_and_says_why(office: Office) -> None:
    case = ended(office)
    asked = ask(office, case, pressure="yes")
    refused = office.do(
        handlers.refuse_erasure, contract.RefuseErasure, DIRECTOR, erasure_id=asked["id"], refusal="under_pressure"
    )
    assert (refused["status"], refused["refusal"]) == ("refused", "under_pressure")
    assert office.get(case, HANDLER).identity is not None
    assert ask(office, case)["status"] == "requested"


def test_what_an_authority_may_need_is_not_erased_on_request(office: Office) -> None:
    crime = office.close(office.proposed(answers=FORCE, outcome="advice_given"), by=DIRECTOR)
    handed = office.close(office.proposed(outcome="handed_to_court"), by=SUPERVISOR)
    for case in (crime, handed):
        with pytest.raises(NeededByAuthority):
            ask(office, case)


def test_nothing_is_erased_under_a_legal_hold_until_somebody_else_lifts_it(office: Office) -> None:
    case = ended(office)
    asked = ask(office, case)
    placed = hold(office, case)
    with pytest.raises(OnHold):
        approve(office, asked, by=DIRECTOR)
    years = RetentionRules(neighbour_dispute=6)
    office.wait(days=400)
    with office.database.write() as session:
        done = handlers.erase_due(session, by=INSPECTOR, now=office.now, rules=years, limit=10)
    assert done == 0, "retention waits too"
    with pytest.raises(OwnAct):
        lift(office, placed, by=INSPECTOR)
    with pytest.raises(HoldNotFound):
        lift(office, placed, by=SUPERVISOR)
    lift(office, placed)
    with pytest.raises(MoveRefused):
        lift(office, placed, by=SECOND)
    approve(office, asked, by=DIRECTOR)
    assert office.get(case, HANDLER).identity is None


def test_a_hold_is_placed_by_who_stands_outside(office: Office) -> None:
    case = ended(office)
    with pytest.raises(FromOutside):
        hold(office, case, by=SUPERVISOR)
    with pytest.raises(CaseNotFound):
        hold(office, case, by=OTHER_SUPERVISOR)


def test_requests_and_holds_of_a_walled_case_are_found_by_the_inspectorate_alone(office: Office) -> None:
    case = ended(office)
    asked = ask(office, case)
    life.name_staff(office, office.row(case), staff_account="account-somebody", post="officer")
    assert listed(office, DIRECTOR) == []
    assert [row["id"] for row in listed(office, INSPECTOR)] == [asked["id"]]
    with pytest.raises(ErasureNotFound):
        approve(office, asked, by=DIRECTOR)
    with pytest.raises(NeededByAuthority):
        approve(office, asked)
