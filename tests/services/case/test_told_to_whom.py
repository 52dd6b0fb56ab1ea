"""The facts of the case service hold what the rules of notify need to find who must act, and nothing else is told."""

from typing import Any

from contracts.roles import Role
from kernel.fact import Fact
from services.case import handlers
from services.notify.model import Contact, Directory, Draft
from services.notify.rules import notifications
from tests.conftest import MakeDatabase
from tests.services.case import life
from tests.services.case.office import (
    DIRECTOR,
    FORCE,
    HANDLER,
    INSPECTOR,
    INTAKE,
    OTHER_SUPERVISOR,
    OTHER_UNIT,
    SUPERVISOR,
    Office,
    hashed,
    person,
)

INTERVIEWER = person("asks", Role.CONFIRMATION_INTERVIEWER, unit=OTHER_UNIT)
PEOPLE = (HANDLER, SUPERVISOR, OTHER_SUPERVISOR, DIRECTOR, INSPECTOR, INTERVIEWER, INTAKE)
DIRECTORY = Directory(
    tuple(Contact(each.id, hashed(each.id), frozenset(map(Role, each.roles)), each.unit) for each in PEOPLE)
)


def told(office: Office, fact_type: str) -> set[str]:
    """Who is told of the last fact of this type."""
    fact: Fact = next(each for each in reversed(office.facts()) if each.type == fact_type)
    drafts: list[Draft] = notifications(fact.type, fact.subject, _parts(fact), DIRECTORY)
    assert all(draft.reference and draft.reference.split("-")[0] in ("NI", "C") for draft in drafts)
    return {draft.account_id for draft in drafts}


def _parts(fact: Fact) -> dict[str, Any]:
    return {**fact.statistical_values(), **fact.operational_values()}


def test_who_must_act_is_told_of_what_waits_for_them(make_sqlite_database: MakeDatabase) -> None:
    office = Office(make_sqlite_database("case"))
    for category in ("neighbour_dispute", "domestic_abuse"):  # a restricted one tells less, and enough
        case = office.at_work(category=category, answers=FORCE, parties=[life.WOMAN])
        life.reclassify(office, case)
        assert told(office, "reclassification.proposed.v1") == {DIRECTOR.id, INSPECTOR.id}
        life.call_for_help(office, case)
        office.wait(minutes=20)
        assert office.run(lambda session: _unanswered(session, office)) == 1
        assert told(office, "assistance.no_answer.v1") == {HANDLER.id, SUPERVISOR.id}
        office.open(by=person("there", Role.INTAKE_OFFICER, unit=OTHER_UNIT))
        office.propose(office.row(case), outcome="advice_given")
        office.close(office.row(case), by=DIRECTOR)
        office.wait(days=28)
        life.draw(office)
        assert told(office, "confirmation.drawn.v1") == {INTERVIEWER.id}


def test_of_a_case_that_names_staff_nobody_is_told_but_its_handler(make_sqlite_database: MakeDatabase) -> None:
    office = Office(make_sqlite_database("case"))
    case = office.at_work()
    life.call_for_help(office, case)
    life.name_staff(office, case, staff_account=SUPERVISOR.id, post="head_of_unit")
    life.reclassify(office, case, to="crime_indicated")
    office.wait(minutes=20)
    office.run(lambda session: _unanswered(session, office))
    assert told(office, "assistance.no_answer.v1") == {HANDLER.id}
    assert told(office, "reclassification.proposed.v1") == set()


def test_an_interview_that_nobody_will_hold_is_told_to_nobody(make_sqlite_database: MakeDatabase) -> None:
    office = Office(make_sqlite_database("case"))
    case = office.proposed(outcome="advice_given")
    office.close(case, informed="no_person")
    office.wait(days=28)
    life.draw(office)
    assert told(office, "confirmation.drawn.v1") == set()


def _unanswered(session: Any, office: Office) -> int:
    return handlers.tell_unanswered(session, now=office.now)
