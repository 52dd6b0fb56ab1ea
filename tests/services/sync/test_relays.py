"""What is to be relayed is noted with the entry and done with the journal, on both databases."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlmodel import func, select

from contracts.topology import Clearance as LinkClearance
from contracts.topology import LinkSpec
from kernel.database import Database
from kernel.fact import Fact, unpack
from kernel.outbox import read_slice
from services.sync import arrivals, journal, relay, relays
from services.sync.batches import next_batch
from services.sync.disclosure import NO_RELAY, Clearance, decide, show
from services.sync.entry import Full, Shown, Withheld, audience
from services.sync.message import Batch, pack
from services.sync.position import start
from services.sync.relays import Post, Result, Task
from services.sync.replicas import Replicas
from services.sync.tables import Arrival, JournalEntry, Relay
from tests.conftest import MakeDatabase
from tests.services.sync.facts import NOW, fact
from tests.services.sync.replica_kit import WINDOW, Origin

BAGHDAD, NINEWA, DUHOK, ANBAR = "directorate-baghdad", "ninewa", "duhok", "anbar"
GOVERNORATES = frozenset({NINEWA, DUHOK, ANBAR})
WAIT = timedelta(minutes=5)


def letter(*to: str) -> Fact:
    return replace(fact(audience=to or (DUHOK,), type="letter.sent.v1"), sealed=b"ciphertext")


def upwards(origin: Origin, clearance: Clearance = Clearance.STATISTICAL) -> Batch:
    """All of an origin's journal as its link to a directorate shows it."""
    others = GOVERNORATES - {origin.name}
    shown: list[Shown] = [
        show(one, decide(clearance, BAGHDAD, audience(one.head), one.restricted, others)) for one in origin.entries
    ]
    return pack(origin.name, 1, origin.zero, shown, origin.digests, 10**6)


class Directorate:
    """The replicas and the journal of a directorate."""

    def __init__(self, database: Database, wait: timedelta = WAIT) -> None:
        self.database = database
        self.wait = wait
        with database.write() as session:
            journal.begin(session, BAGHDAD)

    def take(self, origin: Origin, clearance: Clearance = Clearance.STATISTICAL) -> None:
        post = Post(GOVERNORATES - {origin.name}, self.wait)
        replicas = Replicas(origin.name, "up", WINDOW, lambda _: False, post)
        with self.database.write() as session:
            replicas.take(session, [upwards(origin, clearance)], [], NOW)

    def work(self, at: datetime = NOW) -> dict[str, int]:
        with self.database.write() as session:
            return dict(relays.do_some(session, BAGHDAD, GOVERNORATES, at).results)

    def shown_to(self, destination: str) -> list[Shown]:
        return self.downwards(destination).entries()

    def downwards(self, destination: str) -> Batch:
        spec = LinkSpec(BAGHDAD, destination, LinkClearance.OPERATIONAL)
        with self.database.read() as session:
            zero = start(BAGHDAD, 1)
            batch = next_batch(session, spec, 1, zero, max_bytes=10**6, max_entries=100, relays_to=NO_RELAY)
        assert batch is not None
        return batch


def arrive(database: Database, batch: Batch, node: str = DUHOK) -> list[tuple[str, bytes]]:
    """Take a directorate's batch at a governorate; what is announced."""

    def is_for(one: Shown) -> bool:
        return arrivals.is_for(node, one, takes_unaddressed=True)

    with database.write() as session:
        return Replicas(batch.origin, "down", WINDOW, is_for, Post(opens=True)).take(session, [batch], [], NOW).announce


def receipts(*facts: Fact) -> Origin:
    """Duhok's journal when these have arrived."""
    duhok = Origin(DUHOK)
    duhok.add(*(relay.arrived(one.id, at=NOW) for one in facts))
    return duhok


@pytest.fixture
def directorate(make_database: MakeDatabase) -> Directorate:
    return Directorate(make_database("sync"))


@pytest.fixture
def ninewa() -> Origin:
    made = Origin()
    made.add(fact(), fact())
    return made


def count(database: Database, table: type) -> int:
    with database.read() as session:
        return int(session.exec(select(func.count()).select_from(table)).one())


def test_it_is_relayed_after_its_wait_to_those_it_names_and_once(directorate: Directorate, ninewa: Origin) -> None:
    one = letter(DUHOK, ANBAR, "directorate-erbil")
    ninewa.add(one, fact(audience=("directorate-erbil",)))
    directorate.take(ninewa)
    assert directorate.work(NOW + WAIT - timedelta(seconds=1)) == {}
    assert directorate.work(NOW + WAIT) == {Result.RELAYED: 1}
    assert directorate.work(NOW + 2 * WAIT) == {}
    (shown,) = directorate.shown_to(DUHOK)
    assert isinstance(shown, Full)
    assert audience(shown.head) == [ANBAR, DUHOK]
    assert isinstance(directorate.shown_to(NINEWA)[0], Withheld)
    with directorate.database.read() as session:
        assert relays.waiting(session) == 0


def test_what_has_arrived_is_not_relayed_and_what_one_lacks_is(directorate: Directorate, ninewa: Origin) -> None:
    there, half = letter(DUHOK), letter(ANBAR, DUHOK)
    ninewa.add(there, half)
    directorate.take(receipts(there, half))
    directorate.take(ninewa)
    assert directorate.work(NOW + WAIT) == {Result.ARRIVED: 1, Result.RELAYED: 1}
    assert isinstance(directorate.shown_to(ANBAR)[0], Full)
    assert isinstance(directorate.shown_to(DUHOK)[0], Withheld)


def test_a_restricted_fact_is_relayed_by_its_home_alone(make_database: MakeDatabase, ninewa: Origin) -> None:
    ninewa.add(replace(letter(), restricted=True))
    other, home = Directorate(make_database("sync")), Directorate(make_database("sync"), timedelta(0))
    other.take(ninewa, Clearance.STATISTICAL)
    home.take(ninewa, Clearance.OPERATIONAL)
    assert (count(other.database, Relay), home.work()) == (0, {Result.RELAYED: 1})


def test_a_repeated_batch_or_a_restored_list_relays_nothing_twice(directorate: Directorate, ninewa: Origin) -> None:
    ninewa.add(letter())
    directorate.take(ninewa)
    directorate.work(NOW + WAIT)
    directorate.take(ninewa)
    with directorate.database.write() as session:  # as if this row came from an older backup than the journal
        row = session.exec(select(Relay)).one()
        row.done_at, row.result = None, None
    assert directorate.work(NOW + WAIT) == {Result.RELAYED: 1}
    assert count(directorate.database, JournalEntry) == 1


def test_it_arrives_once_from_two_directorates_with_its_true_origin_and_is_acknowledged(
    make_database: MakeDatabase, directorate: Directorate, ninewa: Origin
) -> None:
    one = letter()
    ninewa.add(one)
    directorate.take(ninewa)
    directorate.work(NOW + WAIT)
    duhok = make_database("sync")
    with duhok.write() as session:
        journal.begin(session, DUHOK)
    batch = directorate.downwards(DUHOK)
    ((type_, body),) = arrive(duhok, batch)
    slice_ = read_slice(body)
    assert (type_, slice_.service, slice_.first) == (one.type, NINEWA, 1)
    assert unpack(bytes(slice_.facts[0])) == one

    second = Origin("directorate-erbil")  # the same, in another journal
    second.add(unpack_first(directorate))
    assert arrive(duhok, second.batch(0, 1, to=DUHOK)) == []
    with duhok.write() as session:
        row = session.exec(select(Arrival)).one()
        assert (row.origin, row.entry_number, row.digest, row.relayed_by) == (NINEWA, 3, ninewa.digests[2], BAGHDAD)
        assert session.exec(select(Relay.task)).one() == Task.ACKNOWLEDGE
        assert relays.do_some(session, DUHOK, frozenset(), NOW).results == {Result.ACKNOWLEDGED: 1}
    with duhok.read() as session:
        ((_, said),) = journal.facts_after(session, 0, 10)
    assert unpack(said).subject == relay.receipt_of(one.id)


def unpack_first(directorate: Directorate) -> Fact:
    with directorate.database.read() as session:
        return unpack(journal.facts_after(session, 0, 1)[0][1])


def test_what_two_directorates_tell_differently_is_kept_as_the_first_told_it(
    make_database: MakeDatabase, ninewa: Origin
) -> None:
    one = letter()
    duhok = make_database("sync")
    for name, salt in ((BAGHDAD, b"s" * 16), ("directorate-erbil", b"t" * 16)):
        story = Origin(salt=salt)
        story.add(one)
        full = Full(one.head, one.statistical, salt, one.operational, one.sealed)
        teller = Origin(name)
        original = relay.Original(NINEWA, 1, 1, story.zero.digest, story.head.digest, full)
        teller.add(relay.issue(original, [DUHOK], one.id, at=NOW))
        arrive(duhok, teller.batch(0, 1, to=DUHOK))
    with duhok.read() as session:
        assert session.exec(select(Arrival)).one().relayed_by == BAGHDAD


def test_a_forged_relay_is_passed_over_and_the_chain_goes_on(make_database: MakeDatabase, ninewa: Origin) -> None:
    duhok = make_database("sync")
    one, baghdad = letter(), Origin(BAGHDAD)
    full = Full(one.head, one.statistical, b"s" * 16, one.operational, one.sealed)
    forged = relay.issue(relay.Original(NINEWA, 1, 1, bytes(32), bytes(32), full), [DUHOK], one.id, at=NOW)
    good = fact(audience=(DUHOK,))
    baghdad.add(forged, good)
    assert len(arrive(duhok, baghdad.batch(0, 2, to=DUHOK))) == 1
    with duhok.read() as session:
        assert session.exec(select(Arrival)).one().fact_id == good.id


def test_services_read_large_arrivals_a_few_at_a_time(make_database: MakeDatabase) -> None:
    duhok, baghdad = make_database("sync"), Origin(BAGHDAD)
    for _ in range(14):
        baghdad.add(replace(fact(audience=(DUHOK,)), sealed=bytes(250_000)))
        number = len(baghdad.entries)
        arrive(duhok, baghdad.batch(number - 1, number, to=DUHOK))
    read = 0
    with duhok.read() as session:
        while items := arrivals.facts_from(session, read, 200)["items"]:
            assert len(items) < 14
            read = items[-1]["number"]
    assert read == 14
