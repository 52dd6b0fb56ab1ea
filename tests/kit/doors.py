"""The doors of one service of a node, asked over HTTP by a signed actor, as the gateway does."""

import json
from typing import Any

import requests

from kernel.clock import now
from kernel.crypto import SigningKey
from kernel.identity import Actor, sign_actor
from tests.kit.nodes import Node


class ServiceDoors:
    """Asks the doors of one service."""

    service: str

    def __init__(self, node: Node) -> None:
        self.node = node
        self.key = SigningKey.load(node.settings.keys_directory / "gateway.key")

    def ask(self, door: str, by: Actor, values: Any, **headers: str) -> requests.Response:
        """The answer of a door."""
        body = values if isinstance(values, bytes) else json.dumps(values).encode()
        token = sign_actor(self.key, by, now=now())
        return requests.post(
            f"{self.node.url(self.service)}/doors/{door}",
            data=body,
            headers={"Authorization": f"Bearer {token}", **headers},
            timeout=30,
        )

    def done(self, door: str, by: Actor, **values: Any) -> dict[str, Any]:
        """The answer of a door that did what it was asked."""
        answer = self.ask(door, by, values)
        assert answer.status_code == 200, answer.text
        shown: dict[str, Any] = answer.json()
        return shown

    def refused(self, door: str, by: Actor, **values: Any) -> tuple[int, str]:
        """The status and the code of a refusal."""
        answer = self.ask(door, by, values)
        refusal = answer.json()
        assert set(refusal) == {"code", "message", "details"}
        return answer.status_code, refusal["code"]
