"""Both counts: the class of intake never changes, the present one only by an approved reclassification, each listed."""

from collections import Counter
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from contracts.case import RecordingClass
from contracts.case.reclassification import ReclassificationStatus
from contracts.roles import Role
from kernel.errors import MoveRefused, StaleVersion
from services.case.refusals import (
    AlreadyProposed,
    ClassMovedOn,
    FromOutside,
    NotTheHandler,
    OwnAct,
    ReclassificationNotFound,
    SameClass,
)
from services.case.tables import CaseRecord, Reclassification
from tests.services.case import life
from tests.services.case.office import (
    DIRECTOR,
    FORCE,
    HANDLER,
    INSPECTOR,
    OFFICER,
    OTHER_SUPERVISOR,
    OTHER_UNIT,
    SUPERVISOR,
    Office,
    person,
)

CRIME, NONE = RecordingClass.CRIME_INDICATED, RecordingClass.NON_CRIME


def states(office: Office) -> list[dict[str, Any]]:
    """The last state of each case, as a directorate with operational clearance holds it."""
    facts = {fact.subject: fact for fact in office.facts() if fact.kind == "case"}
    return [{**fact.statistical_values(), **fact.operational_values()} for fact in facts.values()]


def test_an_approved_reclassification_changes_the_present_class_and_not_the_one_of_intake(office: Office) -> None:
    case = office.at_work(answers=FORCE)
    proposed = life.reclassify(office, case)
    assert office.row(case).current_class is CRIME
    decided = life.approve(office, proposed)
    assert (decided["status"], decided["decided_by"]) == (ReclassificationStatus.APPROVED, INSPECTOR.id)
    row = office.row(case)
    assert (row.recording_class, row.current_class) == (CRIME, NONE)
    assert [fact.type for fact in office.facts()][-3:] == [
        "reclassification.proposed.v1",
        "reclassification.approved.v1",
        "case.reclassified.v1",
    ]
    (state,) = states(office)
    assert (state["recording_class"], state["current_class"]) == (CRIME, NONE)


def test_ten_crimes_settled_informally_are_ten_by_both_counts_until_somebody_outside_approves(office: Office) -> None:
    cases = [life.closed(office, "no_evidence", answers=FORCE) for _ in range(10)]
    assert Counter(state["recording_class"] for state in states(office)) == {CRIME: 10}
    assert Counter(state["current_class"] for state in states(office)) == {CRIME: 10}
    life.approve(office, life.reclassify(office, cases[0]))
    life.refuse(office, life.reclassify(office, cases[1]))
    assert Counter(state["recording_class"] for state in states(office)) == {CRIME: 10}
    assert Counter(state["current_class"] for state in states(office)) == {CRIME: 9, NONE: 1}
    listed = life.reclassifications(office, INSPECTOR)
    assert [(line["status"], line["from_class"], line["to_class"], line["text"]) for line in listed] == [
        (ReclassificationStatus.APPROVED, CRIME, NONE, "the knife was a toy"),
        (ReclassificationStatus.REFUSED, CRIME, NONE, "the knife was a toy"),
    ]


IN_THE_UNIT = person("unit-inspector", Role.INSPECTORATE)
UNIT_DIRECTOR = person("unit-director", Role.PROVINCIAL_DIRECTOR)


def test_nobody_of_the_unit_and_nobody_who_worked_on_it_decides(office: Office) -> None:
    worker_and_inspector = person("both", Role.CASE_WORKER, Role.INSPECTORATE, unit=OTHER_UNIT)
    case = office.open(answers=FORCE)
    office.triage(case)
    office.assign(case, to=worker_and_inspector)
    office.start(case, by=worker_and_inspector)
    proposed = life.reclassify(office, case, by=worker_and_inspector)
    with pytest.raises(OwnAct):
        life.approve(office, proposed, by=worker_and_inspector)
    for insider in (IN_THE_UNIT, UNIT_DIRECTOR, person("colleague", Role.INSPECTORATE, unit=OTHER_UNIT)):
        with pytest.raises(FromOutside):
            life.approve(office, proposed, by=insider)
    assert office.row(case).current_class is CRIME
    life.approve(office, proposed, by=DIRECTOR)
    assert office.row(case).current_class is NONE


def test_a_supervisor_proposes_and_cannot_approve(office: Office) -> None:
    case = office.at_work(answers=FORCE)
    double = person("double", Role.UNIT_SUPERVISOR, Role.INSPECTORATE)
    proposed = life.reclassify(office, case, by=double)
    with pytest.raises(OwnAct):
        life.approve(office, proposed, by=double)
    with pytest.raises((FromOutside, ReclassificationNotFound)):
        life.approve(office, proposed, by=SUPERVISOR)
    with pytest.raises(ReclassificationNotFound):
        life.approve(office, proposed, by=OTHER_SUPERVISOR)


def test_one_proposal_at_a_time_to_another_class_and_decided_once(office: Office) -> None:
    case = office.at_work(answers=FORCE)
    with pytest.raises(SameClass):
        life.reclassify(office, case, to="crime_indicated")
    with pytest.raises(NotTheHandler):
        life.reclassify(office, case, by=DIRECTOR)
    proposed = life.reclassify(office, case)
    with pytest.raises(AlreadyProposed):
        life.reclassify(office, case, by=SUPERVISOR)
    with pytest.raises(StaleVersion) as stale:
        life.approve(office, proposed, version=9)
    assert stale.value.details == {"yours": 9, "current": 1}
    life.refuse(office, proposed)
    with pytest.raises(MoveRefused):
        life.approve(office, proposed)
    assert office.row(case).current_class is CRIME


def test_a_class_can_come_back_by_another_approval_and_both_stay_listed(office: Office) -> None:
    case = office.at_work(answers=FORCE)
    life.approve(office, life.reclassify(office, case))
    life.approve(office, life.reclassify(office, case, to="crime_indicated"))
    assert office.row(case).current_class is CRIME
    assert len(life.reclassifications(office, INSPECTOR, of_case_id=case.id)) == 2


PATHS = (
    "UPDATE case_record SET current_class = 'non_crime'",
    "UPDATE reclassification SET to_class = 'undetermined'",
    "UPDATE reclassification SET status = 'proposed'",
    "DELETE FROM reclassification",
)


def test_no_statement_lowers_a_count_or_unlists_a_reclassification(office: Office) -> None:
    case = office.at_work(answers=FORCE)
    with pytest.raises(DBAPIError, match="by an approved reclassification only"):
        office.execute(PATHS[0])
    life.approve(office, life.reclassify(office, case))
    life.approve(office, life.reclassify(office, case, to="crime_indicated"))
    with pytest.raises(DBAPIError, match="by an approved reclassification only"):
        office.execute(PATHS[0])  # an approval that was overtaken by another does not count again
    for statement in PATHS[1:]:
        with pytest.raises(DBAPIError, match="what was recorded cannot be changed"):
            office.execute(statement)
    assert office.row(case).current_class is CRIME


def test_the_database_takes_no_approval_by_the_proposer(office: Office) -> None:
    life.reclassify(office, office.at_work(answers=FORCE))
    with pytest.raises(DBAPIError, match="what was recorded cannot be changed"):
        office.execute("UPDATE reclassification SET status = 'approved', decided_by = proposed_by")


def test_no_case_begins_with_a_lower_present_class(office: Office) -> None:
    case = office.row(office.open(answers=FORCE))
    copied = {**case.model_dump(), "id": "another", "number": "NI-2026-000099-X", "current_class": NONE}
    with pytest.raises(DBAPIError, match="by an approved reclassification only"):
        office.run(lambda session: session.add(CaseRecord(**copied)))


def test_a_proposal_whose_class_has_moved_on_is_not_approved(office: Office) -> None:
    case = office.at_work(answers=FORCE)
    proposed = life.reclassify(office, case)
    office.run(lambda session: _approve_by_hand(session, case, place=2))
    with pytest.raises(ClassMovedOn):
        life.approve(office, proposed)
    life.refuse(office, proposed)


def _approve_by_hand(session: Any, case: CaseRecord, *, place: int) -> None:
    """What a recovery might bring: another approved one, with its row."""
    row = Reclassification(
        id=f"by-hand-{place}", version=2, case_id=case.id, place=place, from_class=CRIME, to_class=NONE,
        ground="new_facts", status="approved", note_id="none", proposed_by="a", proposed_at=case.opened_at,
        decided_by="b", decided_at=case.opened_at,
    )  # fmt: skip
    session.add(row)
    session.flush()
    session.get_one(CaseRecord, case.id).current_class = NONE


def test_a_restricted_reclassification_tells_classes_to_the_home_directorate_only(office: Office) -> None:
    case = office.at_work(answers=FORCE, category="domestic_abuse")
    life.approve(office, life.reclassify(office, case))
    fact = next(each for each in office.facts() if each.type == "reclassification.approved.v1")
    assert fact.restricted
    assert fact.statistical_values() == {"month": "2026-03", "category_group": "protection"}
    assert fact.operational_values()["to_class"] == NONE
    assert b"domestic" not in fact.operational


def test_who_reads_a_reason_is_in_the_audit_log_and_a_stranger_reads_none(office: Office) -> None:
    case = office.at_work(answers=FORCE)
    life.reclassify(office, case)
    assert life.reclassifications(office, OFFICER) == []
    assert life.reclassifications(office, OTHER_SUPERVISOR) == []
    assert len(life.reclassifications(office, HANDLER)) == len(life.reclassifications(office, DIRECTOR)) == 1
    assert [line[:3] for line in office.audited()] == [
        (HANDLER.id, "read_reclassification", case.id),
        (DIRECTOR.id, "read_reclassification", case.id),
    ]
