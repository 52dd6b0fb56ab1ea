"""What an operator did is in the audit log with a name, and a fact without one."""

from pathlib import Path

from sqlmodel import select

from contracts.sync import Operation
from contracts.topology import load
from kernel.audit import AuditEntry
from kernel.fact import unpack
from kernel.identity import Actor
from kernel.outbox import OutboxRow
from services.sync import journal, operations
from tests.conftest import MakeDatabase
from tests.services.sync.facts import NOW, slice_of

OPERATOR = Actor("op-1", "Amal", frozenset({"operator"}), "ninewa")
TOPOLOGY = load(Path(__file__).parents[3] / "deploy" / "topology.toml")


def test_an_operation_is_audited_with_its_reason_and_told_without_it(make_database: MakeDatabase) -> None:
    database = make_database("sync")
    with database.write() as session:
        operations.note(
            session,
            Operation.SKIP_PARKED,
            "anbar",
            by=OPERATOR,
            now=NOW,
            audience=(),
            reason="asked by telephone",
            count=2,
        )
    with database.read() as session:
        (line,) = session.exec(select(AuditEntry)).all()
        (row,) = session.exec(select(OutboxRow)).all()
    told = unpack(row.envelope)
    assert (line.action, line.actor_id, line.subject, line.reason) == (
        "skip_parked",
        "op-1",
        "anbar",
        "asked by telephone",
    )
    assert told.type == "operation.done.v1"
    assert told.statistical_values() == {"action": "skip_parked", "about": "anbar"}
    assert told.operational_values()["count"] == 2
    assert b"telephone" not in row.envelope
    assert b"op-1" not in row.envelope


def test_an_operation_becomes_an_entry_and_a_record_like_any_fact(make_database: MakeDatabase) -> None:
    database = make_database("sync")
    with database.write() as session:
        operations.note(session, Operation.PAUSE_LINK, "directorate-erbil", by=OPERATOR, now=NOW, audience=())
    with database.write() as session:
        journal.begin(session, "ninewa")
        facts = [unpack(row.envelope) for row in session.exec(select(OutboxRow))]
        done = journal.append(session, [journal.take(slice_of(facts, service="sync"))], origin="ninewa", now=NOW)
    assert done.head.number == 1


def test_a_governorates_operations_are_read_above_and_a_directorates_by_itself() -> None:
    assert operations.readers(TOPOLOGY, "ninewa") == ()
    assert operations.readers(TOPOLOGY, "directorate-erbil") == ("directorate-erbil",)
