"""When a link may send, by the clocks of Baghdad (three hours before UTC, the year round)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sync.hours import ALWAYS, ZONE, Hours

NIGHT = Hours.parse(["22:00-06:00"])
MINUTES = st.integers(0, 24 * 60 - 1)


def at(hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2026, 3, 1, hour, minute, second, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("instant", "seconds"),
    [
        (at(22), 0),
        (at(23, 59, 59), 0),
        (at(0), 0),
        (at(5, 59, 59), 0),
        (at(6), 16 * 3600),
        (at(21, 59, 30), 30),
        (datetime(2026, 3, 1, 19, 0, tzinfo=UTC), 0),
        (datetime(2026, 3, 1, 18, 0, tzinfo=UTC), 3600),
    ],
)
def test_a_window_over_midnight(instant: datetime, seconds: float) -> None:
    assert NIGHT.opens_in(instant) == seconds


def test_the_next_of_several_windows_counts() -> None:
    hours = Hours.parse(["22:00-06:00", "13:00-14:00"])
    assert hours.opens_in(at(12, 45)) == 15 * 60
    assert hours.opens_in(at(13, 30)) == 0
    assert hours.opens_in(at(14)) == 8 * 3600


def test_without_windows_and_with_a_whole_day_it_is_always_open() -> None:
    for hour in range(24):
        assert ALWAYS.opens_in(at(hour)) == Hours.parse(["00:00-24:00"]).opens_in(at(hour)) == 0


@pytest.mark.parametrize(
    "window", ["", "22-6", "24:00-06:00", "22:00-06:60", "08:00-08:00", "22:00-06:00 ", "１2:00-13:00"]
)
def test_what_is_no_window_is_refused(window: str) -> None:
    with pytest.raises(ValueError, match=r"a window|ends when"):
        Hours.parse([window])


@given(begins=MINUTES, ends=MINUTES, moment=MINUTES, second=st.integers(0, 59))
def test_it_is_open_when_it_said_and_never_a_second_earlier(begins: int, ends: int, moment: int, second: int) -> None:
    if begins == ends:
        return
    hours = Hours.parse([f"{begins // 60:02}:{begins % 60:02}-{ends // 60:02}:{ends % 60:02}"])
    instant = at(moment // 60, moment % 60, second)
    wait = hours.opens_in(instant)
    assert 0 <= wait < 24 * 3600
    assert hours.opens_in(instant + timedelta(seconds=wait)) == 0
    if wait:
        assert hours.opens_in(instant + timedelta(seconds=wait - 1)) == 1
