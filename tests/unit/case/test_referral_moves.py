"""How a referral moves, how silence goes on, and what its office sees, searched by property."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.case import Destination, ReferralStatus, SheetField, Urgency
from contracts.rules import CaseRules
from kernel.errors import MoveRefused
from services.case import referral
from services.case.referral import Escalation, ReferralMove

SENT = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
S, M = ReferralStatus, ReferralMove
ALLOWED = {
    (S.DRAFT, M.ASK): S.CONSENT_PENDING,
    (S.DRAFT, M.SEND): S.SENT,
    (S.CONSENT_PENDING, M.SEND): S.SENT,
    (S.SENT, M.DELIVER): S.DELIVERED,
    (S.SENT, M.ACCEPT): S.ACCEPTED,
    (S.DELIVERED, M.ACCEPT): S.ACCEPTED,
    (S.SENT, M.REJECT): S.REJECTED,
    (S.DELIVERED, M.REJECT): S.REJECTED,
    (S.SENT, M.EXPIRE): S.EXPIRED,
    (S.DELIVERED, M.EXPIRE): S.EXPIRED,
    (S.ACCEPTED, M.BEGIN): S.IN_SERVICE,
    (S.IN_SERVICE, M.COMPLETE): S.COMPLETED,
    (S.ACCEPTED, M.NOT_COMPLETE): S.NOT_COMPLETED,
    (S.IN_SERVICE, M.NOT_COMPLETE): S.NOT_COMPLETED,
    (S.COMPLETED, M.CONFIRM): S.OUTCOME_CONFIRMED,
    (S.NOT_COMPLETED, M.CONFIRM): S.OUTCOME_CONFIRMED,
}
REVOCABLE = (S.DRAFT, S.CONSENT_PENDING, S.SENT, S.DELIVERED, S.ACCEPTED, S.IN_SERVICE)


@given(st.sampled_from(ReferralStatus), st.sampled_from(ReferralMove))
def test_a_referral_moves_by_its_table_or_not_at_all(status: ReferralStatus, move: ReferralMove) -> None:
    allowed = ALLOWED | {(each, M.REVOKE): S.REVOKED for each in REVOCABLE}
    if (status, move) in allowed:
        assert referral.referral_moved(status, move) is allowed[status, move]
    else:
        with pytest.raises(MoveRefused):
            referral.referral_moved(status, move)


@given(st.lists(st.sampled_from(ReferralMove), max_size=30))
def test_nothing_is_answered_unsent_and_nothing_confirmed_unfinished(
    moves: list[ReferralMove],
) -> None:
    status, seen = S.DRAFT, [S.DRAFT]
    for move in moves:
        try:
            status = referral.referral_moved(status, move)
        except MoveRefused:
            continue
        seen.append(status)
    if status in (S.ACCEPTED, S.REJECTED, S.EXPIRED, S.COMPLETED, S.OUTCOME_CONFIRMED):
        assert S.SENT in seen
    if status is S.OUTCOME_CONFIRMED:
        assert seen[-2] in (S.COMPLETED, S.NOT_COMPLETED)


def test_an_answer_is_due_in_a_day_three_days_or_a_week_or_as_the_rules_say() -> None:
    sooner = CaseRules(referral_immediate_hours=2, referral_urgent_hours=2, referral_normal_hours=48)
    for rules, hours in ((CaseRules(), (24, 72, 168)), (sooner, (2, 2, 48))):
        due = [referral.due_at(SENT, urgency, rules) for urgency in (Urgency.IMMEDIATE, Urgency.URGENT, Urgency.NORMAL)]
        assert due == [SENT + timedelta(hours=each) for each in hours]


def test_silence_is_told_to_supervisor_head_and_directorate_and_then_it_ends() -> None:
    told, events = Escalation.NOBODY, []
    while (silence := referral.after_silence(told)).step is not None:
        told = silence.step
        events.append(silence.event)
    assert [*events, silence.event] == ["overdue", "escalated", "silent", "expired"]


@given(st.integers(1, 8784), st.integers(5, 400), st.integers(0, 1000))
def test_no_step_comes_before_the_part_of_the_time_that_the_rules_give(hours: int, percent: int, late: int) -> None:
    """However late the step before was taken: a node that was off asks again before it gives up."""
    rules = CaseRules(referral_escalation_percent=percent)
    now = SENT + timedelta(hours=late)
    at = referral.next_step_at(Escalation.SUPERVISOR, now, allowed=timedelta(hours=hours), rules=rules)
    assert at - now == timedelta(hours=hours) * percent / 100


@given(st.sampled_from(Destination), st.sets(st.sampled_from(SheetField)))
def test_what_the_person_withholds_is_on_no_sheet(destination: Destination, withheld: set[SheetField]) -> None:
    shown = referral.sheet_fields(destination, withheld)
    assert shown.isdisjoint(withheld)
    assert shown <= referral.SHEETS[destination]


def test_every_kind_of_office_has_a_sheet_and_a_shelter_learns_nobodys_name() -> None:
    assert set(referral.SHEETS) == set(Destination)
    assert not referral.SHEETS[Destination.SHELTER] & {SheetField.NAME, SheetField.PHONE, SheetField.ADDRESS}
