"""Proof that nothing at rest was altered: follow a chain from its first entry, and fold its records again.

One altered byte anywhere in an entry changes its leaf and so its digest, and is named by origin and number. Altered
records are found by comparison with what the entries fold to. Reads in one pass, in bounded memory for the entries
and some 150 bytes for each subject.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import msgspec
from sqlalchemy import select
from sqlmodel import Session

from kernel.fact import canonical
from services.sync import journal, records
from services.sync.entry import BadEntry, Entry, Shown, Withheld, decode
from services.sync.position import Position, advance, start
from services.sync.records import CannotFold
from services.sync.tables import JournalEntry, JournalState, Parked, Record, Replica, ReplicaEntry

AT_ONCE = 500
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)  # the time of folding is no part of what is compared


@dataclass(frozen=True)
class Report:
    """What was found. `altered` is the number of the first entry or record that is not what it was."""

    origin: str
    what: str  # journal or replica
    entries: int
    records: int
    withheld: int
    parked: int
    altered: int | None = None
    problem: str | None = None

    @property
    def ok(self) -> bool:
        """Whether everything is as it was recorded."""
        return self.problem is None


class _Altered(Exception):
    def __init__(self, number: int, problem: str) -> None:
        super().__init__(problem)
        self.number = number


class _Check:
    """Follows one chain and remembers a digest of what each subject should be."""

    def __init__(self, session: Session, origin: str, zero: Position, what: str) -> None:
        self.session, self.origin, self.what = session, origin, what
        self.place = zero
        self.expected: dict[tuple[str, str], tuple[int, int, bytes]] = {}
        self.withheld = 0
        self.records = 0
        self.parked = set(session.scalars(select(Parked.number).where(Parked.origin == origin)))

    def run(self, lines: Iterable[tuple[int, Shown, bytes]], end: Position) -> Report:
        try:
            for number, shown, digest in lines:
                self._line(number, shown, digest)
            if self.place != end:
                raise _Altered(self.place.number + 1, f"it should lead to {end.number}, but ends here or differs")
            self._records()
        except _Altered as error:
            return self._report(error.number, str(error))
        return self._report(None, None)

    def _report(self, altered: int | None, problem: str | None) -> Report:
        return Report(
            self.origin,
            self.what,
            self.place.number,
            self.records,
            self.withheld,
            len(self.parked),
            altered,
            problem,
        )

    def _line(self, number: int, shown: Shown, digest: bytes) -> None:
        expected = self.place.number + 1
        if number != expected:
            raise _Altered(expected, f"the entry is missing; the next is {number}")
        place = advance(self.place, shown.leaf)
        if place.digest != digest:
            raise _Altered(number, "the entry was altered: it does not lead to its digest")
        self.place = place
        if isinstance(shown, Withheld):
            self.withheld += 1
            return
        try:
            row = records.row(self.origin, number, shown, EPOCH)
        except CannotFold:
            return
        if number not in self.parked:
            key = (row["kind"], row["subject"])
            if key not in self.expected or self.expected[key][0] < row["version"]:
                parts = [
                    msgspec.json.decode(row[part]) if row[part] else None for part in ("statistical", "operational")
                ]
                self.expected[key] = (row["version"], number, _digest(row["type"], *parts))

    def _records(self) -> None:
        statement = select(Record).where(Record.origin == self.origin).execution_options(yield_per=AT_ONCE)
        for row in self.session.scalars(statement):
            self.records += 1
            found = (row.version, row.number, _digest(row.type, row.statistical, row.operational))
            if self.expected.pop((row.kind, row.subject), None) != found:
                raise _Altered(row.number, f"the {row.kind} record {row.subject} is not what the entries fold to")
        if self.expected:
            (kind, subject), (_, number, _) = min(self.expected.items(), key=lambda item: item[1][1])
            raise _Altered(number, f"the {kind} record {subject} is missing")


def _digest(type_: str, statistical: Any, operational: Any) -> bytes:
    return blake2b(canonical([type_, statistical, operational]), digest_size=16).digest()


def verify_journal(session: Session, origin: str) -> Report:
    """Follow this node's own journal, of which it is the `origin`."""
    state = session.get(JournalState, 1)
    if state is None:
        return Report(origin, "journal", 0, 0, 0, 0)
    check = _Check(session, origin, start(origin, state.epoch), "journal")
    return check.run(_journal_lines(session), Position(state.number, state.digest))


def _journal_lines(session: Session) -> Iterator[tuple[int, Shown, bytes]]:
    statement = select(JournalEntry).order_by(JournalEntry.number).execution_options(yield_per=AT_ONCE)
    for row in session.scalars(statement):
        session.expunge(row)
        entry = Entry(row.number, row.head, row.statistical, row.operational, row.sealed, row.salt)
        yield row.number, records.of_entry(entry), row.digest
        fact = journal.fact_of(row)
        if (fact.id, fact.type) != (row.fact_id, row.type):
            raise _Altered(row.number, "the id or type beside the entry was altered")


def verify_replica(session: Session, origin: str) -> Report:
    """Follow the replica of `origin` that this node holds."""
    row = session.get(Replica, origin)
    if row is None:
        return Report(origin, "replica", 0, 0, 0, 0)
    check = _Check(session, origin, start(origin, row.epoch), "replica")
    return check.run(_replica_lines(session, origin), Position(row.number, row.digest))


def _replica_lines(session: Session, origin: str) -> Iterator[tuple[int, Shown, bytes]]:
    columns = (ReplicaEntry.number, ReplicaEntry.parts, ReplicaEntry.digest, ReplicaEntry.disclosure)
    statement = select(*columns).where(ReplicaEntry.origin == origin).order_by(ReplicaEntry.number)
    for number, parts, digest, disclosure in session.execute(statement.execution_options(yield_per=AT_ONCE)):
        try:
            (shown,) = decode(bytes(parts))
        except (BadEntry, ValueError) as error:
            raise _Altered(number, "the entry cannot be read any more") from error
        if disclosure != type(shown).__name__.lower():
            raise _Altered(number, "the disclosure beside the entry was altered")
        yield number, shown, digest


def origins_held(session: Session) -> list[str]:
    """The origins whose replicas can be verified."""
    return list(session.scalars(select(Replica.origin).order_by(Replica.origin)))
