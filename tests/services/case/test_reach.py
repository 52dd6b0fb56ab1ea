"""Who reaches which case, who reads identity, and that every reading is in the audit log."""

from collections.abc import Iterable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import select

from contracts.roles import Role
from kernel.audit import verify_audit
from kernel.errors import Forbidden
from kernel.identity import Actor
from services.case.reach import Sight, reached, sight
from services.case.refusals import CaseNotFound, ReasonNeeded, ReferralNotFound
from services.case.tables import CaseRecord
from tests.conftest import MakeDatabase
from tests.services.case.office import (
    ADMIN,
    DIRECTOR,
    FORCE,
    HANDLER,
    INSPECTOR,
    INTAKE,
    OFFICER,
    OTHER_SUPERVISOR,
    OTHER_UNIT,
    PARTNER,
    REASON,
    SUPERVISOR,
    UNIT,
    Office,
    person,
)

FORUM = person("facilitator", Role.FORUM_FACILITATOR, Role.FORUM_MEMBER)
ANALYST = person("analyst", Role.FEDERAL_ANALYST, Role.REGIONAL_ANALYST)
OPERATOR = person("operator", Role.OPERATOR)
STRANGERS = (OFFICER, OTHER_SUPERVISOR, PARTNER, ADMIN, FORUM, ANALYST, OPERATOR, INSPECTOR)


def test_who_entered_a_case_sees_it_until_it_is_handed_over(office: Office) -> None:
    case = office.open(narrative="what happened")
    assert office.get(case, INTAKE).identity is not None
    office.triage(case)
    assert office.listed(INTAKE) == [case.id]
    office.assign(case)
    assert office.listed(INTAKE) == []
    with pytest.raises(CaseNotFound):
        office.get(case, INTAKE)


def test_a_handler_sees_assigned_cases_and_no_others(office: Office) -> None:
    mine, _theirs = office.at_work(), office.open()
    assert office.listed(HANDLER) == [mine.id]
    assert office.listed(HANDLER, assigned_to_me=True) == [mine.id]
    assert office.listed(OFFICER) == []
    assert office.get(mine, HANDLER).identity is not None


def test_identity_is_shown_to_who_oversees_only_with_a_reason(office: Office) -> None:
    reader = SUPERVISOR
    case = office.at_work(parties=[{"role": "affected", "name": "A"}], narrative="what happened")
    office.note(case)
    assert office.listed(reader) == [case.id]
    assert office.get(case, reader).identity is None
    with pytest.raises(ReasonNeeded) as refused:
        office.notes(case, reader)
    assert refused.value.audited
    assert office.audited() == []
    identity = office.get(case, reader, reason=REASON).identity
    assert identity is not None
    assert identity.narrative == "what happened"
    assert len(office.notes(case, reader, reason=REASON)) == 1
    assert office.audited() == [
        (reader.id, "read_identity", case.id, "allowed", REASON),
        (reader.id, "read_notes", case.id, "allowed", REASON),
    ]


def test_every_reading_of_identity_is_in_a_whole_audit_log(office: Office) -> None:
    case = office.at_work()
    office.get(case, HANDLER)
    office.get(case, HANDLER)
    office.notes(case, HANDLER)
    office.get(case, SUPERVISOR)  # without identity: not a reading of it
    assert [line[:2] for line in office.audited()] == [
        (HANDLER.id, "read_identity"),
        (HANDLER.id, "read_identity"),
        (HANDLER.id, "read_notes"),
    ]
    assert office.run(verify_audit) is None


@pytest.mark.parametrize("stranger", STRANGERS, ids=lambda actor: actor.name)
def test_a_case_out_of_reach_is_not_there(office: Office, stranger: Actor) -> None:
    case = office.at_work()
    referral = office.refer(case)
    assert office.listed(stranger) == []
    for attempt in (
        lambda: office.get(case, stranger, reason=REASON),
        lambda: office.notes(case, stranger, reason=REASON),
        lambda: office.note(case, by=stranger),
        lambda: office.triage(case, by=stranger),
        lambda: office.close(case, by=stranger),
        lambda: office.refer(case, by=stranger),
    ):
        with pytest.raises(CaseNotFound) as refused:
            attempt()
        assert refused.value.audited
        assert refused.value.details == {"subject": case.id}
    with pytest.raises(Exception, match="There is no referral"):
        office.accept(referral, by=stranger)


@pytest.mark.parametrize("role", [Role.NODE_ADMIN, Role.OPERATOR, Role.FEDERAL_ANALYST, Role.REGIONAL_ANALYST])
def test_who_administers_or_counts_reaches_no_case_whatever_else_they_are(office: Office, role: Role) -> None:
    powerful = person(
        "powerful", role, Role.INTAKE_OFFICER, Role.UNIT_SUPERVISOR, Role.PROVINCIAL_DIRECTOR, Role.CASE_WORKER
    )
    case = office.open()
    office.triage(case)
    office.assign(case, to=powerful)
    assert office.listed(powerful) == []
    with pytest.raises(CaseNotFound):
        office.get(case, powerful, reason=REASON)
    with pytest.raises(Forbidden):
        office.open(by=powerful)


COMPLAINTS = ("complaint_against_police", "corruption")
CHAIN = (
    SUPERVISOR,
    DIRECTOR,
    person("both", Role.INSPECTORATE, Role.PROVINCIAL_DIRECTOR, unit=None),
    person("of-the-unit", Role.INSPECTORATE),
)


@pytest.mark.parametrize("category", COMPLAINTS)
@pytest.mark.parametrize("commander", CHAIN, ids=lambda actor: actor.name)
def test_a_complaint_is_not_there_for_the_chain_of_command(office: Office, category: str, commander: Actor) -> None:
    complaint = office.open(category=category, narrative="an officer")
    assert office.listed(commander) == []
    assert office.listed(commander, category=category) == []
    for attempt in (
        lambda: office.get(complaint, commander, reason=REASON),
        lambda: office.notes(complaint, commander, reason=REASON),
        lambda: office.triage(complaint, by=commander),
        lambda: office.assign(complaint, by=commander),
        lambda: office.withdraw(complaint, by=commander),
        lambda: office.close(complaint, by=commander),
        lambda: office.refer(complaint, by=commander),
    ):
        with pytest.raises(CaseNotFound) as refused:
            attempt()
        assert refused.value.message == str(CaseNotFound(subject=complaint.id))
    office.triage(complaint, by=INSPECTOR)
    office.assign(complaint, by=INSPECTOR)
    office.start(complaint)
    referral = office.refer(complaint)
    with pytest.raises(ReferralNotFound):
        office.accept(referral, by=commander)


def test_the_inspectorate_leads_a_complaint_to_its_end_and_sees_no_other_case(office: Office) -> None:
    other = office.open(category="neighbour_dispute")
    complaint = office.open(category="complaint_against_police", answers=FORCE, narrative="an officer")
    assert office.listed(INSPECTOR) == [complaint.id]
    assert office.get(complaint, INSPECTOR).identity is None
    assert office.get(complaint, INSPECTOR, reason=REASON).identity is not None
    with pytest.raises(CaseNotFound):
        office.get(other, INSPECTOR, reason=REASON)
    office.triage(complaint, by=INSPECTOR)
    office.assign(complaint, by=INSPECTOR)
    office.start(complaint)
    office.propose(complaint, outcome="advice_given")
    assert office.close(complaint, by=INSPECTOR).closed_by == INSPECTOR.id


def test_lists_are_filtered_and_paged_in_the_order_of_opening(office: Office) -> None:
    cases = [office.open(category=category).id for category in ("drugs", "begging", "drugs", "drugs", "other")]
    office.triage(office.row(CaseRecord(id=cases[0])))
    assert office.listed(DIRECTOR) == cases
    assert office.listed(DIRECTOR, category="drugs") == [cases[0], cases[2], cases[3]]
    assert office.listed(DIRECTOR, status="triaged") == [cases[0]]
    assert office.listed(DIRECTOR, status="received", category="drugs") == [cases[2], cases[3]]
    assert office.listed(DIRECTOR, since="2026-03-10T09:00:01Z") == []
    office.wait(minutes=1)
    later = office.open().id
    assert office.listed(DIRECTOR, since="2026-03-10T09:00:01Z") == [later]
    assert office.listed(DIRECTOR, limit=2) == cases[:2]


actors = st.builds(
    Actor,
    id=st.sampled_from(["a", "b"]),
    name=st.just("x"),
    roles=st.frozensets(st.sampled_from(Role), max_size=4),
    node=st.just("ninewa"),
    unit=st.sampled_from([None, UNIT, OTHER_UNIT]),
)
WALL = ("complaint_against_police", "neighbour_dispute")


def test_the_list_shows_exactly_the_cases_that_can_be_read(make_database: MakeDatabase) -> None:
    office = Office(make_database("case"))
    cases = list(_many_cases(office))

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(actors)
    def agree(actor: Actor) -> None:
        with office.database.read() as session:
            listed = set(session.exec(select(CaseRecord.id).where(reached(actor))).all())
        assert listed == {case.id for case in cases if sight(actor, case) is not Sight.NOTHING}
        if not actor.roles & {Role.UNIT_SUPERVISOR, Role.PROVINCIAL_DIRECTOR, Role.INSPECTORATE}:
            assert all(actor.id in (case.handler_id, case.opened_by) for case in cases if case.id in listed)

    agree()


def _many_cases(office: Office) -> Iterable[CaseRecord]:
    a, b = Actor("a", "a", frozenset({Role.INTAKE_OFFICER}), "ninewa"), Actor("b", "b", frozenset(), "ninewa")
    for unit in (UNIT, OTHER_UNIT):
        for category in WALL:
            leading = person("leading", Role.UNIT_SUPERVISOR, unit=unit) if category == WALL[1] else INSPECTOR
            yield office.open(by=a, unit=unit, category=category)
            assigned = office.open(by=a, unit=unit, category=category)
            office.triage(assigned, by=leading)
            office.assign(assigned, to=b, by=leading)
            yield office.row(assigned)
