"""The hours in which a link may send: windows of the day as clocks in Baghdad show it.

A window is `22:00-06:00`, from its first minute up to but without its last; over midnight where it ends before it
begins; `00:00-24:00` is the whole day. Without windows a link sends at any time. The hours rule batches only: who is
there, and what is held, is said around the clock.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Baghdad")
DAY = 24 * 60
_window = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00)")


@dataclass(frozen=True)
class Hours:
    """Windows of minutes since midnight: from, and for how many minutes."""

    windows: tuple[tuple[int, int], ...] = ()
    words: str = ""

    @classmethod
    def parse(cls, windows: Sequence[str]) -> "Hours":
        """The hours that settings name. Raises ValueError for a window that is none or has no length."""
        return cls(tuple(map(_parse, windows)), ", ".join(windows))

    def opens_in(self, instant: datetime) -> float:
        """Seconds until the link may send; 0 when it may."""
        local = instant.astimezone(ZONE)
        minute = local.hour * 60 + local.minute
        if not self.windows or any((minute - begins) % DAY < length for begins, length in self.windows):
            return 0.0
        minutes = min((begins - minute) % DAY for begins, _ in self.windows)
        return minutes * 60.0 - local.second - local.microsecond / 1e6


ALWAYS = Hours()


def _parse(window: str) -> tuple[int, int]:
    found = _window.fullmatch(window)
    if found is None:
        raise ValueError(f"{window!r} is not a window such as 22:00-06:00")
    begins = int(found[1]) * 60 + int(found[2])
    ends = DAY if found[3] is None else int(found[3]) * 60 + int(found[4])
    if begins == ends:
        raise ValueError(f"{window!r} ends when it begins; the whole day is 00:00-24:00")
    return begins, (ends - begins) % DAY or DAY
