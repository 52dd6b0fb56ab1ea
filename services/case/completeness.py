"""Is every case that was ever recorded still here? Compared with what the journal says, and with the gap-free numbers.

Somebody with a database console can drop a trigger and delete a row. Then three things remain that they cannot change
at once: the journal, which directorates hold copies of; the sequence, in which the number is missing; and the proof on
a slip of paper, whose commitment stands in the journal. Read by `jisr verify`."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlmodel import Session, select

from contracts import numbers
from services.case.tables import CaseRecord, NumberSequence, Receipt
from services.case.wall import PREFIXES

CASE_PREFIXES = ("", PREFIXES[""])
AT_ONCE = 500
_NUMBER = re.compile(r"(?:([A-Z])-)?([A-Z]{2,3})-([0-9]{4})-([0-9]{6,12})-[0-9A-Z]")


@dataclass(frozen=True)
class Told:
    """The last that the journal tells of a case or a receipt. `entry`: the number of its line there."""

    kind: str
    subject: str
    version: int
    entry: int
    case_number: str | None


@dataclass(frozen=True)
class Missing:
    """A case that should be here, or should be here as it last was. `entry`: where the journal tells of it."""

    number: str
    problem: str
    entry: int | None = None

    def __str__(self) -> str:
        return f"{self.number} {self.problem}"


def missing(session: Session, told: Iterable[Told]) -> Iterator[Missing]:
    """Every case that the journal or the numbers know of and this database does not; none twice."""
    named: set[str] = set()
    for found in (*_against_journal(session, told), *_against_numbers(session)):
        if found.number not in named:
            named.add(found.number)
            yield found


def _against_journal(session: Session, told: Iterable[Told]) -> Iterator[Missing]:
    batch: list[Told] = []
    for each in told:
        batch.append(each)
        if len(batch) == AT_ONCE:
            yield from _compared(session, batch)
            batch = []
    yield from _compared(session, batch)


def _compared(session: Session, batch: list[Told]) -> Iterator[Missing]:
    ids = [each.subject for each in batch]
    cases = dict(session.exec(select(CaseRecord.id, CaseRecord.version).where(CaseRecord.id.in_(ids))).all())
    receipts = dict(session.exec(select(Receipt.id, Receipt.version).where(Receipt.id.in_(ids))).all())
    for each in batch:
        here = (cases if each.kind == "case" else receipts).get(each.subject)
        name = each.case_number or each.subject
        what = "is" if each.kind == "case" else "has a receipt"
        if here is None:
            yield Missing(name, f"{what} in the journal and not in the database", each.entry)
        elif here < each.version:
            yield Missing(name, f"{what} in the journal at version {each.version}, here at {here}", each.entry)


def _against_numbers(session: Session) -> Iterator[Missing]:
    present: dict[tuple[str, str, int], set[int]] = {}
    for number in session.exec(select(CaseRecord.number)).yield_per(AT_ONCE):
        if (parts := _NUMBER.fullmatch(number)) is not None:
            prefix, iso, year, sequence = parts.groups()
            present.setdefault((iso, prefix or "", int(year)), set()).add(int(sequence))
    for row in session.exec(select(NumberSequence).where(NumberSequence.prefix.in_(CASE_PREFIXES))):
        here = present.get((row.iso, row.prefix, row.year), set())
        for gap in sorted(set(range(1, row.last + 1)) - here):
            yield Missing(numbers.number(row.iso, row.year, gap, row.prefix), "is a gap in the numbers")
        for beyond in sorted(here - set(range(1, row.last + 1))):
            yield Missing(numbers.number(row.iso, row.year, beyond, row.prefix), "is beyond the last number taken")
