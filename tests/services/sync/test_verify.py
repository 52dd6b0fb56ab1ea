"""One altered byte is found and named, on both databases."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import Session, select

from kernel.database import Database
from services.sync import journal
from services.sync.tables import JournalEntry, Record, Replica, ReplicaEntry
from services.sync.verify import Report, origins_held, verify_journal, verify_replica
from tests.conftest import MakeDatabase
from tests.services.sync.facts import NOW, fact, slice_of
from tests.services.sync.replica_kit import Origin, Taker

Change = Callable[[Session], Any]


@pytest.fixture
def database(make_database: MakeDatabase) -> Database:
    """A node that holds its own journal and a replica of `ninewa`, five entries each."""
    made = make_database("sync")
    with made.write() as session:
        journal.begin(session, "directorate-baghdad")
        taken = journal.take(slice_of([fact() for _ in range(5)]))
        journal.append(session, [taken], origin="directorate-baghdad", now=NOW)
    origin = Origin()
    origin.add(*(fact() for _ in range(4)), fact(audience=("duhok",)))
    Taker(made).take(origin.batch(0, 5))
    return made


def reports(database: Database) -> tuple[Report, Report]:
    with database.read() as session:
        return verify_journal(session, "directorate-baghdad"), verify_replica(session, "ninewa")


def change(database: Database, work: Change) -> None:
    with database.write() as session:
        work(session)


def entry(session: Session, number: int) -> JournalEntry:
    return session.exec(select(JournalEntry).where(JournalEntry.number == number)).one()


def replica_entry(session: Session, number: int) -> ReplicaEntry:
    return session.exec(select(ReplicaEntry).where(ReplicaEntry.number == number)).one()


def test_what_was_not_altered_is_whole(database: Database) -> None:
    own, replica = reports(database)
    assert (own.ok, own.entries, own.records) == (True, 5, 5)
    assert (replica.ok, replica.entries, replica.records, replica.withheld) == (True, 5, 4, 1)


@pytest.mark.parametrize("column", ["head", "statistical", "operational", "salt", "digest", "type", "fact_id"])
def test_an_altered_journal_line_is_named(database: Database, column: str) -> None:
    def alter(session: Session) -> None:
        line = entry(session, 3)
        old = getattr(line, column)
        setattr(line, column, old[:-2] + old[-1:] + old[-2:-1] if old[-1:] != old[-2:-1] else b"y" * 16)

    change(database, alter)
    own, replica = reports(database)
    assert (own.ok, own.altered, own.origin) == (False, 3, "directorate-baghdad")
    assert replica.ok


def test_a_missing_journal_line_is_named(database: Database) -> None:
    change(database, lambda session: session.delete(entry(session, 2)))
    assert reports(database)[0].altered == 2


def test_a_journal_cut_at_its_end_is_noticed(database: Database) -> None:
    change(database, lambda session: session.delete(entry(session, 5)))
    assert reports(database)[0].altered == 5


def test_what_comes_meanwhile_is_not_taken_for_altered(make_database: MakeDatabase) -> None:
    database, origin = make_database("sync"), Origin("ninewa")
    for number in range(6):
        origin.add(fact(f"case-{number % 3}", version=number // 3 + 1))
    taker = Taker(database)
    taker.take(origin.hello(), origin.batch(0, 4))
    with database.read(at_one_moment=True) as session:
        assert origins_held(session) == ["ninewa"]
        taker.take(origin.batch(4, 6))
        report = verify_replica(session, "ninewa")
    assert (report.ok, report.entries, report.problem) == (True, 4, None)
    with database.read() as session:
        assert verify_replica(session, "ninewa").entries == 6


def test_an_altered_replica_entry_is_named(database: Database) -> None:
    def alter(session: Session) -> None:
        line = replica_entry(session, 4)
        line.parts = line.parts.replace(b"mosul", b"mosuI")

    change(database, alter)
    own, replica = reports(database)
    assert own.ok
    assert (replica.ok, replica.altered, replica.origin) == (False, 4, "ninewa")


def test_a_replica_whose_position_was_moved_is_noticed(database: Database) -> None:
    def alter(session: Session) -> None:
        row = session.get(Replica, "ninewa")
        assert row is not None
        row.number = 4

    change(database, alter)
    assert not reports(database)[1].ok


def test_an_altered_record_is_named_by_the_entry_that_made_it(database: Database) -> None:
    def alter(session: Session) -> None:
        row = session.exec(select(Record).where(Record.origin == "ninewa", Record.number == 2)).one()
        row.version = 9

    change(database, alter)
    report = reports(database)[1]
    assert (report.ok, report.altered) == (False, 2)


def test_a_deleted_record_is_noticed(database: Database) -> None:
    def alter(session: Session) -> None:
        session.delete(session.exec(select(Record).where(Record.origin == "ninewa", Record.number == 3)).one())

    change(database, alter)
    assert reports(database)[1].altered == 3


def alter_records(session: Session) -> None:
    """One changed, one deleted, one invented, of the replica; one changed of the journal."""
    of = {row.number: row for row in session.exec(select(Record).where(Record.origin == "ninewa"))}
    of[1].statistical = '{"district":"elsewhere"}'
    session.delete(of[2])
    invented = Record(**{**of[3].model_dump(), "subject": "nobody", "statistical": "{}", "operational": None})
    session.add(invented)
    own = session.exec(select(Record).where(Record.origin == "directorate-baghdad", Record.number == 4)).one()
    own.version = 7


def test_records_are_folded_again_and_nothing_else_is_touched(database: Database) -> None:
    def entries() -> list[tuple[int, bytes, bytes]]:
        with database.read() as session:
            return [(row.number, row.parts, row.digest) for row in session.exec(select(ReplicaEntry))]

    before = entries()
    change(database, alter_records)
    assert not any(report.ok for report in reports(database))
    with database.write() as session:
        own = verify_journal(session, "directorate-baghdad", repair=True)
        replica = verify_replica(session, "ninewa", repair=True)
    assert (own.ok, own.repaired, own.altered) == (True, 1, 4)
    assert (replica.ok, replica.repaired, replica.altered) == (True, 3, 1)
    assert all(report.ok for report in reports(database))
    assert entries() == before
    with database.write() as session:
        assert verify_replica(session, "ninewa", repair=True).repaired == 0


def test_an_altered_entry_is_never_the_ground_of_a_repair(database: Database) -> None:
    def alter(session: Session) -> None:
        alter_records(session)
        line = replica_entry(session, 4)
        line.parts = line.parts.replace(b"mosul", b"mosuI")

    change(database, alter)
    with database.write() as session:
        report = verify_replica(session, "ninewa", repair=True)
        left = session.exec(select(Record).where(Record.subject == "nobody")).all()
    assert (report.ok, report.altered, report.repaired) == (False, 4, 0)
    assert len(left) == 1
