"""The country's brokers: one private RabbitMQ with a virtual host per node, or virtual hosts on one that was
given.

A real country has a broker in every node. Here one process stands for all of them: a virtual host is as
separate from another as a broker is, in exchanges, queues, users and rights. A governorate's own user may do
everything in its own virtual host; the user with which it dials out to a directorate may declare nothing
there, write to `jisr.up` and read its own queue.

`JISR_RABBITMQ_URL` names a broker to use instead. A virtual host cannot be made over AMQP, so either

* the URL has `{node}` in it, `amqp://user:password@host/jisr-{node}`: the virtual hosts exist already, are
empty and for the demo alone; or * the URL's user is an administrator and RabbitMQ's management plugin
answers, at `JISR_RABBITMQ_MANAGEMENT_URL` or at port 15672 of the same host: virtual hosts with names of
their own are made for the demo and deleted when it ends.

Prefixing queue names in one virtual host was rejected: the names are part of the protocol, and a demo that
changes them proves something else.
"""

import os
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import requests

from deploy.rabbitmq import PrivateRabbitMQ
from kernel.broker import channel_to
from kernel.errors import BrokerAway

URL = "JISR_RABBITMQ_URL"
MANAGEMENT_URL = "JISR_RABBITMQ_MANAGEMENT_URL"
MANAGEMENT_PORT = 15672
ALL = (".*", ".*", ".*")


class BrokerUnusable(RuntimeError):
    """The broker that was given cannot be used; the text says what is needed."""


class Brokers(Protocol):
    """A broker for every node. `files`: where its data are, None when they are not ours to read."""

    target: tuple[str, int]
    files: Path | None

    def arrange(self, nodes: Iterable[str], links: Iterable[tuple[str, str]]) -> None:
        """Choose a broker for each node and, for each (governorate, directorate), a user to dial out with."""

    def start(self) -> None:
        """Return when what was arranged answers."""

    def url(self, node: str) -> str:
        """The node's own broker."""

    def link_url(self, origin: str, destination: str, port: int) -> str:
        """How `origin` reaches the broker of `destination`, through a line that begins at `port`."""

    def watch(self) -> None:
        """Start a private broker again that has died."""

    def stop(self) -> None: ...


def choose(home: Path, environment: Mapping[str, str] = os.environ) -> Brokers:
    """The given broker if there is one, else a private one below `home`."""
    given = environment.get(URL)
    if not given:
        return PrivateBrokers(home)
    return GivenBrokers(given, environment.get(MANAGEMENT_URL))


class PrivateBrokers:
    """One private RabbitMQ; its data begin empty each time, for nothing that must not be lost is kept in
    it."""

    def __init__(self, home: Path) -> None:
        self._broker = PrivateRabbitMQ(home)
        self._passwords: dict[str, str] = {}
        self.files: Path | None = self._broker.home
        self.target = (self._broker.host, self._broker.port)

    def arrange(self, nodes: Iterable[str], links: Iterable[tuple[str, str]]) -> None:
        nodes, links = list(nodes), list(links)
        users = [*nodes, *(_dialler(origin) for origin, _ in links)]
        self._passwords = {user: secrets.token_urlsafe(18) for user in users}
        self._broker.define(
            vhosts=nodes,
            users=self._passwords,
            permissions=[
                *((node, node, ALL) for node in nodes),
                *((_dialler(origin), destination, _dialler_rights(origin)) for origin, destination in links),
            ],
        )

    def start(self) -> None:
        self._broker.delete_data()
        self._broker.start()

    def url(self, node: str) -> str:
        return self._broker.url(node, user=node, password=self._passwords[node])

    def link_url(self, origin: str, destination: str, port: int) -> str:
        user = _dialler(origin)
        return self._broker.url(destination, user=user, password=self._passwords[user], port=port)

    def watch(self) -> None:
        self._broker.start()

    def stop(self) -> None:
        self._broker.stop()


def _dialler(origin: str) -> str:
    return f"link-{origin}"


def _dialler_rights(origin: str) -> tuple[str, str, str]:
    """Declare nothing, write to the directorate's door, read one's own queue (docs/protocol.md,
    Transport)."""
    return "^$", r"^jisr\.up$", rf"^jisr\.down\.{origin}$"


class GivenBrokers:
    """Virtual hosts on a broker that somebody else runs. Its files are not ours to read."""

    def __init__(self, url: str, management: str | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme != "amqp" or not parts.hostname:
            raise BrokerUnusable(
                f"{URL} must be amqp://user:password@host:port/vhost; the demo's lines do not speak TLS."
            )
        self.files: Path | None = None
        self.target = (parts.hostname, parts.port or 5672)
        self._parts = parts
        self._ready_made = "{node}" in unquote(parts.path)
        self._pattern = unquote(parts.path[1:]) if self._ready_made else f"jisr-{secrets.token_hex(4)}-{{node}}"
        self._management = (management or f"http://{parts.hostname}:{MANAGEMENT_PORT}").rstrip("/")
        self._nodes: list[str] = []
        self._made: list[str] = []

    def arrange(self, nodes: Iterable[str], links: Iterable[tuple[str, str]]) -> None:
        self._nodes = list(nodes)

    def start(self) -> None:
        for node in self._nodes:
            if not self._ready_made:
                self._make(self._pattern.format(node=node))
            self._try(node)

    def url(self, node: str) -> str:
        return self._at(node, f"{self.target[0]}:{self.target[1]}")

    def link_url(self, origin: str, destination: str, port: int) -> str:
        return self._at(destination, f"127.0.0.1:{port}")

    def watch(self) -> None:
        """It is somebody else's to keep alive."""

    def stop(self) -> None:
        while self._made:
            self._ask("DELETE", f"vhosts/{quote(self._made.pop(), safe='')}")

    def _at(self, node: str, place: str) -> str:
        credentials = self._parts.netloc.rpartition("@")[0]
        vhost = quote(self._pattern.format(node=node), safe="")
        return urlunsplit(("amqp", f"{credentials}@{place}" if credentials else place, f"/{vhost}", "", ""))

    def _make(self, vhost: str) -> None:
        self._ask("PUT", f"vhosts/{quote(vhost, safe='')}")
        self._made.append(vhost)
        user = quote(unquote(self._parts.username or "guest"), safe="")
        rights = dict(zip(("configure", "write", "read"), ALL, strict=True))
        self._ask("PUT", f"permissions/{quote(vhost, safe='')}/{user}", rights)

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> None:
        login = (unquote(self._parts.username or "guest"), unquote(self._parts.password or "guest"))
        try:
            answer = requests.request(method, f"{self._management}/api/{path}", auth=login, json=body or {}, timeout=10)
            answer.raise_for_status()
        except requests.RequestException as error:
            raise BrokerUnusable(
                f"{URL} names a broker on which virtual hosts must be made, and its management interface at "
                f"{self._management} did not do it ({type(error).__name__}). Either give an administrator's URL "
                f"and {MANAGEMENT_URL}, or make one empty virtual host per node, {{node}} standing where its "
                "name differs: amqp://user:password@host:5672/jisr-{node}"
            ) from error

    def _try(self, node: str) -> None:
        try:
            with channel_to(self.url(node), name="jisr demo"):
                pass
        except BrokerAway as error:
            raise BrokerUnusable(
                f"The virtual host {self._pattern.format(node=node)!r} at {self.target[0]}:{self.target[1]} "
                f"cannot be used ({error.details.get('cause')}): rabbitmqctl add_vhost NAME; "
                "rabbitmqctl set_permissions -p NAME USER '.*' '.*' '.*'"
            ) from error
