"""A call to the local police for help, and its clock."""

from typing import Any

import pytest
from marshmallow import ValidationError

from contracts.case import NoteKind
from contracts.case.assistance import AssistanceResult, AssistanceStatus
from kernel.errors import MoveRefused, StaleVersion
from services.case import handlers
from services.case.refusals import AssistanceNotFound, BeforeTheCase, NotTheHandler, NotYet, Withheld
from tests.services.case import life
from tests.services.case.office import DIRECTOR, HANDLER, OTHER_SUPERVISOR, SUPERVISOR, Office


def silence(office: Office) -> int:
    return office.run(lambda session: handlers.tell_unanswered(session, now=office.now))


def test_a_call_is_answered_comes_and_ends_with_a_time_for_each(office: Office) -> None:
    case = office.at_work()
    call = life.call_for_help(office, case)
    assert (call.answer_due_at - call.sent_at).total_seconds() == 15 * 60
    office.wait(minutes=4)
    life.of_call(office, "acknowledge", call)
    office.wait(minutes=20)
    life.of_call(office, "arrive", call, happened_at="2026-03-10T09:20:00Z")
    office.wait(minutes=30)
    ended = life.of_call(office, "end", call, text="he went home")
    assert (ended.status, ended.result) == (AssistanceStatus.ENDED, AssistanceResult.CALMED)
    told = office.last_fact()
    assert told.statistical_values()["unanswered"] is False
    assert [told.operational_values()[name] for name in ("acknowledged_at", "on_scene_at", "ended_at")] == [
        "2026-03-10T09:04:00+00:00",
        "2026-03-10T09:20:00+00:00",
        "2026-03-10T09:54:00+00:00",
    ]
    assert NoteKind.ASSISTANCE in {note.kind for note in office.notes(case, HANDLER)}


def test_silence_is_written_down_once_and_a_late_answer_does_not_undo_it(office: Office) -> None:
    call = life.call_for_help(office, office.at_work())
    office.wait(minutes=14)
    assert silence(office) == 0
    office.wait(minutes=1)
    assert (silence(office), silence(office)) == (1, 0)
    assert office.last_fact().type == "assistance.no_answer.v1"
    late = life.of_call(office, "acknowledge", call)
    assert late.status is AssistanceStatus.ACKNOWLEDGED
    assert office.last_fact().statistical_values()["unanswered"] is True


def test_a_refusal_says_why(office: Office) -> None:
    call = life.call_for_help(office, office.at_work())
    refused = life.of_call(office, "refuse", call, refusal="family_matter", text="they said it is private")
    assert refused.status is AssistanceStatus.REFUSED
    assert office.last_fact().statistical_values()["refusal"] == "family_matter"
    with pytest.raises(MoveRefused):
        life.of_call(office, "acknowledge", call)


@pytest.mark.parametrize("step", ["end"])
def test_nothing_ends_that_has_not_come(office: Office, step: str) -> None:
    call = life.call_for_help(office, office.at_work())
    with pytest.raises(MoveRefused) as refused:
        life.of_call(office, step, call)
    assert "acknowledged" in refused.value.details["possible"]


def test_times_that_cannot_be_are_refused(office: Office) -> None:
    call = life.call_for_help(office, office.at_work())
    with pytest.raises(NotYet):
        life.of_call(office, "acknowledge", call, happened_at="2026-03-10T10:00:00Z")
    with pytest.raises(BeforeTheCase):
        life.of_call(office, "acknowledge", call, happened_at="2026-03-10T08:59:00Z")
    with pytest.raises(StaleVersion):
        life.of_call(office, "acknowledge", call, version=2)


def test_what_is_to_be_kept_from_the_police_needs_a_reason(office: Office) -> None:
    withheld = {"purpose": "handling", "state": "given", "withhold_from": ["local_police"]}
    case = office.at_work(parties=[{**life.WOMAN, "consents": [withheld]}])
    with pytest.raises(Withheld):
        life.call_for_help(office, case)
    assert life.call_for_help(office, case, withheld_reason="he has a gun").status is AssistanceStatus.SENT


def test_handler_and_supervisor_call_and_nobody_else(office: Office) -> None:
    case = office.at_work()
    assert life.call_for_help(office, case, by=SUPERVISOR)
    call = life.call_for_help(office, case)
    with pytest.raises(NotTheHandler):
        life.call_for_help(office, case, by=DIRECTOR)
    with pytest.raises(AssistanceNotFound):
        life.of_call(office, "acknowledge", call, by=OTHER_SUPERVISOR)
    office.withdraw(case)
    with pytest.raises(MoveRefused):
        life.call_for_help(office, case)


@pytest.mark.parametrize("result", ["arrested", "arrest"])
def test_no_arrest_can_be_recorded(office: Office, result: str) -> None:
    call: Any = life.call_for_help(office, office.at_work())
    life.of_call(office, "arrive", call)
    with pytest.raises(ValidationError):
        life.of_call(office, "end", call, result=result)
