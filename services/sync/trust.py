"""Whose word is believed at this moment: the signing keys of peers and the broker's users they publish as.

Read from the database every second, so that a node that is admitted is heard, and one that is revoked is not, without
a restart. Lanes read it while the control's lane replaces it: it is replaced as a whole.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session

from kernel.crypto import VerifyKey
from services.sync import message, peers, rotation


@dataclass(frozen=True)
class _Believed:
    ring: message.Ring
    users: Mapping[str, str] = field(default_factory=dict)
    expiries: Mapping[str, datetime] = field(default_factory=dict)


class Trust:
    """`files`: the keys that were given by hand. A node that the database knows is judged by the database alone."""

    def __init__(self, files: Mapping[str, VerifyKey]) -> None:
        self._files = files
        self._believed = _Believed(message.ring(files))
        self._told: set[tuple[str, int]] = set()

    def read(self, session: Session) -> None:
        """Learn who was admitted, who was revoked, and who changed his key."""
        rows = peers.listed(session)
        keys = {node: [key] for node, key in self._files.items() if node not in {row.node for row in rows}}
        valid = [row for row in rows if row.revoked_at is None]
        for row in valid:
            keys.setdefault(row.node, []).append(VerifyKey(row.key))
        users = {row.node: row.broker_user for row in valid if row.broker_user}
        expiries = {row.node: row.expires_at for row in valid if row.expires_at is not None}
        ring = rotation.followed(session, message.ring(keys), self._unheeded)
        self._believed = _Believed(ring, users, expiries)

    def _unheeded(self, origin: str, number: int) -> None:
        """Once for each entry: it is met every second."""
        if (origin, number) not in self._told:
            self._told.add((origin, number))
            rotation.tell(origin, number)

    @property
    def ring(self) -> message.Ring:
        """The keys that are believed."""
        return self._believed.ring

    @property
    def expiries(self) -> Mapping[str, datetime]:
        """When the certificate of each admitted node ends."""
        return self._believed.expiries

    def knows(self, node: str) -> bool:
        """Whether any key of `node` is believed."""
        return any(known.node == node for known in self._believed.ring.values())

    def publishes_as(self, node: str) -> str | None:
        """The only user whose messages are taken as those of `node`; None where it was joined by hand."""
        return self._believed.users.get(node)
