"""SIGKILL at each named point, on both databases: after a restart everything is held, once."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from kernel.clock import now
from kernel.ids import new_id
from services.sync import folding, journal
from services.sync.folding import reached
from services.sync.tables import JournalEntry, ReplicaEntry
from tests.bench.invented import Cases
from tests.kit import wait
from tests.kit.databases import PostgresDatabases
from tests.kit.rabbitmq import Vhost
from tests.kit.small_country import BAGHDAD, ERBIL
from tests.replication.country import Country, converged
from tests.services.sync.facts import fact

AT_ORIGIN = ("after_journal_commit", "after_publish")
AT_REPLICA = ("mid_apply", "after_apply")


def crash_at(point: str, once: Path) -> dict[str, str]:
    return {"JISR_CRASH_AT": point, "JISR_CRASH_ONCE": str(once)}


@pytest.mark.parametrize("point", AT_ORIGIN + AT_REPLICA)
def test_a_node_killed_at_this_point_loses_and_repeats_nothing(country: Country, tmp_path: Path, point: str) -> None:
    ninewa, baghdad = country["ninewa"], country[BAGHDAD]
    victim = ninewa if point in AT_ORIGIN else baghdad
    for node in (ninewa, baghdad, country[ERBIL]):
        node.start(**(crash_at(point, tmp_path / "crashed") if node is victim else {}))
    facts = ninewa.record_some(50)
    wait.until(victim.died, seconds=60, what=f"{victim.name} dies at {point}")
    facts += ninewa.record_some(50)
    victim.start(**crash_at(point, tmp_path / "crashed"))
    converged(ninewa, baghdad, country[ERBIL], at_least=100, seconds=60)
    assert ninewa.head_number() == ninewa.count(JournalEntry) == 100
    assert baghdad.count(ReplicaEntry, ReplicaEntry.origin == "ninewa") == 100
    assert {subject for _, subject in baghdad.records("ninewa")} == {one.subject for one in facts}


def test_records_are_folded_after_a_restart_from_entries_that_were_held_without_them(
    country: Country, tmp_path: Path
) -> None:
    ninewa, baghdad = country["ninewa"], country[BAGHDAD]
    subjects = [new_id() for _ in range(40)]
    with ninewa.writing() as session:
        journal.begin(session, "ninewa")
        facts = [fact(subject, version=version) for version in range(1, 61) for subject in subjects]
        taken = journal.Taken("case", "backlog", 1, tuple(facts))
        journal.append(session, [taken], origin="ninewa", now=now())
    country.start("ninewa")
    baghdad.start(**crash_at("before_fold", tmp_path / "crashed"))
    wait.until(baghdad.died, seconds=60, what="the directorate dies between entries and records")
    replica = baghdad.replica("ninewa")
    assert replica is not None
    with baghdad.database.read() as session:
        folded = reached(session, "ninewa")
    assert replica.number > folded
    assert folded >= max((row["number"] for row in baghdad.records("ninewa").values()), default=0)
    baghdad.start(**crash_at("before_fold", tmp_path / "crashed"))
    converged(ninewa, baghdad, at_least=len(facts), seconds=60)
    assert baghdad.records("ninewa") == ninewa.records("ninewa")
    assert {row["version"] for row in baghdad.records("ninewa").values()} == {60}


def test_a_directorate_killed_while_it_folds_beside_the_next_entries_has_every_record(
    tmp_path: Path, make_vhost: Callable[[], Vhost], postgres_databases: PostgresDatabases
) -> None:
    with closing(Country(tmp_path, make_vhost, postgres_databases)) as country:
        ninewa, baghdad = country["ninewa"], country[BAGHDAD]
        cases = Cases()
        with ninewa.writing() as session:
            journal.begin(session, "ninewa")
            taken = journal.Taken("case", "backlog", 1, tuple(cases.facts(3 * folding.MOST_WAITING)))
            journal.append(session, [taken], origin="ninewa", now=now())
        country.start("ninewa")
        baghdad.start(**crash_at("mid_fold", tmp_path / "crashed"))
        wait.until(baghdad.died, seconds=60, what="the directorate dies while it folds")
        with baghdad.database.read() as session:
            assert reached(session, "ninewa") == 0
        assert baghdad.records("ninewa") == {}
        baghdad.start(**crash_at("mid_fold", tmp_path / "crashed"))
        converged(ninewa, baghdad, at_least=3 * folding.MOST_WAITING, seconds=90)
        assert baghdad.records("ninewa") == ninewa.records("ninewa")


def test_an_engine_killed_again_and_again_while_facts_flow_ends_with_all_of_them(sqlite_country: Country) -> None:
    country = sqlite_country
    ninewa, baghdad = country["ninewa"], country[BAGHDAD]
    country.start("ninewa", BAGHDAD)
    for round_ in range(4):
        ninewa.record_some(60)
        victim = (ninewa, baghdad)[round_ % 2]
        at_least = 30 * round_ + 1
        wait.until(lambda at_least=at_least: ninewa.head_number() >= at_least, seconds=60)  # type: ignore[misc]
        victim.kill()
        victim.start()
    converged(ninewa, baghdad, at_least=240, seconds=60)
    assert ninewa.count(JournalEntry) == 240
