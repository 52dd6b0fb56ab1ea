"""A batch made ready for the database while that is busy with the one before: opened, its chain followed, rows made.

Most of a receiver's work needs no database and is done here. A few entries at a time go through all of it, so that the
processor has them at hand, and what stays is little: the rows as the database takes them, and the newest entry of each
subject. Whoever commits does not touch an entry that will be overtaken.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache

import msgspec

from services.sync.bulk import Column, Rows
from services.sync.disclosure import Disclosure
from services.sync.entry import Full, Shown, Statistical, Withheld
from services.sync.message import Batch
from services.sync.position import Position
from services.sync.records import Failed, Readable, Subject, decode_head, kind_of, unreadable
from services.sync.replica import Piece, pieces
from services.sync.rotation import changes_key

COLUMNS = ("origin", "number", "disclosure", "parts", "digest")  # of `replica_entry`
DISCLOSURE: dict[type, str] = {
    Full: Disclosure.FULL.value,
    Statistical: Disclosure.STATISTICAL.value,
    Withheld: (WITHHELD := Disclosure.WITHHELD.value),
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
        self.newest: dict[Subject, Readable] = {}
        self.rows = Rows(dialect, (self._columns(piece) for piece in self._unknown(batch, known)))

    def _unknown(self, batch: Batch, known: int) -> Iterator[Piece]:
        last = batch.start.number + known
        for piece in pieces(batch):
            skipped = min(max(0, last - piece.first + 1), len(piece.digests))
            if skipped:
                self.after = Position(piece.first + skipped - 1, piece.digests[skipped - 1])
                piece = piece.without(skipped)
            if piece.digests:
                yield piece

    def _columns(self, piece: Piece) -> list[Column]:
        """What the rows are made of; the rest of what must be known of each entry is noted on the way."""
        count, shown, kept = len(piece.digests), piece.entries.shown, piece.entries.kept
        numbers = range(piece.first, piece.first + count)
        self._note(numbers, shown)
        self.nbytes += sum(map(len, kept))
        disclosures = [DISCLOSURE[form] for form in map(type, shown)]
        self.withheld += disclosures.count(WITHHELD)
        return [[self._origin] * count, numbers, disclosures, kept, piece.digests]

    def _note(self, numbers: Sequence[int], shown: Sequence[Shown]) -> None:
        newest = self.newest
        for number, one in zip(numbers, shown, strict=True):
            if isinstance(one, Withheld):
                continue
            try:
                head = decode_head(one.head)
            except (msgspec.MsgspecError, RecursionError) as error:
                self.failed.append(unreadable(number, error))
                continue
            kind, turns = _about(head.type)
            key = (kind, head.subject)
            known = newest.get(key)
            if known is None or known.head.version < head.version:
                newest[key] = Readable(number, one, head, key)
            if head.audience or not self._only_named:
                self.for_some.append(Readable(number, one, head, key))
            if turns:
                self.turns_at = self.turns_at or number


@lru_cache(maxsize=1024)
def _about(type_: str) -> tuple[str, bool]:
    """What an entry of this type is about, and whether it changes a key."""
    return kind_of(type_), changes_key(type_)
