"""How this node writes to other governorates, and reads what they wrote: whose keys are here, and its own."""

from functools import cache, partial
from pathlib import Path

from contracts import rules, topology
from kernel.crypto import OpeningKey, SealingKey
from kernel.errors import SettingsError, refuse
from kernel.settings import Settings
from services.case.handlers.letters import Post
from services.case.refusals import NoSealKey


@cache
def governorates(file: Path) -> frozenset[str]:
    """The nodes to which a case can go."""
    return frozenset(node.id for node in topology.load(file).governorates)


def post_of(settings: Settings) -> Post:
    """How this node writes to others, and reads what is written to it."""
    return Post(
        node=settings.node,
        governorates=governorates(settings.topology),
        key_of=partial(_key_of, settings),
        opening=partial(_own_key, settings),
        rules=rules.load(settings.rules).case,
        reachable=partial(_reachable, settings),
        formerly=partial(_former_keys, settings),
    )


def _own_key(settings: Settings, key_id: str) -> OpeningKey:
    """This node's key of that id: the present one, or a former one that was put beside it as `seal-*.key`."""
    present = OpeningKey.load(settings.keys_directory / "seal.key")
    if present.key_id == key_id:
        return present
    former = (OpeningKey.load(file) for file in sorted(settings.keys_directory.glob("seal-*.key")))
    return next((key for key in former if key.key_id == key_id), present)


def _reachable(settings: Settings) -> frozenset[str]:
    keys = settings.peer_keys_directory
    return frozenset(
        node for node in governorates(settings.topology) - {settings.node} if (keys / f"{node}.seal.pub").exists()
    )


def _former_keys(settings: Settings, node: str) -> list[SealingKey]:
    """The keys that another node had before, put beside its present one as `<node>.seal-*.pub`."""
    return [SealingKey.load(file) for file in sorted(settings.peer_keys_directory.glob(f"{node}.seal-*.pub"))]


def _key_of(settings: Settings, node: str) -> SealingKey:
    try:
        return SealingKey.load(settings.peer_keys_directory / f"{node}.seal.pub")
    except SettingsError:
        refuse(NoSealKey, node=node)
