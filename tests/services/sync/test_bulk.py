"""Many rows at once are what row by row would have written, on both databases."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from kernel.database import Database
from services.sync import bulk
from services.sync.tables import JournalEntry, Record
from tests.conftest import MakeDatabase

NOW = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)
ENTRY = (
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
    "proof",
)
RECORD = ("origin", "kind", "subject", "version", "type", "number", "statistical", "operational", "updated_at")


@pytest.fixture
def database(make_database: MakeDatabase) -> Database:
    return make_database("sync")


def entry(number: int, **other: Any) -> tuple[Any, ...]:
    values = {
        "number": number,
        "fact_id": f"fact-{number}",
        "type": "case.opened.v1",
        "head": b'{"id":"\xd8\xa3\\u0000\t\\N"}',
        "statistical": b"",
        "operational": bytes(range(256)),
        "sealed": b"\n\r\\",
        "salt": b"s" * 16,
        "restricted": number % 2 == 0,
        "digest": bytes(32),
        "recorded_at": NOW,
        "proof": None,
    } | other
    return tuple(values[name] for name in ENTRY)


def record(subject: str, version: int, **other: Any) -> tuple[Any, ...]:
    values = {
        "origin": "ninewa",
        "kind": "case",
        "subject": subject,
        "version": version,
        "type": "case.opened.v1",
        "number": version,
        "statistical": '{"district":"الموصل\\\\\\t"}',
        "operational": None,
        "updated_at": NOW,
    } | other
    return tuple(values[name] for name in RECORD)


def test_every_kind_of_value_comes_back_as_it_was(database: Database) -> None:
    rows = [entry(1), entry(2**40, proof=b"p" * 32), entry(3, recorded_at=NOW.replace(year=1999))]
    with database.write() as session:
        bulk.insert(session, "journal_entry", ENTRY, rows)
    with database.read() as session:
        found = {row.number: row for row in session.scalars(select(JournalEntry))}
    assert {tuple(getattr(row, name) for name in ENTRY) for row in found.values()} == set(rows)


def test_nothing_is_written_for_no_rows(database: Database) -> None:
    with database.write() as session:
        bulk.insert(session, "journal_entry", ENTRY, [])
        bulk.upsert(session, "record", RECORD, [], key="origin, kind, subject", newer="version")
    with database.read() as session:
        assert session.scalars(select(JournalEntry)).all() == []


def test_more_rows_than_one_piece_arrive_in_full(database: Database) -> None:
    with database.write() as session:
        bulk.insert(session, "journal_entry", ENTRY, [entry(number) for number in range(1, 1001)])
    with database.read() as session:
        assert len(session.scalars(select(JournalEntry)).all()) == 1000


def test_a_row_is_replaced_by_a_higher_version_only(database: Database) -> None:
    def write(*rows: tuple[Any, ...]) -> None:
        with database.write() as session:
            for row in rows:  # several calls in one transaction
                bulk.upsert(session, "record", RECORD, [row], key="origin, kind, subject", newer="version")

    write(record("a", 3), record("b", 3))
    write(record("a", 2, operational='{"x":1}'), record("b", 4, operational='{"x":1}'), record("c", 1))
    with database.read() as session:
        found = {row.subject: (row.version, row.operational) for row in session.scalars(select(Record))}
        statistical = {row.statistical["district"] for row in session.scalars(select(Record))}
    assert found == {"a": (3, None), "b": (4, {"x": 1}), "c": (1, None)}
    assert statistical == {"الموصل\\\t"}
