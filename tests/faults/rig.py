"""Rounds: people write, a scenario harms, all is healed, the oracle looks. First: does the oracle see anything?"""

import random
import shutil
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.faults import oracle, planted
from tests.faults.country import COSTLY_POLL_SECONDS, Country
from tests.faults.driver import Driver
from tests.faults.ledger import Ledger, Word
from tests.faults.scenarios import Scenario
from tests.faults.servers import Servers
from tests.faults.stage import Stage
from tests.faults.truth import Truth
from tests.kit.small_country import BAGHDAD, GOVERNORATES

RENEWED_AFTER = 25  # rounds: the oracle reads everything, so a country must not grow for ever
SETTLE_SECONDS = 120.0
WELL_SECONDS = 60.0
PAUSE = {**dict.fromkeys(GOVERNORATES, 0.25), BAGHDAD: 1.0}
SHOWN = 20
ENOUGH = 10  # cases: of each category one, as good as certainly


@dataclass
class Round:
    """What became of one round."""

    number: int
    scenario: str
    seconds: float = 0.0
    findings: list[str] = field(default_factory=list)
    counts: dict[str, float] = field(default_factory=dict)
    kept: str = ""


@dataclass
class Report:
    """What became of all of them."""

    seed: int
    rounds: list[Round] = field(default_factory=list)
    planted: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def failed(self) -> list[Round]:
        return [each for each in self.rounds if each.findings]

    def summary(self) -> dict[str, Any]:
        """As JSON says it."""
        times = sorted(each.seconds for each in self.rounds)
        by_name: dict[str, int] = {}
        for each in self.rounds:
            by_name[each.scenario] = by_name.get(each.scenario, 0) + 1
        counted: dict[str, float] = {}
        for each in self.rounds:
            for name, count in each.counts.items():
                counted[name] = counted.get(name, 0) + count
        return {
            "seed": self.seed,
            "rounds": len(self.rounds),
            "failed": [asdict(each) for each in self.failed],
            "scenarios": dict(sorted(by_name.items())),
            "counts": counted,
            "planted": self.planted,
            "seconds": round(self.seconds, 1),
            "median_round_seconds": round(times[len(times) // 2], 1) if times else None,
        }


class Rig:
    """Keeps a country between rounds and replaces it when it is used up. `say` gets a line for people."""

    def __init__(self, seed: int, servers: Servers, directory: Path, say: Callable[[str], None], *, full: bool) -> None:
        self.seed, self.servers, self.directory, self.full = seed, servers, directory, full
        self.report = Report(seed)
        self._say = say
        self._began = time.monotonic()
        self._country: Country | None = None
        self._ledger = Ledger()
        self._made = self._age = 0

    def see_itself_fail(self) -> None:
        """Corrupt one row on purpose, each way in turn, and raise unless the oracle notices."""
        country = self._ready_country()
        drivers = self._drivers(country, random.Random(f"{self.seed}:planted"))
        self._people(drivers, lambda: country.wait(self._enough, SETTLE_SECONDS, "people have written something"))
        country.settle(SETTLE_SECONDS)
        before = oracle.findings(country, self._ledger)
        if before:
            raise AssertionError(f"before anything was planted: {before[:SHOWN]}")
        for plant in planted.WAYS:
            with plant(country) as what:
                found = oracle.findings(country, self._ledger)
            if not found:
                raise AssertionError(f"the oracle did not see that {what}")
            self.report.planted.append(f"{what}: {found[0]}")
            self._say(f"planted and seen: {what}")
        after = oracle.findings(country, self._ledger)
        if after:
            raise AssertionError(f"what was planted was not taken out again: {after[:SHOWN]}")

    def play(self, number: int, scenario: Scenario) -> Round:
        """One round."""
        began = time.monotonic()
        done = Round(number, scenario.name)
        directory = self.directory / f"round-{number}"
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        try:
            country = self._ready_country()
            done.findings += self._round(country, number, scenario, directory, done)
        except Exception as error:  # whatever goes wrong is what this round found
            (directory / "traceback.txt").write_text(traceback.format_exc())
            done.findings.append(f"{type(error).__name__}: {error}")
        done.seconds = round(time.monotonic() - began, 2)
        if done.findings:
            done.kept = str(directory)
            self._keep(directory, done.findings)
        else:
            shutil.rmtree(directory, ignore_errors=True)
        if done.findings or scenario.uses_up:
            self._discard()
        self.report.rounds.append(done)
        self.report.seconds = time.monotonic() - self._began
        return done

    def close(self) -> None:
        self._discard()

    # --- within

    def _enough(self) -> bool:
        return all(len(self._ledger.of(node, "opened", Word.ACCEPTED)) >= ENOUGH for node in GOVERNORATES)

    def _round(self, country: Country, number: int, scenario: Scenario, directory: Path, done: Round) -> list[str]:
        log = (directory / "round.log").open("a")
        began = time.monotonic()

        def say(what: str) -> None:
            log.write(f"{time.monotonic() - began:7.2f}  {what}\n")
            log.flush()

        self._ledger.file = directory / "ledger.jsonl"
        truth = Truth(country)
        dice = random.Random(f"{self.seed}:{number}:{scenario.name}")
        drivers = self._drivers(country, dice)
        stage = Stage(country, truth, dice, directory, self._ledger, drivers, say, self.full)
        accepted = self._ledger.counts()
        truth.start()
        try:

            def harmed() -> None:
                stage.let_pass(0.2, 0.6)
                scenario.play(stage)
                say("healed")
                for node in GOVERNORATES:
                    stage.people_go_on(node)

            self._people(drivers, harmed)
            say("settling")
            country.settle(SETTLE_SECONDS)
            say("settled")
            if not scenario.uses_up:
                self._wait_well(country, stage)
            say("well")
            found = oracle.findings(country, self._ledger)
            say(f"the oracle has {len(found)} findings")
        finally:
            truth.stop()
            log.close()
            done.counts = {name: count - accepted.get(name, 0) for name, count in self._ledger.counts().items()} | {
                "looks": truth.looks,
                **stage.counts,
            }
        return [*found, *(f"while it lasted: {lie}" for lie in dict.fromkeys(truth.lies))]

    def _wait_well(self, country: Country, stage: Stage) -> None:
        last = ""

        def well() -> bool:
            nonlocal last
            last = stage.is_well()
            return not last

        try:
            country.wait(well, WELL_SECONDS, "every link says that it is well", every=COSTLY_POLL_SECONDS)
        except AssertionError as error:
            raise AssertionError(f"{error}: {last}") from None

    def _drivers(self, country: Country, dice: random.Random) -> dict[str, Driver]:
        seed = f"{self.seed}:{dice.getrandbits(32)}"
        return {node: Driver(country, node, self._ledger, seed, pause) for node, pause in PAUSE.items()}

    def _people(self, drivers: dict[str, Driver], meanwhile: Callable[[], object]) -> None:
        for driver in drivers.values():
            driver.start()
        try:
            meanwhile()
        finally:
            for driver in drivers.values():
                driver.stop()

    def _ready_country(self) -> Country:
        if self._country is not None and self._age >= RENEWED_AFTER:
            self._discard()
        if self._country is None:
            self._made += 1
            self._age = 0
            self._say(f"making country {self._made}")
            self._ledger = Ledger()
            self._country = Country(self.servers.home / f"country-{self._made}", self.servers, full=self.full)
            self._country.start()
        self._age += 1
        return self._country

    def _discard(self) -> None:
        if self._country is not None:
            self._country.close()
            shutil.rmtree(self._country.home, ignore_errors=True)
            self._country = None
        for node, broker in self.servers.brokers.items():
            if not broker.running:
                self.servers.start_broker(node)

    def _keep(self, directory: Path, found: list[str]) -> None:
        (directory / "findings.txt").write_text("\n".join(found) + "\n")
        if self._country is None:
            return
        for node in self._country.nodes.values():
            node.keep_files(directory)
            shutil.copy2(node.broker.log, directory / f"{node.name}-broker.log")
