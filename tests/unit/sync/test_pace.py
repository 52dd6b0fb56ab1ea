"""How hard a link compresses: where the line is what there is too little of, and only there."""

import pytest

from services.sync.pace import HARD, HARD_BELOW, LEAST_BATCH, QUICK, RATES, Pace

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
