"""What an operator may do to a link. The engine reads these rows every second; nothing here speaks to a broker.

`audience`: who reads of it, see `operations.readers`.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from contracts.sync import LinkState, Operation, ReplicaState
from contracts.topology import LinkSpec, Topology
from kernel.errors import NotFound, refuse
from kernel.identity import Actor
from services.sync import doubt, operations
from services.sync.tables import Link, Replica


class LinkNotFound(NotFound):
    """There is no link from {origin} to {destination}; there are links to: {known}."""

    code = "link_not_found"


def pause_link(session: Session, spec: LinkSpec, *, by: Actor, now: datetime, audience: Sequence[str]) -> Link:
    """Stop sending on a link until it is resumed. What is recorded meanwhile waits in the journal."""
    link = link_row(session, spec)
    link.paused = True
    operations.note(session, Operation.PAUSE_LINK, spec.destination, by=by, now=now, audience=audience)
    return link


def resume_link(session: Session, spec: LinkSpec, *, by: Actor, now: datetime, audience: Sequence[str]) -> Link:
    """Send again, also after a refusal, and take again what the other side sends if it was refused here, or if two
    machines spoke in its name: whoever speaks next is the right one.

    A divergence of a replica is not resumed: two histories need more than another try.
    """
    link = link_row(session, spec)
    link.paused = False
    link.resumes += 1
    replica = session.get(Replica, spec.destination)
    if replica is not None and replica.state in (ReplicaState.REFUSED, ReplicaState.DUPLICATE):
        replica.state, replica.reason, replica.session, replica.boot = ReplicaState.SILENT, None, 0, None
    doubt.clear(session, about=spec.destination)
    operations.note(session, Operation.RESUME_LINK, spec.destination, by=by, now=now, audience=audience)
    return link


def find_link(topology: Topology, origin: str, destination: str) -> LinkSpec:
    """The link of the topology. Raises `LinkNotFound`."""
    links = {link.destination: link for link in topology.links_from(origin)}
    return links.get(destination) or refuse(
        LinkNotFound, origin=origin, destination=destination, known=", ".join(sorted(links))
    )


def link_row(session: Session, spec: LinkSpec) -> Link:
    """The row of a link, made when the engine has not run yet."""
    row = session.get(Link, spec.destination, with_for_update=True)
    if row is None:
        row = Link(destination=spec.destination, clearance=spec.clearance, state=LinkState.CONNECTING)
        session.add(row)
        session.flush()
    return row
