"""The next batch of this node's journal for one link: read, disclosed, packed. The live link and bundles share it, so
that a file can never show what the line would not."""

from collections.abc import Sequence, Set

from sqlmodel import Session

from contracts.topology import LinkSpec, NodeKind, Topology
from services.sync import journal
from services.sync.disclosure import NO_RELAY, Clearance, decide, show
from services.sync.entry import Entry, Shown, audience
from services.sync.message import LEVEL, Batch, pack
from services.sync.position import Position

READ_BYTES = 8 * 1024 * 1024  # of parts for one batch before compression


def relays_to(topology: Topology, node: str) -> Set[str]:
    """The nodes to which the destinations of this node's links relay: at a governorate every other governorate."""
    if topology.node(node).kind is NodeKind.DIRECTORATE:
        return NO_RELAY
    return frozenset(each.id for each in topology.governorates) - {node}


def next_batch(
    session: Session,
    spec: LinkSpec,
    epoch: int,
    after: Position,
    *,
    max_bytes: int,
    max_entries: int,
    relays_to: Set[str],
    level: int = LEVEL,
) -> Batch | None:
    """The batch that follows `after`, in the forms that the link of `spec` may show; None when nothing does."""
    found = journal.read_after(session, after.number, READ_BYTES, max_entries)
    if not found:
        return None
    shown = _shown([entry for entry, _ in found], spec, relays_to)
    return pack(spec.origin, epoch, after, shown, [digest for _, digest in found], max_bytes, level)


def _shown(found: Sequence[Entry], spec: LinkSpec, relays_to: Set[str]) -> list[Shown]:
    """Every entry in its form. Most are addressed to nobody: for those there are two answers, and they are known."""
    clearance = Clearance(spec.clearance.value)
    to_all = [decide(clearance, spec.destination, (), restricted, relays_to) for restricted in (False, True)]
    shown = []
    for entry in found:
        named = audience(entry.head)
        if named:
            disclosure = decide(clearance, spec.destination, named, entry.restricted, relays_to)
        else:
            disclosure = to_all[entry.restricted]
        shown.append(show(entry, disclosure))
    return shown
