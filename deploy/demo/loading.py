"""Loading every governorate's sample at once, a thread for each, while the country is watched and progress is
shown.

What was loaded is remembered in HOME/loaded.json: the seed, the size and the day that the plan was made for.
A home that has been loaded is not loaded again, and one whose load was interrupted goes on under the same
keys with the same day, even if the calendar has moved on.
"""

import json
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import date
from functools import partial

from deploy.demo.country import Country
from deploy.demo.plan import Plan, plan
from deploy.demo.sample import Loader, how_many, requests_of
from kernel.clock import now

AT_ONCE = 4


class OtherSample(RuntimeError):
    """The home holds another sample; the text says what to do."""


@dataclass(frozen=True)
class Sample:
    """Which sample a home holds."""

    seed: int
    size: float
    day: str
    loaded: tuple[str, ...] = ()

    @property
    def today(self) -> date:
        return date.fromisoformat(self.day)


def remembered(country: Country, *, seed: int, size: float) -> Sample:
    """The sample that this home holds or is to hold. OtherSample if it was begun with another seed or
    size."""
    path = country.home / "loaded.json"
    if not path.exists():
        return Sample(seed, size, now().date().isoformat())
    values = json.loads(path.read_text(encoding="utf-8"))
    kept = Sample(values["seed"], values["size"], values["day"], tuple(values["loaded"]))
    if (kept.seed, kept.size) != (seed, size):
        raise OtherSample(
            f"{country.home} holds the sample of --seed {kept.seed} --size {kept.size}; "
            "use those, or begin anew with --fresh."
        )
    return kept


def load(country: Country, sample: Sample, *, progress: Callable[[int, int], None]) -> dict[str, int]:
    """Load what is missing; `progress(done, total)` is called as it goes. Requests by governorate."""
    plans = {
        node: plan(node, seed=sample.seed, today=sample.today, size=sample.size)
        for node in country.governorates
        if node not in sample.loaded
    }
    total = sum(how_many(one, today=sample.today) for one in plans.values())
    stopped = threading.Event()
    counter = _Counter()
    _remember(country, sample)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        futures = {
            node: pool.submit(_load_one, country, sample, one, counter.add, stopped.is_set)
            for node, one in plans.items()
        }
        try:
            country.wait(lambda: _seen(futures, counter, total, progress), 3600, "the sample is loaded")
        finally:
            stopped.set()
    loaded = {node: future.result() for node, future in futures.items()}
    _remember(country, Sample(sample.seed, sample.size, sample.day, (*sample.loaded, *loaded)))
    return loaded


def _load_one(
    country: Country, sample: Sample, one: Plan, loaded: Callable[[], None], stopped: Callable[[], bool]
) -> int:
    loader = Loader(
        one.node,
        sample.seed,
        log_in=partial(country.api, one.node, stopped=stopped),
        loaded=loaded,
        stopped=stopped,
    )
    return loader.load(requests_of(one, password=country.password, today=sample.today))


def _seen(
    futures: dict[str, "Future[int]"], counter: "_Counter", total: int, progress: Callable[[int, int], None]
) -> bool:
    """Whether all are done; the first failure is raised here, in the thread that can act on it."""
    progress(counter.count, total)
    for future in futures.values():
        if future.done():
            future.result()
    return all(future.done() for future in futures.values())


def _remember(country: Country, sample: Sample) -> None:
    path = country.home / "loaded.json"
    path.write_text(json.dumps(asdict(sample)), encoding="utf-8")


class _Counter:
    """Counts in several threads."""

    def __init__(self) -> None:
        self.count = 0
        self._lock = threading.Lock()

    def add(self) -> None:
        with self._lock:
            self.count += 1
