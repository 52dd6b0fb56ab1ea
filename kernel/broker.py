"""RabbitMQ through pika: bounded waits everywhere, confirmed and mandatory publishing, dead letters.

Nothing here keeps a promise by itself: every message can be lost with the broker and its data directory. What must
not be lost stays in a database until its receiver has said that it holds it (`kernel.outbox`).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import pika
from pika.adapters.blocking_connection import BlockingChannel, BlockingConnection
from pika.adapters.utils.connection_workflow import AMQPConnectorException
from pika.channel import Channel
from pika.exceptions import AMQPError

from kernel.errors import BadInput, BrokerAway, SettingsError
from kernel.tls import Tls

FACTS = "facts"  # topic; routing key = service; slices of an outbox
ARRIVALS = "arrivals"  # topic; routing key = fact type; facts addressed to this node
DEAD = "dead"  # topic; routing key = the queue that the message could not be handled from
RECORDER = "recorder"
DELIVERY_LIMIT = 100  # redeliveries before the broker itself gives up: only a crash loop reaches it
CONNECT_SECONDS = 5
BLOCKED_SECONDS = 10  # how long a broker with a disk or memory alarm may hold a publisher
HEARTBEAT_SECONDS = 20
MAX_MESSAGE_BYTES = 8 * 1024 * 1024  # RabbitMQ 4 refuses 16 MiB by default

# A broker that takes a connection and says nothing is an error that pika derives from none of its others.
BROKER_ERRORS = (AMQPError, AMQPConnectorException, OSError, EOFError)


def parameters(url: str, *, name: str = "jisr", tls: Tls | None = None) -> pika.URLParameters:
    """Connection parameters with every wait bounded. `name` is shown in the broker's list of connections.

    With `tls` the certificate says who we are, and no password is used. Raises `SettingsError`.
    """
    try:
        chosen = pika.URLParameters(url)
    except (ValueError, TypeError) as error:
        raise SettingsError("The broker's address is not of the form amqp://user:password@host:port/vhost.") from error
    chosen.heartbeat = HEARTBEAT_SECONDS
    chosen.blocked_connection_timeout = BLOCKED_SECONDS
    chosen.socket_timeout = CONNECT_SECONDS
    chosen.stack_timeout = CONNECT_SECONDS
    chosen.connection_attempts = 1
    chosen.client_properties = {"connection_name": name}
    if tls is not None:
        chosen.ssl_options = pika.SSLOptions(tls.context(), chosen.host)
        chosen.credentials = pika.credentials.ExternalCredentials()
    return chosen


def recorded_queue(service: str) -> str:
    """The queue on which the recorder answers a service's relay: the number it holds."""
    return f"recorded.{service}"


def dead_queue(queue: str) -> str:
    """Where what could not be handled from `queue` waits for an operator."""
    return f"{queue}.dead"


def declare_exchanges(channel: BlockingChannel | Channel) -> None:
    """The exchanges of a node; declaring again what exists is harmless."""
    for exchange in (FACTS, ARRIVALS, DEAD):
        channel.exchange_declare(exchange, exchange_type="topic", durable=True)


def queue_arguments(queue: str) -> dict[str, Any]:
    """Arguments of a work queue: replicated log on disk, dead letters instead of loss."""
    return {
        "x-queue-type": "quorum",
        "x-delivery-limit": DELIVERY_LIMIT,
        "x-dead-letter-exchange": DEAD,
        "x-dead-letter-routing-key": queue,
    }


def declare_work_queue(channel: BlockingChannel, queue: str, exchange: str, keys: Sequence[str]) -> None:
    """A work queue bound to `exchange` by `keys`, and the dead letter queue behind it."""
    declare_exchanges(channel)
    # Classic, because looking at a dead letter counts as a delivery and RabbitMQ 4 drops at 20 from a quorum queue.
    channel.queue_declare(dead_queue(queue), durable=True)
    channel.queue_bind(dead_queue(queue), DEAD, routing_key=queue)
    channel.queue_declare(queue, durable=True, arguments=queue_arguments(queue))
    for key in keys:
        channel.queue_bind(queue, exchange, routing_key=key)


@contextmanager
def channel_to(url: str, *, name: str = "jisr") -> Iterator[BlockingChannel]:
    """A confirming channel for a short errand. Raises `BrokerAway`."""
    with broker_away():
        connection = BlockingConnection(parameters(url, name=name))
    try:
        with broker_away():
            channel = connection.channel()
            channel.confirm_delivery()
            yield channel
    finally:
        _close(connection)


@contextmanager
def broker_away() -> Iterator[None]:
    """Translate what pika raises when the broker is away, blocked or refuses."""
    try:
        yield
    except BROKER_ERRORS as error:
        raise BrokerAway(cause=type(error).__name__) from error


def _close(connection: BlockingConnection) -> None:
    """Close a connection that may already be lost."""
    with suppress(*BROKER_ERRORS):
        if connection.is_open:
            connection.close()


def dead_letters(url: str, queue: str, *, limit: int = 100) -> list[dict[str, Any]]:
    """Up to `limit` dead letters of `queue`, oldest first, left where they are.

    Each is `{position, cause, bytes, first_at}`; never the content, which may be anything.
    """
    with channel_to(url, name="jisr dead list") as channel:
        letters = []
        for position in range(limit):
            method, properties, body = channel.basic_get(dead_queue(queue))
            if method is None:
                break
            headers = properties.headers or {}
            letters.append({"position": position, "cause": _cause(headers), "bytes": len(body), "queue": queue})
        return letters  # closing the channel puts them back


def _cause(headers: dict[str, Any]) -> str:
    if "cause" in headers:
        return str(headers["cause"])
    return str(headers.get("x-first-death-reason", "unknown"))


def count_dead(channel: BlockingChannel, queue: str) -> int:
    """How many dead letters `queue` has."""
    return int(channel.queue_declare(dead_queue(queue), passive=True).method.message_count)


def replay_dead(url: str, queue: str, *, limit: int = 1000) -> int:
    """Put up to `limit` dead letters back on `queue`, oldest first; return how many.

    Each is confirmed on its queue before it leaves the dead letters: a crash in between repeats it, never loses it.
    """
    with channel_to(url, name="jisr dead replay") as channel:
        waiting = count_dead(channel, queue)
        replayed = 0
        for _ in range(min(limit, waiting)):
            method, _properties, body = channel.basic_get(dead_queue(queue))
            if method is None:
                break
            channel.basic_publish("", queue, body, pika.BasicProperties(delivery_mode=2), mandatory=True)
            channel.basic_ack(method.delivery_tag)
            replayed += 1
        return replayed


def bury(channel: BlockingChannel, queue: str, body: bytes, cause: str) -> None:
    """Put a message that could not be handled from `queue` with its dead letters, confirmed."""
    properties = pika.BasicProperties(delivery_mode=2, headers={"cause": cause})
    channel.basic_publish(DEAD, queue, body, properties, mandatory=True)


def check_queue_name(queue: str, known: Sequence[str]) -> str:
    """`queue` if it is known, else `BadInput` naming those that are."""
    if queue not in known:
        raise BadInput(f"There is no queue named {queue}; the queues are {', '.join(known)}.")
    return queue
