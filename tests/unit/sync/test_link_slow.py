"""A link whose line is slow: how much is under way, and how long it is given."""

from collections import deque

import pytest

from services.sync.actions import SayHello, Send
from services.sync.pace import BATCH_SECONDS, FLYING_LEAST, FLYING_SECONDS
from tests.unit.sync.driven import Driven


class SlowLine:
    """Carries one batch after another, so many bytes a second; each is held and acknowledged when it is through."""

    def __init__(self, driven: Driven, rate: int) -> None:
        self.driven, self.rate = driven, rate
        self._flying: deque[tuple[int, int]] = deque()

    def fill(self) -> int:
        """Send for as long as the link wants to; the bytes under way then."""
        link = self.driven.link
        while isinstance(self.driven.plan(), Send):
            before = link.outstanding
            end = self.driven.send()
            self._flying.append((end, link.outstanding - before))
        return link.outstanding

    def carry(self) -> None:
        """The oldest batch comes through; words about who is there are said and answered meanwhile."""
        driven = self.driven
        end, nbytes = self._flying.popleft()
        held, due = driven.link.held, driven.now + nbytes / self.rate
        while driven.now < due:
            driven.now = min(due, driven.now + 0.5)
            if driven.plan() == SayHello():
                driven.link.on_hello_said(driven.now)
            driven.hear(held.number if held else 0)
        driven.hear(end)

    @property
    def is_busy(self) -> bool:
        return bool(self._flying)


@pytest.mark.parametrize("rate", [4_000, 20_000, 125_000])
def test_a_slow_line_is_kept_busy_with_no_more_than_it_carries_in_some_seconds(rate: int) -> None:
    line = SlowLine(Driven(head=10**7, nbytes=1).answered(), rate)
    assert line.fill() <= FLYING_LEAST
    for _ in range(60):  # it learns
        line.carry()
        line.fill()
    for _ in range(30):
        line.carry()
        assert line.is_busy
        under_way = line.fill()
    assert under_way <= max(FLYING_LEAST, rate * (FLYING_SECONDS + BATCH_SECONDS))
    assert line.driven.link.went_back == 0


def test_a_fast_line_has_the_whole_window_under_way() -> None:
    line = SlowLine(Driven(head=10**7, nbytes=1).answered(), 10**7)
    for _ in range(60):
        line.fill()
        line.carry()
    assert line.fill() > 2**21 - 256 * 1024


def test_a_line_that_is_late_and_not_slow_does_not_get_less_and_less() -> None:
    """All that is under way is held six seconds later: the rate that this shows is made by the sender alone."""
    driven = Driven(head=10**8, nbytes=20).answered()
    for _ in range(40):
        while isinstance(driven.plan(), Send):
            end = driven.send()
        under_way = driven.link.outstanding
        driven.wait(6.0)
        driven.hear(end)
    assert under_way > FLYING_LEAST * 3 / 4


def test_what_is_under_way_on_a_slow_line_is_given_the_time_it_takes() -> None:
    line = SlowLine(Driven(head=10**7, nbytes=1, patience=1.0).answered(), 20_000)
    for _ in range(60):
        line.fill()
        line.carry()
    before = line.driven.link.went_back
    for _ in range(60):
        line.fill()
        line.carry()
    assert line.driven.link.went_back == before
