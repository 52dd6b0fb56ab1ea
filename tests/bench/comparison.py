"""What is compared, each part on its own: the same facts, the same machine, one after another in one run."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from contracts.topology import Clearance, load
from kernel.fact import Fact
from tests.bench.invented import Cases
from tests.bench.plain import plain
from tests.bench.postgres_logical import pair
from tests.bench.two_nodes import WHOLE, nodes
from tests.bench.watch import Run
from tests.kit.small_country import BAGHDAD, GOVERNORATES

Found = dict[str, Any]

LIMIT_SECONDS = 900.0
SLOW_RATE = 125_000.0  # bytes a second: 1 Mbit/s
SLOW_LATENCY = 0.15  # each way


def invented(count: int) -> list[Fact]:
    """The same facts for everybody."""
    return Cases().facts(count)


def catch_up(facts: int, events: int, times: int) -> Found:
    """A backlog on loopback: PostgreSQL and Jisr in turn with all of it, the plain way with what one can wait for.

    The run whose ratio is in the middle is shown: what a machine does in one minute says little of the next.
    """
    some = invented(facts)
    runs = sorted((_in_turn(some) for _ in range(times)), key=_ratio)
    logical, jisr = middle = runs[len(runs) // 2]
    with plain() as service:
        service.publish(some[:events])
        one_by_one = service.catch_up(LIMIT_SECONDS)
    return {
        "catch_up_ratio": _ratio(middle),
        "catch_up_ratios": [_ratio(run) for run in runs],
        "catch_up_cpu_ratio": round(_cpu_per_fact(jisr) / _cpu_per_fact(logical), 2),
        "catch_up_plain_ratio": round(jisr.rate / one_by_one.rate, 1),
        "catch_up": {"jisr": jisr.shown(), "postgresql_logical": logical.shown(), "plain": one_by_one.shown()},
    }


def _in_turn(some: Sequence[Fact]) -> tuple[Run, Run]:
    with pair() as database:
        database.publish(some)
        logical = database.catch_up(LIMIT_SECONDS)
    with nodes() as country:
        country.publish(some)
        country.start()
        return logical, country.catch_up(LIMIT_SECONDS)


def _ratio(runs: tuple[Run, Run]) -> float:
    logical, jisr = runs
    return round(jisr.rate / logical.rate, 3)


def _cpu_per_fact(run: Run) -> float:
    return sum(run.cpu.values()) / run.copied


def backends(facts: int) -> Found:
    """Catching up on SQLite, and with statistical clearance."""
    some = invented(facts)
    found: Found = {}
    for backend, clearance in (("sqlite", "operational"), ("sqlite", "statistical"), ("postgresql", "statistical")):
        with nodes(backend, clearance=clearance) as country:
            country.publish(some)
            country.start()
            found[f"{backend} {clearance}"] = country.catch_up(LIMIT_SECONDS).shown()
    return {"backends": found}


def several(facts: int, origins: int = 2, backend: str = "postgresql") -> Found:
    """Some origins at once: each has a link, a queue and a replica of its own, and its part of the facts."""
    some = invented(facts // origins)
    with nodes(backend, origins=_governorates(origins)) as country:
        for origin in country.origins:
            country.publish(some, origin)
        country.start()
        run = country.catch_up(LIMIT_SECONDS)
    return {
        "several_origins": origins,
        "several_origins_per_second": round(run.rate),
        "several_cores": round(sum(run.cpu.values()) / run.from_word, 2),
        "several_engine_rss_mb": run.peaks["receiver"],
        "several": run.shown(),
    }


def _governorates(count: int) -> Sequence[str]:
    """Those of the small country, or, of the whole one, first those whose home is the directorate of the bench."""
    if count <= len(GOVERNORATES):
        return GOVERNORATES[:count]
    links = sorted(load(WHOLE).links_to(BAGHDAD), key=lambda link: link.clearance is not Clearance.OPERATIONAL)
    return [link.origin for link in links[:count]]


def wire(facts: int) -> Found:
    """Bytes on the line, both directions, in a link that is not slow."""
    some = invented(facts)
    runs = {name: _through(subject, some) for name, subject in _subjects().items()}
    found = {name: run.shown() for name, run in runs.items()}
    ratio = runs["jisr"].bytes_per_fact / runs["postgresql_logical"].bytes_per_fact
    return {
        "wire_bytes_ratio": round(ratio, 3),
        "wire_plain_ratio": round(runs["jisr"].bytes_per_fact / runs["plain"].bytes_per_fact, 3),
        "wire": found,
    }


def _subjects() -> dict[str, Callable[..., Any]]:
    return {"jisr": nodes, "postgresql_logical": pair, "plain": plain}


def _through(subject: Callable[..., Any], some: list[Fact]) -> Run:
    with subject(line=True) as made:
        made.publish(some[: len(some) // 20] if subject is plain else some)
        if subject is nodes:
            made.start()
        run: Run = made.catch_up(LIMIT_SECONDS)
        return run


def slow_line(facts: int, seconds: float) -> Found:
    """1 Mbit/s and 300 ms there and back, for so many seconds, each on a line of its own at the same time."""
    some = invented(facts)
    subjects = _subjects()
    with ThreadPoolExecutor(len(subjects)) as threads:
        running = {name: threads.submit(_slowly, subject, some, seconds) for name, subject in subjects.items()}
        runs = {name: each.result() for name, each in running.items()}
    jisr = runs["jisr"]
    return {
        "slow_link_time_ratio": round(runs["postgresql_logical"].rate / jisr.rate, 3),
        "slow_link_plain_ratio": round(runs["plain"].rate / jisr.rate, 3),
        "slow_link_full": round(jisr.carried / jisr.seconds / SLOW_RATE, 3),
        "slow_link": {name: _without_cpu(run) for name, run in runs.items()},
    }


def _without_cpu(run: Run) -> Found:
    """They ran at the same time: whose processor time it was cannot be told."""
    return {name: value for name, value in run.shown().items() if not name.startswith(("cpu_", "cores_"))}


def _slowly(subject: Callable[..., Any], some: list[Fact], seconds: float) -> Run:
    with subject(line=True) as made:
        made.publish(some[: len(some) // 20] if subject is plain else some)
        if subject is nodes:
            made.start()
        made.line.rate(SLOW_RATE)
        made.line.latency(SLOW_LATENCY)
        run: Run = made.catch_up(seconds)
        made.line.heal()
        return run


def growth(few: int, many: int, facts: int) -> Found:
    """The rate of catching up on `facts` where `few` entries are held, and where `many` are."""
    cases = Cases()
    with nodes() as country:
        rates = []
        for held in (few, many):
            while (missing := held - country.held()) > 0:
                country.publish(cases.facts(min(missing, 50_000)))
                country.carry()
            country.publish(cases.facts(facts))
            country.start()
            rates.append(country.catch_up(LIMIT_SECONDS))
            country.stop()
    return {
        "growth_ratio": round(rates[1].rate / rates[0].rate, 3),
        "growth": {str(held): run.shown() for held, run in zip((few, many), rates, strict=True)},
    }


def memory(facts: int) -> Found:
    """The most memory that an engine has while it catches up on a long backlog, and on a fifth of it."""
    cases = Cases()
    peaks = []
    for count in (facts // 5, facts):
        with nodes() as country:
            for _ in range(0, count, 50_000):
                country.publish(cases.facts(min(count, 50_000)))
            country.start()
            peaks.append(country.catch_up(LIMIT_SECONDS).peaks)
    most = [max(each.values()) for each in peaks]
    return {"engine_rss_mb": most[1], "engine_rss_mb_short": most[0], "memory": {"short": peaks[0], "long": peaks[1]}}
