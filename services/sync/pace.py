"""How much a sender puts in one batch, and how long it waits before it tries again.

A batch should take 1–2 seconds of the link: large enough to fill a slow line with 300 ms of latency, small
enough that little is sent twice when it is cut. The rate is not configured but measured, from what the
other side acknowledged and how long that took. An operator may set a limit below what the line would carry.

No more is under way than a slow line carries in some seconds. The window of a fast line would lie before it for
minutes: whatever else goes the same way waits behind it, acknowledgements first, and all of it goes again when
something is lost.

A line that drops before one batch is through would carry nothing for ever. So each connection that ends before it has
carried as much as the batch it lost halves what a batch may have, down to `SMALLEST_BATCH` or one entry; what gets
through afterwards doubles it again.
"""

import random
from collections import deque
from collections.abc import Callable

from services.sync.entry import MAX_ENTRIES

FIRST_BATCH = 64 * 1024  # 0.5 s of 1 Mbit/s
LEAST_BATCH = 16 * 1024  # 0.5 s of 256 kbit/s
MOST_BATCH = 256 * 1024  # eight fit in the window: some are prepared, some fly, some are read, some are committed
BATCH_SECONDS = 1.5
ENTRY_BYTES = 60.0  # compressed; a first guess, then learned from what is sent
LEARN_FROM = 50  # entries; a smaller batch of few bytes is mostly header and says little about one entry
SPARE = 0.9  # read a little less than should fit: what does not is packed, and compressed, a second time
SMALLEST_BATCH = 4 * 1024  # of the slowest limit or the worst line: below it header and signature outweigh entries
BURST_SECONDS = 2.0  # of a limited rate that may be sent at once after a silence: a batch and a little
ENVELOPE_BYTES = 320  # what AMQP and the headers of one message take beside its body
# Of zstd: 9 makes facts an eighth smaller than 1 and takes ten times as long, 11 µs each. Below 4 Mbit/s that is less
# than a twentieth of one core, and the line is what there is too little of; above it would hold up the sender.
QUICK, HARD = 1, 9
HARD_BELOW = 512 * 1024  # bytes a second
# A line is slow if it was slow so often in a row: one slow moment may as well be a busy machine, and compressing harder
# would keep it busy.
RATES = 3
FLYING_SECONDS = 3.5  # two batches: while one is on the line, the other waits or is acknowledged
# 3 s of 1 Mbit/s. Where a line is later than that, the rate measured is what is under way by its delay: without a least
# the two would make each other smaller for ever.
FLYING_LEAST = 384 * 1024
FIRST_WAIT = 1.0
LONGEST_WAIT = 300.0


def backoff(
    failures: int,
    first: float = FIRST_WAIT,
    most: float = LONGEST_WAIT,
    jitter: Callable[[], float] = random.random,
) -> float:
    """Seconds to wait after so many failures in a row: doubling from `first` to `most`, up to half left to chance."""
    full = min(most, first * 2.0 ** min(failures - 1, 30))
    return full * (0.5 + jitter() / 2)


class Bucket:
    """An operator's limit on a link: so many bytes a second over time; None for no limit.

    A batch is sent whole and its bytes, those of its envelope too, are owed afterwards: the bucket goes below zero and
    nothing follows until the rate has paid for it. Time without sending is not saved up beyond `BURST_SECONDS`.
    """

    def __init__(self, rate: int | None) -> None:
        self.rate = rate
        self._level = 0.0
        self._at = 0.0

    def wait(self, now: float) -> float:
        """Seconds until something may be sent; 0 when it may."""
        if self.rate is None:
            return 0.0
        self._fill(now)
        return max(0.0, -self._level / self.rate)

    def batch(self, nbytes: int) -> int:
        """The size of a batch under this limit: no more than a limited link carries in the time of a batch."""
        return nbytes if self.rate is None else min(nbytes, max(SMALLEST_BATCH, int(self.rate * BATCH_SECONDS)))

    def take(self, nbytes: int, now: float) -> None:
        """A batch of so many bytes was sent."""
        if self.rate is not None:
            self._fill(now)
            self._level -= nbytes + ENVELOPE_BYTES

    def _fill(self, now: float) -> None:
        rate = float(self.rate or 0)
        self._level = min(rate * BURST_SECONDS, self._level + rate * max(0.0, now - self._at))
        self._at = now


class Pace:
    """What one link has shown of itself."""

    def __init__(self) -> None:
        self._batch = float(FIRST_BATCH)
        self._most = float(MOST_BATCH)  # less after connections that carried less than a batch
        self._through = 0  # bytes that one connection carried since the most was changed
        self._rates: deque[float] = deque(maxlen=RATES)
        self._entry = ENTRY_BYTES

    @property
    def batch_bytes(self) -> int:
        """The size to aim at, in compressed bytes."""
        return int(min(self._batch, self._most))

    def reconnected(self, lost: int) -> None:
        """A connection works. The one before carried less than the batch of `lost` bytes that it lost; 0: not so."""
        self._through = 0
        if lost > SMALLEST_BATCH:
            self._most = max(float(SMALLEST_BATCH), min(self.batch_bytes, lost) / 2)

    def acknowledged(self, nbytes: int, seconds: float) -> None:
        """So much got through in that time. A trickle of live facts says nothing about the rate of the
        link.
        """
        self._through += nbytes
        if self._through >= self._most:  # a connection carries that much
            self._most, self._through = min(self._most * 2, float(MOST_BATCH)), 0
        if nbytes < LEAST_BATCH or seconds <= 0:
            return
        self._rates.append(nbytes / seconds)
        aim = nbytes / seconds * BATCH_SECONDS
        aim = min(self._batch * 2, max(self._batch / 2, aim))  # one odd moment must not swing it
        self._batch = min(float(MOST_BATCH), max(float(LEAST_BATCH), aim))

    @property
    def flying_bytes(self) -> int:
        """How much may be under way at the most."""
        return max(FLYING_LEAST, int(max(self._rates, default=0.0) * FLYING_SECONDS))

    def seconds(self, nbytes: int) -> float:
        """How long the line may take for so much, as far as is known."""
        return nbytes / max(self._rates) if self._rates else 0.0

    def level(self, limit: int | None) -> int:
        """How hard to compress for this link, of which an operator may allow no more than `limit` bytes a second."""
        is_slow = len(self._rates) == RATES and max(self._rates) < HARD_BELOW
        return HARD if is_slow or (limit is not None and limit < HARD_BELOW) else QUICK

    def sent(self, entries: int, nbytes: int) -> None:
        """A batch of so many entries came to so many bytes."""
        if entries >= LEARN_FROM or nbytes >= LEAST_BATCH:
            self._entry += (nbytes / entries - self._entry) / 4

    def entries_in(self, nbytes: int) -> int:
        """How many entries to read for a batch of `nbytes`."""
        return max(1, min(MAX_ENTRIES, int(nbytes / self._entry * SPARE)))
