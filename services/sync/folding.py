"""Records follow the entries of a replica: at once where nothing waits, in larger strokes while it catches up.

Promise: entries that are held become records, whatever dies when, and a replica that holds all it heard of has all
their records. The row in `folded` says how far the records reach; it is written in the commit that brings them there.
What is between it and what is held is folded from the entries at rest: by the next commit of that replica, by whoever
makes it, and when the engine starts.

Of the entries that wait, the newest of each subject is remembered here, so that nothing is read again: catching up,
three in four have been overtaken before their record is written. The memory is only a shortcut. It is believed where it
begins at `folded` and ends at the position held; after a commit that failed, another writer or a restart it is not, and
the entries are read.

What is remembered of all origins together is bounded (shares.py): where many catch up at once, strokes are smaller, and
what finds no room is folded by the commit that brings it.

On PostgreSQL a full stroke is folded `beside` the entries that come next, on a connection of its own, one stroke at a
time. Locks are taken in one order by everybody: the replica, then `folded`, then records. Who folds beside shares the
replica with who brings entries (`KEY SHARE`, `NO KEY UPDATE`) and with nobody who takes some away (`UPDATE`), and sees
under that lock whether the entries it remembers are still those at rest.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import datetime

from sqlalchemy import Table, select
from sqlmodel import Session

from kernel import crash
from kernel.errors import Unavailable
from kernel.log import get_logger
from services.sync import records
from services.sync.entry import Shown, decode
from services.sync.opened import Opened
from services.sync.position import Position
from services.sync.records import Newest, Subject, insert_for
from services.sync.shares import REMEMBERED, Share, Shares
from services.sync.tables import Folded, Replica, ReplicaEntry

log = get_logger("folding")

MOST_WAITING = 30_000  # entries; of subjects as busy as cases are, 24 in 100 are the newest
MOST_BYTES = 24 * 1024 * 1024  # of their parts
READ_AT_ONCE = 1_000  # entries at rest; of the largest 256 MiB, of common ones 1 MiB

entries: Table = ReplicaEntry.__table__
folded: Table = Folded.__table__
Beside = Callable[[Callable[[Session], bool]], Future[bool]]  # runs it in a write transaction of its own


class Waiting:
    """What waits to be folded, from the entry after `after` to `end`; `is_whole`: all of it is remembered.

    `share`: of what may be remembered; `fits`: what is remembered is within it.
    """

    def __init__(self, after: int, end: Position, share: Share) -> None:
        self.after, self.end = after, end
        self.newest: dict[Subject, Newest] = {}
        self.is_whole = after == end.number
        self.fits = True
        self._share = share
        self._count = self._nbytes = self._grew = 0

    def add(self, some: Sequence[Opened], end: Position) -> None:
        """What some batches brought, up to `end`."""
        self._count += end.number - self.end.number
        self.end = end
        for opened in some:
            self._nbytes += opened.nbytes
            if opened.failed:
                self.is_whole = False
            if self.is_whole:
                records.overtake(self.newest, opened.newest)
        self._grew = len(self.newest) * REMEMBERED - self._share.held
        self.fits = self._share.take(self._grew)

    @property
    def is_full(self) -> bool:
        """Whether no more should wait: enough does, or as much again as came last would not fit."""
        enough = self._count >= MOST_WAITING or self._nbytes >= MOST_BYTES or not self.is_whole
        return enough or self._share.held + self._grew > self._share.most

    def forget(self) -> None:
        """Nothing of it need be remembered any more."""
        self.newest = {}
        self._share.hold(0)


class Following:
    """The records of the replica of one origin. `beside`: None where a database has one writer at a time; `shares`: of
    what all peers of an engine may have in memory.
    """

    def __init__(self, origin: str, beside: Beside | None = None, shares: Shares | None = None) -> None:
        self.origin = origin
        self._shares = shares or Shares()
        self.reached = 0  # how far the records reach, as far as is known here
        self._beside = beside
        self._going: Future[bool] | None = None
        self._waiting: Waiting | None = None

    def begin_beside(self, now: datetime) -> None:
        """Let a full stroke be folded beside, after the one before it; before the caller locks anything."""
        if self._going is not None and self._going.done():
            self._came_about()
        waiting = self._waiting
        if self._beside is None or waiting is None or not (waiting.is_full and waiting.is_whole):
            return
        if self._came_about():
            self._going = self._beside(lambda session: _fold_beside(session, self.origin, waiting, now))
            self._going.add_done_callback(lambda _going: waiting.forget())
            self._waiting = self._begin(waiting.end.number, waiting.end)

    def add(self, session: Session, some: Sequence[Opened], before: Position, held: Position) -> None:
        """What some batches brought to the replica that stood at `before`, in the transaction that stores it."""
        if self._waiting is None or self._waiting.end != before:
            self._came_about()
            self.reached = reached(session, self.origin)
            self._forget()
            self._waiting = self._begin(self.reached, before)
        self._waiting.add(some, held)

    def follow(self, session: Session, held: Position, now: datetime, *, at_once: bool) -> None:
        """Fold in the caller's transaction, after entries and position are written: what waits if it is too much, or
        `at_once`.
        """
        waiting = self._waiting or self._begin(0, held)
        if not (at_once or self._is_due(waiting)):
            return
        self._came_about()
        cursor = _locked(session, self.origin)
        remembers = waiting.is_whole and (waiting.after, waiting.end) == (cursor.number, held)
        if remembers and records.fold_newest(session, self.origin, waiting.newest.values(), now):
            cursor.number = held.number
        while fold_some(session, cursor, held.number, now):
            pass
        self.reached = held.number
        self._forget()  # whether the caller's commit comes about is not known here: the next one looks

    def _begin(self, after: int, end: Position) -> Waiting:
        return Waiting(after, end, self._shares.share())

    def _forget(self) -> None:
        if self._waiting is not None:
            self._waiting.forget()
        self._waiting = None

    def _is_due(self, waiting: Waiting) -> bool:
        return not waiting.fits or (waiting.is_full and not (self._beside and waiting.is_whole))

    def _came_about(self) -> bool:
        """Wait for what is folded beside; whether it came about. If not, what waits behind it is read from rest."""
        going, self._going = self._going, None
        if going is None:
            return True
        try:
            done = going.result()
        except Unavailable as error:
            log.failure("folding.not_beside", error, origin=self.origin)
            done = False
        if self._waiting is not None:
            if done:
                self.reached = self._waiting.after
            self._waiting.is_whole = self._waiting.is_whole and done
        return done


def _fold_beside(session: Session, origin: str, waiting: Waiting, now: datetime) -> bool:
    session.get(Replica, origin, with_for_update={"read": True, "key_share": True})
    cursor = _locked(session, origin)
    where = (entries.c.origin == origin, entries.c.number == waiting.end.number)
    at_rest = session.execute(select(entries.c.digest).where(*where)).scalar()
    if cursor.number != waiting.after or at_rest is None or bytes(at_rest) != waiting.end.digest:
        return False  # another writer was here, or the commit that brought them did not come about
    if not records.fold_newest(session, origin, waiting.newest.values(), now):
        return False
    cursor.number = waiting.end.number
    session.flush()
    crash.here("mid_fold")
    return True


def reached(session: Session, origin: str) -> int:
    """How far the records of `origin` reach."""
    return session.execute(select(folded.c.number).where(folded.c.origin == origin)).scalar() or 0


def take_back(session: Session, origin: str, number: int) -> None:
    """The records of `origin` reach no further than `number`, in the transaction that takes entries away."""
    cursor = _locked(session, origin)
    cursor.number = min(cursor.number, number)


def fold_rest(session: Session, origin: str, held: int, now: datetime) -> int:
    """Fold a bounded number of entries at rest, in the caller's transaction; how many are left."""
    return fold_some(session, _locked(session, origin), held, now)


def fold_some(session: Session, cursor: Folded, held: int, now: datetime) -> int:
    """As `fold_rest`, for the caller who has locked `cursor`."""
    where = (entries.c.origin == cursor.origin, entries.c.number > cursor.number, entries.c.number <= held)
    statement = select(entries.c.number, entries.c.parts).where(*where).order_by(entries.c.number).limit(READ_AT_ONCE)
    shown: list[tuple[int, Shown]] = [(n, decode(bytes(parts))[0]) for n, parts in session.execute(statement)]
    if shown:
        records.fold(session, cursor.origin, shown, now)
    cursor.number = shown[-1][0] if len(shown) == READ_AT_ONCE else held
    return held - cursor.number


def _locked(session: Session, origin: str) -> Folded:
    row = session.get(Folded, origin, with_for_update=True)
    if row is None:
        session.connection().execute(
            insert_for(session, folded).on_conflict_do_nothing(), {"origin": origin, "number": 0}
        )
        row = session.get_one(Folded, origin, with_for_update=True)
    return row
