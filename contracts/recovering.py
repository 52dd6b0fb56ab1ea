"""Taking recovered facts over into a service's own tables: the same for every service that gives numbers.

First the sequences: they go on after every number that came back, so none is given twice. Then, for each record, the
last of its recovered facts:

- its row is gone: it is listed as recovered and `incomplete`, under its number;
- its row is older than the fact: what the fact says is restored, what was written beside it is lost: `incomplete`;
  where the fact came back in part, the row is told again, for those who may see more than whoever gave it back;
- its row was changed since the restore: it stays as people left it; where its version is not above those of the
  recovered facts it gets one that is and is told again, so that everybody else sees what is seen here;
- another row took its number since the restore: that row gets the next number and keeps the one on its paper as
  `former_number`; the recovered record keeps its own.

Done again, it changes nothing.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from marshmallow import EXCLUDE
from sqlalchemy import Table, select
from sqlmodel import Session

from contracts import numbers
from kernel.fact import Fact, FactSchema
from kernel.recovered import RecoveredRecord


@dataclass(frozen=True)
class Kind:
    """How one kind of record is taken over.

    `number`: the field of its fact that is the row's number; `restores`: fields that are columns of the same name;
    `scope`: whose people may see it, by what its fact says; `tell(session, row, now)` writes the fact of the row as it
    stands, under the next version.
    """

    table: type[Any]
    schema: type[FactSchema]
    number: str | None
    restores: tuple[str, ...]
    scope: Callable[[Mapping[str, Any]], str | None]
    tell: Callable[[Session, Any, datetime], None]


@dataclass
class TakenOver:
    """Counts: facts looked at, rows restored, records incomplete, rows that got another number."""

    facts: int = 0
    restored: int = 0
    incomplete: int = 0
    renumbered: int = 0


@dataclass(frozen=True)
class Recovering:
    """One hand-over. `since`: of each record changed after the restore the lowest version that was used then."""

    session: Session
    kinds: Mapping[str, Kind]
    sequences: type[Any]
    iso: str
    since: Mapping[str, int]
    now: datetime

    def take_over(self, facts: Iterable[Fact]) -> TakenOver:
        """Take over recovered facts, in their order, in the caller's write transaction."""
        done = TakenOver()
        newest: dict[tuple[str, str], Fact] = {}
        for fact in facts:
            if fact.kind not in self.kinds:
                continue
            done.facts += 1
            self._go_on_after(fact)
            known = newest.get((fact.kind, fact.subject))
            if known is None or known.version < fact.version:
                newest[fact.kind, fact.subject] = fact
        for fact in newest.values():
            self._record(fact, self.kinds[fact.kind], done)
        return done

    def _go_on_after(self, fact: Fact) -> None:
        number = _number(fact, self.kinds[fact.kind])
        place = numbers.place(number) if number else None
        if place is None or place.iso != self.iso:
            return
        key = {"iso": place.iso, "prefix": place.prefix, "year": place.year}
        row = self.session.get(self.sequences, key, with_for_update=True) or self.sequences(**key, last=0)
        row.last = max(row.last, place.sequence)
        self.session.add(row)
        self.session.flush()

    def _record(self, fact: Fact, kind: Kind, done: TakenOver) -> None:
        row = self.session.get(kind.table, fact.subject, with_for_update=True)
        if row is None:
            self._give_way(fact, kind, done)
            self._list(fact, kind, done)
        elif fact.subject in self.since:
            if row.version <= fact.version:
                row.version = fact.version
                self._tell(kind, row)
        elif row.version < fact.version:
            self._restore(row, fact, kind)
            self._list(fact, kind, done)
            done.restored += 1
            if not fact.operational:
                self._tell(kind, row)

    def _give_way(self, fact: Fact, kind: Kind, done: TakenOver) -> None:
        """Whoever took its number since the restore gets the next one."""
        number = _number(fact, kind)
        place = numbers.place(number) if number else None
        if place is None:
            return
        table: Table = kind.table.__table__
        taken = self.session.execute(select(table.c.id).where(table.c.number == number)).scalar()
        if taken is None:
            return
        row = self.session.get_one(kind.table, taken, with_for_update=True)
        sequence = numbers.next_in_sequence(
            self.session, self.sequences, iso=place.iso, year=place.year, prefix=place.prefix
        )
        given = numbers.number(place.iso, place.year, sequence, place.prefix)
        found = self.session.get(RecoveredRecord, (fact.kind, taken)) or RecoveredRecord(
            kind=fact.kind, subject=taken, version=0, incomplete=False, recovered_at=self.now
        )
        found.number, found.former_number = given, number
        found.scope = kind.scope(_values(fact))
        self.session.add(found)
        self.session.flush()  # only beside this note does a database let a number change
        row.number = given
        self._tell(kind, row)
        done.renumbered += 1

    def _tell(self, kind: Kind, row: Any) -> None:
        kind.tell(self.session, row, self.now)
        self.session.flush()

    def _restore(self, row: Any, fact: Fact, kind: Kind) -> None:
        values = _values(fact)
        known = {name: values[name] for name in kind.restores if name in values}
        for name, value in kind.schema(partial=True, unknown=EXCLUDE).load(known).items():
            setattr(row, name, value)
        row.version = fact.version
        if hasattr(row, "incomplete"):
            row.incomplete = True

    def _list(self, fact: Fact, kind: Kind, done: TakenOver) -> None:
        row = self.session.get(RecoveredRecord, (fact.kind, fact.subject))
        if row is not None and row.version >= fact.version:
            return
        row = row or RecoveredRecord(kind=fact.kind, subject=fact.subject, recovered_at=self.now)
        values = _values(fact)
        row.version, row.number, row.incomplete = fact.version, _number(fact, kind), True
        row.status, row.scope = values.get("status"), kind.scope(values)
        self.session.add(row)
        self.session.flush()
        done.incomplete += 1


def _values(fact: Fact) -> dict[str, Any]:
    return {**fact.statistical_values(), **fact.operational_values()}


def _number(fact: Fact, kind: Kind) -> str | None:
    value = fact.operational_values().get(kind.number) if kind.number else None
    return value if isinstance(value, str) and numbers.check(value) else None
