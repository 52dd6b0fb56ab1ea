"""Whatever is asked, by whomever, in whatever order: class and count stay, nobody approves themselves, no gap."""

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from contracts.case import Answer, CaseStatus, Question, RecordingClass
from contracts.case.requests import PROPOSABLE
from contracts.roles import Role
from kernel.errors import JisrError
from kernel.fact import Fact
from kernel.identity import Actor
from services.case.intake import recording_class
from services.case.model import FORMAL
from services.case.tables import CaseRecord
from tests.conftest import MakeDatabase
from tests.services.case.office import DIRECTOR, HANDLER, INTAKE, SUPERVISOR, UNIT, Office, person

DOUBLE = person("double", Role.UNIT_SUPERVISOR, Role.CASE_WORKER)
TRIPLE = person("triple", Role.PROVINCIAL_DIRECTOR, Role.UNIT_SUPERVISOR, Role.COMMUNITY_OFFICER)
PEOPLE = (INTAKE, SUPERVISOR, HANDLER, DIRECTOR, DOUBLE, TRIPLE)

Ask = Callable[[Office, CaseRecord], Any]


def asking(use_case: Callable[..., Any], **values: Any) -> st.SearchStrategy[Ask]:
    """By anybody, or by who handles the case, which is what leads on."""

    def ask(by: Actor | None) -> Ask:
        return lambda office, case: use_case(office, case, by=by or handler_of(office, case), **values)

    return st.sampled_from([None, *PEOPLE]).map(ask)


def handler_of(office: Office, case: CaseRecord) -> Actor:
    handler = office.row(case).handler_id
    return next((actor for actor in PEOPLE if actor.id == handler), HANDLER)


def assigning(pair: tuple[Actor, Actor]) -> Ask:
    return lambda office, case: office.assign(case, to=pair[0], by=pair[1])


def proposing(outcome: str) -> st.SearchStrategy[Ask]:
    return asking(Office.propose, outcome=outcome, open_referrals_reason="they answer by telephone")


people = st.sampled_from(PEOPLE)
workers = st.sampled_from([HANDLER, DOUBLE, TRIPLE])
outcomes = st.sampled_from([outcome.value for outcome in PROPOSABLE])
leading = st.tuples(
    asking(Office.triage),
    st.just(lambda office, case: office.triage(case)),
    workers.map(lambda to: lambda office, case: office.assign(case, to=to)),
    st.just(lambda office, case: office.start(case, by=handler_of(office, case))),
    outcomes.map(
        lambda outcome: lambda office, case: office.propose(case, by=handler_of(office, case), outcome=outcome)
    ),
)
"""The way to a proposal; a search begins anywhere on it."""
anything = st.one_of(
    *(
        asking(use_case)
        for use_case in (Office.triage, Office.start, Office.hold, Office.resume, Office.withdraw, Office.note)
    ),
    asking(Office.close),
    asking(Office.close),
    asking(Office.refer),
    outcomes.flatmap(proposing),
    st.tuples(workers, people).map(assigning),
)
sequences = st.builds(
    lambda way, steps, then: [*way[:steps], *then],
    leading,
    st.sampled_from([0, 2, 4, 5, 5, 5, 5]),
    st.lists(anything, min_size=1, max_size=15),
)
TO_THE_END: list[Ask] = [
    lambda office, case: office.triage(case),
    lambda office, case: office.assign(case),
    lambda office, case: office.start(case),
    lambda office, case: office.propose(case, outcome="advice_given"),
    lambda office, case: office.close(case, by=DIRECTOR),
]
answered = st.fixed_dictionaries({question.value: st.sampled_from(Answer) for question in Question})


def test_no_sequence_of_requests_changes_a_class_a_count_or_who_may_approve(
    make_sqlite_database: MakeDatabase,
) -> None:
    office = Office(make_sqlite_database("case"))
    opened: list[CaseRecord] = []
    told: list[Fact] = []

    @settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(answered, sequences)
    @example(dict.fromkeys((question.value for question in Question), Answer.YES), TO_THE_END)
    def search(answers: dict[str, Answer], sequence: Sequence[Ask]) -> None:
        case = office.open(answers={name: answer.value for name, answer in answers.items()})
        opened.append(case)
        accepted = sum(_accepted(office, case, ask) for ask in sequence)
        expected = recording_class({Question(name): answer for name, answer in answers.items()})
        row = office.row(case)
        facts = office.facts(after=len(told))
        told.extend(facts)
        assert row.recording_class is row.current_class is expected
        assert len(facts) == accepted + 1
        classes = {fact.statistical_values()["recording_class"] for fact in facts if fact.kind == "case"}
        assert classes == {expected.value}
        _check_approval(row)

    search()
    _check_whole(office, opened)
    assert CaseStatus.CLOSED in {office.row(case).status for case in opened}, "the search closed no case"


def _accepted(office: Office, case: CaseRecord, ask: Ask) -> bool:
    try:
        ask(office, case)
    except JisrError:
        return False
    return True


def _check_approval(row: CaseRecord) -> None:
    if row.status is not CaseStatus.CLOSED:
        return
    assert row.closed_by not in {*row.handlers, row.proposed_by}
    units = {actor.id: actor.unit for actor in PEOPLE}
    if row.recording_class is RecordingClass.CRIME_INDICATED and row.outcome not in FORMAL:
        assert units[str(row.closed_by)] != UNIT


def _check_whole(office: Office, opened: list[CaseRecord]) -> None:
    """Every case is still there, versions have no gap, and numbers have none."""
    by_case: dict[str, list[int]] = {case.id: [] for case in opened}
    for fact in office.facts():
        if fact.kind == "case":
            by_case[fact.subject].append(fact.version)
    assert all(versions == list(range(1, len(versions) + 1)) for versions in by_case.values())
    assert sorted(int(case.number.split("-")[2]) for case in opened) == list(range(1, len(opened) + 1))
    assert len(office.listed(DIRECTOR, limit=200)) == min(200, len(opened))
