"""A running notify service as a gateway calls it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import requests

from contracts.notify import GATEWAY
from contracts.roles import Role
from kernel import outbox
from kernel.clock import now
from kernel.crypto import SigningKey, hashed_id, load_hash_key
from kernel.database import Database
from kernel.fact import Fact
from kernel.identity import Actor, sign_actor
from tests.kit.nodes import Node
from tests.services.notify.facts import account, case_fact


class Office:
    """One node's notify service, and the outbox of its case service to put facts in."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.key = SigningKey.load(node.home / "keys" / "gateway.key")
        self.hash_key = load_hash_key(Path(node.home / "keys" / "hash.key"))

    def call(self, door: str, by: str, /, *roles: Role, **values: Any) -> Any:
        """What a door answers; AssertionError when it refuses."""
        answer = self.ask(door, by, *roles, **values)
        assert answer.ok, answer.text
        return answer.json()

    def ask(self, door: str, by: str, /, *roles: Role, **values: Any) -> requests.Response:
        """The answer of a door."""
        actor = Actor(by, by, frozenset(roles), self.node.id, language="en")
        token = sign_actor(self.key, actor, now=now())
        return requests.post(
            f"{self.node.url('notify')}/doors/{door}",
            json=values,
            headers={"Authorization": f"Bearer {token}"},
            timeout=10,
        )

    def know(self, account_id: str, *roles: Role, **changes: Any) -> None:
        """Tell notify of an account, as the gateway does."""
        self.call("put_contact", GATEWAY, Role.NODE_ADMIN, **account(account_id, *roles, **changes))

    def inbox(self, account_id: str, *roles: Role) -> list[dict[str, Any]]:
        """An account's notifications, newest first."""
        items: list[dict[str, Any]] = self.call("list_notifications", account_id, *roles)["items"]
        return items

    def assigned(self, account_id: str, *, at: datetime | None = None) -> Fact:
        """The fact that a case was assigned to an account, just now or at another time."""
        return case_fact("assigned", handler_hash=hashed_id(self.hash_key, account_id), at=at or now())

    def record(self, *facts: Fact) -> None:
        """Commit facts in the outbox of the case service, as its doors do."""
        with self._outbox() as database, database.write() as session:
            for fact in facts:
                outbox.append(session, fact)

    def unpublished(self) -> int:
        """How many facts that outbox still holds."""
        with self._outbox() as database, database.read() as session:
            return outbox.pending(session).count

    @contextmanager
    def _outbox(self) -> Iterator[Database]:
        database = Database(self.node.settings.database_url_of("case"), service="case")
        try:
            yield database
        finally:
            database.close()

    def metric(self, name: str) -> float:
        """The value of one sample of the service's metrics, 0 when there is none."""
        for line in requests.get(f"{self.node.url('notify')}/metrics", timeout=10).text.splitlines():
            if line.startswith(f"{name} "):
                return float(line.rpartition(" ")[2])
        return 0.0
