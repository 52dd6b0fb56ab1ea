"""A journal that was put back from an old backup, and used, becomes one history again; real engines and brokers."""

import json
import shutil
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlmodel import select

from deploy.ports import free_port
from kernel.clock import now
from kernel.database import Database
from node.commands.databases import closed_afterwards
from node.processes import prepare
from node.recovering import Recovering
from services.sync.rewriting import Rewritten
from services.sync.setting_aside import set_aside
from services.sync.tables import Base, JournalEntry, JournalState, Life, Record, Replica, ReplicaEntry, SetAside
from services.sync.verify import verify_journal, verify_replica
from tests.kit import wait
from tests.kit.small_country import BAGHDAD, ERBIL
from tests.replication.country import Country, Node, converged
from tests.replication.test_engine_bad_days import OPERATOR, metric, operate, state_of

SECONDS = 90


def as_written(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as the tables take it: JSON as text."""
    return {name: json.dumps(value) if isinstance(value, dict) else value for name, value in row.items()}


class Backup:
    """The sync database of a node whose engine is not running, as it is now; the mark is outside it."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._rows: dict[Any, list[dict[str, Any]]] = {}
        with node.database.read() as session:
            for table in Base.metadata.sorted_tables:
                self._rows[table] = [as_written(dict(row)) for row in session.execute(table.select()).mappings()]

    def restore(self, *, mark: bool) -> None:
        """Put it back; with `mark` as if the whole machine went back, and the file beside the database with it."""
        with self._node.database.write_silently() as session:
            for table in reversed(self._rows):
                session.execute(table.delete())
            for table, rows in self._rows.items():
                if rows:
                    session.execute(table.insert(), rows)
        if mark:
            (self._node.home / "journal.mark").unlink()


def recover(node: Node, **options: Any) -> Rewritten:
    """What `jisr sync recover --yes` does to the journal."""
    with closed_afterwards():
        recovering = Recovering(prepare(node.settings_file), wait=SECONDS, **options)
        plan = recovering.look().plan
        assert plan is not None
        recovering.fetch(plan, lambda _source, _count, _total: None)
        return recovering.apply(plan)


def facts_of(node: Node) -> list[str]:
    with node.database.read() as session:
        return list(session.exec(select(JournalEntry.fact_id).order_by(JournalEntry.number)))  # type: ignore[arg-type]


def whole(node: Node, origin: str | None = None) -> None:
    with node.database.read() as session:
        report = verify_journal(session, node.name) if origin is None else verify_replica(session, origin)
    assert report.ok, report


def one_history(ninewa: Node, *directorates: Node, facts: int) -> None:
    converged(ninewa, *directorates, at_least=facts, seconds=SECONDS)
    held = facts_of(ninewa)
    assert len(held) == len(set(held)) == facts
    whole(ninewa)
    for node in directorates:
        whole(node, "ninewa")


def test_what_was_restored_and_used_becomes_one_history_again(country: Country) -> None:
    ninewa, baghdad, erbil = country["ninewa"], country[BAGHDAD], country[ERBIL]
    country.start("ninewa", BAGHDAD, ERBIL)
    first = ninewa.record_some(10)
    converged(ninewa, baghdad, erbil, at_least=10, seconds=SECONDS)
    assert ninewa.stop() == 0
    backup = Backup(ninewa)
    ninewa.start()
    lost = ninewa.record_some(25)
    converged(ninewa, baghdad, erbil, at_least=35, seconds=SECONDS)
    before = facts_of(ninewa)
    assert ninewa.stop() == 0
    backup.restore(mark=False)
    ninewa.start()
    since = ninewa.record_some(15)  # it records, and says that something is wrong
    wait.until(lambda: ninewa.head_number() == 25, seconds=SECONDS, what="what is recorded since is in the journal")
    wait.until(lambda: ninewa.link_state(ERBIL) == "rolled_back", seconds=SECONDS, what="the link says so")
    assert baghdad.held("ninewa").number == 35  # type: ignore[union-attr]

    done = recover(ninewa)
    assert (done.recovered, done.in_part, done.renumbered, done.epoch) == (25, 0, 15, 2)
    assert facts_of(ninewa)[:35] == before
    one_history(ninewa, baghdad, erbil, facts=50)
    assert set(facts_of(ninewa)) == {one.id for one in [*first, *lost, *since]}
    ninewa.record_some(5)
    one_history(ninewa, baghdad, erbil, facts=55)
    wait.until(lambda: ninewa.link_state(BAGHDAD) == "idle", seconds=SECONDS, what="all is well")
    assert baghdad.replica("ninewa").epoch == 2  # type: ignore[union-attr]
    assert baghdad.count(Life, Life.origin == "ninewa") == 1


def test_what_was_restored_and_not_used_comes_back_too(sqlite_country: Country) -> None:
    """The whole machine went back, and the mark with it: the handshake finds out."""
    country = sqlite_country
    ninewa, baghdad, erbil = country["ninewa"], country[BAGHDAD], country[ERBIL]
    country.start("ninewa", BAGHDAD, ERBIL)
    ninewa.record_some(5)
    ninewa.record_some(3, restricted=True)
    converged(ninewa, baghdad, erbil, at_least=8, seconds=SECONDS)
    before = facts_of(ninewa)
    assert ninewa.stop() == 0
    with ninewa.database.write_silently() as session:  # nothing is left of it
        for table in (JournalEntry, JournalState, Record):
            session.execute(table.__table__.delete())
    (ninewa.home / "journal.mark").unlink()
    ninewa.start()
    wait.until(lambda: ninewa.link_state(ERBIL) == "rolled_back", seconds=SECONDS, what="the handshake finds out")
    done = recover(ninewa)
    assert (done.recovered, done.in_part, done.renumbered) == (8, 0, 0)
    one_history(ninewa, baghdad, erbil, facts=8)
    assert facts_of(ninewa) == before
    ninewa.record_some(1)
    one_history(ninewa, baghdad, erbil, facts=9)
    with ninewa.database.read() as session:
        restricted = session.exec(select(JournalEntry.restricted).order_by(JournalEntry.number)).all()  # type: ignore[arg-type]
    assert restricted == [False] * 5 + [True] * 3 + [False], "as the other directorate was shown them"


def test_without_its_home_directorate_the_chain_is_the_same_and_shows_no_more_than_there_is(
    sqlite_country: Country,
) -> None:
    country = sqlite_country
    ninewa, baghdad, erbil = country["ninewa"], country[BAGHDAD], country[ERBIL]
    country.start("ninewa", ERBIL)
    ninewa.record_some(3)
    ninewa.record_some(2, restricted=True)
    converged(ninewa, erbil, at_least=5, seconds=SECONDS)
    assert ninewa.stop() == 0
    with ninewa.database.write_silently() as session:
        for table in (JournalEntry, JournalState, Record):
            session.execute(table.__table__.delete())
    ninewa.start()
    wait.until(lambda: ninewa.link_state(ERBIL) == "rolled_back", seconds=SECONDS, what="the mark says so")
    done = recover(ninewa, without=[BAGHDAD])
    assert (done.recovered, done.in_part) == (5, 5)
    with ninewa.database.read() as session:
        report = verify_journal(session, "ninewa")
    assert (report.ok, report.in_part, report.withheld) == (True, "1-5", 2)
    country.start(BAGHDAD)
    converged(ninewa, baghdad, erbil, at_least=5, seconds=SECONDS)
    assert baghdad.disclosures("ninewa") == ["statistical"] * 3 + ["withheld"] * 2
    whole(baghdad, "ninewa")


def test_a_directorate_that_heard_the_other_history_sets_it_aside(sqlite_country: Country) -> None:
    country = sqlite_country
    ninewa, baghdad, erbil = country["ninewa"], country[BAGHDAD], country[ERBIL]
    country.start("ninewa", BAGHDAD, ERBIL)
    first = ninewa.record_some(4)
    converged(ninewa, baghdad, erbil, at_least=4, seconds=SECONDS)
    assert ninewa.stop() == 0
    backup = Backup(ninewa)
    erbil.kill()
    ninewa.start()
    lost = ninewa.record_some(9)
    converged(ninewa, baghdad, at_least=13, seconds=SECONDS)
    assert ninewa.stop() == 0
    backup.restore(mark=True)
    baghdad.kill()
    for node, queue in ((baghdad, "jisr.down.ninewa"), (erbil, "jisr.up.ninewa")):
        with node.vhost.channel() as channel:
            channel.queue_purge(queue)  # where the last words of the life that was lost lie
    country.start("ninewa", ERBIL)
    since = ninewa.record_some(6)  # Erbil hears another history, and nobody can know
    converged(ninewa, erbil, at_least=10, seconds=SECONDS)
    country.start(BAGHDAD)
    wait.until(lambda: ninewa.link_state(BAGHDAD) == "rolled_back", seconds=SECONDS, what="Baghdad holds more")
    wait.until(lambda: ninewa.link_state(ERBIL) == "rolled_back", seconds=SECONDS, what="nothing is sent to Erbil")

    with closed_afterwards():
        plan = Recovering(prepare(ninewa.settings_file), wait=SECONDS).look().plan
    assert plan is not None
    assert (plan.source, plan.after, plan.lost, plan.renumbered) == (BAGHDAD, 4, 9, 6)
    assert [(fork.source, fork.after, fork.held) for fork in plan.forks] == [(ERBIL, 4, 10)]
    recover(ninewa)
    converged(ninewa, baghdad, at_least=19, seconds=SECONDS)
    wait.until(lambda: state_of(erbil, "ninewa") == "diverged", seconds=SECONDS, what="Erbil is told")
    wait.until(lambda: ninewa.link_state(ERBIL) == "diverged", seconds=SECONDS, what="and the link says so")
    with erbil.writing() as session:
        how: dict[str, Any] = {"reason": "recovered from Baghdad", "by": OPERATOR, "now": now(), "audience": (ERBIL,)}
        assert set_aside(session, "ninewa", 4, **how) == 6
    operate(ninewa, ERBIL, pause=False)
    one_history(ninewa, baghdad, erbil, facts=19)
    assert set(facts_of(ninewa)) == {one.id for one in [*first, *lost, *since]}
    assert erbil.count(SetAside) == 6
    wait.until(lambda: ninewa.link_state(ERBIL) == "idle", seconds=SECONDS, what="all is well")


def told(ninewa: Node) -> int | None:
    """What Baghdad said that it holds."""
    link = ninewa.link(BAGHDAD)
    return None if link is None else link.held_number


def test_a_directorate_that_was_restored_or_lost_its_database_is_sent_everything_again(country: Country) -> None:
    ninewa, baghdad = country["ninewa"], country[BAGHDAD]
    country.start("ninewa", BAGHDAD)
    ninewa.record_some(5)
    converged(ninewa, baghdad, at_least=5, seconds=SECONDS)
    assert baghdad.stop() == 0
    backup = Backup(baghdad)
    baghdad.start()
    ninewa.record_some(20)
    converged(ninewa, baghdad, at_least=25, seconds=SECONDS)
    wait.until(lambda: told(ninewa) == 25, seconds=SECONDS, what="ninewa was told so, else it has nothing to count")
    assert baghdad.stop() == 0
    backup.restore(mark=True)
    baghdad.start()
    converged(ninewa, baghdad, at_least=25, seconds=SECONDS)
    restored = f'jisr_link_restored_total{{destination="{BAGHDAD}"}}'
    wait.until(
        lambda: metric(ninewa, "jisr_link_restored").get(restored, 0) >= 1, seconds=SECONDS, what="it is counted"
    )
    baghdad.kill()
    with baghdad.database.write_silently() as session:
        for table in (ReplicaEntry, Replica, Record, JournalState, JournalEntry):
            session.execute(table.__table__.delete())
    baghdad.start()
    converged(ninewa, baghdad, at_least=25, seconds=SECONDS)
    whole(baghdad, "ninewa")
    assert baghdad.replica("ninewa").state == "ok"  # type: ignore[union-attr]


class Twin(Node):
    """A second machine with a copy of everything the first has, taken while that runs."""

    def __init__(self, first: Node, home: Path) -> None:
        self.country, self.name, self.key, self.links = first.country, first.name, first.key, first.links
        self.home, self.port, self.process, self._case = home, free_port(), None, None
        self.vhost = first.country.make_vhost()
        home.mkdir()
        shutil.copytree(first.home / "keys", home / "keys")
        self.database_url = first.database_url
        with sqlite3.connect(first.home / "sync.db") as source, sqlite3.connect(home / "sync.db") as copy:
            source.backup(copy)
        source.close()
        copy.close()
        self.database = Database(self.database_url.format(home=home, service="sync"), service="sync")


def test_of_two_machines_with_one_identity_neither_is_applied_until_a_person_decides(
    sqlite_country: Country, tmp_path: Path
) -> None:
    country = sqlite_country
    ninewa, baghdad = country["ninewa"], country[BAGHDAD]
    country.start("ninewa", BAGHDAD)
    ninewa.record_some(3)
    converged(ninewa, baghdad, at_least=3, seconds=SECONDS)
    twin = Twin(ninewa, tmp_path / "twin")
    try:
        twin.write_settings()
        twin.start()
        wait.until(lambda: state_of(baghdad, "ninewa") == "duplicate", seconds=SECONDS, what="Baghdad says so")
        wait.until(lambda: ninewa.link_state(BAGHDAD) == "duplicate", seconds=SECONDS, what="the first machine is told")
        ninewa.record_some(2)
        wait.until(lambda: ninewa.head_number() == 5, seconds=SECONDS, what="it goes on recording")
        twin.kill()
        assert baghdad.held("ninewa").number == 3  # type: ignore[union-attr]
        operate(baghdad, "ninewa", pause=False)
        operate(ninewa, BAGHDAD, pause=False)
        converged(ninewa, baghdad, at_least=5, seconds=SECONDS)
    finally:
        twin.close()
