"""SIGKILL at each named point, on both databases: after a restart everything is held, once."""

from pathlib import Path

import pytest

from services.sync.tables import JournalEntry, ReplicaEntry
from tests.kit import wait
from tests.kit.small_country import BAGHDAD, ERBIL
from tests.replication.country import Country, converged

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
