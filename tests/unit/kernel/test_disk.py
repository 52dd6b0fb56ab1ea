"""What stops as a disk fills, in which order, and that all of it goes on again."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contracts import work
from kernel.disk import LEAVE, ORDER, RESERVE, Disk, Stage, Work, goes_on, stage_of
from kernel.errors import NoRoom
from kernel.settings import DiskSettings

LIMITS = DiskSettings(low_bytes=4000, scarce_bytes=3000, short_bytes=2000, last_bytes=1000, reserve_bytes=500)


def stopped(stage: Stage) -> set[Work]:
    return {each for each in work.ORDER if not goes_on(each, stage)}


@pytest.mark.parametrize(
    ("room", "stage"),
    [
        (4000, Stage.AMPLE),
        (3999, Stage.LOW),
        (2999, Stage.SCARCE),
        (1999, Stage.SHORT),
        (999, Stage.LAST),
        (-1, Stage.LAST),
    ],
)
def test_a_stage_begins_below_its_limit(room: int, stage: Stage) -> None:
    assert stage_of(room, LIMITS) is stage


def test_a_stage_is_left_with_a_tenth_more_room_than_where_it_begins() -> None:
    assert stage_of(2001, LIMITS, Stage.SHORT) is Stage.SHORT
    assert stage_of(int(2000 * LEAVE), LIMITS, Stage.SHORT) is Stage.SCARCE


@given(st.integers(-10_000, 10_000), st.sampled_from(ORDER))
def test_what_stops_at_one_stage_stays_stopped_at_the_next(room: int, before: Stage) -> None:
    reached = [stopped(stage) for stage in ORDER]
    assert all(earlier <= later for earlier, later in pairwise(reached))
    assert stopped(stage_of(room, LIMITS, before)) in reached


def test_work_stops_in_the_order_it_is_listed_and_cases_never_do() -> None:
    stops = [ORDER.index(each.stops) for each in work.ORDER if each.stops is not None]
    assert stops == sorted(stops)
    assert [each for each in work.ORDER if each.stops is None] == [work.CASES]
    assert work.CASES not in stopped(Stage.LAST)


class Tank:
    """A disk of which a test says what is free beside the reserve."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("kernel.disk.LOOK_SECONDS", 0.0)
        self.left = 100_000
        self.reserve = home / RESERVE
        self.disk = Disk(home, [home], LIMITS, free=lambda _: self.left - self._held())

    def _held(self) -> int:
        return self.reserve.stat().st_size if self.reserve.exists() else 0


@pytest.fixture
def tank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tank:
    return Tank(tmp_path, monkeypatch)


def test_the_reserve_is_released_at_the_last_stage_and_made_again_when_there_is_ample_room(tank: Tank) -> None:
    tank.disk.keep_reserve()
    assert tank.reserve.stat().st_size == LIMITS.reserve_bytes
    tank.left = 1400
    assert tank.disk.look().stage is Stage.LAST
    assert not tank.reserve.exists()
    tank.disk.keep_reserve()
    assert not tank.reserve.exists()
    tank.left = 100_000
    tank.disk.keep_reserve()
    assert (tank.disk.look().stage, tank.reserve.stat().st_size) == (Stage.AMPLE, LIMITS.reserve_bytes)


def test_releasing_the_reserve_is_no_recovery(tank: Tank) -> None:
    tank.disk.keep_reserve()
    tank.left = 1400
    seen = tank.disk.look()
    assert tank.disk.look() == seen


def test_the_fullest_place_decides_and_one_that_is_not_there_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kernel.disk.LOOK_SECONDS", 0.0)
    free = {tmp_path: 50_000, tmp_path / "other": 2500}

    def measured(place: Path) -> int:
        if place not in free:
            raise FileNotFoundError
        return free[place]

    disk = Disk(
        tmp_path, [*free, tmp_path / "nowhere"], DiskSettings(**{**LIMITS.model_dump(), "reserve_bytes": 0}), measured
    )
    assert disk.look().stage is Stage.SCARCE


def test_a_refusal_names_what_is_not_done_and_passes(tank: Tank) -> None:
    tank.left = 1900
    with pytest.raises(NoRoom, match="too full for changes to forums now; nothing was changed") as refused:
        tank.disk.admit(work.FORUM)
    assert (refused.value.status, refused.value.retry_after, refused.value.code) == (503, 60, "no_room")
    tank.disk.admit(work.CASES)
    tank.left = 100_000
    tank.disk.admit(work.FORUM)


def test_limits_that_do_not_fall_are_refused_at_the_start() -> None:
    with pytest.raises(ValidationError, match="must not grow in this order"):
        DiskSettings(low_bytes=1, scarce_bytes=2)
