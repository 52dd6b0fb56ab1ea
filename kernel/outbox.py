"""The outbox: a fact is written beside the row it tells of, in the same commit, and leaves only when it is journaled.

Promise: a committed fact reaches the recorder, in the order of commit, once. Order: the relay gives committed rows
dense numbers of this outbox's *stream* and publishes consecutive ones as a *slice*. The recorder answers with the
number it holds; rows up to there are deleted. Whatever fails in between (broker away, data directory deleted, either
side killed), the relay goes back to what is acknowledged and publishes again; the recorder takes each number once.
Two relays on one outbox publish the same slices twice, which is harmless.

The recorder's answer also names the fact that has its number. If that is not the fact which this outbox gave the
number, or the number was never given, this database was restored from a backup: the outbox begins a new stream, and
the recorder skips the facts it already has by their ids. Without that check, facts committed after the restore would
take numbers that the recorder holds, and be deleted unread. The other way round, a recorder that misses numbers
which it once acknowledged was restored itself: what is still here goes to it as a new stream, or it would wait for
ever. What is gone from both must be fetched from the directorates.

Numbers are given by the relay and not by a database sequence, because PostgreSQL sequences commit out of order and a
reader of `id > last` loses rows.
"""

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import msgspec
from pika.channel import Channel
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, delete, func, insert, null, select, update
from sqlmodel import Field, Session

from kernel import crash, metrics
from kernel.broker import FACTS, declare_exchanges, recorded_queue
from kernel.clock import now
from kernel.database import Database, KernelTable, UtcDateTime
from kernel.errors import BadInput, BrokerAway, JisrError
from kernel.fact import Fact, check_size, pack
from kernel.ids import new_id
from kernel.log import get_logger
from kernel.publisher import Publisher

SLICE_FACTS = 200
SLICE_BYTES = 1024 * 1024  # sealed facts are large; the recorder keeps 32 slices in memory
ROWS_AT_ONCE = 20
SLICES_AHEAD = 2  # unconfirmed: one on its way while one is confirmed; when that takes long, slices grow instead
AHEAD_FACTS = 2000  # published but not acknowledged: about 1 MB on the broker
PATIENCE_SECONDS = 10.0  # without an answer from the recorder, publish again
IDLE_SECONDS = 1.0  # how often a relay looks without being woken: another process may have appended
RETRY_SECONDS = (1.0, 2.0, 5.0)

log = get_logger("outbox")


class OutboxRow(KernelTable, table=True):
    """A committed fact that the journal does not hold yet."""

    __tablename__ = "outbox_row"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: int | None = Field(
        default=None,
        sa_column=Column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    )
    number: int | None = Field(default=None, sa_column=Column(BigInteger, unique=True))
    fact_id: str = Field(sa_column=Column(String(64), nullable=False, unique=True))
    envelope: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class OutboxStream(KernelTable, table=True):
    """One row: which stream this outbox numbers, up to where, and what the recorder holds of it."""

    __tablename__ = "outbox_stream"

    id: int = Field(default=1, sa_column=Column(Integer, primary_key=True, autoincrement=False))
    stream: str = Field(sa_column=Column(String(64), nullable=False))
    numbered: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    acknowledged: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))


class Recorded(msgspec.Struct):
    """The recorder's answer: the number it holds of a stream, and everything before it; the fact with that number.

    `gap`: it was given a slice that begins later than the next number.
    """

    stream: str
    number: int
    fact_id: str
    gap: bool = False


class Slice(msgspec.Struct):
    """Consecutive facts of one outbox, numbered from `first`; `facts` are envelopes (`kernel.fact.pack`)."""

    service: str
    stream: str
    first: int
    facts: list[msgspec.Raw]


class NotASlice(BadInput):
    """This message is not a slice of an outbox."""

    code = "not_a_slice"


_decode_slice = msgspec.json.Decoder(Slice).decode
_decode_recorded = msgspec.json.Decoder(Recorded).decode


def read_slice(body: bytes) -> Slice:
    """The slice in a message of exchange `facts`. Raises `NotASlice`."""
    try:
        decoded = _decode_slice(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise NotASlice(cause=type(error).__name__) from error
    if decoded.first < 1 or not decoded.facts:
        raise NotASlice("This slice of an outbox is empty or numbered below 1.")
    return decoded


def append(session: Session, fact: Fact) -> None:
    """Write `fact` beside the row it tells of, in the caller's transaction. Raises `TooLarge`, before anything waits.

    A fact that the recorder refuses would hold up every fact behind it.
    """
    check_size(fact)
    session.add(OutboxRow(fact_id=fact.id, envelope=pack(fact), created_at=now()))


def append_all(session: Session, facts: Iterable[Fact]) -> None:
    """Write many facts with one statement, in their order. Raises `TooLarge`."""
    rows = []
    for fact in facts:
        check_size(fact)
        rows.append({"fact_id": fact.id, "envelope": pack(fact), "created_at": now()})
    if rows:
        session.connection().execute(insert(OutboxRow), rows)


@dataclass(frozen=True)
class Pending:
    """What waits in an outbox: how many facts, and since when the oldest (None when none waits)."""

    count: int
    oldest_at: datetime | None


def pending(session: Session) -> Pending:
    """What the journal does not hold yet."""
    count, oldest_at = session.connection().execute(select(func.count(), func.min(OutboxRow.created_at))).one()
    return Pending(count, oldest_at)


def _locked_stream(session: Session) -> OutboxStream:
    """The stream row, locked: two relays number one after the other."""
    row = session.scalars(select(OutboxStream).with_for_update()).first()
    if row is None:
        row = OutboxStream(stream=new_id())
        session.add(row)
        session.flush()
    return row


def _has_unnumbered(session: Session) -> bool:
    return session.scalars(select(OutboxRow.id).where(OutboxRow.number.is_(None)).limit(1)).first() is not None


def number_rows(session: Session, limit: int) -> int:
    """Give up to `limit` committed rows the next dense numbers, oldest first; return how many."""
    stream = _locked_stream(session)
    waiting = session.scalars(
        select(OutboxRow.id).where(OutboxRow.number.is_(None)).order_by(OutboxRow.id).limit(limit)
    ).all()
    for number, row_id in enumerate(waiting, start=stream.numbered + 1):
        session.execute(update(OutboxRow).where(OutboxRow.id == row_id).values(number=number))
    stream.numbered += len(waiting)
    return len(waiting)


def read_after(session: Session, service: str, number: int, limit: int = SLICE_FACTS) -> Slice | None:
    """The slice that follows `number`, or None when nothing numbered does: facts of 1 MiB together, or a single one."""
    stream = session.scalars(select(OutboxStream)).first()
    if stream is None:
        return None
    rows = session.execute(
        select(OutboxRow.number, OutboxRow.envelope)
        .where(OutboxRow.number > number)
        .order_by(OutboxRow.number)
        .limit(limit)
        .execution_options(yield_per=ROWS_AT_ONCE)
    )
    first, found, size = 0, list[msgspec.Raw](), 0
    for at, envelope in rows:
        size += len(envelope)
        if found and size > SLICE_BYTES:
            break
        first = first or at
        found.append(msgspec.Raw(envelope))
    rows.close()
    return Slice(service, stream.stream, first, found) if found else None


def acknowledge(session: Session, recorded: Recorded) -> int:
    """Delete the rows that the recorder holds; return how many. An answer about another stream is ignored."""
    stream = _locked_stream(session)
    if recorded.stream != stream.stream:
        return 0
    if recorded.gap and recorded.number < stream.acknowledged:
        _begin_new_stream(session, stream, restored="journal")
        return 0
    if recorded.number <= stream.acknowledged:
        return 0
    given = session.scalars(select(OutboxRow.fact_id).where(OutboxRow.number == recorded.number)).first()
    if given != recorded.fact_id:
        _begin_new_stream(session, stream, restored="outbox")
        return 0
    stream.acknowledged = recorded.number
    return int(session.execute(delete(OutboxRow).where(OutboxRow.number <= recorded.number)).rowcount)


def _begin_new_stream(session: Session, stream: OutboxStream, *, restored: str) -> None:
    log.warning("outbox.restored_from_backup", restored=restored, numbered=stream.numbered)
    stream.stream, stream.numbered, stream.acknowledged = new_id(), 0, 0
    session.execute(update(OutboxRow).values(number=null()))


class Relay:
    """Publishes one outbox. `relay_once` does a bounded amount; `run` calls it until told to stop."""

    def __init__(self, database: Database, broker_url: str) -> None:
        self.database = database
        self.service = database.service
        self.broker_away = False
        self._publisher = Publisher(broker_url, name=f"relay of {self.service}", prepare=self._prepare)
        self._woken = False
        self._stopping = threading.Event()
        self._answers: list[Recorded] = []
        self._stream = ""
        self._sent = 0
        self._sent_at = 0.0
        self._measured_at = 0.0

    def wake(self) -> None:
        """Something was committed: look now."""
        self._woken = True
        self._publisher.wake()

    def _prepare(self, channel: Channel) -> None:
        declare_exchanges(channel)
        queue = recorded_queue(self.service)
        channel.queue_declare(queue, durable=True, arguments={"x-max-length": 1})  # the last answer says it all
        channel.basic_consume(queue, self._on_answer, auto_ack=True)

    def _on_answer(self, _channel: object, _method: object, _properties: object, body: bytes) -> None:
        try:
            self._answers.append(_decode_recorded(body))
        except (msgspec.MsgspecError, UnicodeDecodeError):
            log.warning("outbox.answer_not_understood", bytes=len(body))

    def relay_once(self, idle: float = 0.0) -> int:
        """One bounded pass: number, publish, take the recorder's answers. Returns how many facts were published.

        With nothing to publish it waits for `idle` seconds at most, until something was committed or answered.
        Raises `BrokerAway` or `Unavailable`; nothing is lost by either.
        """
        try:
            if self._publisher.connect():
                self._sent = 0
            return self._relay(idle)
        except BrokerAway:
            self._sent = 0  # whatever was under way may be lost: go back to what is acknowledged
            raise

    def _relay(self, idle: float) -> int:
        if self._is_full():
            self._publisher.wait(idle, lambda: bool(self._answers) or not self._is_full())
            return 0
        self._woken = False
        slice_ = self._next_slice()
        if slice_ is None:
            self._publisher.wait(idle, lambda: bool(self._answers) or self._woken)
            return 0
        crash.here("after_outbox_commit")
        self._publisher.publish(FACTS, self.service, msgspec.json.encode(slice_))
        self._sent = slice_.first + len(slice_.facts) - 1
        self._sent_at = time.monotonic()
        self._publisher.wait(0.0, self._is_full)
        crash.here("after_relay_publish")
        return len(slice_.facts)

    def _is_full(self) -> bool:
        return self._publisher.unconfirmed >= SLICES_AHEAD

    def _next_slice(self) -> Slice | None:
        """Write down what was answered and number what was committed, in one transaction, if there is either.

        The transaction need not wait for SQLite's disk. Done again after a loss of power it gives the same rows the
        same numbers: there, ids are given in the order of commit, and what a fact's own commit wrote is on disk.
        """
        answers = list(self._answers)
        with self.database.read() as session:
            if not answers and not _has_unnumbered(session):
                return self._read_slice(session)
        with self.database.write_silently(lasting=False) as session:
            for recorded in answers:
                acknowledge(session, recorded)
            number_rows(session, SLICE_FACTS)
            slice_ = self._read_slice(session)
        del self._answers[: len(answers)]
        return slice_

    def _read_slice(self, session: Session) -> Slice | None:
        """What follows that which was published, or is acknowledged, or should have been answered by now."""
        stream = session.scalars(select(OutboxStream)).first()
        if stream is None:
            return None
        if stream.stream != self._stream:
            self._stream, self._sent = stream.stream, 0
        overdue = time.monotonic() - self._sent_at > PATIENCE_SECONDS
        if self._sent > stream.acknowledged and overdue:
            log.info("outbox.publishing_again", after=stream.acknowledged, sent=self._sent)
            self._sent = 0
        self._sent = max(self._sent, stream.acknowledged)
        if self._sent - stream.acknowledged >= AHEAD_FACTS:
            return None
        return read_after(session, self.service, self._sent)

    def measure(self) -> None:
        """Set the gauges of this outbox."""
        with self.database.read() as session:
            waiting = pending(session)
        metrics.OUTBOX_PENDING.labels(self.service).set(waiting.count)
        age = (now() - waiting.oldest_at).total_seconds() if waiting.oldest_at else 0.0
        metrics.OUTBOX_OLDEST.labels(self.service).set(max(0.0, age))

    def run(self) -> None:
        """Relay until `stop`. Never gives up; waits longer while the broker or the database is away."""
        failures = 0
        while not self._stopping.is_set():
            published = self._pass(first_failure=failures == 0)
            if published is None:
                self._stopping.wait(RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)])
                failures += 1
                continue
            failures = 0
        self.close()

    def _pass(self, *, first_failure: bool) -> int | None:
        """Measure when due and relay once; None when that failed, which is logged the first time in a row."""
        try:
            if time.monotonic() - self._measured_at > IDLE_SECONDS:
                self.measure()
                self._measured_at = time.monotonic()
            published = self.relay_once(IDLE_SECONDS)
        except JisrError as error:
            self.broker_away = isinstance(error, BrokerAway)
            if first_failure:
                log.warning("outbox.relay_waits", service=self.service, code=error.code, cause=error.details)
            return None
        except Exception as error:  # a relay that ends leaves facts where nobody looks for them
            if first_failure:
                log.failure("outbox.relay_failed", error, service=self.service)
            return None
        self.broker_away = False
        return published

    def start(self) -> None:
        """Run in a thread of its own (a greenthread in a patched process) and be woken by every commit."""
        self.database.on_commit.append(self.wake)
        threading.Thread(target=self.run, name=f"relay of {self.service}", daemon=True).start()

    def close(self) -> None:
        """Close the connection of a relay that is not running."""
        self._publisher.close()

    def stop(self) -> None:
        """Ask `run` to return."""
        self._stopping.set()
        self.wake()
