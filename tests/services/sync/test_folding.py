"""Records follow the entries of a replica in strokes of any size, and come out the same."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from contextlib import suppress
from threading import Event
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session, select

from contracts.sync import GroupBy, Reading
from kernel.database import Database
from kernel.identity import Actor
from services.sync import bulk, folding, statistics, views
from services.sync.replicas import Replicas
from services.sync.setting_aside import set_aside
from services.sync.shares import REMEMBERED, Shares
from services.sync.tables import Arrival, Parked, Record, Replica
from services.sync.verify import verify_replica
from tests.conftest import MakeDatabase
from tests.kit import wait
from tests.kit.databases import PostgresDatabases
from tests.services.sync.facts import NOW, fact
from tests.services.sync.replica_kit import WINDOW, Origin, Taker

NODE = "directorate-baghdad"
OPERATOR = Actor(id="o", name="o", roles=frozenset({"operator"}), node=NODE)
UNKNOWN = "marvel.seen.v1"
THREAD = ThreadPoolExecutor(1)


@pytest.fixture
def database(make_database: MakeDatabase) -> Database:
    return make_database("sync")


def origin_of(*subjects: str, name: str = "ninewa") -> Origin:
    """A journal with a fact for each subject named, its versions in order; `?` is of a type that nobody knows."""
    made, versions = Origin(name), dict[str, int]()
    for subject in subjects:
        who = subject.strip("?!")
        versions[who] = versions.get(who, 0) + 1
        kind = UNKNOWN if "?" in subject else "case.opened.v1"
        named = (NODE,) if "!" in subject else ()
        made.add(fact(who, version=versions[who], type=kind, audience=named))
    return made


class Following(Taker):
    """A replica whose records may follow; on PostgreSQL full strokes are folded beside, as in the engine."""

    def __init__(self, database: Database, origin: Origin, shares: Shares | None = None) -> None:
        super().__init__(database, origin.name)
        self.origin, self.shares = origin, shares
        self.begun: list[Future[bool]] = []
        self.restart()
        self.take(origin.hello())

    def beside(self, work: Callable[[Session], bool]) -> Future[bool]:
        def fold() -> bool:
            with self.database.write_silently() as session:
                return work(session)

        self.begun.append(THREAD.submit(fold))
        return self.begun[-1]

    def more(self, after: int, upto: int) -> None:
        with self.database.write() as session:
            self.replicas.take(session, [self.origin.batch(after, upto, to=NODE)], [], NOW, more=True)

    def fail(self, after: int, upto: int) -> None:
        """A commit that does not come about; one that only folds where it brings no entry."""
        with suppress(ConnectionResetError), self.database.write() as session:
            batches = [self.origin.batch(after, upto, to=NODE)] if upto > after else []
            self.replicas.take(session, batches, [], NOW, more=bool(batches))
            raise ConnectionResetError

    def restart(self) -> None:
        before = self.replicas
        beside = self.beside if self.database.dialect == "postgresql" else None
        self.replicas = Replicas(
            self.origin.name, before.queue, WINDOW, before._is_for, beside=beside, shares=self.shares
        )

    def fold(self) -> None:
        left = 1
        while left:
            with self.database.write() as session:
                left = self.replicas.fold_some(session, NOW)


def row(database: Database, origin: str = "ninewa") -> Replica:
    with database.read() as session:
        return session.get_one(Replica, origin)


def folded(database: Database, origin: str = "ninewa") -> int:
    with database.read() as session:
        return folding.reached(session, origin)


def records(database: Database, origin: str = "ninewa") -> dict[str, Any]:
    with database.read() as session:
        rows = session.scalars(select(Record).where(Record.origin == origin))
        return {f"{one.kind} {one.subject}": one.model_dump(exclude={"origin", "updated_at"}) for one in rows}


def parked(database: Database, origin: str = "ninewa") -> list[tuple[int, str, str]]:
    with database.read() as session:
        rows = session.scalars(select(Parked).where(Parked.origin == origin).order_by(Parked.number))  # type: ignore[arg-type]
        return [(one.number, one.subject, one.reason) for one in rows]


def test_while_the_head_is_not_held_entries_come_first(database: Database) -> None:
    following = Following(database, origin_of("a", "b", "a", "c", "a"))
    following.more(0, 2)
    assert (row(database).number, folded(database), records(database)) == (2, 0, {})
    following.more(2, 4)
    assert (row(database).number, folded(database)) == (4, 0)
    following.more(4, 5)
    assert folded(database) == 5
    assert {name: one["version"] for name, one in records(database).items()} == {"case a": 3, "case b": 1, "case c": 1}


def test_a_replica_that_holds_all_it_heard_of_has_its_records(database: Database) -> None:
    following = Following(database, origin_of("a", "b"))
    following.more(0, 2)
    assert folded(database) == 2
    following.origin.add(fact("c"))
    following.more(2, 3)  # its head was not heard of before
    assert len(records(database)) == folded(database) == 3


def test_not_too_many_wait(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "MOST_WAITING", 3)
    following = Following(database, origin_of(*"abcdefghi"))
    found = []
    for after in range(8):
        following.more(after, after + 1)
        wait_for(following.begun)
        found.append(folded(database))
    if database.dialect == "postgresql":  # beside the commit after the one with which it was full
        assert found == [0, 0, 0, 3, 3, 3, 6, 6]
    else:
        assert found == [0, 0, 3, 3, 3, 6, 6, 6]


@pytest.fixture
def postgresql(postgres_databases: PostgresDatabases) -> Iterator[Database]:
    database = Database(postgres_databases.migrated("sync"), service="sync")
    yield database
    database.close()


def test_what_is_folded_beside_holds_up_no_entries(postgresql: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until it may go on: then another full stroke waits for it, and the commit that reaches the head."""
    monkeypatch.setattr(folding, "MOST_WAITING", 2)
    may_go_on, upsert = Event(), bulk.upsert

    def held_up(*args: Any, **options: Any) -> None:
        upsert(*args, **options)
        assert may_go_on.wait(60)

    monkeypatch.setattr(bulk, "upsert", held_up)
    following = Following(postgresql, origin_of(*"abcdef"))
    following.more(0, 2)
    following.more(2, 3)
    following.more(3, 4)
    assert (row(postgresql).number, folded(postgresql), records(postgresql)) == (4, 0, {})
    assert len(following.begun) == 1
    may_go_on.set()
    following.more(4, 6)
    assert (row(postgresql).number, folded(postgresql), len(records(postgresql))) == (6, 6, 6)


def test_entries_are_not_set_aside_while_they_are_folded(postgresql: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "MOST_WAITING", 2)
    following = Following(postgresql, origin_of(*"abcd"))
    following.more(0, 2)
    with postgresql.write() as session:
        session.get_one(Replica, "ninewa").state = "diverged"
    with postgresql.write() as session:
        set_aside(session, "ninewa", 1, reason="it left", by=OPERATOR, now=NOW, audience=())
        following.replicas._following.begin_beside(NOW)  # it has to wait for us
        (begun,) = following.begun
        assert not begun.done()
    assert begun.result(60) is False
    assert (folded(postgresql), set(records(postgresql))) == (0, set())


def test_what_is_folded_beside_is_not_believed_when_its_commit_failed(
    postgresql: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folding, "MOST_WAITING", 2)
    following = Following(postgresql, origin_of("a", "b", "a", "c"))
    following.fail(0, 3)
    following.more(0, 1)
    wait_for(following.begun)
    assert [one.result() for one in following.begun] == [False]
    assert records(postgresql) == {}
    following.more(1, 4)
    assert {name: one["version"] for name, one in records(postgresql).items()} == {
        "case a": 2,
        "case b": 1,
        "case c": 1,
    }


def test_what_finds_no_room_is_folded_with_its_entries(database: Database) -> None:
    shares = Shares(REMEMBERED)  # one alone may remember nothing
    following = Following(database, origin_of("a", "b", "a", "c"), shares)
    for upto in (1, 2, 3):
        following.more(upto - 1, upto)
        assert (folded(database), len(following.begun), shares.left) == (upto, 0, REMEMBERED)


def test_of_many_origins_at_once_no_more_is_remembered_than_there_is_room_for(database: Database) -> None:
    """Each of a dozen brings its entries a few at a time; all get their records, and give back what they had."""
    shares = Shares(30 * REMEMBERED)
    subjects = "abcdefghcbaabbefgha"
    some = [Following(database, origin_of(*subjects, name=f"governorate-{number}"), shares) for number in range(12)]
    left = []
    for after in range(0, len(subjects), 3):
        for following in some:
            following.more(after, min(after + 3, len(subjects)))
            left.append(shares.left)
    for following in some:
        wait_for(following.begun)
        name = following.origin.name
        assert (row(database, name).number, folded(database, name)) == (len(subjects), len(subjects))
        assert records(database, name) == records(database, some[0].origin.name)
    assert 0 <= min(left) < 10 * REMEMBERED
    found = records(database, "governorate-0")
    assert {name: one["version"] for name, one in found.items()} == {
        f"case {each}": count for each, count in Counter("abcdefghcbaabbefgha").items()
    }
    wait.until(lambda: shares.left == 30 * REMEMBERED, seconds=10, what="everything was given back")


def test_what_is_addressed_here_does_not_wait_for_the_records(database: Database) -> None:
    following = Following(database, origin_of("a", "b!", "c"))
    following.more(0, 2)
    with database.read() as session:
        assert [one.entry_number for one in session.scalars(select(Arrival))] == [2]
    assert records(database) == {}


def test_after_a_restart_the_entries_at_rest_are_folded(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "READ_AT_ONCE", 2)
    following = Following(database, origin_of("a", "b", "a", "a", "?c", "d", "e"))
    following.more(0, 6)
    following.restart()
    following.fold()
    assert folded(database) == 6
    assert set(records(database)) == {"case a", "case b", "case d"}
    assert [number for number, *_ in parked(database)] == [5]


def test_a_bundle_beside_the_line_folds_what_the_line_left(database: Database) -> None:
    origin = origin_of(*"abcdef")
    line, bundle = Following(database, origin), Taker(database)
    line.more(0, 2)
    bundle.take(origin.batch(2, 4))
    assert (folded(database), len(records(database))) == (4, 4)
    line.more(4, 5)  # what it remembers is not what waits
    assert (folded(database), len(records(database))) == (4, 4)
    line.more(5, 6)
    assert (folded(database), len(records(database))) == (6, 6)


def test_a_commit_that_failed_is_not_remembered(database: Database) -> None:
    following = Following(database, origin_of("a", "b", "a"))
    following.fail(0, 2)
    assert row(database).number == 0
    following.more(0, 1)
    following.more(1, 3)
    assert {name: one["version"] for name, one in records(database).items()} == {"case a": 2, "case b": 1}


def test_what_a_failed_commit_folded_is_folded_again(database: Database) -> None:
    following = Following(database, origin_of("a", "b", "c"))
    following.more(0, 2)
    following.fail(2, 2)
    assert (folded(database), records(database)) == (0, {})
    following.take()
    assert (folded(database), len(records(database))) == (2, 2)


def test_what_is_held_and_not_folded_is_shown_and_counted_as_late(database: Database) -> None:
    following = Following(database, origin_of("a", "b", "c", "d"))
    following.more(0, 2)
    with database.read() as session:
        (shown,) = views.replicas(session, ["ninewa"], now=NOW, stale=90.0)
        counted = statistics.cases(session, [GroupBy.ORIGIN], node=NODE, origins=["ninewa"], now=NOW, stale=90.0)
    assert (shown["held"]["number"], shown["folded"], shown["behind"]["entries"]) == (2, 0, 2)
    (coverage,) = counted["coverage"]
    assert (coverage["held"], coverage["reading"], coverage["behind"]["entries"]) == (0, Reading.LATE, 4)


def test_verify_follows_every_entry_and_expects_the_records_that_are_folded(database: Database) -> None:
    following = Following(database, origin_of("a", "b", "a", "c"))
    following.take(following.origin.batch(0, 2))
    following.more(2, 3)
    with database.read() as session:
        report = verify_replica(session, "ninewa")
    assert (report.ok, report.entries, report.records) == (True, 3, 2)


def test_setting_aside_what_was_not_folded_leaves_no_trace_of_it(database: Database) -> None:
    following = Following(database, origin_of("a", "b", "a", "c", "d"))
    following.take(following.origin.batch(0, 2))
    following.more(2, 4)
    with database.write() as session:
        session.get_one(Replica, "ninewa").state = "diverged"
    with database.write() as session:
        set_aside(session, "ninewa", 3, reason="it left", by=OPERATOR, now=NOW, audience=())
    assert (row(database).number, folded(database)) == (3, 2)
    following.fold()
    assert {name: one["version"] for name, one in records(database).items()} == {"case a": 2, "case b": 1}


@pytest.fixture
def names() -> Iterator[str]:
    return (f"origin-{number}" for number in range(10**6))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    subjects=st.lists(st.sampled_from(["a", "b", "c", "?a", "?d", "b!"]), min_size=1, max_size=12),
    steps=st.lists(st.sampled_from(["more", "more", "all", "restart", "fold", "failed"]), max_size=16),
    sizes=st.lists(st.integers(1, 4), min_size=16, max_size=16),
    most=st.sampled_from([2, 3, folding.MOST_WAITING]),
    room=st.sampled_from([0, 4, 1000]),
)
def test_however_records_follow_they_come_out_as_if_they_had_not_waited(
    database: Database,
    names: Iterator[str],
    subjects: list[str],
    steps: list[str],
    sizes: list[int],
    most: int,
    room: int,
) -> None:
    at_once, following = (origin_of(*subjects, name=next(names)) for _ in range(2))
    Taker(database, at_once.name).take(at_once.hello(), at_once.batch(0, len(subjects), to=NODE))
    with patch.object(folding, "MOST_WAITING", most):
        late = Following(database, following, Shares(room * REMEMBERED))
        held = 0
        for step, size in zip([*steps, "all"], [*sizes, len(subjects)], strict=False):
            upto = min(len(subjects), held + size) if step != "all" else len(subjects)
            if step == "restart":
                late.restart()
            elif step == "fold":
                late.fold()
            elif step == "failed" and upto > held:
                late.fail(held, upto)
            elif upto > held:
                late.more(held, upto)
                held = upto
    assert folded(database, following.name) == held == len(subjects)
    assert records(database, following.name) == records(database, at_once.name)
    assert parked(database, following.name) == parked(database, at_once.name)
