"""Governorates and a directorate: real engines, a real broker, and a line between them that counts and can be slow.

A journal is filled as the recorder fills it, while the link is paused by an operator's word; `catch_up` takes that word
back and watches the replica grow. What is counted as held is committed, with its entries and its records.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from sqlmodel import col, func, select

from contracts.topology import Clearance, LinkSpec
from deploy.proxy import Proxy
from kernel.clock import now
from kernel.fact import Fact
from kernel.identity import Actor
from services.sync import handlers, journal, replica
from services.sync.batches import next_batch
from services.sync.position import Position
from services.sync.replicas import Replicas
from services.sync.tables import Replica
from tests.bench.watch import Run, Watch
from tests.kit import wait
from tests.kit.databases import PostgresDatabases, SqliteDatabases
from tests.kit.postgres import private_postgres
from tests.kit.rabbitmq import Vhost, new_vhost, private_rabbitmq
from tests.kit.small_country import BAGHDAD, ERBIL, GOVERNORATES, TOPOLOGY
from tests.replication.country import Country, Node

OPERATOR = Actor(id="bench", name="bench", roles=frozenset({"operator"}), node="ninewa")
UNHURRIED = {  # the protocol's own times, not the shortened ones of the tests
    "hello_seconds": 30.0,
    "held_coalesce_seconds": 0.2,
    "no_progress_seconds": 60.0,
    "backoff_first_seconds": 1.0,
    "backoff_max_seconds": 5.0,
    "stale_seconds": 90.0,
}
AT_ONCE = 2000
BATCH_BYTES = 512 * 1024
PATIENCE_SECONDS = 180
WHOLE = Path(__file__).parents[2] / "deploy" / "topology.toml"


class Nodes:
    """Some governorates and one directorate, their links paused."""

    def __init__(self, country: Country, directorate: str, line: Proxy | None, origins: Sequence[str]) -> None:
        self._country, self.line, self.origins = country, line, tuple(origins)
        self._directorate = country[directorate]
        for origin in origins:
            with country[origin].writing() as session:
                journal.begin(session, origin)
            self._operate(origin, pause=True)

    def publish(self, facts: Sequence[Fact], origin: str = "ninewa") -> None:
        """Append facts to a journal as the recorder does; its engine learns of them when it starts."""
        node = self._country[origin]
        for at in range(0, len(facts), AT_ONCE):
            with node.writing() as session:
                first = journal.head(session, origin).number + 1
                taken = journal.Taken("case", "bench", first, tuple(facts[at : at + AT_ONCE]))
                journal.append(session, [taken], origin=origin, now=now())

    def carry(self, origin: str = "ninewa") -> None:
        """Bring the replica to the journal's head without engines, as a bundle would."""
        spec = LinkSpec(origin, self._directorate.name, Clearance.OPERATIONAL)
        replicas = Replicas(origin, "bench", 0, lambda _one: False)
        place = self._place(origin)
        while True:
            with self._country[origin].database.read() as session:
                batch = next_batch(
                    session, spec, 1, place, max_bytes=BATCH_BYTES, max_entries=AT_ONCE, relays_to=frozenset()
                )
            if batch is None:
                return
            with self._directorate.writing() as session:
                replicas.take(session, [batch], [], now())
            place = batch.end

    def _place(self, origin: str) -> Position:
        return self._directorate.held(origin) or replica.begin(origin, 1).held

    def start(self) -> None:
        """Start the engines and wait until the directorate has heard of each journal's head."""
        self._country.start(*self.origins, self._directorate.name)
        for origin in self.origins:
            self._wait_heard(origin)

    def stop(self) -> None:
        """Stop the engines; the links are paused again."""
        for name in (*self.origins, self._directorate.name):
            self._country[name].stop(60)
        for origin in self.origins:
            self._operate(origin, pause=True)

    def _wait_heard(self, origin: str) -> None:
        head = self._country[origin].head_number()

        def known() -> bool:
            row = self._directorate.replica(origin)
            return row is not None and row.head_number == head

        wait.until(known, seconds=PATIENCE_SECONDS, what="the directorate has heard of the head")

    def held(self) -> int:
        """Entries that the directorate holds, of all origins."""
        numbers = select(func.sum(Replica.number)).where(col(Replica.origin).in_(self.origins))
        with self._directorate.database.read() as session:
            return int(session.exec(numbers).one() or 0)

    def catch_up(self, seconds: float) -> Run:
        """Resume the links and watch until everything is held, or for so many seconds."""
        goal = sum(self._country[name].head_number() for name in self.origins)
        pids = {"receiver": _pid(self._directorate)} | {
            f"sender {name}": _pid(self._country[name]) for name in self.origins
        }
        with Watch(self.held, goal, self.line, pids) as watch:
            for name in self.origins:
                self._operate(name, pause=False)
            return watch.run(seconds)

    def _operate(self, origin: str, *, pause: bool) -> None:
        spec = LinkSpec(origin, self._directorate.name, Clearance.OPERATIONAL)
        change = handlers.pause_link if pause else handlers.resume_link
        with self._country[origin].writing() as session:
            change(session, spec, by=OPERATOR, now=now(), audience=())


def _pid(node: Node) -> int:
    assert node.process is not None
    return node.process.pid


@contextmanager
def nodes(
    backend: str = "postgresql",
    *,
    clearance: str = "operational",
    line: bool = False,
    origins: Sequence[str] = ("ninewa",),
) -> Iterator[Nodes]:
    """Fresh databases and a fresh broker. `clearance` chooses the directorate; `line`: links go through a proxy.

    `origins`: governorates of the small country of the tests, or of the whole one.
    """
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="jisr-bench-", ignore_cleanup_errors=True)))
        broker = stack.enter_context(private_rabbitmq())
        proxy = stack.enter_context(Proxy((broker.host, broker.port))) if line else None

        def through(_origin: str, _destination: str, vhost: Vhost) -> str:
            return vhost.url_through(proxy.port) if proxy else vhost.url

        topology = TOPOLOGY if set(origins) <= set(GOVERNORATES) else WHOLE.read_text("utf-8")
        country = Country(
            home,
            lambda: new_vhost(broker),
            _databases(stack, backend, home),
            through,
            topology=topology,
            governorates=origins,
        )
        stack.callback(country.close)
        directorate = BAGHDAD if clearance == "operational" else ERBIL
        for name in origins:  # the other directorate is not there: nobody need look for it
            country[name].links = {directorate: country[name].links[directorate]}
        for node in country.nodes.values():
            node.write_settings(**UNHURRIED)
        yield Nodes(country, directorate, proxy, origins)


def _databases(stack: ExitStack, backend: str, home: Path) -> Any:
    if backend == "sqlite":
        (home / "databases").mkdir()
        return SqliteDatabases(home / "databases")
    server = stack.enter_context(private_postgres(durable=True))
    return PostgresDatabases(lambda: server)
