"""Records follow the entries of a replica: at once where nothing waits, in larger strokes while it catches up.

Promise: entries that are held become records, whatever dies when, and a replica that holds all it heard of has all
their records. `Replica.folded` says how far the records reach; it
is written in the commit that brings them there. What is between it and what is held is folded from the entries at rest:
by the next commit of that replica, by whoever makes it, and when the engine starts.

Of the entries that wait, the newest of each subject is remembered here, so that nothing is read again: catching up,
three in four have been overtaken before their record is written. The memory is only a shortcut. It is believed where it
begins at `folded` and ends at the position held; after a commit that failed, another writer or a restart it is not, and
the entries are read.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Table, select
from sqlmodel import Session

from services.sync import records
from services.sync.entry import Shown, decode
from services.sync.opened import Opened
from services.sync.position import Position
from services.sync.records import Readable, Subject
from services.sync.tables import Replica, ReplicaEntry

MOST_WAITING = 20_000  # entries; of subjects as busy as cases are, 26 in 100 are the newest
MOST_BYTES = 24 * 1024 * 1024  # of their parts
READ_AT_ONCE = 1_000  # entries at rest; of the largest 256 MiB, of common ones 1 MiB

entries: Table = ReplicaEntry.__table__


class Waiting:
    """What waits to be folded into the records of one replica, from `after` to `end`."""

    def __init__(self, row: Replica) -> None:
        self.after, self.end = row.folded, _held(row)
        self._newest: dict[Subject, Readable] = {}
        self._count = self._nbytes = 0
        self._is_whole = row.folded == row.number

    def is_of(self, row: Replica) -> bool:
        """Whether this is what waits at the replica as it stands."""
        return self.after == row.folded and self.end == _held(row)

    def add(self, some: Sequence[Opened], end: Position) -> None:
        """What some batches brought, up to `end`."""
        self._count += end.number - self.end.number
        self.end = end
        for opened in some:
            self._nbytes += opened.nbytes
            if opened.failed:
                self._is_whole = False
            if self._is_whole:
                records.overtake(self._newest, opened.newest.values())

    @property
    def is_full(self) -> bool:
        """Whether no more should wait."""
        return self._count >= MOST_WAITING or self._nbytes >= MOST_BYTES or not self._is_whole

    def fold(self, session: Session, row: Replica, now: datetime) -> None:
        """Fold all of it, in the caller's transaction, after the entries and the position are written."""
        if self._is_whole and records.fold_newest(session, row.origin, self._newest, now):
            row.folded = row.number
        while fold_some(session, row, now):
            pass


def fold_some(session: Session, row: Replica, now: datetime) -> int:
    """Fold a bounded number of entries at rest, in the caller's transaction; how many are left."""
    where = (entries.c.origin == row.origin, entries.c.number > row.folded, entries.c.number <= row.number)
    statement = select(entries.c.number, entries.c.parts).where(*where).order_by(entries.c.number).limit(READ_AT_ONCE)
    shown: list[tuple[int, Shown]] = [(n, decode(bytes(parts))[0]) for n, parts in session.execute(statement)]
    if shown:
        records.fold(session, row.origin, shown, now)
    row.folded = shown[-1][0] if len(shown) == READ_AT_ONCE else row.number
    return row.number - row.folded


def _held(row: Replica) -> Position:
    return Position(row.number, row.digest)
