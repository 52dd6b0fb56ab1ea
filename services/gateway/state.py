"""What every request of one gateway shares, and what belongs to the request at hand."""

from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network
from time import monotonic
from typing import Any

from flask import current_app, g

from kernel.crypto import SigningKey
from kernel.database import Database
from kernel.disk import Disk
from kernel.errors import NotAuthenticated, refuse
from kernel.identity import Actor
from services.gateway.auth import Logins
from services.gateway.doors import Doors
from services.gateway.passwords import Passwords
from services.gateway.slips import Receipts
from services.gateway.throttle import Throttle

EXTENSION = "jisr"
TRIES_CODE = 10  # wrong one-time codes from one address: an office that mistypes; each referral has its own bound


@dataclass(frozen=True)
class Gateway:
    """The gateway of one node."""

    node: str
    kind: str
    database: Database
    key: SigningKey = field(repr=False)
    hash_key: bytes = field(repr=False)
    doors: Doors
    logins: Logins
    passwords: Passwords
    metrics_from: tuple[IPv4Network | IPv6Network, ...]
    disk: Disk
    codes: Throttle = field(default_factory=lambda: Throttle(TRIES_CODE))

    @cached_property
    def receipts(self) -> Receipts:
        """How receipts are hashed, and who guesses them; first asked for when the gateway opens."""
        return Receipts(self.hash_key)


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
        """The actor, of an operation that is not open to everybody."""
        return self.actor or refuse(NotAuthenticated)


def gateway() -> Gateway:
    """The gateway of the application that handles this request."""
    shared: Gateway = current_app.extensions[EXTENSION]
    return shared


def visit() -> Visit:
    """The request at hand."""
    present: Visit = g.visit
    return present
