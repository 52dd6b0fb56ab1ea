"""When an e-mail is tried again, and when it is given up."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import notify as contract
from contracts.rules import NotifyRules
from services.notify.model import LEASE, Cause, DeliveryState, Outcome, after

RETRIES = NotifyRules().mail_retries
NOON = datetime(2026, 2, 1, 12, tzinfo=UTC)


def test_an_accepted_e_mail_is_sent() -> None:
    assert after(Outcome(), 1, NOON, retries=RETRIES).state is DeliveryState.SENT


@pytest.mark.parametrize("cause", [Cause.REFUSED_RECIPIENT, Cause.REFUSED_MESSAGE])
def test_what_was_refused_for_good_is_not_tried_again(cause: Cause) -> None:
    assert after(Outcome(cause, 550), 1, NOON, retries=RETRIES).state is DeliveryState.DEAD
    assert after(Outcome(cause, 450), 1, NOON, retries=RETRIES).state is DeliveryState.WAITING


def test_a_refused_login_waits_for_the_operator_who_puts_it_right() -> None:
    assert after(Outcome(Cause.REFUSED_LOGIN, 535), 1, NOON, retries=RETRIES).state is DeliveryState.WAITING


def test_an_e_mail_is_given_up_after_every_retry_and_not_before() -> None:
    standing = [
        after(Outcome(Cause.UNREACHABLE), attempt, NOON, retries=RETRIES).state
        for attempt in range(1, len(RETRIES) + 2)
    ]
    assert standing == [DeliveryState.WAITING] * len(RETRIES) + [DeliveryState.DEAD]


def test_the_retries_cover_a_weekend_without_a_mail_server() -> None:
    assert sum(RETRIES, timedelta()) >= timedelta(hours=60)
    assert list(RETRIES) == sorted(RETRIES)


@given(st.sampled_from(Cause), st.none() | st.integers(400, 599), st.integers(1, 20))
def test_whatever_happens_an_e_mail_waits_with_a_date_or_stands_still_without_one(
    cause: Cause, reply: int | None, attempt: int
) -> None:
    standing = after(Outcome(cause, reply), attempt, NOON, retries=RETRIES)
    assert (standing.next_at is not None) == (standing.state is DeliveryState.WAITING)
    assert standing.next_at is None or standing.next_at > NOON


def test_a_lease_is_longer_than_the_slowest_conversation() -> None:
    longest_step = timedelta(seconds=60)  # the most that `smtp.timeout_seconds` may be
    assert 11 * longest_step < LEASE


def test_the_contract_names_every_state_and_every_cause() -> None:
    assert set(contract.DELIVERY_STATES) == {state.value for state in DeliveryState}
    assert set(contract.CAUSES) == {cause.value for cause in Cause}
