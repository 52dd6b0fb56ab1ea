"""Corruption on purpose, by which the oracle is tried before it is believed: one row each, put right afterwards."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from sqlalchemy import delete, insert, select, update

from kernel.fact import canonical
from services.case.tables import CaseRecord
from services.sync.tables import JournalEntry, Record, ReplicaEntry
from tests.faults.country import Country
from tests.kit.small_country import BAGHDAD, ERBIL

Plant = Callable[[Country], AbstractContextManager[str]]


@contextmanager
def a_record_is_altered(country: Country) -> Iterator[str]:
    """One value in one record of a replica."""
    with country[BAGHDAD].writing() as session:
        row = session.scalars(select(Record).where(Record.origin == "ninewa", Record.kind == "case").limit(1)).one()
        was = dict(row.statistical)
        key = (Record.origin == row.origin, Record.kind == row.kind, Record.subject == row.subject)
    _set(country, BAGHDAD, Record, key, statistical=_json({**was, "district": "atlantis"}))
    yield "a record at Baghdad was altered"
    _set(country, BAGHDAD, Record, key, statistical=_json(was))


@contextmanager
def an_entry_is_altered(country: Country) -> Iterator[str]:
    """One byte of one entry of a replica."""
    first = (ReplicaEntry.origin == "duhok", ReplicaEntry.number == 1)
    with country[ERBIL].reading() as session:
        was = bytes(session.scalars(select(ReplicaEntry.parts).where(*first)).one())
    _set(country, ERBIL, ReplicaEntry, first, parts=was[:-3] + bytes([was[-3] ^ 1]) + was[-2:])
    yield "a byte of an entry at Erbil was altered"
    _set(country, ERBIL, ReplicaEntry, first, parts=was)


@contextmanager
def an_entry_is_lost(country: Country) -> Iterator[str]:
    """The last entry of a journal."""
    with country["ninewa"].reading() as session:
        row = session.scalars(select(JournalEntry).order_by(JournalEntry.number.desc()).limit(1)).one()
        values = row.model_dump()
    with country["ninewa"].writing() as session:
        session.execute(delete(JournalEntry).where(JournalEntry.number == values["number"]))
    yield "the last entry of Ninewa's journal was lost"
    with country["ninewa"].writing() as session:
        session.execute(insert(JournalEntry), [values])


@contextmanager
def a_case_changes_unsaid(country: Country) -> Iterator[str]:
    """One row of a service, changed without a fact."""
    with country["duhok"].reading("case") as session:
        told = select(CaseRecord).where(CaseRecord.restricted.is_(False)).limit(1)  # with its district
        row = session.scalars(told).one()
        subject, was = row.id, row.district
    _set(country, "duhok", CaseRecord, (CaseRecord.id == subject,), service="case", district="atlantis")
    yield "a case of Duhok changed without a fact"
    _set(country, "duhok", CaseRecord, (CaseRecord.id == subject,), service="case", district=was)


def _json(value: Any) -> str:
    return canonical(value).decode()


def _set(country: Country, node: str, table: Any, where: Any, *, service: str = "sync", **values: Any) -> None:
    with country[node].writing(service) as session:
        session.execute(update(table).where(*where).values(**values))


WAYS: tuple[Plant, ...] = (a_record_is_altered, an_entry_is_altered, an_entry_is_lost, a_case_changes_unsaid)
