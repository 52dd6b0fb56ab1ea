"""Getting back one's own journal: an origin asks who holds a copy of it, and is given the entries it lost.

The asking side is driven by the table `recall`: an operator's command writes what it wants to know of each holder, the
engine asks, and writes down what was answered, one bounded piece after the other. Each piece is checked: it must
continue what that holder gave before and lead to the position it names. So a fetch that was interrupted goes on where
it was, and a holder that changes its story is found out. Nothing here touches the journal.

The answering side keeps nothing. It gives an origin only what that origin had sent, in the form in which it holds it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Table, delete, func, select
from sqlmodel import Session

from kernel.clock import now
from kernel.database import Database
from kernel.log import get_logger
from services.sync import bulk
from services.sync.entry import Shown, decode, encode
from services.sync.lanes import Lane
from services.sync.message import BadMessage, Recall, Recalled, pack
from services.sync.position import Position, digests, start
from services.sync.receivers import Timers
from services.sync.tables import Recall as RecallRow
from services.sync.tables import RecalledEntry, Replica, ReplicaEntry

log = get_logger("recall")

LOOK_SECONDS = 0.5  # two small reads a second, and what an operator waits for a first answer
PATIENCE_SECONDS = 10.0  # without an answer the same is asked again
PIECE_BYTES = 256 * 1024  # 2 s of 1 Mbit/s; the next piece is asked for when this one is kept
MOST_PIECE = 1024 * 1024
MOST_ENTRIES = 5000
RECALLED_COLUMNS = ("source", "number", "parts", "digest")

entries: Table = ReplicaEntry.__table__
recalled: Table = RecalledEntry.__table__
recall_rows: Table = RecallRow.__table__


# --- the holder


def answer(session: Session, asked: Recall, *, node: str) -> Recalled:
    """What this node gives back to an origin that asks for its own journal."""
    row = session.get(Replica, asked.origin)
    if row is None or row.number == 0:
        zero = start(asked.origin, row.begun if row else 1)
        epoch, seen = (row.epoch, row.session) if row else (1, 0)
        return Recalled(node, asked.question, asked.origin, epoch, seen, zero, zero, zero, b"")
    held = Position(row.number, row.digest)
    place = _place(session, row, min(asked.after, held.number))
    said = (node, asked.question, asked.origin, row.epoch, row.session, held, place)
    found = _entries_after(session, asked.origin, place.number) if asked.most else []
    if not found:
        return Recalled(*said, place, b"")
    shown, chain = [one for one, _ in found], [digest for _, digest in found]
    piece = pack(asked.origin, row.epoch, place, shown, chain, min(asked.most, MOST_PIECE))
    return Recalled(*said, piece.end, piece.payload)


def _place(session: Session, row: Replica, number: int) -> Position:
    if number == 0:
        return start(row.origin, row.begun)
    where = (entries.c.origin == row.origin, entries.c.number == number)
    return Position(number, session.execute(select(entries.c.digest).where(*where)).scalar_one())


def _entries_after(session: Session, origin: str, number: int) -> list[tuple[Shown, bytes]]:
    rows = session.execute(
        select(entries.c.parts, entries.c.digest)
        .where(entries.c.origin == origin, entries.c.number > number)
        .order_by(entries.c.number)
        .limit(MOST_ENTRIES)
    )
    return [(decode(bytes(parts))[0], digest) for parts, digest in rows]


# --- the origin


def ask(session: Session, source: str, after: int, until: int | None = None) -> int:
    """Have the engine ask `source` where its copy stands, or fetch what it holds after `after` up to `until`.

    Returns the number that `done` reaches when this was answered.
    """
    row = session.get(RecallRow, source, with_for_update=True) or RecallRow(source=source)
    row.asks += 1
    row.after, row.until, row.problem = after, until, None
    session.add(row)
    return row.asks


def begin(session: Session, source: str, after: int) -> None:
    """Before a fetch: throw away what an earlier run fetched, unless it begins at the same place."""
    first = session.execute(select(func.min(recalled.c.number)).where(recalled.c.source == source)).scalar()
    if first not in (None, after + 1):
        session.execute(delete(RecalledEntry).where(recalled.c.source == source))


def fetched(session: Session, source: str) -> int:
    """The last number that `source` gave back; 0 if nothing was fetched."""
    last: int | None = session.execute(select(func.max(recalled.c.number)).where(recalled.c.source == source)).scalar()
    return last or 0


def keep(session: Session, origin: str, said: Recalled) -> None:
    """Write down what a holder answered, in the caller's write transaction."""
    row = session.get(RecallRow, said.node, with_for_update=True)
    if row is None or said.origin != origin or said.question != row.asks or row.done == row.asks:
        return  # an answer to a question that nobody asks any more
    row.epoch, row.session, row.heard_at = said.epoch, said.session, now()
    row.held_number, row.held_digest = said.held.number, said.held.digest
    if row.until is None:
        row.at_number, row.at_digest, row.done = said.start.number, said.start.digest, row.asks
        return
    row.problem = _keep_entries(session, row, said)
    if row.problem or fetched(session, said.node) >= row.until or said.held.number < row.until:
        row.done = row.asks


def _keep_entries(session: Session, row: RecallRow, said: Recalled) -> str | None:
    """Why these entries cannot be; None if they were kept or are nothing new."""
    last = max(fetched(session, said.node), row.after)
    if said.start.number != last or said.start == said.end:
        return None if said.held.number >= (row.until or 0) else f"It holds {said.held.number} only."
    if (before := _fetched_digest(session, said.node, last)) is not None and before != said.start.digest:
        return f"It gave another digest at {last} before."
    shown = said.entries()
    chain = digests(said.start, [one.leaf for one in shown])
    if chain[-1] != said.end.digest:
        return f"The entries after {last} do not lead to the digest at {said.end.number}."
    rows = [
        (said.node, number, encode((one,)), digest)
        for number, (one, digest) in enumerate(zip(shown, chain, strict=True), last + 1)
    ]
    bulk.insert(session, "recalled_entry", RECALLED_COLUMNS, rows)
    return None


def _fetched_digest(session: Session, source: str, number: int) -> bytes | None:
    where = (recalled.c.source == source, recalled.c.number == number)
    digest: bytes | None = session.execute(select(recalled.c.digest).where(*where)).scalar()
    return digest


@dataclass(frozen=True)
class _Asked:
    """What was last published to a holder: question and place, and until when (monotonic) its answer is waited for."""

    what: tuple[int, int]
    patient_until: float


class Recaller:
    """Asks every holder what the table wants to know: one look for all of them, however many links there are.

    `publish` and timers on the loop, the rest on the lane. `may_ask` names a holder and how it is reached.
    """

    def __init__(self, origin: str, *, database: Database, lane: Lane, timers: Timers) -> None:
        self._origin, self._database, self._lane, self._timers = origin, database, lane, timers
        self._publish: dict[str, Callable[[Recall], bool]] = {}
        self._asked: dict[str, _Asked] = {}

    def may_ask(self, source: str, publish: Callable[[Recall], bool]) -> None:
        self._publish[source] = publish

    def start(self) -> None:
        """Look now and then whether something is wanted."""

        def done(wanted: dict[str, Recall]) -> None:
            for source, recall in wanted.items():
                self._ask(source, recall)
            again()

        def failed(error: Exception) -> None:
            log.failure("recall.waits", error)
            again()

        def again() -> None:
            self._timers.call_later(LOOK_SECONDS, self.start)

        self._lane.run(self._all_wanted, done, failed)

    def _all_wanted(self) -> dict[str, Recall]:
        with self._database.read() as session:
            open_ones = session.scalars(select(RecallRow).where(recall_rows.c.done < recall_rows.c.asks))
            return {row.source: self._wanted(session, row) for row in open_ones if row.source in self._publish}

    def _wanted(self, session: Session, row: RecallRow) -> Recall:
        if row.until is None:
            return Recall(self._origin, row.asks, row.after, 0)
        return Recall(self._origin, row.asks, max(fetched(session, row.source), row.after), PIECE_BYTES)

    def _ask(self, source: str, wanted: Recall) -> None:
        asked, before, moment = (wanted.question, wanted.after), self._asked.get(source), time.monotonic()
        patient = before is not None and before.what == asked and moment < before.patient_until
        if not patient and self._publish[source](wanted):
            self._asked[source] = _Asked(asked, moment + PATIENCE_SECONDS)

    def on_recalled(self, said: Recalled) -> None:
        """A holder's answer; the next piece is asked for at once."""

        def kept(wanted: Recall | None) -> None:
            if wanted is not None:
                self._ask(said.node, wanted)

        def not_kept(error: Exception) -> None:
            log.failure("recall.waits", error, source=said.node)  # it is asked for again

        self._lane.run(lambda: self._keep(said), kept, not_kept)

    def _keep(self, said: Recalled) -> Recall | None:
        with self._database.write_silently() as session:
            try:
                keep(session, self._origin, said)
            except BadMessage as error:
                row = session.get_one(RecallRow, said.node)
                row.problem, row.done = error.message, row.asks
        with self._database.read() as session:
            known = session.get(RecallRow, said.node)
            return self._wanted(session, known) if known is not None and known.done < known.asks else None


def forget(session: Session) -> None:
    """Throw away what was fetched and asked, once a recovery is done."""
    session.execute(delete(RecalledEntry))
    session.execute(delete(RecallRow))
