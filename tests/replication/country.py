"""A small country for tests of the engine: real brokers and databases, each engine a process of its own."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlmodel import Session, func, select

from deploy.ports import free_port
from kernel import outbox
from kernel.crypto import SigningKey
from kernel.database import Database
from kernel.fact import Fact
from services.sync.position import Position
from services.sync.tables import JournalState, Link, Record, Replica, ReplicaEntry
from tests.kit import wait
from tests.kit.rabbitmq import Vhost
from tests.kit.small_country import DIRECTORATES, GOVERNORATES, TOPOLOGY
from tests.services.sync.facts import fact

QUICK = {
    "hello_seconds": 1.0,
    "held_coalesce_seconds": 0.05,
    "no_progress_seconds": 3.0,
    "backoff_first_seconds": 0.1,
    "backoff_max_seconds": 0.5,
    "stale_seconds": 5.0,
}
PACKAGE = Path(__file__).parents[2]


class Node:
    """One node's home, database and engine."""

    def __init__(self, country: "Country", name: str) -> None:
        self.country = country
        self.name = name
        self.home = country.directory / name
        self.vhost: Vhost = country.make_vhost()
        (self.home / "keys").mkdir(parents=True)
        self.database_url = country.database_of(self.home)
        self.database = Database(self.database_url.format(home=self.home, service="sync"), service="sync")
        self.port = free_port()
        self.links: dict[str, str] = {}
        self.process: subprocess.Popen[bytes] | None = None
        self._case: outbox.Relay | None = None
        self.key = SigningKey.new()
        self.key.save(self.home / "keys" / "node.key")

    @property
    def settings_file(self) -> Path:
        return self.home / "settings.toml"

    def write_settings(self, **replication: Any) -> None:
        timing = {**QUICK, **replication}
        lines = [
            f'node = "{self.name}"',
            'home = "."',
            f'topology = "{self.country.topology_file}"',
            f'peer_keys = "{self.country.peers}"',
            f'database_url = "{self.database_url}"',
            f'broker_url = "{self.vhost.url}"',
            'log_level = "info"',
            "[ports]",
            f"engine = {self.port}",
            "[replication]",
            *(f"{key} = {value}" for key, value in timing.items()),
        ]
        for destination, url in self.links.items():
            lines += [f'[links."{destination}"]', f'broker_url = "{url}"']
        self.settings_file.write_text("\n".join(lines) + "\n")

    def start(self, **environment: str) -> None:
        """Start the engine."""
        with (self.home / "engine.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.replication.engine", str(self.settings_file)],
                cwd=PACKAGE,
                env={**os.environ, **environment},
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def kill(self) -> None:
        """SIGKILL the engine."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self, seconds: float = 10) -> int:
        """Ask the engine to end; its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def died(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def log(self) -> str:
        path = self.home / "engine.log"
        return path.read_text() if path.exists() else ""

    # --- what a service of this node does

    def record(self, *facts: Fact) -> None:
        """Commit facts to the outbox of this node's case service; its relay publishes them."""
        if self._case is None:
            database = Database(self.country.databases.migrated("case"), service="case")
            self._case = outbox.Relay(database, self.vhost.url)
            database.on_commit.append(self._case.wake)
            self._relaying = threading.Thread(target=self._case.run, daemon=True)
            self._relaying.start()
        with self._case.database.write() as session:
            for one in facts:
                outbox.append(session, one)

    def record_some(self, count: int, **options: Any) -> list[Fact]:
        made = [fact(**options) for _ in range(count)]
        for at in range(0, count, 500):
            self.record(*made[at : at + 500])
        return made

    def waiting_in_outbox(self) -> int:
        if self._case is None:
            return 0
        with self._case.database.read() as session:
            return outbox.pending(session).count

    def close(self) -> None:
        self.kill()
        if self._case is not None:
            self._case.stop()
            self._relaying.join(20)  # what it has borrowed from the database's pool would stay open
            self._case.database.close()
        self.database.close()

    # --- what this node holds

    def head(self) -> Position | None:
        with self.database.read() as session:
            state = session.get(JournalState, 1)
            return None if state is None else Position(state.number, state.digest)

    def head_number(self) -> int:
        head = self.head()
        return head.number if head else 0

    def replica(self, origin: str) -> Replica | None:
        with self.database.read() as session:
            return session.get(Replica, origin)

    def held(self, origin: str) -> Position | None:
        row = self.replica(origin)
        return None if row is None else Position(row.number, row.digest)

    def link(self, destination: str) -> Link | None:
        with self.database.read() as session:
            return session.get(Link, destination)

    def link_state(self, destination: str) -> str | None:
        row = self.link(destination)
        return None if row is None else row.state

    def count(self, table: Any, *where: Any) -> int:
        with self.database.read() as session:
            return int(session.exec(select(func.count()).select_from(table).where(*where)).one())

    def records(self, origin: str) -> dict[tuple[str, str], dict[str, Any]]:
        with self.database.read() as session:
            rows = session.exec(select(Record).where(Record.origin == origin)).all()
            return {(row.kind, row.subject): row.model_dump(exclude={"updated_at"}) for row in rows}

    def disclosures(self, origin: str) -> list[str]:
        with self.database.read() as session:
            rows = session.exec(
                select(ReplicaEntry.disclosure).where(ReplicaEntry.origin == origin).order_by(ReplicaEntry.number)  # type: ignore[arg-type]
            ).all()
            return list(rows)

    @contextlib.contextmanager
    def writing(self) -> Iterator[Session]:
        with self.database.write() as session:
            yield session


class Country:
    """Two governorates and two directorates, or `governorates` of another `topology`; start what a test needs."""

    def __init__(
        self,
        directory: Path,
        make_vhost: Callable[[], Vhost],
        databases: Any,
        through: Callable[[str, str, Vhost], str] = lambda _origin, _destination, vhost: vhost.url,
        *,
        topology: str = TOPOLOGY,
        governorates: Sequence[str] = GOVERNORATES,
    ) -> None:
        self.directory = directory
        self.make_vhost = make_vhost
        self.databases = databases
        self.peers = directory / "peers"
        self.peers.mkdir()
        self.topology_file = directory / "topology.toml"
        self.topology_file.write_text(topology)
        self.nodes = {name: Node(self, name) for name in (*DIRECTORATES, *governorates)}
        for node in self.nodes.values():
            node.key.verify_key.save(self.peers / f"{node.name}.pub")
        for name in governorates:
            for directorate in DIRECTORATES:
                self.nodes[name].links[directorate] = through(name, directorate, self.nodes[directorate].vhost)
        for node in self.nodes.values():
            node.write_settings()

    def database_of(self, home: Path) -> str:
        """A fresh sync database for a node, as it stands in the settings."""
        if self.databases.dialect == "sqlite":
            self.databases.migrated("sync", into=home / "sync.db")
            return "sqlite:///{home}/{service}.db"
        return f"{self.databases.migrated('sync')}?application_name={{service}}"

    def __getitem__(self, name: str) -> Node:
        return self.nodes[name]

    def start(self, *names: str) -> None:
        for name in names or self.nodes:
            self.nodes[name].start()

    def close(self) -> None:
        for node in self.nodes.values():
            node.close()


def converged(origin: Node, *destinations: Node, at_least: int = 1, seconds: float = 30) -> None:
    """Wait until every destination holds the head of `origin`, which has `at_least` entries and an empty
    outbox.
    """

    def same() -> bool:
        if origin.waiting_in_outbox() or origin.head_number() < at_least:
            return False
        return all(node.held(origin.name) == origin.head() for node in destinations)

    try:
        wait.until(same, seconds=seconds, what=f"{origin.name} is held by {[n.name for n in destinations]}", every=0.05)
    except AssertionError as error:
        tails = "\n".join(f"--- {node.name}\n{node.log()[-3000:]}" for node in (origin, *destinations))
        raise AssertionError(f"{error}; head {origin.head()}\n{tails}") from None
