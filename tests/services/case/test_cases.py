"""A case from intake to its end, on both backends."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from contracts.case import CaseStatus, NoteKind, Outcome, RecordingClass
from contracts.numbers import check
from contracts.roles import Role
from kernel.errors import JisrError, MoveRefused, StaleVersion
from kernel.identity import Actor
from services.case.refusals import (
    AlreadyPast,
    BeforeTheCase,
    NotTheHandler,
    NotTheSupervisor,
    NotYet,
    OutsideApprovalNeeded,
    OwnAct,
    PreferenceNotMet,
    ReferralsOpen,
    UnitNeeded,
)
from services.case.tables import CaseIntake, CaseRecord
from tests.services.case.office import (
    DIRECTOR,
    FORCE,
    HANDLER,
    INTAKE,
    NO_TO_ALL,
    OFFICER,
    SUPERVISOR,
    Office,
    person,
)

PERSONS: list[dict[str, Any]] = [
    {"role": "affected", "name": "A", "sex": "female", "age": 30},
    {"role": "respondent", "name": "B", "sex": "male", "birth_date": "1970-01-01"},
]


def last_states(office: Office) -> dict[str, dict[str, Any]]:
    """What a directorate with operational clearance holds: the last state of each case."""
    return {
        fact.subject: {**fact.statistical_values(), **fact.operational_values()}
        for fact in office.facts()
        if fact.kind == "case"
    }


def test_a_case_is_recorded_with_number_class_answers_and_one_fact(office: Office) -> None:
    case = office.open(answers=FORCE, parties=PERSONS, narrative="what happened")
    assert case.number == "NI-2026-000001-J"
    assert check(case.number)
    assert (case.status, case.version) == (CaseStatus.RECEIVED, 1)
    assert case.recording_class is case.current_class is RecordingClass.CRIME_INDICATED
    file = office.get(case, INTAKE)
    assert file.intake.answers == FORCE
    assert file.intake.rule_version == 1
    assert file.identity is not None
    assert [party.name for party in file.identity.parties] == ["A", "B"]
    assert file.identity.narrative == "what happened"
    (fact,) = office.facts()
    assert (fact.type, fact.subject, fact.version) == ("case.opened.v1", case.id, 1)
    assert fact.statistical_values() == {
        "district": "mosul",
        "week": "2026-W11",
        "month": "2026-03",
        "category": "neighbour_dispute",
        "category_group": "dispute",
        "recording_class": "crime_indicated",
        "current_class": "crime_indicated",
        "status": "received",
        "outcome": None,
        "age_band": "25-34",
        "parties_told": "told",
        "counted": True,
        "parties_by_sex": {"female": 1, "male": 1, "unknown": 0},
    }
    assert fact.operational_values()["case_number"] == case.number
    assert not fact.restricted


def test_a_case_goes_all_the_way_with_one_fact_a_step(office: Office) -> None:
    case = office.open()
    office.triage(case)
    office.assign(case)
    office.start(case)
    office.note(case)
    office.hold(case)
    office.resume(case)
    office.propose(case)
    office.resume(case)
    office.propose(case)
    closed = office.close(case)
    assert closed.status is CaseStatus.CLOSED
    facts = office.facts()
    assert [fact.type.split(".")[1] for fact in facts] == [
        "opened", "triaged", "assigned", "started", "noted", "held", "resumed", "proposed", "resumed", "proposed",
        "closed",
    ]  # fmt: skip
    assert [fact.version for fact in facts] == list(range(1, 12))
    assert closed.version == 11
    last = facts[-1]
    assert last.statistical_values()["status"] == "closed"
    assert last.statistical_values()["outcome"] == "mediated_agreement"
    assert last.operational_values()["handler"] == f"hash-of-{HANDLER.id}"
    assert last.operational_values()["notes"] == 5


def test_a_restricted_case_tells_as_often_and_far_less(office: Office) -> None:
    for category in ("neighbour_dispute", "domestic_abuse"):
        case = office.proposed(category=category, outcome="handed_to_court", answers=FORCE, parties=PERSONS)
        referral = None
        office.resume(case)
        referral = office.refer(case)
        office.accept(referral)
        office.begin(referral)
        office.complete(referral)
        office.propose(case, outcome="handed_to_court")
        office.close(case)
    facts = office.facts()
    half = len(facts) // 2
    plain, restricted = facts[:half], facts[half:]
    assert [fact.type for fact in plain] == [fact.type for fact in restricted]
    assert [fact.version for fact in plain] == [fact.version for fact in restricted]
    assert not any(fact.restricted for fact in plain)
    assert all(fact.restricted for fact in restricted)
    for fact in restricted:
        assert fact.statistical_values() == {"month": "2026-03", "category_group": "protection"}
        told = fact.operational.decode()
        assert not any(word in told for word in ("mosul", "domestic_abuse", "walk_in", "health", "25-34", "2026-W11"))
    final = restricted[-1].operational_values()
    assert (final["recording_class"], final["current_class"], final["status"]) == (
        "crime_indicated",
        "crime_indicated",
        "closed",
    )


def test_ten_crime_indicated_cases_settled_informally_still_count_ten(office: Office) -> None:
    informal = [
        "advice_given", "mediated_agreement", "service_completed", "content_removed", "returned_home_safe",
        "no_evidence", "cannot_contact", "out_of_mandate_referred",
    ]  # fmt: skip
    for outcome in informal:
        office.close(office.proposed(outcome, answers=FORCE), by=DIRECTOR)
    office.withdraw(office.at_work(answers=FORCE))
    office.withdraw(office.open(answers=FORCE), by=SUPERVISOR)
    states = last_states(office).values()
    assert Counter(state["recording_class"] for state in states) == {"crime_indicated": 10}
    assert Counter(state["current_class"] for state in states) == {"crime_indicated": 10}
    assert {state["status"] for state in states} == {"closed", "withdrawn"}


def test_a_closed_case_keeps_its_intake_class(office: Office) -> None:
    case = office.close(office.proposed(answers=FORCE), by=DIRECTOR)
    assert office.row(case).recording_class is RecordingClass.CRIME_INDICATED
    assert office.get(case, HANDLER).intake.recording_class is RecordingClass.CRIME_INDICATED


CHANGES = (
    "UPDATE case_record SET recording_class = 'non_crime'",
    "UPDATE case_record SET number = 'NI-2026-000009-X'",
    "UPDATE case_record SET opened_by = 'somebody-else'",
    "DELETE FROM case_record",
    "UPDATE case_intake SET answers = '{}'",
    "UPDATE case_intake SET recording_class = 'non_crime'",
    "DELETE FROM case_intake",
)


def test_the_database_itself_refuses_to_change_what_was_recorded(office: Office) -> None:
    case = office.open(answers=FORCE)
    for change in CHANGES:
        with pytest.raises(DBAPIError, match="what was recorded cannot be changed"):
            office.execute(change)
    assert office.row(case).recording_class is RecordingClass.CRIME_INDICATED
    with office.database.read() as session:
        assert session.get_one(CaseIntake, case.id).answers == FORCE


def test_the_row_of_a_case_has_no_column_for_a_person() -> None:
    columns = set(CaseRecord.__table__.columns.keys())
    assert columns.isdisjoint({"name", "phone", "address", "birth_date", "age", "narrative", "place", "text"})


def test_a_serious_closing_needs_somebody_from_outside_the_unit(office: Office) -> None:
    case = office.proposed("mediated_agreement", answers=FORCE)
    with pytest.raises(OutsideApprovalNeeded):
        office.close(case, by=SUPERVISOR)
    within = person("commander", Role.PROVINCIAL_DIRECTOR)
    with pytest.raises(OutsideApprovalNeeded):
        office.close(case, by=within)
    assert office.close(case, by=DIRECTOR).status is CaseStatus.CLOSED


@pytest.mark.parametrize(("answers", "outcome"), [(FORCE, "handed_to_court"), (NO_TO_ALL, "mediated_agreement")])
def test_an_ordinary_closing_is_approved_in_the_unit(office: Office, answers: dict[str, str], outcome: str) -> None:
    assert office.close(office.proposed(outcome, answers=answers), by=SUPERVISOR).status is CaseStatus.CLOSED


def test_nobody_approves_the_case_they_handle_or_ever_handled(office: Office) -> None:
    both = person("both", Role.UNIT_SUPERVISOR, Role.CASE_WORKER)
    own = office.open()
    office.triage(own)
    office.assign(own, to=both)
    office.start(own, by=both)
    office.propose(own, by=both)
    with pytest.raises(OwnAct):
        office.close(own, by=both)
    handed_on = office.open()
    office.triage(handed_on)
    office.assign(handed_on, to=both)
    office.start(handed_on, by=both)
    office.assign(handed_on, to=HANDLER, by=both)
    office.start(handed_on)
    office.propose(handed_on)
    with pytest.raises(OwnAct):
        office.close(handed_on, by=both)
    assert office.close(handed_on, by=SUPERVISOR).status is CaseStatus.CLOSED


Attempt = Callable[[Office, CaseRecord], Any]
OUT_OF_ORDER: dict[str, Attempt] = {
    "assign before triage": lambda office, case: office.assign(case),
    "close before a proposal": lambda office, case: office.close(case),
    "triage twice": lambda office, case: (office.triage(case), office.triage(case)),
}


@pytest.mark.parametrize("attempt", OUT_OF_ORDER.values(), ids=list(OUT_OF_ORDER))
def test_a_forbidden_move_is_refused_and_explained(office: Office, attempt: Attempt) -> None:
    case = office.open()
    with pytest.raises(MoveRefused) as refused:
        attempt(office, case)
    assert {"current", "target", "possible"} <= set(refused.value.details)


def test_what_is_refused_changes_nothing_and_tells_nothing(office: Office) -> None:
    case = office.at_work()
    before = (len(office.facts()), office.row(case).version, office.row(case).notes)
    refusals: list[Callable[[], Any]] = [
        lambda: office.start(case),
        lambda: office.close(case),
        lambda: office.hold(case, review_on="2026-03-10"),
        lambda: office.propose(case, version=99),
        lambda: office.note(case, by=SUPERVISOR),
        lambda: office.assign(case, by=HANDLER),
    ]
    for attempt in refusals:
        with pytest.raises(JisrError):
            attempt()
    assert (len(office.facts()), office.row(case).version, office.row(case).notes) == before


def test_a_move_on_a_version_that_has_moved_on_is_refused_with_both(office: Office) -> None:
    case = office.open()
    office.triage(case, version=1)
    with pytest.raises(StaleVersion) as refused:
        office.assign(case, version=1)
    assert refused.value.details == {"yours": 1, "current": 2}
    assert office.assign(case, version=2).status is CaseStatus.ASSIGNED


def test_only_the_handler_works_on_a_case_and_only_the_supervisor_leads_it(office: Office) -> None:
    both = person("both", Role.UNIT_SUPERVISOR, Role.CASE_WORKER)
    case = office.at_work()
    for attempt in (
        lambda: office.note(case, by=both),
        lambda: office.hold(case, by=both),
        lambda: office.propose(case, by=both),
        lambda: office.withdraw(case, by=both),
    ):
        with pytest.raises(NotTheHandler):
            attempt()
    fresh = office.open(by=person("elsewhere", Role.UNIT_SUPERVISOR, unit="ninewa-9"), unit="ninewa-1")
    with pytest.raises(NotTheSupervisor):
        office.triage(fresh, by=person("elsewhere", Role.UNIT_SUPERVISOR, unit="ninewa-9"))


def test_a_handler_must_fit_the_preference(office: Office) -> None:
    case = office.open(handler_preference="woman")
    office.triage(case)
    with pytest.raises(PreferenceNotMet):
        office.assign(case)
    assert office.assign(case, fits_preference=True).handler_id == HANDLER.id


def test_a_case_at_work_may_be_given_to_another_handler_and_keeps_its_first_contact(office: Office) -> None:
    case = office.at_work()
    first = office.row(case).first_contact_at
    office.wait(days=3)
    office.assign(case, to=OFFICER)
    again = office.start(case, by=OFFICER)
    assert again.first_contact_at == first
    assert again.handlers == sorted([HANDLER.id, OFFICER.id])


def test_a_proposal_with_an_open_referral_needs_a_reason(office: Office) -> None:
    case = office.at_work()
    office.refer(case)
    with pytest.raises(ReferralsOpen):
        office.propose(case)
    assert office.propose(case, open_referrals_reason="they answer by telephone").status is (
        CaseStatus.RESOLUTION_PROPOSED
    )
    kinds = {note.kind for note in office.notes(case, HANDLER)}
    assert kinds == {NoteKind.REFERRAL, NoteKind.PROPOSAL, NoteKind.OPEN_REFERRALS}


def test_a_withdrawn_case_says_who_asked_and_under_what_pressure(office: Office) -> None:
    case = office.withdraw(
        office.at_work(), asked_by="family", alone="no", pressure="yes", text="his uncle spoke for her"
    )
    assert (case.status, case.outcome) == (CaseStatus.WITHDRAWN, Outcome.WITHDRAWN)
    assert (case.withdrawal_asked_by, case.withdrawal_alone, case.withdrawal_pressure) == ("family", "no", "yes")
    for attempt in (lambda: office.note(case), lambda: office.refer(case), lambda: office.withdraw(case)):
        with pytest.raises(MoveRefused):
            attempt()


def test_a_case_without_a_handler_is_withdrawn_by_the_supervisor(office: Office) -> None:
    case = office.open()
    with pytest.raises(NotTheSupervisor):
        office.withdraw(case, by=INTAKE)
    assert office.withdraw(case, by=SUPERVISOR).status is CaseStatus.WITHDRAWN


def test_times_that_cannot_be_are_refused(office: Office) -> None:
    for values in (
        {"reported_at": "2026-03-10T09:06:00Z"},
        {"incident_from": "2026-03-11"},
        {"incident_from": "2026-03-01", "incident_until": "2026-03-11"},
        {"parties": [{"role": "affected", "birth_date": "2027-01-01"}]},
    ):
        with pytest.raises(NotYet):
            office.open(**values)
    assert office.facts() == []
    case = office.open(reported_at="2026-03-10T09:04:00Z")  # a telephone whose clock is ahead
    office.triage(case)
    office.assign(case)
    with pytest.raises(NotYet):
        office.start(case, first_contact_at="2026-03-10T10:00:00Z")
    with pytest.raises(BeforeTheCase):
        office.start(case, first_contact_at="2026-03-09T09:00:00Z")
    office.start(case, first_contact_at="2026-03-10T08:00:00Z")
    for day in ("2026-03-10", "2026-03-09"):
        with pytest.raises(AlreadyPast):
            office.hold(case, review_on=day)


def test_a_case_belongs_to_the_openers_unit_or_the_one_that_is_named(office: Office) -> None:
    hotline = person("hotline", Role.INTAKE_OFFICER, unit=None)
    assert office.open().unit == "ninewa-1"
    assert office.open(by=hotline, unit="ninewa-2").unit == "ninewa-2"
    with pytest.raises(UnitNeeded):
        office.open(by=hotline)


def test_week_and_month_are_those_of_the_report_in_baghdad(office: Office) -> None:
    office.now = datetime(2027, 1, 5, tzinfo=UTC)
    office.open(reported_at="2026-12-31T21:30:00Z")
    told = office.last_fact().statistical_values()
    assert (told["month"], told["week"]) == ("2027-01", "2026-W53")


def test_two_who_approve_at_the_same_time_close_a_case_once(office: Office) -> None:
    case = office.proposed()
    second = person("second", Role.UNIT_SUPERVISOR)

    def approve(by: Actor) -> str:
        try:
            return str(office.close(case, by=by).closed_by)
        except MoveRefused:
            return "refused"

    with ThreadPoolExecutor(2) as approvers:
        answers = list(approvers.map(approve, [SUPERVISOR, second]))
    closed_by = str(office.row(case).closed_by)
    assert sorted(answers) == sorted([closed_by, "refused"])
    assert [fact.type for fact in office.facts()].count("case.closed.v1") == 1
