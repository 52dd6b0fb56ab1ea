"""How hard a link compresses: where the line is what there is too little of, and only there."""

import pytest

from services.sync.pace import (
    FIRST_BATCH,
    HARD,
    HARD_BELOW,
    LEAST_BATCH,
    MOST_BATCH,
    QUICK,
    RATES,
    SMALLEST_BATCH,
    Pace,
)

MIB = 1024 * 1024


def measured(nbytes: int, seconds: float, times: int = RATES) -> Pace:
    pace = Pace()
    for _ in range(times):
        pace.acknowledged(nbytes, seconds)
    return pace


@pytest.mark.parametrize(
    ("pace", "limit", "level"),
    [
        (Pace(), None, QUICK),
        (measured(MIB, 0.5), None, QUICK),
        (measured(125_000, 1.0), None, HARD),
        (measured(125_000, 1.0, RATES - 1), None, QUICK),
        (measured(LEAST_BATCH - 1, 1.0), None, QUICK),
        (measured(MIB, 0.5), HARD_BELOW - 1, HARD),
        (Pace(), 32_000, HARD),
    ],
)
def test_a_line_known_to_be_slow_gets_smaller_batches_for_more_work(pace: Pace, limit: int | None, level: int) -> None:
    assert pace.level(limit) == level


def test_one_quick_moment_shows_that_it_was_not_the_line() -> None:
    pace = measured(125_000, 1.0)
    pace.acknowledged(MIB, 0.1)
    assert pace.level(None) == QUICK
    assert measured(125_000, 1.0, RATES + 1).level(None) == HARD


def test_few_large_entries_are_learned_from_as_many_small_ones_are() -> None:
    pace = Pace()
    for _ in range(20):
        pace.sent(1, 200_000)
    assert pace.entries_in(256 * 1024) == 1
    few = Pace()
    few.sent(1, 900)
    assert few.entries_in(256 * 1024) == Pace().entries_in(256 * 1024)


def test_each_connection_that_carried_nothing_halves_a_batch_down_to_the_smallest() -> None:
    pace, sizes = Pace(), []
    for _ in range(6):
        pace.reconnected(lost=pace.batch_bytes)
        sizes.append(pace.batch_bytes)
    assert sizes == [FIRST_BATCH // 2, FIRST_BATCH // 4, FIRST_BATCH // 8, *[SMALLEST_BATCH] * 3]


def test_what_gets_through_afterwards_doubles_it_again() -> None:
    pace, sizes = measured(MIB, 0.5), []
    assert pace.batch_bytes == MOST_BATCH
    pace.reconnected(lost=10_000)
    while pace.batch_bytes < MOST_BATCH:
        sizes.append(pace.batch_bytes)
        pace.acknowledged(sizes[-1] // 2, 0.1)
        assert pace.batch_bytes == sizes[-1], "a half says nothing of a whole one"
        pace.acknowledged(sizes[-1] // 2, 0.1)
    assert sizes == [5000 * 2**times for times in range(6)]


def test_halves_that_two_connections_carried_make_no_whole() -> None:
    pace = Pace()
    pace.reconnected(lost=FIRST_BATCH)
    for _ in range(9):
        pace.acknowledged(FIRST_BATCH // 4, 0.1)
        pace.reconnected(lost=0)
    assert pace.batch_bytes == FIRST_BATCH // 2


def test_a_live_fact_lost_with_its_connection_says_nothing_of_large_batches() -> None:
    pace = Pace()
    pace.reconnected(lost=400)
    assert pace.batch_bytes == FIRST_BATCH
