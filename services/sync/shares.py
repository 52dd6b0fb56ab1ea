"""One bound for the memory of all origins that catch up at once.

What is kept to be faster is counted: batches read ahead of their commit, the newest entries that wait for their record,
deliveries that wait for their turn. There is so much for all of it, and one rule: a holder may take more while what it
then holds is no more than four times what is then left. So a holder alone may have four fifths, and of n that want all
they can get each has 4/(4n + 1): something stays free for whoever comes next, and nobody is counted or told to leave.
Switches divide their buffer among their ports in this way (Choudhury and Hahne, Dynamic queue length thresholds for
shared-memory packet switches, 1998).

Promise: nobody waits for a share. Who gets none does the same work in its turn: opens a batch when it commits it,
folds a record with its entry. So one that is slow or stuck keeps what it holds and stops nobody, nobody waits in a
circle, and an engine that dies loses nothing. What cannot be refused, a delivery that is here, is counted all the same,
and less is asked for (`Share.most`).
"""

import threading

# One alone: 16 MiB for two strokes of entries that wait, 11 for batches read ahead, 2 of deliveries. Beside this an
# engine has 90 before it begins, a batch being opened, and the rows of what is written.
TOTAL = 36 * 1024 * 1024
OPENED = 14  # times the bytes of a batch: its rows, and the newest entries in it
REMEMBERED = 1_100  # bytes of one entry that waits for its record


class Shares:
    """So many bytes in all; for any thread. `left`: what nobody holds; below zero if more came than was asked for."""

    def __init__(self, total: int = TOTAL) -> None:
        self.left = total
        self.lock = threading.Lock()

    def share(self) -> "Share":
        """The share of one more holder, who holds nothing yet."""
        return Share(self)


class Share:
    """What one holder has of it; for one thread at a time."""

    def __init__(self, shares: Shares) -> None:
        self._shares = shares
        self.held = 0

    @property
    def most(self) -> int:
        """What it may hold now: four times as much as is then left for others."""
        return max(0, (self._shares.left + self.held) * 4 // 5)

    def take(self, more: int) -> bool:
        """Hold so much more, if it may."""
        with self._shares.lock:
            may = self.held + more <= self.most
            if may:
                self._hold(self.held + more)
        return may

    def hold(self, some: int) -> None:
        """Hold so much from now on: less than before, or what came without being asked for."""
        with self._shares.lock:
            self._hold(some)

    def _hold(self, some: int) -> None:
        self._shares.left += self.held - some
        self.held = some
