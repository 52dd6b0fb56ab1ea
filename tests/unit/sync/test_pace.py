"""How hard a link compresses: where the line is what there is too little of, and only there."""

import pytest

from services.sync.pace import HARD, HARD_BELOW, LEAST_BATCH, QUICK, Pace

MIB = 1024 * 1024


def measured(nbytes: int, seconds: float) -> Pace:
    pace = Pace()
    pace.acknowledged(nbytes, seconds)
    return pace


@pytest.mark.parametrize(
    ("pace", "limit", "level"),
    [
        (Pace(), None, QUICK),
        (measured(MIB, 0.5), None, QUICK),
        (measured(125_000, 1.0), None, HARD),
        (measured(LEAST_BATCH - 1, 1.0), None, QUICK),
        (measured(MIB, 0.5), HARD_BELOW - 1, HARD),
        (Pace(), 32_000, HARD),
    ],
)
def test_a_line_known_to_be_slow_gets_smaller_batches_for_more_work(pace: Pace, limit: int | None, level: int) -> None:
    assert pace.level(limit) == level


def test_the_last_measurement_counts() -> None:
    pace = measured(125_000, 1.0)
    pace.acknowledged(MIB, 0.1)
    assert pace.level(None) == QUICK
