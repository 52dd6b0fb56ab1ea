"""After the end: the confirmation interview, reopening, duplicates; and what is due next before it."""

from datetime import timedelta
from typing import Any

import pytest

from contracts.case import CaseStatus, Outcome
from contracts.case.endings import ConfirmationAnswer, NextStep, Unasked
from contracts.roles import Role
from kernel.errors import MoveRefused, StaleVersion
from services.case.refusals import (
    ClassWouldBeLost,
    ConfirmationNotFound,
    NotADuplicate,
    NotTheSupervisor,
    OwnAct,
)
from tests.services.case import life
from tests.services.case.life import CENTRAL, INTERVIEWER
from tests.services.case.office import (
    DIRECTOR,
    FORCE,
    HANDLER,
    INSPECTOR,
    INTAKE,
    OFFICER,
    OTHER_SUPERVISOR,
    OTHER_UNIT,
    SUPERVISOR,
    Office,
    person,
)


def ripe(office: Office, **values: Any) -> Any:
    """A case closed four weeks ago, in a node where another unit has cases too, and its interview."""
    office.open(unit=OTHER_UNIT)
    case = life.closed(office, **values)
    office.wait(days=28)
    assert life.draw(office) == 1
    return case


def test_the_interview_is_drawn_up_after_28_days_for_a_unit_that_did_not_handle_the_case(office: Office) -> None:
    office.open(unit=OTHER_UNIT)
    life.closed(office)
    office.wait(days=27, hours=23)
    assert life.draw(office) == 0
    office.wait(hours=1)
    assert (life.draw(office), life.draw(office)) == (1, 0)
    (drawn,) = life.confirmations(office)
    assert drawn["unit"] == OTHER_UNIT
    assert (drawn["until_at"] - drawn["from_at"]).days == 32
    assert office.last_fact().type == "confirmation.drawn.v1"


@pytest.mark.parametrize(
    ("said", "values", "status"),
    [
        ("confirmed", {}, CaseStatus.CONFIRMED),
        ("contested", {"text": "he came back the next day"}, CaseStatus.CONTESTED),
        ("unconfirmed", {"unasked": "not_reached"}, CaseStatus.UNCONFIRMED),
    ],
)
def test_an_interview_confirms_contests_or_leaves_open(
    office: Office, said: str, values: dict[str, Any], status: CaseStatus
) -> None:
    case = ripe(office)
    (drawn,) = life.confirmations(office)
    assert life.answer(office, drawn, said, **values)["answer"] == ConfirmationAnswer(said)
    assert office.row(case).status is status
    assert [fact.type for fact in office.facts()][-2:] == ["confirmation.answered.v1", f"case.{said}.v1"]
    assert life.confirmations(office) == []
    with pytest.raises(MoveRefused):
        life.answer(office, drawn, "confirmed")


def test_a_contested_case_is_open_again_and_its_next_closing_is_asked_about_again(office: Office) -> None:
    case = ripe(office, answers=FORCE)
    life.answer(office, life.confirmations(office)[0], "contested")
    row = office.row(case)
    assert (row.status, row.outcome, row.closed_at, row.reopened) == (CaseStatus.CONTESTED, None, None, 1)
    assert life.next_steps(office, SUPERVISOR)[-1] == case.id
    office.assign(case)
    office.start(case)
    office.propose(case, outcome="handed_to_court")
    office.close(case)
    office.wait(days=28)
    assert life.draw(office) == 1
    assert office.row(case).recording_class == "crime_indicated"


def test_only_an_interviewer_from_elsewhere_holds_it_and_sees_the_plan_and_the_outcome_only(office: Office) -> None:
    case = ripe(office, parties=[life.WOMAN], narrative="what happened", contact_plan=life.PLAN)
    (drawn,) = life.confirmations(office)
    assert len(life.confirmations(office, CENTRAL)) == 1
    own_unit = person("own", Role.CONFIRMATION_INTERVIEWER)
    third = person("third", Role.CONFIRMATION_INTERVIEWER, unit="ninewa-3")
    admin = person("admin", Role.CONFIRMATION_INTERVIEWER, Role.NODE_ADMIN, unit=None)
    for stranger in (own_unit, third, admin, HANDLER, DIRECTOR):
        assert life.confirmations(office, stranger) == []
        for attempt in (
            lambda by=stranger: life.interview(office, drawn, by),
            lambda by=stranger: life.answer(office, drawn, "confirmed", by),
        ):
            with pytest.raises(ConfirmationNotFound):
                attempt()
    shown = life.interview(office, drawn)
    assert shown["contact_plan"]["contact"] == life.PLAN["contact"]
    assert shown["caution"] == life.PLAN["caution"]
    assert shown["outcome"] is Outcome.ADVICE_GIVEN
    assert not {"narrative", "parties", "category", "answers"} & set(shown)
    assert office.audited()[-1][:3] == (INTERVIEWER.id, "read_contact_plan", case.id)


def test_nobody_who_had_a_part_in_the_case_confirms_it(office: Office) -> None:
    approver = person("approver", Role.PROVINCIAL_DIRECTOR, Role.CONFIRMATION_INTERVIEWER, unit=None)
    opener = person("opener", Role.INTAKE_OFFICER, Role.CONFIRMATION_INTERVIEWER, unit=None)
    case = office.open(by=opener, unit="ninewa-1")
    office.triage(case)
    office.assign(case)
    office.start(case)
    office.propose(case, outcome="advice_given")
    office.close(case, by=approver)
    office.wait(days=28)
    life.draw(office)
    (drawn,) = life.confirmations(office, CENTRAL)
    for involved in (approver, opener):
        with pytest.raises(OwnAct):
            life.answer(office, drawn, "confirmed", by=involved)
    assert life.answer(office, drawn, "confirmed", by=CENTRAL)["answer"] is ConfirmationAnswer.CONFIRMED


def test_after_60_days_an_interview_lapses_and_the_case_stays_unconfirmed(office: Office) -> None:
    case = ripe(office)
    office.wait(days=31)
    assert life.lapse(office) == 0
    office.wait(days=1)
    assert (life.lapse(office), life.lapse(office)) == (1, 0)
    assert office.row(case).status is CaseStatus.UNCONFIRMED
    (line,) = life.confirmations(office, open_only=False)
    assert line["unasked"] is Unasked.LAPSED


@pytest.mark.parametrize(
    ("opening", "closing", "why"),
    [
        ({"contact_plan": {"means": "none"}}, {}, Unasked.UNSAFE_TO_CONTACT),
        ({}, {"informed": "unsafe_to_contact"}, Unasked.UNSAFE_TO_CONTACT),
        ({"channel": "anonymous_box"}, {"informed": "no_person"}, Unasked.NO_PERSON),
        (
            {"parties": [{**life.WOMAN, "consents": [{"purpose": "follow_up", "state": "refused"}]}]},
            {},
            Unasked.NO_CONSENT,
        ),
    ],
)
def test_who_must_not_be_asked_is_not_asked_and_that_is_not_a_confirmation(
    office: Office, opening: dict[str, Any], closing: dict[str, Any], why: Unasked
) -> None:
    case = office.close(office.proposed("advice_given", **opening), **closing)
    office.wait(days=28)
    life.draw(office)
    assert office.row(case).status is CaseStatus.UNCONFIRMED
    assert life.confirmations(office, CENTRAL) == []
    assert life.confirmations(office, CENTRAL, open_only=False)[0]["unasked"] is why


def test_an_interview_of_a_case_that_was_reopened_is_not_held(office: Office) -> None:
    case = ripe(office)
    (drawn,) = life.confirmations(office)
    life.reopen(office, case)
    assert life.confirmations(office) == []
    with pytest.raises(MoveRefused):
        life.answer(office, drawn, "confirmed")
    office.wait(days=40)
    life.lapse(office)
    assert office.row(case).status is CaseStatus.TRIAGED


def test_a_supervisor_takes_an_ended_case_up_again_and_its_number_stays(office: Office) -> None:
    withdrawn = office.withdraw(office.at_work(answers=FORCE))
    with pytest.raises(NotTheSupervisor):
        life.reopen(office, withdrawn, by=HANDLER)
    again = life.reopen(office, withdrawn)
    assert (again.status, again.outcome, again.closed_at) == (CaseStatus.TRIAGED, None, None)
    assert again.number == withdrawn.number
    assert office.last_fact().type == "case.reopened.v1"
    with pytest.raises(MoveRefused):
        life.reopen(office, again)


def test_a_duplicate_is_counted_at_the_first_case_and_can_be_separated_again(office: Office) -> None:
    first, second = office.at_work(answers=FORCE), office.at_work(answers=FORCE)
    marked = life.duplicate(office, second, of=first)
    assert (marked.status, marked.outcome, marked.duplicate_of) == (
        CaseStatus.DUPLICATE_OF,
        Outcome.DUPLICATE,
        first.id,
    )
    assert office.last_fact().operational_values()["duplicate_of"] == first.id
    with pytest.raises(MoveRefused):
        office.note(second)
    apart = life.separate(office, second)
    assert (apart.status, apart.outcome, apart.duplicate_of) == (CaseStatus.IN_PROGRESS, None, None)
    assert office.note(second)


def test_a_crime_does_not_disappear_into_a_case_that_is_none(office: Office) -> None:
    crime, none = office.at_work(answers=FORCE), office.at_work()
    with pytest.raises(ClassWouldBeLost):
        life.duplicate(office, crime, of=none)
    lowered = office.at_work(answers=FORCE)
    life.approve(office, life.reclassify(office, lowered))
    with pytest.raises(ClassWouldBeLost):
        life.duplicate(office, crime, of=lowered)
    assert life.duplicate(office, none, of=crime).status is CaseStatus.DUPLICATE_OF


def test_what_is_no_duplicate_is_refused(office: Office) -> None:
    first, second, third = office.open(), office.open(), office.open()
    with pytest.raises(NotADuplicate):
        life.duplicate(office, first, of=first)
    life.duplicate(office, second, of=first)
    with pytest.raises(NotADuplicate):
        life.duplicate(office, third, of=second)
    with pytest.raises(NotADuplicate):
        life.duplicate(office, first, of=third)
    own = person("own", Role.UNIT_SUPERVISOR, Role.CASE_WORKER)
    office.triage(third)
    office.assign(third, to=own)
    with pytest.raises(OwnAct):
        life.duplicate(office, third, of=first, by=own)
    with pytest.raises(StaleVersion):
        life.duplicate(office, third, of=first, version=1)


def test_what_is_due_next_stands_in_the_list_of_who_must_do_it(office: Office) -> None:
    received = office.open()
    urgent = office.open()
    office.triage(urgent, risk="immediate")
    office.assign(urgent)
    office.wait(hours=1)
    slow = office.open()
    office.triage(slow, risk="low")
    office.assign(slow)
    assert office.row(urgent).next_step is NextStep.FIRST_CONTACT
    assert life.next_steps(office, HANDLER) == [urgent.id, slow.id]
    assert life.next_steps(office, SUPERVISOR) == [urgent.id, received.id, slow.id]
    assert life.next_steps(office, SUPERVISOR, overdue=True) == []
    assert life.next_steps(office, OFFICER) == life.next_steps(office, OTHER_SUPERVISOR) == []
    office.wait(hours=2)
    assert life.next_steps(office, HANDLER, overdue=True) == [urgent.id]
    assert life.next_steps(office, SUPERVISOR, overdue=True) == [urgent.id]
    office.wait(days=1)
    assert life.next_steps(office, INTAKE, overdue=True) == [received.id]
    assert life.next_steps(office, DIRECTOR, overdue=True, limit=1) == [urgent.id]


def test_a_deadline_is_not_moved_by_a_note_or_another_handler_and_work_is_due_anew(office: Office) -> None:
    case = office.open()
    office.triage(case)
    office.assign(case)
    due = office.row(case).due_at
    office.wait(hours=5)
    office.assign(case, to=OFFICER)
    assert office.row(case).due_at == due
    office.start(case, by=OFFICER)
    first = office.row(case)
    office.wait(days=3)
    office.note(case, by=OFFICER)
    assert first.next_step is NextStep.WORK
    assert office.row(case).due_at == office.now + timedelta(days=office.rules.quiet_days)
    office.hold(case, by=OFFICER, review_on="2026-04-01")
    held = office.row(case)
    assert held.next_step is NextStep.REVIEW
    assert held.due_at is not None
    assert held.due_at.isoformat() == "2026-03-31T21:00:00+00:00"
    office.resume(case, by=OFFICER)
    office.propose(case, by=OFFICER, outcome="advice_given")
    assert office.row(case).next_step is NextStep.APPROVAL
    assert life.next_steps(office, OFFICER, assigned_to_me=True) == []
    ended = office.close(case)
    assert (ended.next_step, ended.due_at) == (None, None)
    assert life.next_steps(office, SUPERVISOR) == []


def test_the_interviewer_of_a_walled_case_belongs_to_no_unit(office: Office) -> None:
    office.open(unit=OTHER_UNIT)
    complaint = office.open(category="complaint_against_police")
    office.triage(complaint, by=INSPECTOR)
    office.assign(complaint, by=INSPECTOR)
    office.start(complaint)
    office.propose(complaint, outcome="advice_given")
    office.close(complaint, by=INSPECTOR)
    office.wait(days=28)
    life.draw(office)
    assert life.confirmations(office, INTERVIEWER) == []
    assert len(life.confirmations(office, CENTRAL)) == 1
