"""One broker for a whole test run, a virtual host of its own for each test, and a look at its queues."""

import itertools
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pika
from pika.adapters.blocking_connection import BlockingChannel

from deploy.rabbitmq import PrivateRabbitMQ

PATIENCE_SECONDS = 60  # a broker among many on a busy machine; a node gives up after five and comes again

_numbers = itertools.count(1)


def patient(chosen: pika.ConnectionParameters) -> pika.ConnectionParameters:
    """Parameters of a connection that a test makes once."""
    chosen.socket_timeout = chosen.stack_timeout = PATIENCE_SECONDS
    return chosen


@dataclass(frozen=True)
class Vhost:
    """A fresh virtual host and a user who may do everything in it."""

    broker: PrivateRabbitMQ
    name: str
    user: str
    password: str

    @property
    def url(self) -> str:
        """The AMQP URL for its user."""
        return self.url_through(None)

    def url_through(self, port: int | None) -> str:
        """The AMQP URL by way of a proxy's port."""
        return self.broker.url(self.name, user=self.user, password=self.password, port=port)

    @contextmanager
    def channel(self) -> Iterator[BlockingChannel]:
        """A confirming channel on a connection of its own."""
        connection = pika.BlockingConnection(patient(pika.URLParameters(self.url)))
        try:
            channel = connection.channel()
            channel.confirm_delivery()
            yield channel
        finally:
            if connection.is_open:
                connection.close()

    def queue_lengths(self) -> dict[str, int]:
        """Messages ready per queue; those that a consumer has not acknowledged yet are not counted."""
        return self.broker.queue_lengths(self.name)

    def get(self, queue: str) -> bytes | None:
        """Take one message from a queue, or None when it is empty."""
        with self.channel() as channel:
            method, _, body = channel.basic_get(queue, auto_ack=True)
            return body if method is not None else None


@contextmanager
def private_rabbitmq() -> Iterator[PrivateRabbitMQ]:
    """A running broker in a directory of its own below the system's temporary directory."""
    with tempfile.TemporaryDirectory(prefix="jisr-rabbitmq-", ignore_cleanup_errors=True) as home:
        broker = PrivateRabbitMQ(Path(home))
        broker.start()
        try:
            yield broker
        finally:
            broker.kill()


def new_vhost(broker: PrivateRabbitMQ, name: str | None = None) -> Vhost:
    """Add a virtual host with a user of its own."""
    chosen = name or f"test-{next(_numbers)}"
    password = secrets.token_urlsafe(12)
    broker.add_vhost(chosen, user=chosen, password=password)
    return Vhost(broker, chosen, chosen, password)
