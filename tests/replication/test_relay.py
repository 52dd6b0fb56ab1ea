"""A fact of one governorate for another: real engines carry it on, once, by whichever directorate there is."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from sqlmodel import select

from kernel.fact import MAX_SEALED_BYTES, Fact, unpack
from services.sync import arrivals
from services.sync.relay import receipt_of
from services.sync.tables import Arrival, JournalEntry, Record, Relay
from tests.kit import wait
from tests.kit.small_country import BAGHDAD, ERBIL
from tests.replication.country import Country, Node, converged
from tests.services.sync.facts import fact

NINEWA, DUHOK = "ninewa", "duhok"
LETTER = "letter.sent.v1"  # of a kind that no release knows


def letter(size: int = 1000) -> Fact:
    """A fact of Ninewa for Duhok."""
    return replace(fact(audience=(DUHOK,), type=LETTER), sealed=bytes(size))


def arrived(node: Node) -> list[Arrival]:
    with node.database.read() as session:
        return list(session.exec(select(Arrival).order_by(Arrival.number)))  # type: ignore[arg-type]


def becomes(country: Country, condition: Callable[[], object], what: str) -> None:
    """Wait for it; where it does not come, show what the engines said."""
    try:
        wait.until(condition, seconds=120, what=what, every=0.05)
    except AssertionError as error:
        logs = "\n".join(f"--- {each.name}\n{each.log()[-2000:]}" for each in country.nodes.values())
        raise AssertionError(f"{error}\n{logs}") from None


def arrives(node: Node, *facts: Fact) -> None:
    becomes(node.country, lambda: len(arrived(node)) >= len(facts), f"it arrived at {node.name}")
    assert {row.fact_id for row in arrived(node)} == {one.id for one in facts}


def result(node: Node, one: Fact) -> str | None:
    with node.database.read() as session:
        row = session.get(Relay, one.id)
    return row.result if row else None


def relayed_at(node: Node) -> int:
    return node.count(JournalEntry, JournalEntry.type == "relayed.v1")


def acknowledged_at(node: Node, one: Fact) -> bool:
    """Whether a directorate knows that it arrived at Duhok."""
    with node.database.read() as session:
        return session.get(Record, (DUHOK, "arrived", receipt_of(one.id))) is not None


def test_it_arrives_whole_as_what_its_origin_committed_and_nobody_else_sees_it(country: Country) -> None:
    country.start()
    ninewa, duhok, baghdad, erbil = (country[name] for name in (NINEWA, DUHOK, BAGHDAD, ERBIL))
    one = letter(MAX_SEALED_BYTES)
    ninewa.record(*[fact() for _ in range(3)], one)
    arrives(duhok, one)
    (row,) = arrived(duhok)
    assert (row.origin, row.entry_number, row.relayed_by) == (NINEWA, 4, BAGHDAD)
    assert unpack(row.envelope) == one
    with ninewa.database.read() as session:
        assert row.digest == session.get_one(JournalEntry, 4).digest
    with duhok.database.read() as session:
        (item,) = arrivals.facts_from(session, 0, 10)["items"]
    assert (item["origin"], unpack(item["envelope"].encode())) == (NINEWA, one)

    for node in (baghdad, erbil):
        becomes(country, lambda node=node: acknowledged_at(node, one), f"{node.name} knows it")  # type: ignore[misc]
    converged(baghdad, ninewa, duhok)
    assert ninewa.disclosures(BAGHDAD) == ["withheld"]
    assert duhok.disclosures(BAGHDAD) == ["full"]
    assert (relayed_at(baghdad), relayed_at(erbil)) == (1, 0)
    becomes(country, lambda: duhok.head_number() == 1, "duhok acknowledged")


def test_two_directorates_that_both_relay_make_one_arrival(sqlite_country: Country) -> None:
    country = sqlite_country
    country[ERBIL].write_settings(relay_after_seconds=0)
    operated = [letter() for _ in range(5)]
    country.start(NINEWA, BAGHDAD, ERBIL)
    country[NINEWA].record(*operated)
    for name in (BAGHDAD, ERBIL):
        becomes(country, lambda name=name: relayed_at(country[name]) == 5, f"{name} relayed")  # type: ignore[misc]
    country.start(DUHOK)
    for name in (BAGHDAD, ERBIL):
        converged(country[name], country[DUHOK], at_least=5, seconds=120)
    arrives(country[DUHOK], *operated)
    assert len(arrived(country[DUHOK])) == 5


def test_without_the_home_directorate_the_other_one_relays(sqlite_country: Country) -> None:
    country = sqlite_country
    country[ERBIL].write_settings(relay_after_seconds=1)
    country.start(NINEWA, DUHOK, ERBIL)
    one = letter()
    country[NINEWA].record(one)
    arrives(country[DUHOK], one)
    assert arrived(country[DUHOK])[0].relayed_by == ERBIL
    country.start(BAGHDAD)
    becomes(country, lambda: result(country[BAGHDAD], one), "Baghdad is done with it")
    converged(country[BAGHDAD], country[DUHOK], at_least=0, seconds=120)
    assert len(arrived(country[DUHOK])) == 1


def test_a_directorate_killed_between_two_words_relays_once(sqlite_country: Country, tmp_path: Path) -> None:
    country = sqlite_country
    baghdad = country[BAGHDAD]
    country.start(NINEWA, DUHOK)
    crash = {"JISR_CRASH_AT": "after_relay", "JISR_CRASH_ONCE": str(tmp_path / "crashed")}
    baghdad.start(**crash)
    one = letter()
    country[NINEWA].record(one)
    becomes(country, baghdad.died, "Baghdad dies after it relayed")
    assert arrived(country[DUHOK]) == []
    baghdad.start(**crash)
    arrives(country[DUHOK], one)
    assert relayed_at(baghdad) == 1
    becomes(country, lambda: acknowledged_at(baghdad, one), "Baghdad knows that it arrived")
    assert (len(arrived(country[DUHOK])), country[DUHOK].count(JournalEntry)) == (1, 1)
