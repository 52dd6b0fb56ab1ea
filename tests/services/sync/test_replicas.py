"""A replica at rest, on both databases: an exact prefix, whatever comes."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import func, select

from contracts.sync import ReplicaState as Status
from kernel.database import Database
from kernel.fact import unpack
from services.sync import arrivals
from services.sync.disclosure import Clearance
from services.sync.position import Position
from services.sync.replicas import Refused
from services.sync.tables import Arrival, Parked, Quarantine, Record, Replica, ReplicaEntry
from tests.conftest import MakeDatabase
from tests.services.sync.facts import NOW, fact
from tests.services.sync.replica_kit import Origin, Taker

ORIGIN = "ninewa"
NODE = "directorate-baghdad"


@pytest.fixture
def database(make_database: MakeDatabase) -> Database:
    return make_database("sync")


@pytest.fixture
def origin() -> Origin:
    made = Origin()
    made.add(*(fact() for _ in range(6)))
    return made


def row(database: Database) -> Replica:
    with database.read() as session:
        found = session.get(Replica, ORIGIN)
    assert found is not None
    return found


def held(database: Database) -> Position:
    return Position(row(database).number, row(database).digest)


def count(database: Database, table: type) -> int:
    with database.read() as session:
        return int(session.exec(select(func.count()).select_from(table)).one())


def test_a_batch_becomes_entries_records_and_a_position(database: Database, origin: Origin) -> None:
    outcome = Taker(database).take(origin.hello(), origin.batch(0, 6))
    assert held(database) == origin.head
    assert outcome.results == {"hello": 1, "applied": 1}
    assert outcome.answer is not None
    assert (outcome.answer.held, outcome.answer.state) == (origin.head, "ok")
    assert (count(database, ReplicaEntry), count(database, Record)) == (6, 6)


def test_a_repeat_changes_nothing(database: Database, origin: Origin) -> None:
    taker = Taker(database)
    taker.take(origin.batch(0, 6))
    outcome = taker.take(origin.batch(0, 6), origin.batch(2, 4))
    assert outcome.results == {"repeat": 2}
    assert held(database) == origin.head
    assert count(database, ReplicaEntry) == 6


def test_after_a_gap_the_answer_says_so_and_nothing_is_applied(database: Database, origin: Origin) -> None:
    taker = Taker(database)
    taker.take(origin.batch(0, 2))
    outcome = taker.take(origin.batch(4, 6))
    assert outcome.answer is not None
    assert (outcome.answer.reason, outcome.answer.held) == ("gap", origin.at(2))


def test_of_an_overlap_only_the_new_part_is_applied(database: Database, origin: Origin) -> None:
    taker = Taker(database)
    taker.take(origin.batch(0, 4))
    taker.take(origin.batch(2, 6))
    assert held(database) == origin.head


def test_several_batches_in_one_pass_are_one_prefix(database: Database, origin: Origin) -> None:
    outcome = Taker(database).take(origin.batch(0, 2), origin.batch(2, 3), origin.batch(3, 6))
    assert outcome.results == {"applied": 3}
    assert held(database) == origin.head


def test_both_clearances_lead_to_the_same_digest(make_database: MakeDatabase, origin: Origin) -> None:
    origin.add(fact(restricted=True), fact(audience=("duhok",)))
    home, other = make_database("sync"), make_database("sync")
    Taker(home).take(origin.batch(0, 8))
    Taker(other).take(origin.batch(0, 8, Clearance.STATISTICAL))
    assert held(home) == held(other) == origin.head
    assert (row(home).withheld, row(other).withheld) == (1, 2)
    with other.read() as session:
        assert all(one.operational is None for one in session.exec(select(Record)))


def test_what_the_origin_signed_but_cannot_be_stops_this_replica_only(database: Database, origin: Origin) -> None:
    taker, other = Taker(database), Taker(database, origin="duhok")
    taker.take(origin.batch(0, 2))
    false = replace(origin.batch(2, 4), end=Position(4, b"x" * 32))
    outcome = taker.take(false)
    assert row(database).state == Status.REFUSED
    assert outcome.answer is not None
    assert outcome.answer.state == "refused"
    assert count(database, Quarantine) == 1
    assert taker.take(origin.batch(2, 6)).results == {"stopped": 1}
    assert held(database) == origin.at(2)
    elsewhere = Origin("duhok")
    elsewhere.add(fact())
    assert other.take(elsewhere.batch(0, 1)).results == {"applied": 1}


def test_another_history_is_a_divergence_and_both_are_kept(database: Database, origin: Origin) -> None:
    Taker(database).take(origin.batch(0, 6))
    forged = Origin()
    forged.add(*(fact() for _ in range(8)))
    Taker(database).take(forged.batch(6, 8))
    assert row(database).state == Status.DIVERGED
    assert held(database) == origin.head


def test_a_message_of_nobody_is_kept_aside_and_held_against_nobody(database: Database, origin: Origin) -> None:
    taker = Taker(database)
    taker.take(origin.batch(0, 2))
    taker.take(refused=[Refused("no signature", b"\x00\x00\x00\x05junk!", stops=False)])
    assert row(database).state == Status.OK
    assert count(database, Quarantine) == 1
    assert taker.take(origin.batch(2, 6)).results == {"applied": 1}


def test_garbage_before_the_first_word_makes_no_replica(database: Database) -> None:
    Taker(database).take(refused=[Refused("no signature", b"", stops=False)])
    assert count(database, Replica) == 0
    assert count(database, Quarantine) == 1


def test_what_cannot_be_folded_is_parked_and_the_chain_goes_on(database: Database) -> None:
    origin = Origin()
    origin.add(fact(type="poem.written.v1"), fact(statistical={"category": "nul\x00"}), fact())
    Taker(database).take(origin.batch(0, 3))
    assert held(database) == origin.head
    assert (count(database, Parked), count(database, Record)) == (2, 1)


def test_a_fact_addressed_to_this_node_arrives_once(database: Database) -> None:
    addressed = fact(audience=(NODE,))
    first, second = Origin("ninewa"), Origin("duhok")
    first.add(fact(), addressed)
    second.add(addressed)
    outcome = Taker(database).take(first.batch(0, 2, to=NODE))
    again = Taker(database, origin="duhok").take(second.batch(0, 1, to=NODE))
    assert [type_ for type_, _ in outcome.announce] == [addressed.type]
    assert again.announce == []
    with database.read() as session:
        read = arrivals.facts_from(session, 0, 10)
        (arrival,) = session.exec(select(Arrival)).all()
    assert read["head"] == 1
    assert [(each["number"], each["origin"]) for each in read["items"]] == [(1, "ninewa")]
    assert unpack(read["items"][0]["envelope"].encode()) == addressed
    assert arrival.entry_number == 2


def test_a_fact_addressed_to_this_node_arrives_also_on_a_link_that_shows_statistics_only(database: Database) -> None:
    origin = Origin("duhok")
    origin.add(fact(), fact(audience=(NODE,)), fact(audience=("directorate-erbil",)))
    outcome = Taker(database, origin="duhok").take(origin.batch(0, 3, Clearance.STATISTICAL, to=NODE))
    assert len(outcome.announce) == 1
    with database.read() as session:
        (item,) = arrivals.facts_from(session, 0, 10)["items"]
    arrived = unpack(item["envelope"].encode())
    assert arrived.audience == (NODE,)
    assert (arrived.statistical_values(), arrived.operational) == (fact().statistical_values(), b"")


def test_how_far_behind_is_known_from_the_hello_and_since_when(database: Database, origin: Origin) -> None:
    taker = Taker(database)
    taker.take(origin.hello(), origin.batch(0, 2))
    taker.take(origin.hello(), at=NOW + timedelta(seconds=20))
    assert (row(database).head_number, row(database).behind_since) == (6, NOW)
    assert row(database).last_heard_at == NOW + timedelta(seconds=20)
    taker.take(origin.batch(2, 6))
    assert row(database).behind_since is None


def test_the_quarantine_is_bounded(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.sync.replicas.MOST_QUARANTINED", 5)
    taker = Taker(database)
    for _ in range(4):
        taker.take(refused=[Refused("junk", b"x" * 200_000, stops=False)] * 3)
    assert count(database, Quarantine) == 5
    with database.read() as session:
        assert {len(one.body) for one in session.exec(select(Quarantine))} == {64 * 1024}
