"""Attempts bounded per key, in bounded memory."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.gateway.throttle import Throttle

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
NONE = timedelta(0)


def fail(throttle: Throttle, key: str, times: int, now: datetime = NOON) -> None:
    for _ in range(times):
        throttle.failed(key, now)


def test_a_key_may_fail_up_to_its_limit_without_waiting() -> None:
    throttle = Throttle(5)
    fail(throttle, "amal", 4)
    assert throttle.wait("amal", NOON) == NONE


def test_the_failure_at_the_limit_makes_the_next_attempt_wait() -> None:
    throttle = Throttle(5, first_wait=timedelta(seconds=30))
    fail(throttle, "amal", 5)
    assert throttle.wait("amal", NOON) == timedelta(seconds=30)
    assert throttle.wait("amal", NOON + timedelta(seconds=30)) == NONE


def test_each_further_failure_doubles_the_wait_up_to_the_longest() -> None:
    throttle = Throttle(1, first_wait=timedelta(seconds=30), longest_wait=timedelta(minutes=2))
    waits = []
    for _ in range(5):
        throttle.failed("amal", NOON)
        waits.append(throttle.wait("amal", NOON).total_seconds())
    assert waits == [30, 60, 120, 120, 120]


def test_success_forgets_the_failures_of_that_key_only() -> None:
    throttle = Throttle(1)
    fail(throttle, "amal", 1)
    fail(throttle, "basim", 1)
    throttle.succeeded("amal")
    assert throttle.wait("amal", NOON) == NONE
    assert throttle.wait("basim", NOON) > NONE


def test_a_key_that_rested_starts_again_from_one() -> None:
    throttle = Throttle(2, longest_wait=timedelta(minutes=15))
    fail(throttle, "amal", 9)
    later = NOON + timedelta(minutes=31)
    throttle.failed("amal", later)
    assert throttle.wait("amal", later) == NONE


def test_the_key_that_failed_longest_ago_is_forgotten_first() -> None:
    throttle = Throttle(1, capacity=2)
    for key in ("first", "second", "third"):
        throttle.failed(key, NOON)
    assert throttle.wait("first", NOON) == NONE
    assert throttle.wait("third", NOON) > NONE


@given(st.lists(st.text(max_size=5), max_size=200), st.integers(1, 20))
def test_memory_stays_within_its_capacity_whatever_is_tried(keys: list[str], capacity: int) -> None:
    throttle = Throttle(1, capacity=capacity)
    for key in keys:
        throttle.failed(key, NOON)
    assert len(throttle) <= capacity
