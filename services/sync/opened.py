"""A batch made ready for the database while that is busy with the one before: opened, its chain followed, rows made.

Most of a receiver's work needs no database and is done here. A few entries at a time go through all of it, so that the
processor has them at hand, and what stays is little: the rows as the database takes them, and the newest entry of each
subject. Whoever commits does not touch an entry that will be overtaken.
"""

from collections.abc import Iterator, Sequence

import msgspec

from services.sync.bulk import Column, Rows
from services.sync.disclosure import Disclosure
from services.sync.entry import Wire, WireFull, WireStatistical, WireWithheld, from_wire, keep
from services.sync.message import Batch
from services.sync.position import Position
from services.sync.records import Failed, Newest, Readable, Subject, decode_head, kind_of, unreadable
from services.sync.replica import Piece, pieces
from services.sync.rotation import changes_key

COLUMNS = ("origin", "number", "disclosure", "parts", "digest")  # of `replica_entry`
DISCLOSURE: dict[type, str] = {
    WireFull: Disclosure.FULL.value,
    WireStatistical: Disclosure.STATISTICAL.value,
    WireWithheld: (WITHHELD := Disclosure.WITHHELD.value),
}


class Opened:
    """The entries of `batch` but the first `known`. Raises `BadMessage` as `pieces` does.

    `after`: the position that they follow; `rows`: as a database of `dialect` keeps them; `nbytes`: of their parts.
    `newest`: of each subject; `failed`: without a readable head. `for_some`: those that name somebody, or, unless
    `only_named`, all that can be read. `turns_at`: the number of the first that changes a key, 0 for none.
    """

    def __init__(self, batch: Batch, known: int = 0, *, dialect: str, only_named: bool = False) -> None:
        self.after = batch.start
        self.nbytes = self.withheld = 0
        self.failed: list[Failed] = []
        self.for_some: list[Readable] = []
        self.turns_at = 0
        self._origin, self._only_named = batch.origin, only_named
        self.newest: dict[Subject, Newest] = {}
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
        """What the rows are made of; the rest of what must be known of each entry is noted on the way."""
        numbers = range(piece.first, piece.first + len(piece.entries))
        kept = list(map(keep, piece.entries))
        self._note(numbers, piece.entries, kept)
        self.nbytes += sum(map(len, kept))
        disclosures = [DISCLOSURE[type(one)] for one in piece.entries]
        self.withheld += disclosures.count(WITHHELD)
        return [[self._origin] * len(kept), numbers, disclosures, kept, piece.digests]

    def _note(self, numbers: range, entries: Sequence[Wire], kept: Sequence[bytes]) -> None:
        newest, only_named = self.newest, self._only_named
        for number, one, at_rest in zip(numbers, entries, kept, strict=True):
            if isinstance(one, WireWithheld):
                continue
            try:
                head = decode_head(one.head)
            except (msgspec.MsgspecError, RecursionError) as error:
                self.failed.append(unreadable(number, error))
                continue
            key = (kind_of(head.type), head.subject)
            known = newest.get(key)
            if known is None or known.version < head.version:
                newest[key] = Newest(number, head.version, at_rest)
            if head.audience or not only_named:
                self.for_some.append(Readable(number, from_wire(one), head, key))
            if changes_key(head.type):
                self.turns_at = self.turns_at or number
