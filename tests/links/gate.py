"""A directorate's broker with mutual TLS and management interface, the authority behind it, and what strangers hold."""

import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pika
import requests
from pika.adapters.blocking_connection import BlockingConnection

from deploy.ports import free_port
from deploy.rabbitmq import ADMIN, PrivateRabbitMQ
from kernel import authority
from kernel.authority import Authority
from kernel.broker import parameters
from kernel.broker_admin import BrokerAdmin, Rights
from kernel.clock import now
from kernel.tls import Tls
from tests.kit.rabbitmq import Vhost, patient

TLS_CONF = Path(__file__).parents[2] / "deploy" / "compose" / "tls.conf"
HOST = "127.0.0.1"
DAYS = 30


class Gate:
    """The broker and its authority. Every node's own virtual host may be on the same broker."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.authority = Authority.new("Jisr test", now=now(), days=DAYS)
        self.files = directory / "ca"
        self.write_authority(self.files)
        own = authority.new_key(self.files / "broker.key")
        authority.write_new(
            self.files / "broker.pem", self.authority.sign_broker(own.public_key(), [HOST], now=now(), days=DAYS)
        )
        self.tls_port, self.management_port = free_port(), free_port()
        self.broker = PrivateRabbitMQ(
            directory / "broker",
            plugins=["rabbitmq_management", "rabbitmq_auth_mechanism_ssl"],
            configuration=self._configuration(),
        )

    def _configuration(self) -> list[str]:
        """What docker-compose.yml gives a directorate's broker, with other places and ports."""
        text = TLS_CONF.read_text()
        for there, here in (
            ("/run/secrets/broker_ca.pem", self.files / "ca.pem"),
            ("/run/secrets/broker_certificate.pem", self.files / "broker.pem"),
            ("/run/secrets/broker_key.pem", self.files / "broker.key"),
            ("listeners.ssl.default = 5671", f"listeners.ssl.1 = {HOST}:{self.tls_port}"),
        ):
            assert there in text
            text = text.replace(there, str(here))
        return [text, f"management.tcp.ip = {HOST}", f"management.tcp.port = {self.management_port}"]

    def write_authority(self, directory: Path) -> None:
        """What `jisr ca new` would have written."""
        authority.save_key(directory / "ca.key", self.authority.key)
        authority.write_new(directory / "ca.pem", self.authority.certificate.public_bytes(authority.PEM))

    @property
    def admin_url(self) -> str:
        return f"http://{ADMIN}:{quote(self.broker.admin_password, safe='')}@{HOST}:{self.management_port}"

    @property
    def admin(self) -> BrokerAdmin:
        return BrokerAdmin(self.admin_url)

    def url(self, vhost: str, port: int | None = None, host: str = HOST) -> str:
        """As a governorate dials it: no user, no password."""
        return f"amqps://{host}:{port or self.tls_port}/{quote(vhost, safe='')}"

    def papers(
        self, name: str, *, signer: Authority | None = None, at: datetime | None = None, days: int = DAYS
    ) -> Tls:
        """Key and certificate of a node named `name`, from this authority unless another is given."""
        directory = Path(self.directory, f"papers-{len(list(self.directory.iterdir()))}")
        key = authority.new_key(directory / "link.key")
        wanted = authority.load_request(authority.new_request(key, name), name)
        chosen = signer or self.authority
        certificate = chosen.sign_node(wanted, name, now=at or now(), days=days)
        authority.write_new(directory / "certificate.pem", certificate)
        shutil.copyfile(self.files / "ca.pem", directory / "ca.pem")
        return Tls(directory / "ca.pem", directory / "certificate.pem", directory / "link.key")

    def expired(self, name: str) -> Tls:
        """A certificate that was right until yesterday."""
        return self.papers(name, at=now() - timedelta(days=3), days=2)

    @contextmanager
    def connection(self, vhost: str, tls: Tls, host: str = HOST) -> Iterator[BlockingConnection]:
        """A connection as a node makes one."""
        connection = BlockingConnection(patient(parameters(self.url(vhost, host=host), name="test", tls=tls)))
        try:
            yield connection
        finally:
            if connection.is_open:
                connection.close()

    @contextmanager
    def compromised(self, vhost: str) -> Iterator[BlockingConnection]:
        """A connection that may do everything the broker can, also publish in anybody's name."""
        user, password = "compromised", "compromised"
        self._set(f"users/{user}", {"password": password, "tags": "administrator,impersonator"})
        self._set(f"permissions/{quote(vhost, safe='')}/{user}", {"configure": ".*", "write": ".*", "read": ".*"})
        url = self.broker.url(vhost, user=user, password=password)
        connection = BlockingConnection(patient(pika.URLParameters(url)))
        try:
            yield connection
        finally:
            if connection.is_open:
                connection.close()

    def _set(self, path: str, body: dict[str, str]) -> None:
        requests.put(f"{self.admin_url}/api/{path}", json=body, timeout=10).raise_for_status()


@dataclass(frozen=True)
class Hall:
    """A virtual host with the exchanges and queues of two governorates, both let in."""

    gate: Gate
    vhost: Vhost
    nodes: dict[str, Tls]

    def connection(self, node: str) -> AbstractContextManager[BlockingConnection]:
        """A connection of one of the nodes."""
        return self.gate.connection(self.vhost.name, self.nodes[node])


def rights(vhost: str, node: str) -> Rights:
    """What `jisr admit` grants."""
    return Rights(vhost, "jisr.up", f"up.{node}", f"jisr.down.{node}")


def open_hall(gate: Gate, vhost: Vhost, *nodes: str) -> Hall:
    """Declare what a directorate's engine declares, and let nodes in."""
    with vhost.channel() as channel:
        for exchange, word in (("jisr.up", "up"), ("jisr.down", "down")):
            channel.exchange_declare(exchange, exchange_type="topic", durable=True)
            for node in nodes:
                channel.queue_declare(f"{exchange}.{node}", durable=True)
                channel.queue_bind(f"{exchange}.{node}", exchange, routing_key=f"{word}.{node}")
    for node in nodes:
        gate.admin.let_in(node, rights(vhost.name, node))
    return Hall(gate, vhost, {node: gate.papers(node) for node in nodes})
