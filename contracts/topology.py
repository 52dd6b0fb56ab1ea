"""
The country as data: every node, its home directorate, and what each link may show.

`deploy/topology.toml` is the only list of nodes there is. `load()` reads it once, strictly: a key that is unknown,
missing or of the wrong type is refused with the file and the key, because a node that starts on half a topology
would send the wrong part of a fact to somebody.

Every pair (governorate, directorate) is linked both ways unless the file says "none". Governorates are never
linked to each other, nor directorates by a link of facts: what one governorate has for another is relayed.
"""

import re
import tomllib
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, NoReturn

from kernel.errors import SettingsError

LANGUAGES = ("ar", "ckb", "en")
NO_LINK = "none"
_SLUG = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_ISO = re.compile(r"[A-Z]{2}")


class NodeKind(StrEnum):
    GOVERNORATE = "governorate"
    DIRECTORATE = "directorate"


class Clearance(StrEnum):
    """What a link may show: `operational` facts in full, or their `statistical` part with a commitment to the rest."""

    OPERATIONAL = "operational"
    STATISTICAL = "statistical"


@dataclass(frozen=True)
class LinkSpec:
    origin: str
    destination: str
    clearance: Clearance


@dataclass(frozen=True)
class Node:
    """One node. `home` is a directorate's id; a directorate is its own home. `links`: destination to clearance."""

    id: str
    kind: NodeKind
    names: Mapping[str, str]
    home: str
    iso: str
    links: Mapping[str, Clearance]


@dataclass(frozen=True)
class Topology:
    nodes: Mapping[str, Node]

    @property
    def governorates(self) -> list[Node]:
        return [node for node in self.nodes.values() if node.kind is NodeKind.GOVERNORATE]

    @property
    def directorates(self) -> list[Node]:
        return [node for node in self.nodes.values() if node.kind is NodeKind.DIRECTORATE]

    def node(self, node_id: str) -> Node:
        """The node of that id; SettingsError naming the ids there are when it is not one of them."""
        if node_id not in self.nodes:
            raise SettingsError(f"There is no node {node_id!r}; the topology has {', '.join(self.nodes)}.")
        return self.nodes[node_id]

    def links_from(self, node_id: str) -> list[LinkSpec]:
        links = self.node(node_id).links
        return [LinkSpec(node_id, destination, clearance) for destination, clearance in links.items()]

    def witnesses_of(self, node_id: str) -> list[str]:
        """The nodes with which a directorate compares what it holds: every other directorate; none elsewhere."""
        if self.node(node_id).kind is not NodeKind.DIRECTORATE:
            return []
        return [node.id for node in self.directorates if node.id != node_id]

    def links_to(self, node_id: str) -> list[LinkSpec]:
        self.node(node_id)
        return [
            link for node in self.nodes.values() for link in self.links_from(node.id) if link.destination == node_id
        ]


def load(path: str | Path) -> Topology:
    """Read and check a topology file. SettingsError names the file and the key that is wrong."""
    path = Path(path)
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: is not TOML: {error}") from error
    return _Reader(path).topology(document)


class _Reader:
    """Turns a parsed document into a Topology; knows the file's name only to say it in a refusal."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def topology(self, document: dict[str, Any]) -> Topology:
        self._keys(document, "", required={"defaults", "directorates", "governorates"})
        defaults = self._defaults(document["defaults"])
        directorates = self._entries(document, "directorates")
        governorates = self._entries(document, "governorates")
        for twice in directorates.keys() & governorates.keys():
            self._refuse(f"governorates.{twice}", "is a directorate's name too")
        nodes = {name: self._governorate(name, entry, directorates, defaults) for name, entry in governorates.items()}
        for name, entry in directorates.items():
            nodes[name] = self._directorate(name, entry, governorates, defaults)
        self._distinct_codes(nodes)
        return Topology(MappingProxyType(nodes))

    def _defaults(self, table: Any) -> dict[str, Clearance]:
        self._keys(table, "defaults", required={"home", "elsewhere", "down"})
        return {key: self._clearance(value, f"defaults.{key}") for key, value in table.items()}

    def _entries(self, document: dict[str, Any], section: str) -> dict[str, dict[str, Any]]:
        entries: Any = document[section]
        if not isinstance(entries, dict) or not entries:
            self._refuse(section, "must be a table with at least one node in it")
        for name in entries:
            if not _SLUG.fullmatch(name):
                self._refuse(f"{section}.{name}", "must be a slug: a-z, 0-9 and single hyphens")
        return entries

    def _governorate(
        self, name: str, entry: Any, directorates: Mapping[str, Any], defaults: Mapping[str, Clearance]
    ) -> Node:
        key = f"governorates.{name}"
        self._keys(entry, key, required={"iso", "names", "home"}, optional={"links"})
        home = entry["home"]
        if home not in directorates:
            self._refuse(f"{key}.home", f"must be one of {', '.join(directorates)}, not {home!r}")
        links = {d: defaults["home"] if d == home else defaults["elsewhere"] for d in directorates}
        links = self._override(links, entry.get("links", {}), f"{key}.links")
        if home not in links:
            self._refuse(f"{key}.links.{home}", "a governorate must be linked to its home")
        return self._node(name, NodeKind.GOVERNORATE, entry, key, home, links)

    def _directorate(
        self, name: str, entry: Any, governorates: Mapping[str, Any], defaults: Mapping[str, Clearance]
    ) -> Node:
        key = f"directorates.{name}"
        self._keys(entry, key, required={"iso", "names"}, optional={"links"})
        links = self._override(dict.fromkeys(governorates, defaults["down"]), entry.get("links", {}), f"{key}.links")
        return self._node(name, NodeKind.DIRECTORATE, entry, key, name, links)

    def _node(
        self,
        name: str,
        kind: NodeKind,
        entry: dict[str, Any],
        key: str,
        home: str,
        links: dict[str, Clearance],
    ) -> Node:
        iso = entry["iso"]
        if not isinstance(iso, str) or not _ISO.fullmatch(iso):
            self._refuse(f"{key}.iso", f"must be two capital letters, not {iso!r}")
        return Node(name, kind, self._names(entry["names"], f"{key}.names"), home, iso, MappingProxyType(links))

    def _names(self, table: Any, key: str) -> Mapping[str, str]:
        self._keys(table, key, required=set(LANGUAGES))
        for language, name in table.items():
            if not isinstance(name, str) or not name.strip():
                self._refuse(f"{key}.{language}", "must be a name")
        return MappingProxyType(dict(table))

    def _override(self, links: dict[str, Clearance], table: Any, key: str) -> dict[str, Clearance]:
        self._keys(table, key, optional=set(links))
        for destination, value in table.items():
            if value == NO_LINK:
                del links[destination]
            else:
                links[destination] = self._clearance(value, f"{key}.{destination}")
        return links

    def _clearance(self, value: Any, key: str) -> Clearance:
        if value not in list(Clearance):
            self._refuse(key, f"must be {' or '.join(Clearance)}, not {value!r}")
        return Clearance(value)

    def _distinct_codes(self, nodes: Mapping[str, Node]) -> None:
        taken: dict[str, str] = {}
        for node in nodes.values():
            if node.iso in taken:
                self._refuse(f"{node.kind}s.{node.id}.iso", f"{node.iso} is {taken[node.iso]}'s code")
            taken[node.iso] = node.id

    def _keys(
        self,
        table: Any,
        key: str,
        *,
        required: AbstractSet[str] = frozenset(),
        optional: AbstractSet[str] = frozenset(),
    ) -> None:
        if not isinstance(table, dict):
            self._refuse(key, "must be a table")
        prefix = f"{key}." if key else ""
        for missing in sorted(required - table.keys()):
            self._refuse(prefix + missing, "is missing")
        for unknown in sorted(table.keys() - required - optional):
            self._refuse(prefix + unknown, "is not known here")

    def _refuse(self, key: str, what: str) -> NoReturn:
        raise SettingsError(f"{self.path}: {key}: {what}")
