"""How fast a paused link catches up, what it costs on the wire, and how much memory the engines take.

Two real engines and a real broker on one machine. The journal is filled first; the clock runs from the operator's
word to the moment at which the directorate holds the head, so it includes the second in which the engine looks for
that word.
"""

import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import psutil

from contracts.topology import Clearance, LinkSpec
from deploy.rabbitmq import PrivateRabbitMQ
from kernel.clock import now
from kernel.identity import Actor
from services.sync import handlers, journal
from tests.bench.invented import Cases
from tests.kit import wait
from tests.kit.databases import PostgresDatabases, SqliteDatabases
from tests.kit.postgres import private_postgres
from tests.kit.rabbitmq import new_vhost
from tests.replication.country import BAGHDAD, ERBIL, Country, Node

OPERATOR = Actor(id="bench", name="bench", roles=frozenset({"operator"}), node="ninewa")
AT_ONCE = 2000
LIMIT_SECONDS = 900
MIB = 1024 * 1024


def catch_up(backend: str, facts: int) -> dict[str, Any]:
    """Catch up on `facts` with one directorate on `operational`, then with the other on `statistical`."""
    with _country(backend) as country:
        ninewa = country["ninewa"]
        recorded = _record(ninewa, facts)
        for directorate in (BAGHDAD, ERBIL):
            _operate(ninewa, directorate, pause=True)
        country.start("ninewa", BAGHDAD, ERBIL)
        for directorate in (BAGHDAD, ERBIL):
            wait.until(lambda name=directorate: ninewa.link_state(name) == "paused", seconds=120)  # type: ignore[misc]
            wait.until(lambda name=directorate: country[name].held("ninewa"), seconds=60)  # type: ignore[misc]
        found: dict[str, Any] = {"backend": backend, "facts": facts, "recorded_per_second": recorded}
        found["idle_rss_mib"] = {"sender": _rss(ninewa), "receiver": _rss(country[BAGHDAD])}
        for directorate, clearance in ((BAGHDAD, "operational"), (ERBIL, "statistical")):
            found[clearance] = _one(ninewa, country[directorate], facts)
        return found


def _one(ninewa: Node, directorate: Node, facts: int) -> dict[str, Any]:
    with _Peaks(ninewa, directorate) as peaks:
        began = time.perf_counter()
        cpu = _cpu(ninewa), _cpu(directorate)
        _operate(ninewa, directorate.name, pause=False)

        def done() -> bool:
            held = directorate.held("ninewa")
            return held is not None and held.number == facts

        wait.until(done, seconds=LIMIT_SECONDS, what="the directorate holds the head", every=0.05)
        seconds = time.perf_counter() - began
    cpu_seconds = _cpu(ninewa) - cpu[0], _cpu(directorate) - cpu[1]
    sent = _metric(ninewa, f'jisr_batch_bytes_total{{direction="out",peer="{directorate.name}",result="sent"}}')
    return {
        "seconds": round(seconds, 2),
        "facts_per_second": round(facts / seconds),
        "wire_bytes_per_fact": round(sent / facts, 1),
        "cpu_seconds": {"sender": round(cpu_seconds[0], 1), "receiver": round(cpu_seconds[1], 1)},
        "peak_rss_mib": {"sender": peaks.of(ninewa), "receiver": peaks.of(directorate)},
    }


def _record(node: Node, count: int) -> int:
    """Fill the journal as the recorder does; facts a second."""
    cases = Cases()
    with node.writing() as session:
        journal.begin(session, node.name)
    spent = 0.0
    for at in range(0, count, AT_ONCE):
        taken = journal.Taken("case", "bench", at + 1, tuple(cases.facts(min(AT_ONCE, count - at))))
        began = time.perf_counter()
        with node.writing() as session:
            journal.append(session, [taken], origin=node.name, now=now())
        spent += time.perf_counter() - began
    return round(count / spent)


def _operate(node: Node, destination: str, *, pause: bool) -> None:
    spec = LinkSpec(node.name, destination, Clearance.OPERATIONAL)
    with node.writing() as session:
        (handlers.pause_link if pause else handlers.resume_link)(session, spec, by=OPERATOR, now=now(), audience=())


def _process(node: Node) -> psutil.Process:
    assert node.process is not None
    return psutil.Process(node.process.pid)


def _rss(node: Node) -> int:
    return round(_process(node).memory_info().rss / MIB)


def _cpu(node: Node) -> float:
    times = _process(node).cpu_times()
    return float(times.user + times.system)


class _Peaks:
    """The most memory that each process had while inside."""

    def __init__(self, *nodes: Node) -> None:
        self._most = {node.name: 0 for node in nodes}
        self._nodes = nodes
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "_Peaks":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ending.wait(0.1):
            for node in self._nodes:
                self._most[node.name] = max(self._most[node.name], _rss(node))

    def of(self, node: Node) -> int:
        return self._most[node.name]


def _metric(node: Node, name: str) -> float:
    with urlopen(f"http://127.0.0.1:{node.port}/metrics", timeout=10) as answer:
        for line in answer.read().decode().splitlines():
            if line.startswith(f"{name} "):
                return float(line.rpartition(" ")[2])
    return 0.0


@contextmanager
def _country(backend: str) -> Iterator[Country]:
    with (
        tempfile.TemporaryDirectory(prefix="jisr-bench-", ignore_cleanup_errors=True) as home,
        _broker() as broker,
        _databases(backend, Path(home)) as databases,
    ):
        made = Country(Path(home), lambda: new_vhost(broker), databases)
        try:
            yield made
        finally:
            made.close()


@contextmanager
def _broker() -> Iterator[PrivateRabbitMQ]:
    with tempfile.TemporaryDirectory(prefix="jisr-bench-broker-", ignore_cleanup_errors=True) as home:
        broker = PrivateRabbitMQ(Path(home))
        broker.start()
        try:
            yield broker
        finally:
            broker.kill()


@contextmanager
def _databases(backend: str, home: Path) -> Iterator[Any]:
    if backend == "sqlite":
        (home / "databases").mkdir()
        yield SqliteDatabases(home / "databases")
        return
    with private_postgres(durable=True) as server:
        yield PostgresDatabases(lambda: server)
