"""A case is released where there is no line to anybody: bundles bring it to a directorate, which carries it on."""

from datetime import UTC, datetime
from pathlib import Path

from contracts import topology
from contracts.case import CaseStatus
from contracts.topology import NodeKind
from services.sync import arrivals, by_hand
from services.sync.batches import relays_to
from services.sync.entry import Shown
from services.sync.handlers import find_link
from services.sync.message import ring
from services.sync.own_keys import OwnKeys
from services.sync.relays import post_of
from services.sync.tables import JournalEntry
from tests.kit import wait
from tests.kit.small_country import BAGHDAD
from tests.replication.country import Country, Node
from tests.replication.test_transfer_on_the_line import DUHOK, NINEWA, OnTheLine
from tests.services.case.test_transfers import NAME, opened

NOW = datetime(2026, 3, 10, tzinfo=UTC)


class ByBundle(OnTheLine):
    """Two ends between which files are carried, one of which has no line."""

    def __init__(self, country: Country, directory: Path) -> None:
        super().__init__(country, directory)
        self.directory = directory
        self.topology = topology.load(country.topology_file)
        self.bundles: list[Path] = []

    def bring(self, origin: str, to: str) -> int:
        """Write what `to` does not hold of `origin` into a file, and apply it there; how many entries."""
        giver, taker = self.country[origin], self.country[to]
        spec, file = find_link(self.topology, origin, to), self.directory / f"{len(self.bundles)}.jisr"
        by_hand.export(
            giver.database,
            OwnKeys.of(giver.key),
            spec,
            by_hand.span(giver.database, spec, self._held(taker, origin)),
            file,
            relays_to=relays_to(self.topology, origin),
            software="test",
            now=NOW,
        )
        self.bundles.append(file)
        return self._applied(file, origin, taker)

    def _held(self, taker: Node, origin: str) -> int:
        held = taker.held(origin)
        return held.number if held else 0

    def _applied(self, file: Path, origin: str, taker: Node) -> int:
        takes_all = self.topology.node(taker.name).kind is NodeKind.GOVERNORATE

        def is_for(one: Shown) -> bool:
            return arrivals.is_for(taker.name, one, takes_unaddressed=takes_all)

        with file.open("rb") as source:
            header = by_hand.bundle.read_header(source)
            done = by_hand.take_in(
                taker.database,
                source,
                header.origin,
                keys=ring({origin: self.country[origin].key.verify_key}),
                is_for=is_for,
                clock=lambda: NOW,
                post=post_of(self.topology, taker.name, origin, wait_seconds=0),
            )
        assert done.problem is None
        return done.entries

    def recorded_all(self, node: str) -> None:
        """Everything that was said at `node` is in its journal."""
        expected = self.recorded[node]
        place = self.country[node]
        wait.until(lambda: place.count(JournalEntry) >= expected, seconds=90, what=f"the journal of {node}", every=0.05)

    def relayed(self, count: int) -> None:
        baghdad = self.country[BAGHDAD]
        wait.until(
            lambda: baghdad.count(JournalEntry, JournalEntry.type == "relayed.v1") >= count,
            seconds=90,
            what=f"Baghdad has relayed {count}",
            every=0.05,
        )


def test_a_case_is_released_without_any_line_and_arrives_by_line_and_by_bundle(
    sqlite_country: Country, tmp_path: Path
) -> None:
    country = sqlite_country
    country[NINEWA].links.clear()
    country[NINEWA].write_settings()
    country[BAGHDAD].write_settings(relay_after_seconds=1)  # Duhok's home directorate is the other one
    country.start(NINEWA, DUHOK, BAGHDAD)
    ends = ByBundle(country, tmp_path)
    ends.part_bytes = 300
    try:
        case = opened(ends, category="domestic_abuse")
        transfer = ends.send(ends.propose(case))
        ends.say(NINEWA)
        ends.recorded_all(NINEWA)
        ends.bring(NINEWA, BAGHDAD)
        ends.hear(DUHOK, 1)  # by its line
        ends.accept(transfer)
        ends.say(DUHOK)
        ends.relayed(2)
        ends.bring(BAGHDAD, NINEWA)
        ends.hear(NINEWA, 1)
        released = ends.release(transfer)
        assert released.parts is not None
        assert released.parts > 1
        assert ends.owners(case) == []
        country[DUHOK].kill()  # from here on it has no line either
        ends.say(NINEWA)
        ends.recorded_all(NINEWA)
        ends.bring(NINEWA, BAGHDAD)
        ends.bring(NINEWA, BAGHDAD)
        ends.relayed(2 + released.parts)
        assert ends.bring(BAGHDAD, DUHOK) > 0
        ends.hear(DUHOK, released.parts)
        assert ends.owners(case) == [DUHOK]
        country[DUHOK].start()
        ends.say(DUHOK)
        ends.relayed(3 + released.parts)
        ends.bring(BAGHDAD, NINEWA)
        ends.hear(NINEWA, 1)
        here, there = ends.case(NINEWA, case), ends.case(DUHOK, case)
        assert here is not None
        assert there is not None
        assert (here.status, here.owned, here.counted) == (CaseStatus.TRANSFERRED_OUT, False, True)
        assert (there.status, there.owned, there.counted) == (CaseStatus.RECEIVED, True, False)
    finally:
        ends.close()
    for file in (*ends.bundles, *country[BAGHDAD].home.rglob("*.db*")):
        assert NAME.encode() not in file.read_bytes()
