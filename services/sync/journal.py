"""The journal: this node's facts in one dense, hash-chained order.

Promise: a slice that was answered is in the journal, once. Facts of one outbox stand in the order of that outbox;
between services there is no order but that of arrival. A slice that begins after what is held is not appended, the
answer says what is held and the relay goes back there. A repeated fact id is skipped, because an outbox that was
restored from a backup numbers its facts anew.
"""

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from struct import Struct
from typing import Any

from sqlalchemy import Table, select
from sqlmodel import Session

from kernel.fact import Fact, NotAFact, pack, unpack
from kernel.outbox import Slice, read_slice
from services.sync import bulk, records
from services.sync.entry import SALT_BYTES, Entry, record
from services.sync.position import Position, digests, start
from services.sync.tables import JournalEntry, JournalState, OutboxSource

FIRST_EPOCH = 1
COLUMNS = (
    "number",
    "fact_id",
    "type",
    "head",
    "statistical",
    "operational",
    "sealed",
    "salt",
    "restricted",
    "digest",
    "recorded_at",
)
IDS_AT_ONCE = 500  # SQLite took 999 variables in one statement until 3.32
ENTRY_COLUMNS = ("number", "head", "statistical", "operational", "sealed", "salt", "restricted", "proof", "digest")
READ_COLUMNS = "number, restricted, digest, salt, head, statistical, operational, sealed, proof"
_FIXED = Struct(">2x4xq4x?4x32si")  # the number of columns, three columns, the length of the salt
_fixed, _fixed_bytes = _FIXED.unpack_from, _FIXED.size
_length = Struct(">i").unpack_from

Stream = tuple[str, str]  # service, stream

entries: Table = JournalEntry.__table__


@dataclass(frozen=True)
class Life:
    """Which journal this is, and which start of the engine: `session` grows with each.

    `parent`: where this life left the one before it; None in the first life.
    """

    origin: str
    epoch: int
    session: int
    head: Position
    parent: Position | None = None


@dataclass(frozen=True)
class Taken:
    """A slice whose facts were read and checked."""

    service: str
    stream: str
    first: int
    facts: tuple[Fact, ...]


@dataclass
class Appended:
    """What one call of `append` did. For each outbox, `answers`: the number held now, `lasts`: the fact that has it,
    and whether a slice began later than the next number (`gaps`).
    """

    head: Position
    answers: dict[Stream, int] = field(default_factory=dict)
    lasts: dict[Stream, str] = field(default_factory=dict)
    gaps: set[Stream] = field(default_factory=set)
    results: Counter[tuple[str, str]] = field(default_factory=Counter)


def begin(session: Session, origin: str, above: int = 0) -> Life:
    """Open the journal for a new start of the engine; creates it the first time.

    The session is higher than `above`, which is known from outside this database (mark.py).
    """
    state = session.get(JournalState, 1, with_for_update=True)
    if state is None:
        zero = start(origin, FIRST_EPOCH)
        state = JournalState(id=1, epoch=FIRST_EPOCH, number=0, digest=zero.digest, session=0)
        session.add(state)
    state.session = max(state.session, above) + 1
    session.flush()
    return Life(origin, state.epoch, state.session, Position(state.number, state.digest), parent_of(state))


def parent_of(state: JournalState) -> Position | None:
    """Where this life of the journal left the one before it; None in the first life."""
    if state.parent_number is None or state.parent_digest is None:
        return None
    return Position(state.parent_number, state.parent_digest)


def head(session: Session, origin: str) -> Position:
    """The journal's last position."""
    state = session.get(JournalState, 1)
    return start(origin, FIRST_EPOCH) if state is None else Position(state.number, state.digest)


def take(body: bytes) -> Taken:
    """Read a message of exchange `facts`. Raises `NotASlice`, `NotAFact` or `BadEntry`, all of them `BadInput`.

    A slice is taken whole or not at all: leaving out one fact would lose it, because the answer is cumulative.
    """
    slice_: Slice = read_slice(body)
    facts = tuple(unpack(bytes(envelope)) for envelope in slice_.facts)
    if not (records.is_name(slice_.service) and records.is_name(slice_.stream)):
        raise NotAFact("A slice names its service and stream in up to 64 printable ASCII characters.")
    for fact in facts:
        records.check_names(fact)
        record(0, fact, bytes(SALT_BYTES))
    return Taken(slice_.service, slice_.stream, slice_.first, facts)


def append(
    session: Session,
    slices: Sequence[Taken],
    *,
    origin: str,
    now: datetime,
    random: Callable[[int], bytes] = os.urandom,
) -> Appended:
    """Append what is new in `slices`, in the caller's write transaction, with few statements whatever their number."""
    state = session.get(JournalState, 1, with_for_update=True)
    if state is None:
        raise LookupError("the engine begins the journal before it appends")
    done = Appended(Position(state.number, state.digest))
    new = _new_facts(session, slices, done)
    _hold(session, done)
    if new:
        done.head = _write(session, state, new, origin=origin, now=now, random=random)
    return done


def issue(session: Session, facts: Sequence[Fact], *, origin: str, now: datetime) -> Position:
    """Append facts that the engine itself tells and no outbox keeps, in the caller's write transaction with that which
    they tell of; return the head. A fact whose id the journal has is passed over.
    """
    state = session.get_one(JournalState, 1, with_for_update=True)
    done = Appended(Position(state.number, state.digest))
    new = _unknown_ids(session, [("engine", fact) for fact in facts], done)
    return _write(session, state, new, origin=origin, now=now, random=os.urandom) if new else done.head


def _write(
    session: Session,
    state: JournalState,
    new: Sequence[Fact],
    *,
    origin: str,
    now: datetime,
    random: Callable[[int], bytes],
) -> Position:
    written = [record(number, fact, random(SALT_BYTES)) for number, fact in enumerate(new, state.number + 1)]
    chain = digests(Position(state.number, state.digest), (entry.leaf for entry in written))
    bulk.insert(session, "journal_entry", COLUMNS, _rows(written, new, chain, now))
    records.fold(session, origin, [(entry.number, records.of_entry(entry)) for entry in written], now)
    head = Position(written[-1].number, chain[-1])
    state.number, state.digest, state.recorded_at = head.number, head.digest, now
    return head


def _new_facts(session: Session, slices: Sequence[Taken], done: Appended) -> list[Fact]:
    """The facts that the journal lacks, in order; `done.answers` and `done.results` are filled on the way."""
    held = _held(session, {(each.service, each.stream) for each in slices}, done)
    candidates: list[tuple[str, Fact]] = []
    for each in slices:
        stream = (each.service, each.stream)
        known = held.get(stream, 0)
        last = each.first + len(each.facts) - 1
        if each.first > known + 1:
            done.results[each.service, "gap"] += len(each.facts)
            done.gaps.add(stream)
        elif last <= known:
            done.results[each.service, "repeated"] += len(each.facts)
        else:
            candidates += [(each.service, fact) for fact in each.facts[known + 1 - each.first :]]
            held[stream], done.lasts[stream] = last, each.facts[-1].id
        done.answers[stream] = held.get(stream, 0)
    return _unknown_ids(session, candidates, done)


def _unknown_ids(session: Session, candidates: list[tuple[str, Fact]], done: Appended) -> list[Fact]:
    ids = [fact.id for _, fact in candidates]
    seen: set[str] = set()
    for at in range(0, len(ids), IDS_AT_ONCE):
        seen |= set(
            session.scalars(select(JournalEntry.fact_id).where(entries.c.fact_id.in_(ids[at : at + IDS_AT_ONCE])))
        )
    new = []
    for service, fact in candidates:
        result = "skipped" if fact.id in seen else "appended"
        done.results[service, result] += 1
        if fact.id not in seen:
            seen.add(fact.id)
            new.append(fact)
    return new


def _held(session: Session, streams: set[Stream], done: Appended) -> dict[Stream, int]:
    found: dict[Stream, int] = {}
    for service, stream in sorted(streams):
        row = session.get(OutboxSource, (service, stream))
        if row is not None:
            found[service, stream], done.lasts[service, stream] = row.number, row.fact_id
    return found


def _hold(session: Session, done: Appended) -> None:
    for (service, stream), number in sorted(done.answers.items()):
        if number == 0:
            continue  # a gap before anything was held
        fact_id = done.lasts[service, stream]
        row = session.get(OutboxSource, (service, stream))
        if row is None:
            session.add(OutboxSource(service=service, stream=stream, number=number, fact_id=fact_id))
        elif row.number != number:
            row.number, row.fact_id = number, fact_id


def _rows(written: Sequence[Entry], facts: Sequence[Fact], chain: list[bytes], now: datetime) -> list[bulk.Row]:
    return [
        (
            entry.number,
            fact.id,
            fact.type,
            entry.head,
            entry.statistical,
            entry.operational,
            entry.sealed,
            entry.salt,
            entry.restricted,
            digest,
            now,
        )
        for entry, fact, digest in zip(written, facts, chain, strict=True)
    ]


def position_at(session: Session, origin: str, number: int) -> Position | None:
    """This journal's position after entry `number`; None when it does not reach so far.

    Every later life continues the chain that began in the first.
    """
    if number == 0:
        return start(origin, FIRST_EPOCH)
    digest = session.scalars(select(JournalEntry.digest).where(entries.c.number == number)).first()
    return None if digest is None else Position(number, digest)


def read_after(session: Session, number: int, most_bytes: int, most_entries: int) -> list[tuple[Entry, bytes]]:
    """The entries after `number` with their digests, until their parts exceed `most_bytes`; one if there is any."""
    if session.get_bind().dialect.name == "postgresql":
        query = f"SELECT {READ_COLUMNS} FROM journal_entry WHERE number > {int(number)} ORDER BY number"  # noqa: S608
        return [_of_copy(row) for row in bulk.copied(session, f"{query} LIMIT {int(most_entries)}", most_bytes)]
    columns = [entries.c[name] for name in ENTRY_COLUMNS]
    statement = select(*columns).where(entries.c.number > number).order_by(entries.c.number).limit(most_entries)
    found: list[tuple[Entry, bytes]] = []
    size = 0
    with session.connection().execute(statement.execution_options(yield_per=500)) as rows:
        for row in rows:
            entry = Entry(*row[:-1])
            size += len(entry.head) + len(entry.statistical) + len(entry.operational) + len(entry.sealed)
            if found and size > most_bytes:
                break
            found.append((entry, row[-1]))
    return found


def _of_copy(row: bytes) -> tuple[Entry, bytes]:
    """A row of `READ_COLUMNS` as PostgreSQL copies it: each column after its length, -1 for none."""
    number, restricted, digest, length = _fixed(row)
    at = _fixed_bytes
    salt, at = row[at : at + length], at + length + 4
    (length,) = _length(row, at - 4)
    head, at = row[at : at + length], at + length + 4
    (length,) = _length(row, at - 4)
    statistical, at = row[at : at + length], at + length + 4
    (length,) = _length(row, at - 4)
    operational, at = row[at : at + length], at + length + 4
    (length,) = _length(row, at - 4)
    sealed, at = row[at : at + length], at + length + 4
    (length,) = _length(row, at - 4)
    proof = None if length < 0 else row[at:]
    return Entry(number, head, statistical, operational, sealed, salt, restricted, proof), digest


def facts_after(session: Session, number: int, limit: int) -> list[tuple[int, bytes]]:
    """Up to `limit` facts after `number`, as envelopes, for services of this node; none that came back in part."""
    whole = (entries.c.number > number, entries.c.proof.is_(None))
    statement = select(JournalEntry).where(*whole).order_by(entries.c.number).limit(limit)
    return [(row.number, pack(fact_of(row))) for row in session.scalars(statement)]


def facts_from(session: Session, origin: str, after: int, limit: int) -> dict[str, Any]:
    """Up to `limit` facts of this node (`origin`) after number `after`, and the number of the last there is."""
    state = session.get(JournalState, 1)
    return {
        "head": state.number if state else 0,
        "items": [
            {"number": number, "origin": origin, "envelope": envelope.decode()}
            for number, envelope in facts_after(session, after, limit)
        ],
    }


def fact_of(row: JournalEntry) -> Fact:
    """The fact that was recorded as this line."""
    return Fact(row.head, row.statistical, row.operational, row.sealed, row.restricted)
