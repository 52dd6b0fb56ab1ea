"""Replicas at rest: what a delivery from one origin changes in the database, in one commit.

`replica.py` decides, this module stores. All that belongs together is written together: the entries, the facts that
arrived for this node, the position held, and what was refused; and the records, which may wait for entries that are on
their way (folding.py).
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Table, delete, func, select
from sqlmodel import Session

from contracts.sync import ReplicaState as Status
from kernel import crash
from kernel.log import get_logger
from services.sync import arrivals, bulk, folding, relays, replica
from services.sync.entry import Shown
from services.sync.folding import Following
from services.sync.message import Batch, Held, Hello
from services.sync.opened import COLUMNS, Opened
from services.sync.position import Position
from services.sync.records import insert_for
from services.sync.replica import ReplicaState
from services.sync.shares import Shares
from services.sync.tables import Life, Quarantine, Replica, ReplicaEntry

log = get_logger("receiver")

MOST_QUARANTINED = 1000  # messages of one queue; the oldest go
QUARANTINE_BYTES = 64 * 1024
HEADER_CHARACTERS = 4096
BRINGING = {"key_share": True}  # nobody else brings entries meanwhile, or takes some away; see folding.py

entries: Table = ReplicaEntry.__table__


@dataclass(frozen=True)
class Refused:
    """A message that is kept aside. `stops`: its signer is the origin, so the replica is stopped too."""

    reason: str
    body: bytes
    stops: bool


@dataclass
class Outcome:
    """What a pass did. `answer` is due to the origin; `announce`: type and message of each new arrival."""

    state: ReplicaState | None = None
    head: int | None = None
    heard_at: datetime | None = None
    answer: Held | None = None
    announce: list[tuple[str, bytes]] = field(default_factory=list)
    results: Counter[str] = field(default_factory=Counter)
    nbytes: Counter[str] = field(default_factory=Counter)
    refusals: list[str] = field(default_factory=list)
    learned: bool = False  # whose keys are believed has to be read again
    folded: int = 0  # how far the records reach
    unfolded: int = 0  # entries that are held and no records yet


@dataclass
class _Pass:
    """What accumulates over the messages of one pass before it is written with few statements."""

    state: ReplicaState
    head: Position | None
    opened: list[Opened] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    lives: list[tuple[int, Position]] = field(default_factory=list)
    gap: bool = False
    learned: bool = False  # whose keys are believed has changed


class Replicas:
    """The replica of one origin at this node. `is_for`: which entries are meant for this node; `post`: what it does
    with those that are meant for another governorate. `takes_unaddressed`: whether one that names nobody may be for it.
    `beside`: where records may be folded; see folding.py.
    """

    def __init__(
        self,
        origin: str,
        queue: str,
        window: int,
        is_for: Callable[[Shown], bool],
        post: relays.Post = relays.NO_POST,
        *,
        takes_unaddressed: bool = True,
        beside: folding.Beside | None = None,
        shares: Shares | None = None,
    ) -> None:
        self.origin = origin
        self.queue = queue
        self._window = window
        self._is_for = is_for
        self._post = post
        self._takes_unaddressed = takes_unaddressed
        self._following = Following(origin, beside, shares)

    def peek(self, session: Session) -> Outcome:
        """How the replica stands, without a message."""
        row = session.get(Replica, self.origin)
        if row is None:
            return Outcome()
        return Outcome(
            _state_of(row),
            row.head_number,
            row.last_heard_at,
            replica.answer(_state_of(row), self._window),
            folded=(reached := folding.reached(session, self.origin)),
            unfolded=row.number - reached,
        )

    def open(self, batch: Batch, known: int, *, dialect: str) -> Opened:
        """Make a batch ready for a database of `dialect`, without its first `known` entries; on any thread."""
        return Opened(batch, known, dialect=dialect, only_named=not self._takes_unaddressed)

    def fold_some(self, session: Session, now: datetime) -> int:
        """Fold a bounded number of the entries at rest whose records were not written; how many are left."""
        row = session.get(Replica, self.origin, with_for_update=True)
        return 0 if row is None else folding.fold_rest(session, self.origin, row.number, now)

    def take(
        self,
        session: Session,
        messages: Sequence[Hello | Batch],
        refused: Sequence[Refused],
        now: datetime,
        *,
        live: bool = True,
        more: bool = False,
        opening: replica.Opening[Opened] | None = None,
    ) -> Outcome:
        """Apply messages of this origin in their order, in the caller's write transaction.

        `live` is false for messages out of a file: they are no word from the origin now, and its lag stays unknown.
        `more`: the caller comes back, so that the records may follow while the replica is behind the head that it heard
        of; otherwise whatever waited is folded, even if there is no message.
        `opening`: where batches may have been opened before.
        """
        self._following.begin_beside(now)
        row = session.get(Replica, self.origin, with_for_update=BRINGING)
        if row is None and not messages:
            self._quarantine(session, refused, now)
            return Outcome(refusals=[each.reason for each in refused])
        if row is None:
            row = self._new(session, messages[0])
        work = _Pass(_state_of(row), _head_of(row), refused=list(refused))
        outcome = Outcome()
        opening = opening or partial(self.open, dialect=session.get_bind().dialect.name)
        for message in messages:
            self._judge(message, work, outcome, opening)
        for each in refused:
            if each.stops and work.state.state not in replica.STOPPED:
                work.state = replica.refuse(work.state, Status.REFUSED, each.reason)
        outcome.announce = self._store(session, row, work, now)
        if messages and live:
            row.last_heard_at = now
        self._write(row, work, now)
        self._note_lives(session, work, now)
        at_once = not (more and row.behind_since) or work.learned
        self._following.follow(session, work.state.held, now, at_once=at_once)
        outcome.folded, outcome.unfolded = self._following.reached, row.number - self._following.reached
        outcome.state, outcome.head, outcome.heard_at = work.state, row.head_number, row.last_heard_at
        outcome.learned = work.learned
        outcome.refusals = [each.reason for each in work.refused]
        outcome.answer = replica.answer(work.state, self._window, replica.GAP if work.gap else "")
        session.flush()
        if work.opened:
            crash.here("mid_apply")
        return outcome

    def _new(self, session: Session, message: Hello | Batch) -> Replica:
        """The first row of a replica, or that of somebody who wrote it meanwhile: a bundle beside the live link."""
        if isinstance(message, Batch) and message.start.number == 0:
            state = replica.begin_with(message)
        elif isinstance(message, Hello) and message.parent is not None:
            state = replica.begin(self.origin, message.epoch, message.begun)
        else:
            state = replica.begin(self.origin, message.epoch)
        values = {"origin": self.origin, "epoch": state.epoch, "number": 0, "digest": state.held.digest}
        values |= {"state": state.state, "session": 0, "withheld": 0, "begun": state.begun}
        folding.take_back(session, self.origin, 0)
        session.connection().execute(insert_for(session, Replica.__table__).on_conflict_do_nothing(), values)
        return session.get_one(Replica, self.origin, with_for_update=BRINGING)

    def _judge(self, message: Hello | Batch, work: _Pass, outcome: Outcome, opening: replica.Opening[Opened]) -> None:
        before = work.state
        if isinstance(message, Hello):
            work.state, _ = replica.on_hello(work.state, message, self._window)
            if work.state.epoch > before.epoch and message.parent is not None:
                work.lives.append((work.state.epoch, message.parent))
            if message.epoch == work.state.epoch:
                work.head = message.head
            outcome.results["hello"] += 1
            return
        if work.learned:  # it may be signed with a key that is valid no more, or not yet: it is sent again
            judgement: replica.Judgement[Opened] = replica.Gap()
        else:
            judgement = replica.judge(work.state, message, opening)
        if isinstance(judgement, replica.Apply) and 0 < judgement.contents.turns_at < judgement.end.number:
            judgement = replica.Refuse(Status.REFUSED, "Entries follow a change of the key in one batch.")
        word = type(judgement).__name__.lower()
        if isinstance(judgement, replica.Apply):
            word = "applied"
            work.state = replica.applied(work.state, judgement)
            if work.state.epoch > before.epoch:
                work.lives.append((work.state.epoch, before.held))
            work.opened.append(judgement.contents)
            work.learned = judgement.contents.turns_at > 0
            if work.head is None or work.head.number < message.end.number:
                work.head = message.end
        elif isinstance(judgement, replica.Refuse):
            work.state = replica.refuse(work.state, judgement.state, judgement.reason)
            work.refused.append(Refused(judgement.reason, message.payload, stops=True))
        work.gap = isinstance(judgement, replica.Gap)
        outcome.results[word] += 1
        outcome.nbytes[word] += len(message.payload)

    def _store(self, session: Session, row: Replica, work: _Pass, now: datetime) -> list[tuple[str, bytes]]:
        self._quarantine(session, work.refused, now)
        if not work.opened:
            return []
        bulk.insert_rows(session, "replica_entry", COLUMNS, [each.rows for each in work.opened])
        row.withheld += sum(each.withheld for each in work.opened)
        before = Position(row.number, row.digest)
        self._following.add(session, work.opened, before, work.state.held)
        for_some = [one for each in work.opened for one in each.for_some]
        relays.note(session, self.origin, self._post, for_some, now)
        found = [(each.number, each.one) for each in for_some if self._is_for(each.one)]
        return arrivals.store(session, self.origin, found, now, opens=self._post.opens)

    def _quarantine(self, session: Session, refused: Sequence[Refused], now: datetime) -> None:
        for each in refused:
            length = int.from_bytes(each.body[:4], "big")
            session.add(
                Quarantine(
                    queue=self.queue,
                    origin=self.origin,
                    reason=each.reason,
                    header=_legible(each.body[4 : 4 + min(length, HEADER_CHARACTERS)]),
                    body=each.body[:QUARANTINE_BYTES],
                    at=now,
                )
            )
        if refused:
            session.flush()
            newest = session.scalars(select(func.max(Quarantine.id)).where(Quarantine.queue == self.queue)).one()
            old = Quarantine.id <= newest - MOST_QUARANTINED
            session.execute(delete(Quarantine).where(Quarantine.queue == self.queue, old))

    def _note_lives(self, session: Session, work: _Pass, now: datetime) -> None:
        for epoch, parent in work.lives:
            log.warning("replica.new_life", origin=self.origin, epoch=epoch, after=parent.number)
            where = {"parent_number": parent.number, "parent_digest": parent.digest}
            session.merge(Life(origin=self.origin, epoch=epoch, at=now, **where))

    def _write(self, row: Replica, work: _Pass, now: datetime) -> None:
        state, head = work.state, work.head
        row.begun = state.begun
        row.epoch, row.number, row.digest = state.epoch, state.held.number, state.held.digest
        row.state, row.reason = state.state, state.reason or None
        row.session, row.boot = state.session, state.boot or None
        if head is not None:
            row.head_number, row.head_digest = head.number, head.digest
        is_behind = head is not None and head.number > state.held.number
        row.behind_since = (row.behind_since or now) if is_behind else None


def _legible(header: bytes) -> str:
    """What can be read of a header that may be anything."""
    return header.decode("ascii", "replace").replace("\0", "")


def _state_of(row: Replica) -> ReplicaState:
    held = Position(row.number, row.digest)
    said = (row.session, row.boot or "", Status(row.state), row.reason or "")
    return ReplicaState(row.origin, row.epoch, held, *said, row.begun)


def _head_of(row: Replica) -> Position | None:
    if row.head_number is None or row.head_digest is None:
        return None
    return Position(row.head_number, row.head_digest)


def position_at(session: Session, origin: str, number: int) -> bytes | None:
    """The digest of a replica after entry `number`; None when it does not reach so far."""
    statement: Any = select(ReplicaEntry.digest).where(entries.c.origin == origin, entries.c.number == number)
    return session.scalars(statement).first()
