"""What a link has in flight: batches that were sent and are not yet held, and what a lost connection teaches of it.

A connection that ends before its first batch is held may have carried a part of it: the broker has nothing then, and
the same batch again would end in the same way. So the first batch that a connection did not carry is remembered until
the other side says what it holds; if it is not there, and the connection had carried less than that one has, the next
ones have to be smaller (`Pace.reconnected`). A connection that carried more says nothing of this kind.
"""

from collections import deque
from dataclasses import dataclass

from services.sync.position import Position


@dataclass(frozen=True, slots=True)
class _Sent:
    end: Position
    nbytes: int


class Flight:
    """The batches of one link, in order; for one thread."""

    def __init__(self) -> None:
        self.outstanding = 0  # bytes sent and not yet held
        self._batches: deque[_Sent] = deque()
        self._landed = 0  # bytes newly held since the connection was made
        self._lost: _Sent | None = None

    def __bool__(self) -> bool:
        return bool(self._batches)

    @property
    def ends(self) -> list[Position]:
        """Where each batch ends."""
        return [one.end for one in self._batches]

    def add(self, end: Position, nbytes: int) -> None:
        """A batch was sent."""
        self._batches.append(_Sent(end, nbytes))
        self.outstanding += nbytes

    def landed(self, number: int) -> int:
        """All up to `number` is held now; the bytes of the batches that this ends."""
        nbytes = 0
        while self._batches and self._batches[0].end.number <= number:
            nbytes += self._batches.popleft().nbytes
        self.outstanding -= nbytes
        self._landed += nbytes
        return nbytes

    def forget(self) -> None:
        """Nothing of it counts any more; it will be sent again."""
        self._batches.clear()
        self.outstanding = 0

    def broken(self) -> None:
        """The connection is gone, and with it perhaps all of it."""
        if self._batches and self._landed < self._batches[0].nbytes:
            self._lost = self._batches[0]
        self._landed = 0
        self.forget()

    def lost(self, number: int) -> int:
        """Bytes of the first batch that a connection did not carry, nor as much before it, if it is not among the
        `number` entries that are held now; 0 if there was none. The answer is given once.
        """
        lost, self._lost = self._lost, None
        return lost.nbytes if lost is not None and lost.end.number > number else 0
