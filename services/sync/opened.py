"""A batch made ready for the database while that is busy with the one before: opened, its chain followed, rows made.

Most of a receiver's work needs no database and is done here. A few entries at a time go through all of it, so that the
processor has them at hand, and what stays is little: the rows as the database takes them, and the newest entry of each
subject. Whoever commits does not touch an entry that will be overtaken.
"""

from collections.abc import Iterator

from services.sync import records, rotation
from services.sync.bulk import Column, Rows
from services.sync.disclosure import Disclosure
from services.sync.entry import Full, Statistical
from services.sync.message import Batch
from services.sync.position import Position
from services.sync.records import Failed, Readable, Subject
from services.sync.replica import Piece, pieces

COLUMNS = ("origin", "number", "disclosure", "parts", "digest")  # of `replica_entry`
DISCLOSURE = {Full: Disclosure.FULL.value, Statistical: Disclosure.STATISTICAL.value}
WITHHELD = Disclosure.WITHHELD.value


class Opened:
    """The entries of `batch` but the first `known`. Raises `BadMessage` as `pieces` does.

    `after`: the position that they follow; `rows`: as a database of `dialect` keeps them; `nbytes`: of their parts.
    `newest`: of each subject; `failed`: without a readable head. `for_some`: those that name somebody, or, unless
    `only_named`, all that can be read. `turns`: one of them changes a key, and something `follows` it.
    """

    def __init__(self, batch: Batch, known: int = 0, *, dialect: str, only_named: bool = False) -> None:
        self.after = batch.start
        self.nbytes = self.withheld = 0
        self.newest: dict[Subject, Readable] = {}
        self.failed: list[Failed] = []
        self.for_some: list[Readable] = []
        self.turns = self.follows = False
        self._origin, self._only_named = batch.origin, only_named
        self.rows = Rows(dialect, (self._columns(piece) for piece in self._unknown(batch, known)))

    def _unknown(self, batch: Batch, known: int) -> Iterator[Piece]:
        last = batch.start.number + known
        for piece in pieces(batch):
            skipped = min(max(0, last - piece.first + 1), len(piece.entries))
            if skipped:
                self.after = Position(piece.first + skipped - 1, piece.digests[skipped - 1])
                piece = piece.without(skipped)
            if piece.entries:
                yield piece

    def _columns(self, piece: Piece) -> list[Column]:
        """What the row of each entry is made of; the rest of what must be known of it is noted on the way."""
        shown, count = piece.entries, len(piece.entries)
        numbers = range(piece.first, piece.first + count)
        found, failed = records.readable(zip(numbers, shown, strict=True))
        records.overtake(self.newest, found)
        self.failed += failed
        self.for_some += [each for each in found if each.head.audience] if self._only_named else found
        turns = rotation.is_among(shown)
        self.follows = self.follows or self.turns or (turns and rotation.goes_on(shown))
        self.turns = self.turns or turns
        disclosures = [DISCLOSURE.get(type(one), WITHHELD) for one in shown]
        self.withheld += disclosures.count(WITHHELD)
        self.nbytes += sum(map(len, piece.kept))
        return [[self._origin] * count, numbers, disclosures, piece.kept, piece.digests]
