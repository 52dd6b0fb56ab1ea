"""Where the country lies on disk: a home, keys and a settings file for every node, and the topology they
share.

    HOME/topology.toml            the nodes that were chosen, from deploy/topology.toml
    HOME/nodes/ninewa/            settings.toml, the five databases, keys/, log/
    HOME/peers/ninewa.pub         every node's public keys, readable by all; .seal.pub to seal to it
    HOME/broker/                  the private broker

Ports are chosen anew at each start, among those that nobody uses; homes, keys and databases stay.
"""

import json
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contracts.topology import Topology, load
from deploy.ports import free_port
from kernel.crypto import OpeningKey, SigningKey, new_hash_key, new_secret
from kernel.vault import IDENTITY_KEY

SERVICES = ("forum", "case", "notify", "sync")
LISTENING = ("gateway", *SERVICES, "engine")
REPLICATION = {"hello_seconds": 5.0, "backoff_max_seconds": 5.0, "stale_seconds": 20.0}
"""Somebody is watching: shorter than a real node's 30, 300 and 90 seconds, which spare its line."""
SOURCE = Path(__file__).resolve().parents[1] / "topology.toml"


@dataclass(frozen=True)
class Place:
    """One node of the demo."""

    node: str
    home: Path
    ports: Mapping[str, int]

    @property
    def settings(self) -> Path:
        return self.home / "settings.toml"

    @property
    def logs(self) -> Path:
        return self.home / "log"

    @property
    def address(self) -> str:
        """Where people reach the node."""
        return f"http://127.0.0.1:{self.ports['gateway']}"

    def at(self, process: str) -> str:
        """Where one of its processes answers about itself."""
        return f"http://127.0.0.1:{self.ports[process]}"


def choose_nodes(words: str) -> list[str]:
    """The governorates named in `words` (`all`, or ids with commas) and every directorate, in the topology's
    order."""
    country = load(SOURCE)
    names = [node.id for node in country.governorates]
    wanted = names if words == "all" else [word.strip() for word in words.split(",") if word.strip()]
    for word in wanted:
        country.node(word)
    directorates = [node.id for node in country.directorates]
    return [name for name in names if name in wanted] + directorates


def write_topology(home: Path, nodes: Sequence[str]) -> Topology:
    """Write the part of the country that was chosen; a directorate then waits for nobody who does not
    exist."""
    document = tomllib.loads(SOURCE.read_text(encoding="utf-8"))
    for section in ("governorates", "directorates"):
        document[section] = {name: entry for name, entry in document[section].items() if name in nodes}
    path = home / "topology.toml"
    path.write_text(toml(document), encoding="utf-8")
    return load(path)


def place(home: Path, node: str) -> Place:
    """A node's directories and free ports."""
    own = home / "nodes" / node
    (own / "log").mkdir(parents=True, exist_ok=True)
    return Place(node, own, {name: free_port() for name in LISTENING})


def make_keys(own: Place, peers: Path) -> None:
    """The node's keys, once; its public key where the others find it."""
    keys = own.home / "keys"
    keys.mkdir(mode=0o700, exist_ok=True)
    peers.mkdir(exist_ok=True)
    if not (keys / IDENTITY_KEY).exists():
        new_secret(keys / IDENTITY_KEY)
    if not (keys / "seal.key").exists():
        opening = OpeningKey.new()
        opening.save(keys / "seal.key")
        opening.sealing_key.save(keys / "seal.pub")
        opening.sealing_key.save(peers / f"{own.node}.seal.pub")
    if (keys / "hash.key").exists():
        return
    for name in ("node", "gateway"):
        key = SigningKey.new()
        key.save(keys / f"{name}.key")
        key.verify_key.save(keys / f"{name}.pub")
    (peers / f"{own.node}.pub").write_bytes((keys / "node.pub").read_bytes())
    new_hash_key(keys / "hash.key")


def write_settings(own: Place, *, broker_url: str, link_urls: Mapping[str, str]) -> None:
    """The settings file from which every process of the node is started."""
    document: dict[str, Any] = {
        "node": own.node,
        "home": ".",
        "topology": "../../topology.toml",
        "keys": "keys",
        "peer_keys": "../../peers",
        "broker_url": broker_url,
        "host": "127.0.0.1",
        "ports": dict(own.ports),
        "links": {destination: {"broker_url": url} for destination, url in link_urls.items()},
        "replication": REPLICATION,
        "disk": {"reserve_bytes": 0},  # up to 21 nodes on one disk, of which each would keep its own
    }
    own.settings.touch(mode=0o600)
    own.settings.write_text(toml(document), encoding="utf-8")


def toml(document: Mapping[str, Any]) -> str:
    """`document` as TOML: plain values first, then a table for each mapping. TOML's strings may be written as
    JSON's."""
    return "\n".join(_lines(document, ())) + "\n"


def _lines(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterable[str]:
    if path:
        yield f"[{'.'.join(map(_key, path))}]"
    for key, value in table.items():
        if not isinstance(value, Mapping):
            yield f"{_key(key)} = {json.dumps(value, ensure_ascii=False)}"
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from ("", *_lines(value, (*path, key)))


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key)
