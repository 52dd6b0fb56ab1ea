"""Whole nodes on loopback: a directory, keys, a virtual host and links each, and real processes.

country = make_country()
baghdad = country.add("directorate-baghdad")
ninewa = country.add("ninewa", links=[baghdad])
ninewa.migrate()
ninewa.start("services", "engine", "gateway")
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from deploy import children
from deploy.ports import free_port
from kernel.crypto import OpeningKey, SigningKey, new_hash_key, new_secret
from kernel.settings import Settings, load
from kernel.vault import IDENTITY_KEY
from tests.kit import wait
from tests.kit.rabbitmq import Vhost

ROOT = Path(__file__).parents[2]
TOPOLOGY = ROOT / "deploy" / "topology.toml"
SERVICES = ("forum", "case", "notify", "sync")
PROCESSES = (*SERVICES, "engine", "gateway")
READY_SECONDS = 120

# Everything that the protocol times in tens of seconds, in tenths: tests wait for what follows from it.
QUICK_REPLICATION = {
    "hello_seconds": 0.5,
    "held_coalesce_seconds": 0.05,
    "no_progress_seconds": 2.0,
    "backoff_first_seconds": 0.1,
    "backoff_max_seconds": 1.0,
    "stale_seconds": 3.0,
}


@dataclass
class Node:
    """One node: its files in `home`, and the processes that were started."""

    id: str
    home: Path
    vhost: Vhost
    ports: dict[str, int]
    values: dict[str, Any]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def settings_file(self) -> Path:
        """The settings file, as an operator would write it."""
        return self.home / "settings.toml"

    @property
    def settings(self) -> Settings:
        """The settings as a process of this node reads them."""
        return load(self.settings_file)

    @property
    def api(self) -> str:
        """Where the gateway's API begins."""
        return f"{self.url('gateway')}/api/v1"

    def url(self, process: str) -> str:
        """Where a process listens."""
        return f"http://127.0.0.1:{self.ports[process]}"

    def change(self, **values: Any) -> None:
        """Write the settings file anew with some values changed; processes read it when they start."""
        self.values.update(values)
        self.settings_file.write_text(toml(self.values))

    def jisr(
        self, *arguments: str, check: bool = True, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run one command of `jisr` for this node."""
        more = self._environment(environment or {})
        return subprocess.run(
            [*_jisr(), *arguments], env=more, capture_output=True, text=True, check=check, timeout=120
        )

    def migrate(self) -> None:
        """Make or update the databases."""
        self.jisr("migrate")

    def start(self, *processes: str, environment: Mapping[str, str] | None = None) -> None:
        """Start `jisr run` for each of `processes` (also `services`, `all`) and return when all are ready."""
        for process in processes:
            self.processes[process] = children.start(
                [*_jisr(), "run", process], log=self.log(process), environment=self._environment(environment or {})
            )
        for process in processes:
            for part in _parts(process):
                children.wait_ready(
                    self.processes[process],
                    lambda part=part: self.ready(part),  # type: ignore[misc]
                    seconds=READY_SECONDS,
                    log=self.log(process),
                )

    def ready(self, process: str) -> bool:
        """Whether a process says that it can serve."""
        try:
            return requests.get(f"{self.url(process)}/readyz", timeout=5).ok
        except requests.RequestException:
            return False

    def stop(self, *processes: str) -> None:
        """Stop processes in order; all of them when none is named."""
        for process in processes or tuple(self.processes):
            children.stop(self.processes.pop(process, None))

    def kill(self, *processes: str) -> None:
        """SIGKILL processes; all of them when none is named."""
        for process in processes or tuple(self.processes):
            children.kill(self.processes.pop(process, None))

    def wait_ended(self, process: str, seconds: float = 30) -> int:
        """Wait until a process has ended by itself (a crash point), and return its code."""
        running = self.processes.pop(process)
        wait.until(lambda: running.poll() is not None, seconds=seconds, what=f"{self.id}'s {process} has ended")
        return running.returncode

    def log(self, process: str) -> Path:
        """The log of a process."""
        return self.home / f"{process}.log"

    def _environment(self, more: Mapping[str, str]) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("JISR_")}
        return {**kept, "JISR_SETTINGS": str(self.settings_file), **more}


class Country:
    """Nodes that know each other's keys. `database_url` maps a node's id to its settings value, if not
    SQLite.
    """

    def __init__(
        self,
        directory: Path,
        make_vhost: Callable[[], Vhost],
        database_url: Callable[[str], str] | None = None,
    ) -> None:
        self.directory = directory
        self.nodes: dict[str, Node] = {}
        self._make_vhost = make_vhost
        self._database_url = database_url

    def add(
        self,
        node_id: str,
        *,
        links: Sequence[Node] = (),
        lines: Mapping[str, int] | None = None,
        **values: Any,
    ) -> Node:
        """Write the files of a node. `lines`: the port of a bad line to a destination's broker, by its id."""
        home = self.directory / node_id
        home.mkdir(parents=True)
        vhost = self._make_vhost()
        ports = {process: free_port() for process in PROCESSES}
        node = Node(node_id, home, vhost, ports, self._values(node_id, vhost, ports))
        self._make_keys(node)
        node.values["links"] = {
            other.id: {"broker_url": self._link(node_id, other, (lines or {}).get(other.id))} for other in links
        }
        node.change(**values)
        self.nodes[node_id] = node
        return node

    def kill(self) -> None:
        """SIGKILL everything that runs."""
        for node in self.nodes.values():
            node.kill()

    def _values(self, node_id: str, vhost: Vhost, ports: dict[str, int]) -> dict[str, Any]:
        values: dict[str, Any] = {
            "node": node_id,
            "home": ".",
            "topology": str(TOPOLOGY),
            "broker_url": vhost.url,
            "peer_keys": str(self.directory / "peers"),
            "ports": dict(ports),
            "replication": dict(QUICK_REPLICATION),
            "disk": {"reserve_bytes": 0},
        }
        if self._database_url is not None:
            values["database_url"] = self._database_url(node_id)
        return values

    def _make_keys(self, node: Node) -> None:
        keys = node.home / "keys"
        for name in ("node", "gateway"):
            key = SigningKey.new()
            key.save(keys / f"{name}.key")
            key.verify_key.save(keys / f"{name}.pub")
        new_hash_key(keys / "hash.key")
        opening = OpeningKey.new()
        opening.save(keys / "seal.key")
        opening.sealing_key.save(self.directory / "peers" / f"{node.id}.seal.pub")
        new_secret(keys / IDENTITY_KEY)
        SigningKey.load(keys / "node.key").verify_key.save(self.directory / "peers" / f"{node.id}.pub")

    def _link(self, node_id: str, other: Node, port: int | None) -> str:
        """Give the node its user on the other's broker: may write its own key and read its own queue, no
        more.
        """
        broker, vhost, user = other.vhost.broker, other.vhost.name, f"{other.vhost.name}-{node_id}"
        broker.add_user(user, node_id)
        broker.set_permissions(user, vhost, write=r"^jisr\.up$", read=rf"^jisr\.down\.{node_id}$")
        broker.set_topic_permissions(user, vhost, "jisr.up", write=rf"^up\.{node_id}$")
        return broker.url(vhost, user=user, password=node_id, port=port)


def toml(values: Mapping[str, Any], *, table: str = "") -> str:
    """Plain values, and tables of them, as TOML. A JSON string is a TOML string."""
    plain = {key: value for key, value in values.items() if not isinstance(value, Mapping)}
    lines = [f"{key} = {json.dumps(value)}" for key, value in plain.items() if value is not None]
    for key, value in values.items():
        if isinstance(value, Mapping):
            name = f"{table}.{key}" if table else key
            lines += ["", f"[{name}]", toml(value, table=name)]
    return "\n".join(lines) + "\n"


def _jisr() -> list[str]:
    return [str(Path(sys.executable).with_name("jisr"))]


def _parts(process: str) -> tuple[str, ...]:
    """The processes that answer when `jisr run PROCESS` runs."""
    return {"all": PROCESSES, "services": SERVICES}.get(process, (process,))
