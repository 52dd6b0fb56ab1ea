"""The conflict wall: the officer whom a case names, and his chain of command, find nothing of it, anywhere."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import select

from contracts.case import audit, reclassification, search
from contracts.case.identity import BreakGlass
from contracts.case.registers import CaseExport
from contracts.numbers import check
from contracts.roles import Role
from kernel.fact import Fact
from kernel.identity import Actor
from services.case import handlers, wall
from services.case.reach import Sight, reached, sight
from services.case.refusals import (
    AssistanceNotFound,
    CaseNotFound,
    ConfirmationNotFound,
    MediationNotFound,
    ReclassificationNotFound,
)
from services.case.tables import CaseRecord
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
    REASON,
    SUPERVISOR,
    UNIT,
    Office,
    person,
)

ROLES = (
    Role.CASE_WORKER, Role.INTAKE_OFFICER, Role.UNIT_SUPERVISOR, Role.INSPECTORATE, Role.CONFIRMATION_INTERVIEWER,
)  # fmt: skip
NAMED = person("named", *ROLES, unit=None)
CHIEF = person("chief", Role.UNIT_SUPERVISOR, unit=OTHER_UNIT)
COLLEAGUE = person("colleague", Role.CASE_WORKER, Role.COMMUNITY_OFFICER, unit=OTHER_UNIT)
UNIT_INSPECTOR = person("unit-inspector", Role.INSPECTORATE, unit=OTHER_UNIT)
BOTH = person("both", Role.INSPECTORATE, Role.PROVINCIAL_DIRECTOR, unit=None)
OF_THE_UNIT = person("of-the-unit", Role.INSPECTORATE)  # of the unit that has the case
KEPT_OUT = (NAMED, CHIEF, UNIT_INSPECTOR, DIRECTOR, BOTH, SUPERVISOR, OF_THE_UNIT)
STAFF = [{"staff_account": NAMED.id, "staff_unit": OTHER_UNIT, "staff_name": "Captain F"}]


def led(office: Office, **values: Any) -> CaseRecord:
    """A case that names an officer of the other unit, at work in the inspectorate's lead."""
    case = office.open(
        answers=FORCE, staff=STAFF, parties=[{**life.WOMAN, "name": "Amal"}, life.MAN], narrative="an officer", **values
    )
    office.triage(case, by=INSPECTOR)
    office.assign(case, by=INSPECTOR)
    return office.start(case)


CATEGORIES = ("complaint_against_police", "neighbour_dispute")


def attempts_at(office: Office, case: CaseRecord, kept_out: Actor) -> list[Callable[[], Any]]:
    """What somebody might try who knows the id of a case."""
    return [
        lambda: office.get(case, kept_out, reason=REASON),
        lambda: office.notes(case, kept_out, reason=REASON),
        lambda: office.assign(case, by=kept_out),
        lambda: life.reclassify(office, case, by=kept_out),
        lambda: life.call_for_help(office, case, by=kept_out),
        lambda: life.name_staff(office, case, by=kept_out, staff_unit="x"),
        lambda: office.refer(case, by=kept_out),
    ]


def test_no_list_and_no_file_shows_it(office: Office) -> None:
    cases = [led(office, category=category) for category in CATEGORIES]
    for kept_out in KEPT_OUT:
        assert office.listed(kept_out) == [], kept_out.name
        assert life.next_steps(office, kept_out) == [], kept_out.name
        for case, category in zip(cases, CATEGORIES, strict=True):
            assert office.listed(kept_out, category=category) == []
            for attempt in attempts_at(office, case, kept_out):
                with pytest.raises(CaseNotFound) as refused:
                    attempt()
                assert refused.value.message == str(CaseNotFound(subject=case.id))


def test_nothing_that_stands_beside_it_can_be_found(office: Office) -> None:
    case = led(office)
    proposed, row, call = life.reclassify(office, case), life.mediate(office, case), life.call_for_help(office, case)
    attempts: dict[type[Exception], Callable[[Actor], Any]] = {
        ReclassificationNotFound: lambda by: life.approve(office, proposed, by=by),
        MediationNotFound: lambda by: life.of_mediation(office, "approve", row, by=by),
        AssistanceNotFound: lambda by: life.of_call(office, "end", call, by=by),
    }
    for kept_out in KEPT_OUT:
        assert life.reclassifications(office, kept_out) == [], kept_out.name
        assert life.reclassifications(office, kept_out, of_case_id=case.id) == []
        for refusal, attempt in attempts.items():
            with pytest.raises(refusal):
                attempt(kept_out)


def test_no_interview_of_it_can_be_found(office: Office) -> None:
    case = led(office)
    office.propose(case, outcome="handed_to_court")
    office.close(case, by=INSPECTOR)
    office.wait(days=28)
    life.draw(office)
    drawn = life.confirmations(office, life.CENTRAL)[0]
    for kept_out in KEPT_OUT:
        assert life.confirmations(office, kept_out) == [], kept_out.name
        with pytest.raises(ConfirmationNotFound):
            life.interview(office, drawn, by=kept_out)


def test_no_search_finds_a_person_in_it(office: Office) -> None:
    led(office)
    form = search.FindPersons
    for kept_out in KEPT_OUT:
        found = office.do(handlers.find_persons, form, kept_out, name="Amal", reason=REASON)
        nobody = office.do(handlers.find_persons, form, kept_out, name="Zed", reason=REASON)
        assert (found.items, found.more) == (nobody.items, nobody.more) == ([], False), kept_out.name
    assert len(office.do(handlers.find_persons, form, HANDLER, name="Amal", reason=None).items) == 1


def test_no_export_holds_it_and_no_glass_opens_it(office: Office) -> None:
    before, case = office.open(unit="ninewa-5"), led(office)
    for kept_out in KEPT_OUT:
        exported = office.do(handlers.export_cases, CaseExport, kept_out).items
        assert {row.id for row in exported} <= {before.id}, kept_out.name
        with pytest.raises(CaseNotFound):
            office.do(handlers.break_glass, BreakGlass, kept_out, number=case.number, reason="I must know at once")


def test_numbers_have_no_gap_from_which_it_could_be_inferred(office: Office) -> None:
    before = office.at_work()
    sent = office.refer(before)
    complaint = led(office)
    hidden = office.refer(complaint)
    after = office.at_work()
    sent_after = office.refer(after)
    sequences = [int(row.number.split("-")[-2]) for row in (before, after)]
    assert sequences == [1, 2]
    assert [int(row.number.split("-")[-2]) for row in (sent, sent_after)] == [1, 2]
    assert complaint.number.startswith("C-NI-")
    assert hidden.number.startswith("D-NI-")
    assert check(complaint.number)
    assert check(hidden.number)


def test_the_audit_log_says_nothing_of_it_to_whom_it_is_kept_from(office: Office) -> None:
    other, case = office.at_work(), led(office)
    life.reclassify(office, case)
    office.get(other, HANDLER)
    office.get(case, HANDLER)
    life.reclassifications(office, INSPECTOR)

    def subjects(by: Actor, **values: Any) -> set[str]:
        lines = office.do(handlers.list_audit, audit.AuditQuery, by, **values).items
        return {line.subject for line in lines}

    assert subjects(INSPECTOR) == {other.id, case.id}
    for kept_out in KEPT_OUT:
        assert subjects(kept_out) == {other.id}, kept_out.name
        assert subjects(kept_out, of_subject=case.id) == set()
        assert subjects(kept_out, of_account=HANDLER.id) == {other.id}


def operational(fact: Fact) -> dict[str, Any]:
    return {**fact.statistical_values(), **fact.operational_values()}


def test_every_fact_of_it_says_that_it_is_walled_and_names_nobody(office: Office) -> None:
    case = led(office)
    life.approve(office, life.reclassify(office, case))
    life.mediate(office, case)
    life.call_for_help(office, case)
    office.refer(case)
    for fact in office.facts():
        assert operational(fact)["walled"] is True
        for told in (fact.head, fact.statistical, fact.operational):
            assert NAMED.id.encode() not in told
            assert b"Captain" not in told
            assert OTHER_UNIT.encode() not in told
        if fact.kind in ("case", "referral"):
            assert operational(fact)["quiet"] is True


def test_when_the_head_of_a_unit_is_named_it_goes_to_inspectors_of_no_unit(office: Office) -> None:
    elsewhere = person("elsewhere", Role.INSPECTORATE, unit="ninewa-9")
    officer = office.open(staff=[{"staff_account": "x", "post": "officer"}])
    head = office.open(staff=[{"staff_account": "x", "post": "head_of_unit"}])
    assert office.listed(elsewhere) == [officer.id]
    assert office.listed(INSPECTOR) == [officer.id, head.id]
    assert office.last_fact().operational_values()["upstream"] is True


def test_who_entered_it_sees_it_until_it_is_handed_over_unless_they_command(office: Office) -> None:
    clerk = person("clerk", Role.INTAKE_OFFICER, unit=OTHER_UNIT)
    case = office.open(by=clerk, staff=STAFF)
    assert office.listed(clerk) == [case.id]
    office.triage(case, by=INSPECTOR)
    office.assign(case, by=INSPECTOR)
    assert office.listed(clerk) == []
    mine = office.open(by=CHIEF, staff=STAFF)
    assert office.listed(CHIEF) == []
    with pytest.raises(CaseNotFound):
        office.get(mine, CHIEF, reason=REASON)
    own = office.open(by=NAMED, unit=UNIT, staff=STAFF)
    assert own.id not in office.listed(NAMED)


def test_a_colleague_of_the_named_officer_does_not_handle_it(office: Office) -> None:
    case = office.open(staff=STAFF)
    office.triage(case, by=INSPECTOR)
    office.assign(case, to=COLLEAGUE, by=INSPECTOR)
    with pytest.raises(CaseNotFound):
        office.start(case, by=COLLEAGUE)
    assert office.assign(case, to=HANDLER, by=INSPECTOR).handler_id == HANDLER.id


def test_a_handler_who_turns_out_to_be_named_handles_it_no_longer(office: Office) -> None:
    case = office.proposed("advice_given")
    named = life.name_staff(office, case, by=SUPERVISOR, staff_account=HANDLER.id)
    assert (named.handler_id, named.status, named.outcome) == (None, "triaged", None)
    assert office.listed(HANDLER) == office.listed(SUPERVISOR) == []
    assert office.last_fact().operational_values()["handler"] is None
    assert office.assign(case, to=COLLEAGUE, by=INSPECTOR).status == "assigned"


def test_a_case_on_one_side_of_the_wall_is_no_duplicate_of_one_on_the_other(office: Office) -> None:
    both_sides = person("inspecting-supervisor", Role.INSPECTORATE, Role.UNIT_SUPERVISOR, unit="ninewa-9")
    open_one = office.open(unit="ninewa-9")
    walled = office.open(category="corruption")
    with pytest.raises(Exception, match="other side of the conflict wall"):
        life.duplicate(office, walled, of=open_one, by=both_sides)


def test_a_reclassification_behind_the_wall_is_decided_by_the_inspectorate(office: Office) -> None:
    case = led(office)
    proposed = life.reclassify(office, case)
    assert life.approve(office, proposed, by=INSPECTOR)["status"] is reclassification.ReclassificationStatus.APPROVED


actors = st.builds(
    Actor,
    id=st.sampled_from([NAMED.id, HANDLER.id, INTAKE.id, "somebody"]),
    name=st.just("x"),
    roles=st.frozensets(st.sampled_from(Role), max_size=4),
    node=st.just("ninewa"),
    unit=st.sampled_from([None, UNIT, OTHER_UNIT, OTHER_UNIT.upper()]),
)


def test_the_wall_is_the_same_in_every_list_as_in_every_file(make_database: MakeDatabase) -> None:
    office = Office(make_database("case"))
    for staff in ([], STAFF, [{"staff_unit": UNIT, "post": "head_of_unit"}], [{"staff_name": "Captain F"}]):
        for category in ("complaint_against_police", "neighbour_dispute"):
            office.open(staff=staff, category=category)
            case = office.open(staff=staff, category=category)
            leading = INSPECTOR if office.row(case).walled else SUPERVISOR
            office.triage(case, by=leading)
            office.assign(case, by=leading)
    with office.database.read() as session:
        cases = list(session.exec(select(CaseRecord)).all())

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(actors)
    def agree(actor: Actor) -> None:
        with office.database.read() as session:
            listed = set(session.exec(select(CaseRecord.id).where(reached(actor))).all())
            visible = set(session.exec(select(CaseRecord.id).where(wall.in_sight_of(actor))).all())
        assert listed == {case.id for case in cases if sight(actor, case) is not Sight.NOTHING}
        assert visible == {case.id for case in cases if not wall.walled_off(actor, case)}
        if actor.id == NAMED.id or actor.has(Role.PROVINCIAL_DIRECTOR):
            assert not any(NAMED.id in case.walled_from for case in cases if case.id in listed)

    agree()


def test_who_supervises_elsewhere_learns_nothing(office: Office) -> None:
    led(office)
    assert office.listed(OTHER_SUPERVISOR) == []
