"""How much a sender puts in one batch, and how long it waits before it tries again.

A batch should take 1–2 seconds of the link: large enough to fill a slow line with 300 ms of latency, small
enough that little is sent twice when it is cut. The rate is not configured but measured, from what the
other side acknowledged and how long that took.
"""

from collections.abc import Callable

from services.sync.entry import MAX_ENTRIES

FIRST_BATCH = 64 * 1024  # 0.5 s of 1 Mbit/s
LEAST_BATCH = 16 * 1024  # 0.5 s of 256 kbit/s
MOST_BATCH = 1024 * 1024
BATCH_SECONDS = 1.5
ENTRY_BYTES = 60.0  # compressed; a first guess, then learned from what is sent
LEARN_FROM = 50  # entries; a smaller batch is mostly header and says little about one entry
SPARE = 1.25  # read so many more entries than should fit: packing leaves out what does not
FIRST_WAIT = 1.0
LONGEST_WAIT = 300.0


def retry_delay(attempt: int, random: Callable[[], float]) -> float:
    """Seconds before attempt 1, 2, 3 …: 1, 2, 4 … 300, up to half of it left to chance (0 ≤ random() < 1)."""
    full = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(attempt - 1, 30))
    return full * (0.5 + random() / 2)


class Pace:
    """What one link has shown of itself."""

    def __init__(self) -> None:
        self._batch = float(FIRST_BATCH)
        self._entry = ENTRY_BYTES

    @property
    def batch_bytes(self) -> int:
        """The size to aim at, in compressed bytes."""
        return int(self._batch)

    def acknowledged(self, nbytes: int, seconds: float) -> None:
        """So much got through in that time. A trickle of live facts says nothing about the rate of the
        link.
        """
        if nbytes < LEAST_BATCH or seconds <= 0:
            return
        aim = nbytes / seconds * BATCH_SECONDS
        aim = min(self._batch * 2, max(self._batch / 2, aim))  # one odd moment must not swing it
        self._batch = min(float(MOST_BATCH), max(float(LEAST_BATCH), aim))

    def sent(self, entries: int, nbytes: int) -> None:
        """A batch of so many entries came to so many bytes."""
        if entries >= LEARN_FROM:
            self._entry += (nbytes / entries - self._entry) / 4

    def entries_in(self, nbytes: int) -> int:
        """How many entries to read for a batch of `nbytes`."""
        return max(1, min(MAX_ENTRIES, int(nbytes / self._entry * SPARE)))
