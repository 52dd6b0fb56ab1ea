"""Proof that nothing at rest was altered: follow a chain from its first entry, and fold its records again.

One altered byte anywhere in an entry changes its leaf and so its digest, and is named by origin and number. Altered
records are found by comparison with what the entries fold to. Reads in one pass, in bounded memory for the entries
and some 150 bytes for each subject.

Records can be folded again, because they are nothing but a reading of the entries. Entries cannot: what was altered
there is history, and is never touched.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import msgspec
from sqlalchemy import delete, select
from sqlmodel import Session

from kernel.clock import now
from kernel.fact import canonical
from services.sync import folding, journal, records
from services.sync.entry import BadEntry, Entry, Shown, Withheld, decode
from services.sync.position import Position, advance, start
from services.sync.records import CannotFold
from services.sync.tables import JournalEntry, JournalState, Parked, Record, Replica, ReplicaEntry

AT_ONCE = 500
MOST_RANGES = 20
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
    repaired: int = 0  # records that were folded again
    in_part: str | None = None  # numbers of this journal that were recovered without all their parts

    @property
    def ok(self) -> bool:
        """Whether everything is as it was recorded."""
        return self.problem is None


class _Altered(Exception):
    def __init__(self, number: int, problem: str) -> None:
        super().__init__(problem)
        self.number = number


@dataclass(frozen=True)
class _Difference:
    """A record that is not what the entries fold to; `number`: of the entry that makes it, None if there is none."""

    kind: str
    subject: str
    number: int | None
    found_at: int
    problem: str


class _Check:
    """Follows one chain and remembers a digest of what each subject should be."""

    def __init__(self, session: Session, origin: str, zero: Position, what: str, folded: int) -> None:
        """`folded`: the last number of which there are records."""
        self.session, self.origin, self.what, self.folded = session, origin, what, folded
        self.place = zero
        self.expected: dict[tuple[str, str], tuple[int, int, bytes]] = {}
        self.withheld = 0
        self.records = 0
        self.parked = set(session.scalars(select(Parked.number).where(Parked.origin == origin)))

    def run(self, lines: Iterable[tuple[int, Shown, bytes]], end: Position, *, repair: bool = False) -> Report:
        try:
            for number, shown, digest in lines:
                self._line(number, shown, digest)
            if self.place != end:
                raise _Altered(self.place.number + 1, f"it should lead to {end.number}, but ends here or differs")
            if repair:
                return self._repair()
            for each in self._differences():
                raise _Altered(each.found_at, each.problem)
        except _Altered as error:
            return self._report(error.number, str(error))
        return self._report(None, None)

    def _repair(self) -> Report:
        wrong = list(self._differences())
        for each in wrong:
            of_subject = (Record.origin == self.origin, Record.kind == each.kind, Record.subject == each.subject)
            self.session.execute(delete(Record).where(*of_subject))
        numbers = sorted(each.number for each in wrong if each.number is not None)
        for at in range(0, len(numbers), AT_ONCE):
            shown = entries_at(self.session, self.origin, self.what, numbers[at : at + AT_ONCE])
            records.fold(self.session, self.origin, shown, now())
        first = min((each.found_at for each in wrong), default=None)
        return replace(self._report(first, None), repaired=len(wrong))

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
        if number not in self.parked and number <= self.folded:
            key = (row.kind, row.subject)
            if key not in self.expected or self.expected[key][0] < row.version:
                parts = [msgspec.json.decode(part) if part else None for part in (row.statistical, row.operational)]
                self.expected[key] = (row.version, number, _digest(row.type, *parts))

    def _differences(self) -> Iterator[_Difference]:
        statement = select(Record).where(Record.origin == self.origin).execution_options(yield_per=AT_ONCE)
        for row in self.session.scalars(statement):
            self.records += 1
            found = (row.version, row.number, _digest(row.type, row.statistical, row.operational))
            expected = self.expected.pop((row.kind, row.subject), None)
            if expected != found:
                problem = f"the {row.kind} record {row.subject} is not what the entries fold to"
                number = expected[1] if expected else None
                yield _Difference(row.kind, row.subject, number, row.number, problem)
        for (kind, subject), (_, number, _) in sorted(self.expected.items(), key=lambda item: item[1][1]):
            yield _Difference(kind, subject, number, number, f"the {kind} record {subject} is missing")


def _digest(type_: str, statistical: Any, operational: Any) -> bytes:
    return blake2b(canonical([type_, statistical, operational]), digest_size=16).digest()


def verify_journal(session: Session, origin: str, *, repair: bool = False) -> Report:
    """Follow this node's own journal, of which it is the `origin`.

    `repair`: fold again the records that differ, in the caller's write transaction, if every entry is whole.
    """
    state = session.get(JournalState, 1, with_for_update=repair)
    if state is None:
        return Report(origin, "journal", 0, 0, 0, 0)
    check = _Check(session, origin, start(origin, journal.FIRST_EPOCH), "journal", state.number)
    report = check.run(_journal_lines(session), Position(state.number, state.digest), repair=repair)
    return replace(report, in_part=_ranges(session.scalars(_in_part)))


_in_part = select(JournalEntry.number).where(JournalEntry.proof.is_not(None)).order_by(JournalEntry.number)


def _ranges(numbers: Iterable[int]) -> str | None:
    """`641-650, 702`; the first of them where there are many."""
    found: list[list[int]] = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    shown = [str(first) if first == last else f"{first}-{last}" for first, last in found[:MOST_RANGES]]
    rest = [f"and {len(found) - MOST_RANGES} more"] if len(found) > MOST_RANGES else []
    return ", ".join([*shown, *rest]) or None


def _journal_lines(session: Session) -> Iterator[tuple[int, Shown, bytes]]:
    statement = select(JournalEntry).order_by(JournalEntry.number).execution_options(yield_per=AT_ONCE)
    for row in session.scalars(statement):
        session.expunge(row)
        yield row.number, records.of_entry(_entry(row)), row.digest
        if not row.head:
            continue  # recovered as a leaf and nothing else
        fact = journal.fact_of(row)
        if (fact.id, fact.type) != (row.fact_id, row.type):
            raise _Altered(row.number, "the id or type beside the entry was altered")


def _entry(row: JournalEntry) -> Entry:
    return Entry(row.number, row.head, row.statistical, row.operational, row.sealed, row.salt, proof=row.proof)


def verify_replica(session: Session, origin: str, *, repair: bool = False) -> Report:
    """Follow the replica of `origin` that this node holds. `repair`: as in `verify_journal`."""
    row = session.get(Replica, origin, with_for_update=repair)
    if row is None:
        return Report(origin, "replica", 0, 0, 0, 0)
    check = _Check(session, origin, start(origin, row.begun), "replica", folding.reached(session, origin))
    return check.run(_replica_lines(session, origin), Position(row.number, row.digest), repair=repair)


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


def entries_at(session: Session, origin: str, what: str, numbers: Sequence[int]) -> list[tuple[int, Shown]]:
    """Entries by number, of the `journal` or of the `replica` of `origin`; those that are there."""
    if what == "journal":
        own = session.scalars(select(JournalEntry).where(JournalEntry.number.in_(numbers)))
        return [(row.number, records.of_entry(_entry(row))) for row in own]
    where = (ReplicaEntry.origin == origin, ReplicaEntry.number.in_(numbers))
    found = session.execute(select(ReplicaEntry.number, ReplicaEntry.parts).where(*where))
    return [(number, decode(bytes(parts))[0]) for number, parts in found]


def origins_held(session: Session) -> list[str]:
    """The origins whose replicas can be verified."""
    return list(session.scalars(select(Replica.origin).order_by(Replica.origin)))
