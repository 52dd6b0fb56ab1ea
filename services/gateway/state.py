"""What every request of one gateway shares, and what belongs to the request at hand."""

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from time import monotonic
from typing import Any

from flask import current_app, g

from kernel.crypto import SigningKey
from kernel.database import Database
from kernel.identity import Actor
from services.gateway.auth import Logins
from services.gateway.doors import Doors
from services.gateway.passwords import Passwords

EXTENSION = "jisr"


@dataclass(frozen=True)
class Gateway:
    """The gateway of one node."""

    node: str
    kind: str
    database: Database
    key: SigningKey
    hash_key: bytes
    doors: Doors
    logins: Logins
    passwords: Passwords
    metrics_from: tuple[IPv4Network | IPv6Network, ...]


@dataclass
class Visit:
    """One request from its first byte to its log line."""

    request_id: str
    began: float = field(default_factory=monotonic)
    code: str | None = None


@dataclass(frozen=True)
class Call:
    """A request that was let in: who asks for what, and under which Idempotency-Key. Logging in has no actor yet."""

    gateway: Gateway
    operation: str
    actor: Actor | None
    values: dict[str, Any]
    key: str | None
    request_id: str

    @property
    def by(self) -> Actor:
        assert self.actor is not None  # only an operation without roles is let in without an actor
        return self.actor


def gateway() -> Gateway:
    """The gateway of the application that handles this request."""
    shared: Gateway = current_app.extensions[EXTENSION]
    return shared


def visit() -> Visit:
    """The request at hand."""
    present: Visit = g.visit
    return present
