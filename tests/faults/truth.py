"""What the engines' metrics say while a fault lasts, held against the databases: a number may be missing, never wrong.

Sampled the whole round long. `held` is monotone, so a sample that claims more than a database read *after* it holds is
a lie; scenarios that take a database back in time say so with `unheld`. What follows from one fault (a link that is cut
must say so, a silent origin has no lag) the scenarios ask for themselves.
"""

import threading
from collections.abc import Iterator

import requests
from prometheus_client.parser import text_string_to_metric_families

from tests.faults.country import Country
from tests.kit.small_country import DIRECTORATES, GOVERNORATES

EVERY_SECONDS = 1.0

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def scrape(country: Country, node: str) -> Samples | None:
    """The samples of a node's engine; None when it does not answer."""
    try:
        with requests.get(f"http://127.0.0.1:{country[node].ports['engine']}/metrics", timeout=2) as answer:
            text = answer.text if answer.ok else ""
    except requests.RequestException:
        return None
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name.startswith("jisr_")
    }


def value(samples: Samples, name: str, **labels: str) -> float | None:
    """One sample's value, None where there is no such sample."""
    return samples.get((name, tuple(sorted(labels.items()))))


def link_state(samples: Samples, destination: str) -> str:
    """The state in which a link says that it is; empty when it says none or two."""
    found = [
        dict(labels)["state"]
        for (name, labels), said in samples.items()
        if name == "jisr_link_state" and dict(labels)["destination"] == destination and said == 1
    ]
    return found[0] if len(found) == 1 else ""


class Truth(threading.Thread):
    """Looks at every engine once a second; `lies` is what it caught."""

    def __init__(self, country: Country) -> None:
        super().__init__(name="truth", daemon=True)
        self.lies: list[str] = []
        self.looks = 0
        self._country = country
        self._unheld: set[str] = set()
        self._stopping = threading.Event()

    def unheld(self, node: str) -> None:
        """The databases of this node go back in time in this round: what others say of them may be older."""
        self._unheld.add(node)

    def run(self) -> None:
        while not self._stopping.wait(EVERY_SECONDS):
            for node in self._country.nodes:
                samples = scrape(self._country, node)
                if samples:
                    self.lies += self._lies_of(node, samples)
                    self.looks += 1

    def stop(self) -> None:
        self._stopping.set()
        self.join(30)

    def _lies_of(self, node: str, samples: Samples) -> Iterator[str]:
        if node in GOVERNORATES:
            for destination in DIRECTORATES:
                yield from self._more_than_held(
                    node, destination, value(samples, "jisr_link_held", destination=destination)
                )
                yield from self._two_states(node, destination, samples)
        else:
            for origin in GOVERNORATES:
                said = value(samples, "jisr_replica_held", origin=origin)
                yield from self._more_than_held(origin, node, said)

    def _more_than_held(self, origin: str, destination: str, said: float | None) -> Iterator[str]:
        if said is None or destination in self._unheld or origin in self._unheld:
            return
        held = self._held(origin, destination)
        if held is not None and said > held:
            yield f"a metric says that {destination} holds {said:.0f} of {origin}; its database holds {held}"

    def _held(self, origin: str, destination: str) -> int | None:
        try:
            return self._country[destination].held(origin).number
        except Exception:  # the scenario took the database away, or puts another in its place
            return None

    def _two_states(self, node: str, destination: str, samples: Samples) -> Iterator[str]:
        named = [key for key in samples if key[0] == "jisr_link_state" and ("destination", destination) in key[1]]
        if named and not link_state(samples, destination):
            yield f"{node} says that its link to {destination} is in no state, or in two"
