"""Identity opened in an emergency: for whom, how long, and who is told."""

from datetime import timedelta
from typing import Any

import pytest

from contracts.case import BreakGlass
from contracts.numbers import number
from contracts.roles import Role
from kernel.clock import parse
from kernel.identity import Actor
from services.case import handlers
from services.case.refusals import CaseNotFound, GlassNeeded
from services.case.tables import CaseRecord
from services.notify.model import Contact, Directory
from services.notify.rules import notifications
from tests.services.case import life
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
    UNIT,
    Office,
    hashed,
    person,
)

WHY = "she called from the road and her handler does not answer"
ABSENT = person("absent", Role.CASE_WORKER, unit=OTHER_UNIT)


def break_glass(office: Office, case: CaseRecord, by: Actor, *, number: str | None = None) -> dict[str, Any]:
    shown: dict[str, Any] = office.do(
        handlers.break_glass, BreakGlass, by, number=number or office.row(case).number, reason=WHY
    )
    return shown


def test_glass_is_open_for_three_hours_and_each_reading_is_noted(office: Office) -> None:
    case = office.at_work(narrative="what happened")
    office.note(case)
    assert office.get(case, DIRECTOR, reason=REASON).identity is None
    with pytest.raises(GlassNeeded):
        office.notes(case, DIRECTOR, reason=REASON)
    opened = break_glass(office, case, DIRECTOR)
    assert opened == {"case_id": case.id, "number": case.number, "expires_at": opened["expires_at"]}
    assert office.get(case, DIRECTOR).identity is not None
    assert len(office.notes(case, DIRECTOR)) == 1
    office.wait(hours=2, minutes=59)
    assert office.get(case, DIRECTOR).identity is not None
    office.wait(minutes=1)
    assert office.get(case, DIRECTOR, reason=REASON).identity is None
    assert [line[1:] for line in office.audited() if line[0] == DIRECTOR.id] == [
        ("break_glass", case.id, "allowed", WHY),
        ("read_identity", case.id, "allowed", None),
        ("read_notes", case.id, "allowed", None),
        ("read_identity", case.id, "allowed", None),
    ]


@pytest.mark.parametrize("by", [OFFICER, OTHER_SUPERVISOR, DIRECTOR], ids=lambda actor: actor.name)
def test_it_opens_one_case_to_one_person_and_no_move(office: Office, by: Actor) -> None:
    case, other = office.at_work(narrative="what happened"), office.at_work()
    break_glass(office, case, by)
    assert office.get(case, by).identity is not None
    assert office.get(other, HANDLER).identity is not None
    if by is not DIRECTOR:
        assert office.listed(by) == []
        with pytest.raises(CaseNotFound):
            office.get(other, by)
        with pytest.raises(CaseNotFound):
            office.note(case, by=by)


@pytest.mark.parametrize("by", [ABSENT, INTAKE, ADMIN, INSPECTOR], ids=lambda actor: actor.name)
def test_a_case_is_not_there_for_who_may_not_break_the_glass(office: Office, by: Actor) -> None:
    case = office.at_work()
    with pytest.raises(CaseNotFound) as refused:
        break_glass(office, case, by)
    assert refused.value.audited
    nowhere = number("NI", 2026, 999999)
    with pytest.raises(CaseNotFound) as missing:
        break_glass(office, case, by, number=nowhere)
    assert refused.value.message.replace(case.number, "") == missing.value.message.replace(nowhere, "")


@pytest.mark.parametrize("by", [OFFICER, OTHER_SUPERVISOR, DIRECTOR], ids=lambda actor: actor.name)
def test_a_complaint_has_no_glass_to_break(office: Office, by: Actor) -> None:
    complaint = office.open(category="complaint_against_police")
    with pytest.raises(CaseNotFound):
        break_glass(office, complaint, by)


@pytest.mark.parametrize("by", [OFFICER, OTHER_SUPERVISOR, DIRECTOR], ids=lambda actor: actor.name)
def test_glass_that_was_broken_is_whole_again_once_the_case_stands_behind_the_wall(office: Office, by: Actor) -> None:
    case = office.at_work(narrative="what happened")
    break_glass(office, case, by)
    assert office.get(case, by).identity is not None
    life.name_staff(office, case, by=HANDLER, staff_account=OFFICER.id)
    with pytest.raises(CaseNotFound):
        office.get(case, by, reason=REASON)
    with pytest.raises(CaseNotFound):
        office.notes(case, by, reason=REASON)


def test_a_number_is_read_in_the_digits_and_letters_of_whoever_writes_it(office: Office) -> None:
    case = office.at_work()
    arabic = case.number.lower().translate({ord(str(digit)): "٠١٢٣٤٥٦٧٨٩"[digit] for digit in range(10)})
    assert break_glass(office, case, DIRECTOR, number=arabic)["case_id"] == case.id
    with pytest.raises(Exception, match="mistyped"):
        break_glass(office, case, DIRECTOR, number=case.number[:-1] + ("A" if case.number[-1] != "A" else "B"))


def test_supervisor_inspectorate_and_handler_are_told_at_once(office: Office) -> None:
    case = office.at_work(category="domestic_abuse")
    break_glass(office, case, DIRECTOR)
    fact = office.last_fact()
    assert (fact.type, fact.subject, fact.version, fact.restricted) == ("break_glass.opened.v1", case.id, 1, True)
    parts = fact.operational_values()
    assert parts["by"] == hashed(DIRECTOR.id)
    assert parse(parts["until"]) == office.now + timedelta(hours=3)
    assert WHY not in fact.operational.decode()
    people = Directory(
        (
            Contact("s", "s", frozenset({Role.UNIT_SUPERVISOR}), UNIT),
            Contact("o", "o", frozenset({Role.UNIT_SUPERVISOR}), OTHER_UNIT),
            Contact("i", "i", frozenset({Role.INSPECTORATE})),
            Contact("h", hashed(HANDLER.id), frozenset({Role.CASE_WORKER}), UNIT),
        )
    )
    drafts = notifications(fact.type, fact.subject, parts, people)
    assert {draft.account_id for draft in drafts} == {"s", "i", "h"}
    break_glass(office, case, DIRECTOR)
    assert office.last_fact().version == 2
