"""What a scenario is given: the country, its dice, a way to say what it does, and what it may ask of the metrics."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kernel import outbox
from tests.bench.invented import Cases
from tests.faults.country import COSTLY_POLL_SECONDS, Country
from tests.faults.driver import Driver
from tests.faults.ledger import Ledger, Word
from tests.faults.truth import Samples, Truth, link_state, scrape, value
from tests.kit.small_country import DIRECTORATES, GOVERNORATES, LINKS

SEES_SECONDS = 30.0
AT_WORK = ("idle", "sending")


@dataclass
class Stage:
    """`full`: at the size of the field instead of one that fits a round."""

    country: Country
    truth: Truth
    dice: random.Random
    directory: Path
    ledger: Ledger
    drivers: dict[str, Driver]
    say: Callable[[str], None]
    full: bool = False
    counts: dict[str, float] = field(default_factory=dict)

    # --- choices

    def governorate(self) -> str:
        return self.dice.choice(GOVERNORATES)

    def directorate(self) -> str:
        return self.dice.choice(DIRECTORATES)

    def link(self) -> tuple[str, str]:
        return self.dice.choice(LINKS)

    def let_pass(self, least: float, most: float) -> None:
        """Let a time pass that the dice choose, while people write and what dies is started again."""
        self.country.let_pass(self.dice.uniform(least, most))

    # --- people

    @contextmanager
    def nobody_writes(self, node: str) -> Iterator[None]:
        """The people of one node rest."""
        self.drivers[node].pause()
        try:
            yield
        finally:
            self.drivers[node].go_on()

    def people_go_on(self, node: str) -> None:
        """Whatever happens outside, officers of `node` are answered 2xx."""
        before = self._accepted(node)
        self.sees(f"people of {node} go on", lambda: self._accepted(node) > before, 60)

    def _accepted(self, node: str) -> int:
        return len(self.ledger.of(node, "opened", Word.ACCEPTED)) + len(self.ledger.of(node, "triaged", Word.ACCEPTED))

    def append_invented(self, origin: str, count: int) -> None:
        """Commit so many facts to an outbox of `origin`, as a service would, and faster than people can."""
        self.say(f"{count} invented facts at {origin}")
        cases = Cases(self.dice.getrandbits(32))
        while count:
            some = cases.facts(min(count, 500))
            count -= len(some)
            self.country.invented |= {fact.subject for fact in some}
            with self.country[origin].writing("forum") as session:
                outbox.append_all(session, some)

    # --- what must be seen while a fault lasts

    def sees(self, what: str, condition: Callable[[], Any], seconds: float = SEES_SECONDS) -> None:
        """The world outside shows `what` in time. Raises `NotInTime`."""
        self.country.wait(condition, seconds, f"it can be seen that {what}", every=COSTLY_POLL_SECONDS)
        self.say(f"seen: {what}")

    def metrics(self, node: str) -> Samples:
        return scrape(self.country, node) or {}

    def link_is_down(self, origin: str, destination: str) -> None:
        """The origin's metrics say that the link is not at work."""

        def down() -> bool:
            state = link_state(self.metrics(origin), destination)
            return bool(state) and state not in AT_WORK

        self.sees(f"the link from {origin} to {destination} is not at work", down)

    def replica_is(self, origin: str, destination: str, state: str) -> None:
        """The destination's metrics say that the replica is in this state."""
        self.sees(
            f"the replica of {origin} at {destination} is {state}",
            lambda: value(self.metrics(destination), "jisr_replica_state", origin=origin, state=state) == 1,
        )

    def link_has(self, origin: str, destination: str, *states: str) -> None:
        """The link says that it is in one of `states`."""
        self.sees(
            f"the link from {origin} to {destination} is {' or '.join(states)}",
            lambda: link_state(self.metrics(origin), destination) in states,
        )

    def lag_is_unknown(self, origin: str, destination: str) -> None:
        """Neither side shows a lag while nothing is heard: what is not known has no sample, it is never zero."""
        for place in (origin, destination):
            self.lag_is_unknown_at(place, origin, destination)

    def lag_is_unknown_at(self, place: str, origin: str, destination: str) -> None:
        """One of the two sides shows no lag."""

        def unknown() -> bool:
            samples = self.metrics(place)
            if place == origin:
                return bool(samples) and value(samples, "jisr_link_behind_entries", destination=destination) is None
            return bool(samples) and value(samples, "jisr_replica_behind_entries", origin=origin) is None

        self.sees(f"{place} does not know how far {destination} is behind {origin}", unknown)

    def is_well(self) -> str:
        """Empty when every link says that it is idle and nothing is behind, else what is not."""
        said_by = {node: self.metrics(node) for node in (*GOVERNORATES, *DIRECTORATES)}
        for origin, destination in LINKS:
            samples, there = said_by[origin], said_by[destination]
            state = link_state(samples, destination)
            behind = value(samples, "jisr_link_behind_entries", destination=destination)
            said = value(there, "jisr_replica_behind_entries", origin=origin)
            if state != "idle" or behind != 0 or said != 0:
                return f"{origin} to {destination}: {state or 'no state'}, behind {behind} and {said}"
        return ""
