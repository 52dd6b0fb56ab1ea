"""The nodes that were admitted or pinned here, with their signing keys, and those whose keys are refused for ever.

A directorate admits governorates; a governorate pins the directorates that answered it. One row for each key of a
node; `broker_user` is empty for one that was only pinned. A node without a row is one that was joined by hand: its key
is the file `<node>.pub` in `peer_keys`. The first row of a node overrules that file. A revoked row is never deleted: a
key that was refused once is refused always, and so is the broker's user that was taken away, because the certificates
that name it may still be valid. A node that comes back comes with a new key and as a new user.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session

from contracts.sync import Operation
from kernel.crypto import VerifyKey
from kernel.errors import Conflict, refuse
from kernel.identity import Actor
from services.sync.operations import note
from services.sync.tables import Peer


class KeyRevoked(Conflict):
    """The signing key {key_id} of {node} was revoked and is never admitted again; make new keys there."""

    code = "key_revoked"


class AnotherKey(Conflict):
    """{node} is believed with the signing key {key_id}; revoke it before another key is believed."""

    code = "another_key"


@dataclass(frozen=True)
class Admission:
    """What a directorate grants a node: its signing key is believed, its certificate names `user`."""

    node: str
    key: VerifyKey
    user: str
    serial: str
    expires_at: datetime


def user_for(session: Session, node: str, key: VerifyKey) -> str:
    """The broker's user for a node that asks with `key`. Raises `KeyRevoked`, `AnotherKey`.

    A node keeps its user when its certificate is renewed; after it was revoked it gets another, `ninewa.2`.
    """
    rows = of(session, node)
    for row in rows:
        if row.key_id == key.key_id and row.revoked_at is not None:
            refuse(KeyRevoked, node=node, key_id=key.key_id)
        if row.key_id != key.key_id and row.revoked_at is None:
            refuse(AnotherKey, node=node, key_id=row.key_id)
        if row.revoked_at is None and row.broker_user:
            return row.broker_user
    revoked = sum(row.revoked_at is not None for row in rows)
    return f"{node}.{revoked + 1}" if revoked else node


def admit(session: Session, admission: Admission, *, by: Actor, now: datetime, audience: Sequence[str]) -> Peer:
    """Believe a node's key from now on. `audience`: who reads of it. Raises `KeyRevoked`, `AnotherKey`."""
    user_for(session, admission.node, admission.key)
    row = session.get(Peer, (admission.node, admission.key.key_id), with_for_update=True)
    if row is None:
        row = Peer(node=admission.node, key_id=admission.key.key_id, key=admission.key.raw, admitted_at=now)
    row.broker_user, row.serial = admission.user, admission.serial
    row.expires_at = admission.expires_at
    session.add(row)
    session.flush()
    reason = f"key {row.key_id}, certificate {row.serial}"
    note(session, Operation.ADMIT_NODE, row.node, by=by, now=now, audience=audience, reason=reason)
    return row


def admit_again(session: Session, row: Peer, *, by: Actor, now: datetime, audience: Sequence[str]) -> None:
    """Believe a key again as it was admitted or pinned here, after the row of it was lost. Raises as `admit` does."""
    user_for(session, row.node, VerifyKey(row.key))
    session.add(row)
    session.flush()
    action = Operation.ADMIT_NODE if row.broker_user else Operation.PIN_NODE
    note(session, action, row.node, by=by, now=now, audience=audience, reason=f"key {row.key_id}, again")


def is_known(session: Session, node: str, key: VerifyKey, *, by_hand: VerifyKey | None) -> bool:
    """Whether `key` is pinned for `node` already. Raises `KeyRevoked`, `AnotherKey` when another one is."""
    rows = of(session, node)
    user_for(session, node, key)
    if not rows and by_hand is not None and by_hand.raw != key.raw:
        refuse(AnotherKey, node=node, key_id=by_hand.key_id)
    return by_hand is not None if not rows else any(row.revoked_at is None for row in rows)


def pin(session: Session, node: str, key: VerifyKey, *, by: Actor, now: datetime, audience: Sequence[str]) -> None:
    """Believe `key` and no other for `node`, from whom this node has a certificate. Harmless to repeat."""
    if session.get(Peer, (node, key.key_id)) is None:
        session.add(Peer(node=node, key_id=key.key_id, key=key.raw, broker_user="", serial="", admitted_at=now))
        session.flush()
        reason = f"key {key.key_id}"
        note(session, Operation.PIN_NODE, node, by=by, now=now, audience=audience, reason=reason)


def revoke(
    session: Session,
    node: str,
    *,
    joined_by_hand: VerifyKey | None,
    reason: str,
    by: Actor,
    now: datetime,
    audience: Sequence[str],
) -> list[str]:
    """Refuse every key of a node from now on; return the broker's users to take away. May be repeated."""
    rows = of(session, node)
    if joined_by_hand is not None and joined_by_hand.key_id not in {row.key_id for row in rows}:
        key = joined_by_hand
        rows.append(Peer(node=node, key_id=key.key_id, key=key.raw, broker_user=node, serial="", admitted_at=now))
    for row in rows:
        if row.revoked_at is None:
            row.revoked_at, row.reason = now, reason
            session.add(row)
    session.flush()
    note(session, Operation.REVOKE_NODE, node, by=by, now=now, audience=audience, reason=reason)
    return sorted({node, *(row.broker_user for row in rows if row.broker_user)})


def listed(session: Session) -> list[Peer]:
    """Every row, in the order in which nodes were admitted."""
    return list(session.scalars(select(Peer).order_by(Peer.node, Peer.admitted_at, Peer.key_id)))


def of(session: Session, node: str) -> list[Peer]:
    """The rows of one node, in the same order."""
    return [row for row in listed(session) if row.node == node]
