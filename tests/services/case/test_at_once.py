"""Two people at once: a move is made once, by who may still make it, and each fact has a version of its own."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from contracts.case import CaseStatus, ReferralStatus
from contracts.roles import Role
from kernel.errors import JisrError, MoveRefused, StaleVersion
from services.case.refusals import CaseNotFound, ReferralsOpen
from tests.services.case.office import DIRECTOR, HANDLER, OFFICER, SUPERVISOR, Office, person

PATIENCE = 30.0
ROUNDS = 4


def at_once(*attempts: Callable[[], Any]) -> list[Any]:
    """What became of attempts made at the same moment: a value or a refusal each."""
    together = Barrier(len(attempts))

    def make(attempt: Callable[[], Any]) -> Any:
        together.wait(PATIENCE)
        try:
            return attempt()
        except JisrError as refusal:
            return refusal

    with ThreadPoolExecutor(len(attempts)) as people:
        return list(people.map(make, attempts, timeout=PATIENCE))


def refusals(outcomes: Sequence[Any]) -> list[type[JisrError]]:
    return [type(outcome) for outcome in outcomes if isinstance(outcome, JisrError)]


def dense(office: Office, subject: str) -> bool:
    versions = [fact.version for fact in office.facts() if fact.subject == subject]
    return versions == list(range(1, len(versions) + 1))


def test_a_case_is_closed_once_whoever_approves(office: Office) -> None:
    case = office.proposed()
    other = person("other", Role.UNIT_SUPERVISOR)
    approvers = (SUPERVISOR, other, DIRECTOR)
    outcomes = at_once(*(lambda by=by: office.close(case, by=by) for by in approvers))
    assert refusals(outcomes) == [MoveRefused, MoveRefused]
    assert [fact.type for fact in office.facts()].count("case.closed.v1") == 1
    assert dense(office, case.id)


@pytest.mark.parametrize("turn", range(ROUNDS))
def test_no_end_is_proposed_over_a_referral_that_was_sent_meanwhile(office: Office, turn: int) -> None:
    case = office.at_work()
    outcomes = at_once(lambda: office.propose(case), lambda: office.refer(case))
    assert refusals(outcomes) in ([ReferralsOpen], [MoveRefused])
    assert dense(office, case.id)


@pytest.mark.parametrize("turn", range(ROUNDS))
def test_who_lost_a_case_meanwhile_proposes_no_end_for_it(office: Office, turn: int) -> None:
    case = office.at_work()
    outcomes = at_once(lambda: office.assign(case, to=OFFICER), lambda: office.propose(case))
    row = office.row(case)
    if refusals(outcomes) == [CaseNotFound]:
        assert (row.status, row.handler_id, row.proposed_by) == (CaseStatus.ASSIGNED, OFFICER.id, None)
    else:
        assert refusals(outcomes) == [MoveRefused]
        assert (row.status, row.handler_id) == (CaseStatus.RESOLUTION_PROPOSED, HANDLER.id)
    assert dense(office, case.id)


def test_a_proposal_that_was_taken_back_meanwhile_is_not_closed(office: Office) -> None:
    case = office.proposed()
    outcomes = at_once(lambda: office.resume(case), lambda: office.close(case))
    assert refusals(outcomes) == [MoveRefused]
    row = office.row(case)
    assert (row.status is CaseStatus.CLOSED) == (row.outcome is not None) == (row.closed_by is not None)


def test_a_referral_is_answered_once(office: Office) -> None:
    case = office.at_work()
    referral = office.refer(case)
    outcomes = at_once(
        lambda: office.accept(referral), lambda: office.reject(referral), lambda: office.accept(referral, by=SUPERVISOR)
    )
    assert refusals(outcomes) == [MoveRefused, MoveRefused]
    (answer,) = (outcome for outcome in outcomes if not isinstance(outcome, JisrError))
    assert answer.status in (ReferralStatus.ACCEPTED, ReferralStatus.REJECTED)
    assert dense(office, referral.id)


def test_two_watches_tell_of_a_silent_referral_once_even_while_it_is_answered(office: Office) -> None:
    referral = office.refer(office.at_work())
    office.wait(hours=73)
    told = at_once(office.break_silence, office.break_silence, lambda: office.accept(referral))
    assert refusals(told) == []
    assert sum(told[:2]) <= 1
    assert [fact.type for fact in office.facts()].count("referral.overdue.v1") == sum(told[:2])
    assert dense(office, referral.id)


def test_two_officers_who_saw_the_same_version_do_not_both_change_it(office: Office) -> None:
    case = office.at_work()
    outcomes = at_once(
        lambda: office.hold(case, version=case.version), lambda: office.withdraw(case, version=case.version)
    )
    assert refusals(outcomes) == [StaleVersion]
