"""What a use case is told about the node that it runs at."""

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

from contracts import rules, topology
from kernel.crypto import hashed_id, load_hash_key
from kernel.extensions import Call
from kernel.settings import Settings


@cache
def iso_of(file: Path, node: str) -> str:
    """The node's ISO 3166-2 part, which its numbers begin with."""
    return topology.load(file).node(node).iso


@cache
def hashing(keys: Path) -> Callable[[str], str]:
    """How a fact of this node names an account."""
    return partial(hashed_id, load_hash_key(keys / "hash.key"))


def iso(call: Call) -> str:
    """This node's part of the numbers it gives."""
    return iso_of(call.settings.topology, call.node)


def hashed(call: Call) -> Callable[[str], str]:
    """How this node's facts name an account."""
    return hashing(call.settings.keys_directory)


def case_rules(call: Call) -> rules.CaseRules:
    """The deadlines and thresholds of this node."""
    return rules.load(call.settings.rules).case


def evidence_directory(settings: Settings) -> Path:
    """Where the parts of evidence lie."""
    return settings.home / "evidence"
