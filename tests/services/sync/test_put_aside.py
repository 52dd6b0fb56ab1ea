"""What was put aside is looked at, tried again, skipped or thrown away, and each is told; on both databases."""

from typing import Any

import pytest
from sqlmodel import select

from contracts.sync import Operation
from kernel.audit import AuditEntry
from kernel.database import Database
from kernel.errors import BadInput
from kernel.fact import unpack
from kernel.identity import Actor
from kernel.outbox import OutboxRow
from services.sync import put_aside, records
from services.sync.replicas import Refused
from services.sync.tables import Record
from services.sync.verify import verify_replica
from tests.conftest import MakeDatabase
from tests.services.sync.facts import NOW, fact
from tests.services.sync.replica_kit import Origin, Taker

BY = Actor("op-1", "Amal", frozenset({"operator"}), "directorate-baghdad")
SIGNED: dict[str, Any] = {"by": BY, "now": NOW, "audience": ("directorate-baghdad",)}
FUTURE = "marvel.seen.v1"


@pytest.fixture
def database(make_database: MakeDatabase) -> Database:
    """A replica of five entries, two of a type that this release does not know, and three refused messages."""
    made = make_database("sync")
    origin = Origin()
    origin.add(fact(), fact(type=FUTURE), fact(), fact(type=FUTURE), fact())
    refused = [Refused("no signature", b"\0\0\0\2{}" + bytes([n]), stops=False) for n in range(3)]
    Taker(made).take(origin.batch(0, 5), refused=refused)
    return made


def told(database: Database) -> list[tuple[str, str, int]]:
    with database.read() as session:
        facts = [unpack(row.envelope) for row in session.exec(select(OutboxRow).order_by(OutboxRow.id))]  # type: ignore[arg-type]
        values = [{**each.statistical_values(), **each.operational_values()} for each in facts]
    return [(each["action"], each["about"], each["count"]) for each in values]


def test_messages_in_quarantine_are_listed_shown_and_discarded(database: Database) -> None:
    with database.read() as session:
        listed = put_aside.quarantined(session)
        shown = put_aside.quarantined_message(session, listed[0]["id"])
        assert put_aside.quarantined(session, "anbar") == []
        assert put_aside.quarantined_counts(session) == {"jisr.up.ninewa": 3}
    assert [each["reason"] for each in listed] == ["no signature"] * 3
    assert (shown["header"], shown["kept_bytes"]) == ("{}", 7)
    with database.write() as session:
        assert put_aside.discard(session, [listed[0]["id"]], reason="test", **SIGNED) == 1
        assert put_aside.discard(session, None, reason="test", **SIGNED) == 2
    with database.read() as session:
        assert put_aside.quarantined(session) == []
    assert told(database) == [("discard_quarantined", "ninewa", 1), ("discard_quarantined", "ninewa", 2)]


def test_a_message_that_is_not_in_quarantine_is_named(database: Database) -> None:
    with pytest.raises(put_aside.NotInQuarantine, match="99"), database.write() as session:
        put_aside.discard(session, [1, 99], reason="test", **SIGNED)
    with database.read() as session:
        assert len(put_aside.quarantined(session)) == 3


def test_parked_entries_are_folded_once_they_can_be(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with database.write() as session:
        assert put_aside.waiting(session, "ninewa") == [2, 4]
        assert put_aside.retry(session, "ninewa", [2, 4], own=False, **SIGNED) == 0
        (first, _) = put_aside.parked(session, "ninewa")
    assert "not known to this release" in first["reason"]
    known = records.known_types() | {"marvel.v1"}
    monkeypatch.setattr(records, "known_types", lambda: known)  # what an upgrade does
    with database.write() as session:
        assert put_aside.retry(session, "ninewa", [2, 4], own=False, **SIGNED) == 2
        assert put_aside.parked(session) == []
        assert len(session.exec(select(Record)).all()) == 5
        assert verify_replica(session, "ninewa").ok
    assert told(database) == [("retry_parked", "ninewa", 0), ("retry_parked", "ninewa", 2)]


def test_a_skipped_entry_is_listed_with_its_reason_and_not_counted_nor_tried(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.write() as session:
        assert put_aside.skip(session, "ninewa", [2], reason="a test of the vendor", **SIGNED) == 1
    with database.read() as session:
        skipped, other = put_aside.parked(session, "ninewa")
        assert records.parked_counts(session) == {"ninewa": 1}
        assert put_aside.waiting(session, "ninewa") == [4]
        line = session.exec(select(AuditEntry)).one()
    assert (skipped["skipped_reason"], other["skipped_reason"]) == ("a test of the vendor", None)
    assert (line.action, line.actor_id, line.reason) == (Operation.SKIP_PARKED, "op-1", "a test of the vendor")
    known = records.known_types() | {"marvel.v1"}
    monkeypatch.setattr(records, "known_types", lambda: known)
    with database.write() as session:
        assert records.refold(session, "ninewa", 0, NOW)[0] == 1
        assert [each["number"] for each in put_aside.parked(session)] == [2]
        assert verify_replica(session, "ninewa").ok
        assert put_aside.retry(session, "ninewa", [2], own=False, **SIGNED) == 1
    with database.read() as session:
        assert put_aside.parked(session) == []


def test_an_entry_that_is_not_parked_is_named_and_a_long_reason_refused(database: Database) -> None:
    with pytest.raises(put_aside.NotParked, match="3 of ninewa"), database.write() as session:
        put_aside.skip(session, "ninewa", [2, 3], reason="no", **SIGNED)
    with pytest.raises(BadInput, match="500"), database.write() as session:
        put_aside.skip(session, "ninewa", [2], reason="x" * 501, **SIGNED)
    with database.read() as session:
        assert put_aside.waiting(session, "ninewa") == [2, 4]
