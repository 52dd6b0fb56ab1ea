"""Whatever follows, in whatever order, by whomever: a class changes only as somebody outside approved it."""

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlmodel import select

from contracts.case import Answer, CaseStatus, Question, RecordingClass
from contracts.case.reclassification import ReclassificationStatus
from kernel.errors import JisrError
from kernel.identity import Actor
from services.case.intake import recording_class
from services.case.tables import CaseRecord, Reclassification
from tests.conftest import MakeDatabase
from tests.services.case import life
from tests.services.case.office import DIRECTOR, INSPECTOR, UNIT, Office
from tests.services.case.test_any_sequence import (
    PEOPLE,
    TO_THE_END,
    Ask,
    answered,
    anything,
    asking,
    handler_of,
    leading,
)

CRIME = RecordingClass.CRIME_INDICATED
Decide = Callable[..., Any]


def deciding(to: str, by: Actor | None, proposer: Actor | None, decide: Decide) -> Ask:
    """Somebody proposes another class, somebody decides."""

    def ask(office: Office, case: CaseRecord) -> Any:
        proposed = life.reclassify(office, case, to=to, by=proposer or handler_of(office, case))
        return decide(office, proposed, by=by or INSPECTOR)

    return ask


def duplicating(answers: dict[str, str]) -> Ask:
    """The case is said to tell again what another one told."""
    return lambda office, case: life.duplicate(office, case, of=office.open(answers=answers))


def confirming(said: str) -> Ask:
    """Four weeks later somebody from elsewhere asks."""

    def ask(office: Office, case: CaseRecord) -> Any:
        office.wait(days=28)
        life.draw(office)
        mine = [each for each in life.confirmations(office, life.CENTRAL, limit=200) if each["case_id"] == case.id]
        return life.answer(office, mine[0], said, by=life.CENTRAL) if mine else None

    return ask


decisions = st.builds(
    deciding,
    st.sampled_from([word.value for word in RecordingClass]),
    st.sampled_from([None, None, *PEOPLE]),
    st.sampled_from([None, None, *PEOPLE]),
    st.sampled_from([life.approve, life.approve, life.refuse]),
)
later = st.one_of(
    decisions,
    decisions,
    asking(life.reopen),
    asking(life.separate),
    answered.map(lambda answers: duplicating({name: answer.value for name, answer in answers.items()})),
    st.sampled_from(["confirmed", "contested"]).map(confirming),
    anything,
)
lives = st.builds(
    lambda way, steps, then: [*way[:steps], *then],
    leading,
    st.sampled_from([0, 3, 5, 5]),
    st.lists(later, min_size=3, max_size=15),
)


ALL_NO = dict.fromkeys((question.value for question in Question), Answer.NO)


def test_no_life_of_a_case_changes_a_class_without_an_approval_from_outside(make_sqlite_database: MakeDatabase) -> None:
    office = Office(make_sqlite_database("case"))
    seen: set[CaseStatus] = set()
    approvals: list[Reclassification] = []

    @settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(answered, lives)
    @example(ALL_NO, [*TO_THE_END, confirming("confirmed")])
    @example(ALL_NO, [*TO_THE_END, confirming("contested")])
    @example(ALL_NO, [duplicating(dict.fromkeys(ALL_NO, "no"))])
    @example(ALL_NO, [*TO_THE_END, deciding(CRIME.value, None, None, life.approve)])
    def search(answers: dict[str, Answer], sequence: Sequence[Ask]) -> None:
        case = office.open(answers={name: answer.value for name, answer in answers.items()})
        for ask in sequence:
            try:
                ask(office, case)
            except JisrError:
                continue
            finally:
                seen.add(office.row(case).status)
        row = office.row(case)
        assert row.recording_class is recording_class({Question(name): answer for name, answer in answers.items()})
        approved = _approved(office, case)
        approvals.extend(approved)
        assert row.current_class is (approved[-1].to_class if approved else row.recording_class)
        _check_deciders(row, approved)
        _check_duplicate(office, row)

    search()
    assert approvals, "the search approved no reclassification"
    assert {CaseStatus.CONFIRMED, CaseStatus.CONTESTED, CaseStatus.DUPLICATE_OF} <= seen
    _check_counted(office)


def _approved(office: Office, case: CaseRecord) -> list[Reclassification]:
    with office.database.read() as session:
        rows = session.exec(select(Reclassification).where(Reclassification.case_id == case.id)).all()
    approved = [row for row in rows if row.status is ReclassificationStatus.APPROVED]
    return sorted(approved, key=lambda row: row.place)


def _check_deciders(row: CaseRecord, approved: list[Reclassification]) -> None:
    units = {actor.id: actor.unit for actor in (*PEOPLE, INSPECTOR)}
    for each in approved:
        assert each.decided_by != each.proposed_by
        assert units[str(each.decided_by)] != UNIT


def _check_duplicate(office: Office, row: CaseRecord) -> None:
    if row.status is not CaseStatus.DUPLICATE_OF:
        return
    original = office.row(CaseRecord(id=row.duplicate_of))
    assert original.status is not CaseStatus.DUPLICATE_OF
    if row.recording_class is CRIME:
        assert original.recording_class is CRIME


def _check_counted(office: Office) -> None:
    """Every case that was ever opened is in the director's list, by its class of intake, whatever became of it."""
    with office.database.read() as session:
        every = list(session.exec(select(CaseRecord)).all())
    opened = [fact.statistical_values() for fact in office.facts() if fact.type == "case.opened.v1"]
    assert len(opened) == len(every)
    assert sum(fact["recording_class"] == CRIME for fact in opened) == sum(
        case.recording_class is CRIME for case in every
    )
    assert len(office.listed(DIRECTOR, limit=200)) == min(200, len(every))
