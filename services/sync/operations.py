"""Operations: what an operator did, in the audit log with who and why, and as a fact in this node's journal.

The audit log can be read by whoever runs the node and never leaves it. The fact says what was done, to which peer, not
by whom: it is replicated, witnessed and cannot be taken back.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from contracts.sync import Operation, OperationFact
from contracts.topology import NodeKind, Topology
from kernel import audit, outbox
from kernel.errors import BadInput
from kernel.fact import compose
from kernel.identity import Actor
from kernel.ids import new_id

MOST_REASON = 500  # what a line of the audit log holds


def readers(topology: Topology, node: str) -> tuple[str, ...]:
    """The audience of an operation at `node`: a governorate's directorates; at a directorate only itself."""
    return (node,) if topology.node(node).kind is NodeKind.DIRECTORATE else ()


def note(
    session: Session,
    action: Operation,
    about: str,
    *,
    by: Actor,
    now: datetime,
    audience: Sequence[str],
    reason: str | None = None,
    count: int | None = None,
) -> None:
    """Write that `action` was done about peer `about`, in the transaction that does it.

    Raises `BadInput` for a `reason` of more than 500 characters.
    """
    if reason is not None and len(reason) > MOST_REASON:
        raise BadInput(f"A reason has {MOST_REASON} characters at most.")
    audit.record(session, actor=by, action=action, subject=about, outcome="allowed", reason=reason, at=now)
    values = {"action": action, "about": about, "count": count}
    fact = compose(
        OperationFact, "done", id=new_id(), subject=new_id(), version=1, values=values, at=now, audience=audience
    )
    outbox.append(session, fact)
