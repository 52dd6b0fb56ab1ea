"""A case moves from Ninewa to Duhok over real engines and brokers, by the one directorate that can be reached."""

from pathlib import Path

from kernel.database import Database
from kernel.fact import Fact, unpack
from kernel.migration import migrate
from services.sync import arrivals
from tests.kit import wait
from tests.kit.small_country import BAGHDAD, ERBIL
from tests.replication.country import Country
from tests.services.case.office import Office
from tests.services.case.test_transfers import NAME, Ends, opened

NINEWA, DUHOK = "ninewa", "duhok"


class OnTheLine(Ends):
    """Two offices whose journals are those of a country's engines."""

    def __init__(self, country: Country, directory: Path) -> None:
        self.made: list[Database] = []
        super().__init__(lambda: self._office(directory))
        self.country = country
        self.recorded = {NINEWA: 0, DUHOK: 0}
        self.taken = {NINEWA: 0, DUHOK: 0}

    def _office(self, directory: Path) -> Office:
        url = f"sqlite:///{directory}/case-{len(self.made)}.db"
        migrate(url, "case")
        self.made.append(Database(url, service="case"))
        return Office(self.made[-1])

    def close(self) -> None:
        for database in self.made:
            database.close()

    def carry(self, origin: str, to: str, letters: int) -> None:
        """Record what `origin` told since, and take in `letters` messages where they arrive."""
        self.say(origin)
        self.hear(to, letters)

    def say(self, origin: str) -> None:
        """Record what `origin` told since."""
        facts = self.offices[origin].facts()[self.recorded[origin] :]
        self.recorded[origin] += len(facts)
        self.country[origin].record(*facts)

    def hear(self, to: str, letters: int) -> None:
        """Take in `letters` messages where they arrive."""
        goal = self.taken[to] + letters
        wait.until(lambda: self._arrived(to) >= goal, seconds=90, what=f"{letters} messages arrive at {to}", every=0.1)
        with self.country[to].database.read() as session:
            items = arrivals.facts_from(session, self.taken[to], 100)["items"]
        for item in items:
            fact: Fact = unpack(item["envelope"].encode())
            self.deliver(fact, item["origin"], to)
        self.taken[to] += len(items)

    def _arrived(self, node: str) -> int:
        with self.country[node].database.read() as session:
            return int(arrivals.facts_from(session, 0, 1)["head"])


def test_a_case_moves_while_its_home_directorate_cannot_be_reached(sqlite_country: Country, tmp_path: Path) -> None:
    country = sqlite_country
    country[ERBIL].write_settings(relay_after_seconds=1)
    country.start(NINEWA, DUHOK, ERBIL)
    ends = OnTheLine(country, tmp_path)
    try:
        case = opened(ends, category="domestic_abuse")
        transfer = ends.send(ends.propose(case))
        ends.carry(NINEWA, DUHOK, 1)
        ends.accept(transfer)
        ends.carry(DUHOK, NINEWA, 1)
        ends.release(transfer)
        assert ends.owners(case) == []
        ends.carry(NINEWA, DUHOK, 1)
        assert ends.owners(case) == [DUHOK]
        ends.carry(DUHOK, NINEWA, 1)
        here = ends.case(NINEWA, case)
        assert here is not None
        assert here.status == "transferred_out"
        country.start(BAGHDAD)
        ends.carry(NINEWA, DUHOK, 1)
        row = ends.row(DUHOK, transfer)
        assert row is not None
        assert row.status == "acknowledged"
    finally:
        ends.close()
    for file in country[ERBIL].home.rglob("*.db*"):
        assert NAME.encode() not in file.read_bytes()
