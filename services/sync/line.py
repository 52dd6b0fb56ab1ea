"""The two channels to one peer on one wire: confirmed publishing out, a bounded number of deliveries in.

A line never declares anything: the directorate's engine declares the queues of its links (`topology_of_links`), a
governorate finds them there or waits. Each peer has channels of its own, so that one peer's flood, missing queue or
refused right stops nobody else, and confirms and acknowledgements need no book-keeping across peers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pika
from pika.channel import Channel

from kernel import metrics
from kernel.broker import DEAD, dead_queue
from services.sync.wire import Wire, reason_of, refused_access

UP = "jisr.up"
DOWN = "jisr.down"
DEAD_KEY = "jisr"
MIB = 1024 * 1024
QUEUE_BYTES = 64 * MIB  # 32 windows; what more would wait here waits in the sender's journal instead
DEAD_MESSAGES = 1000
DELIVERY_LIMIT = 1_000_000  # a receiver that crashes often must not lose its place; it quarantines by itself
PREFETCH = 16  # a window is 2 MiB: two to sixteen batches


@dataclass(frozen=True)
class Route:
    """How messages travel between this node and one peer."""

    exchange: str
    key: str
    queue: str

    @classmethod
    def of_governorate(cls, node: str) -> "Route":
        """At governorate `node`: up to a directorate, and back from it."""
        return cls(UP, f"up.{node}", f"{DOWN}.{node}")

    @classmethod
    def of_directorate(cls, governorate: str) -> "Route":
        """At a directorate: down to `governorate`, and back from it."""
        return cls(DOWN, f"down.{governorate}", f"{UP}.{governorate}")


@dataclass(frozen=True)
class Delivery:
    """One message from a peer, to be acknowledged on the channel it came by."""

    channel: Channel
    tag: int
    body: bytes
    headers: dict[str, Any]
    user: str | None = None  # who published it: the broker lets nobody name another

    def acknowledge(self) -> None:
        """Acknowledge this delivery and all before it on its channel; nothing when the channel is gone."""
        if self.channel.is_open:
            self.channel.basic_ack(self.tag, multiple=True)


class Verdict(StrEnum):
    """What the broker made of a published message."""

    CONFIRMED = "confirmed"
    RETURNED = "returned"  # no queue takes it
    NACKED = "nacked"  # the queue is full


class Line:
    """Opens after each connect. `on_confirm(token, verdict)` follows every `publish(…, token)`. All on the loop."""

    def __init__(
        self,
        route: Route,
        *,
        on_ready: Callable[[], None],
        on_gone: Callable[[str, bool], None],
        on_message: Callable[[Delivery], None],
        on_confirm: Callable[[int, Verdict], None],
        on_blocked: Callable[[bool], None],
    ) -> None:
        self.route = route
        self.ready = False
        self.blocked = on_blocked
        self._on_ready, self._on_gone = on_ready, on_gone
        self._on_message, self._on_confirm = on_message, on_confirm
        self._out: Channel | None = None
        self._user: str | None = None
        self._published = 0
        self._unconfirmed: dict[int, int] = {}
        self._returned: set[int] = set()

    def open(self, wire: Wire) -> None:
        """Open both channels on a wire that is up."""
        self._reset()
        self._user = wire.user or None

        def closed(_channel: Channel, error: Exception) -> None:
            if wire.up:
                wire.again(reason_of(error), refused_access(error))

        wire.channel(lambda channel: self._consume(wire, channel, closed), closed)

    def gone(self, reason: str, unauthorised: bool) -> None:
        """The wire was lost."""
        self._reset()
        self._on_gone(reason, unauthorised)

    def publish(self, body: bytes, headers: dict[str, Any], token: int = 0) -> bool:
        """Publish persistently and mandatory; `on_confirm(token, …)` follows. False when the line is not open."""
        if not self.ready or self._out is None or not self._out.is_open:
            return False
        self._published += 1
        properties = pika.BasicProperties(
            delivery_mode=2, headers=headers, message_id=str(self._published), user_id=self._user
        )
        self._unconfirmed[self._published] = token
        self._out.basic_publish(self.route.exchange, self.route.key, body, properties, mandatory=True)
        return True

    def _reset(self) -> None:
        self.ready = False
        self._out = None
        self._published = 0
        self._unconfirmed.clear()
        self._returned.clear()

    def _consume(self, wire: Wire, channel: Channel, closed: Callable[[Channel, Exception], None]) -> None:
        channel.add_on_cancel_callback(lambda _frame: wire.again("the queue was deleted"))
        channel.basic_qos(prefetch_count=PREFETCH)
        channel.basic_consume(
            self.route.queue,
            self._delivered,
            callback=lambda _ok: wire.channel(lambda opened: self._confirm_mode(wire, opened), closed),
        )

    def _confirm_mode(self, wire: Wire, channel: Channel) -> None:
        def selected(_frame: Any) -> None:
            self._out = channel
            self.ready = True
            wire.worked()
            self._on_ready()

        channel.add_on_return_callback(self._on_return)
        channel.confirm_delivery(self._on_ack_or_nack, callback=selected)

    def _delivered(self, channel: Channel, method: Any, properties: pika.BasicProperties, body: bytes) -> None:
        headers = dict(properties.headers or {})
        self._on_message(Delivery(channel, method.delivery_tag, body, headers, properties.user_id))

    def _on_return(self, _channel: Channel, _method: Any, properties: pika.BasicProperties, _body: bytes) -> None:
        if (properties.message_id or "").isdigit():
            self._returned.add(int(properties.message_id))

    def _on_ack_or_nack(self, frame: Any) -> None:
        method = frame.method
        taken = isinstance(method, pika.spec.Basic.Ack)
        tags = [method.delivery_tag]
        if method.multiple:
            tags = [tag for tag in self._unconfirmed if tag <= method.delivery_tag]
        for tag in tags:
            token = self._unconfirmed.pop(tag, 0)
            verdict = Verdict.CONFIRMED if taken else Verdict.NACKED
            if tag in self._returned:
                self._returned.discard(tag)
                verdict = Verdict.RETURNED
            self._on_confirm(token, verdict)


def declare_links(channel: Channel, governorates: list[str], declared: Callable[[], None]) -> None:
    """At a directorate: the exchanges and queues of its links. Declaring what exists is harmless.

    Without a callback pika sends a declaration and goes on; the last one is asked to answer and vouches for all,
    because a channel does things in order and is closed by the first that fails.
    """
    for exchange in (UP, DOWN, DEAD):
        channel.exchange_declare(exchange, exchange_type="topic", durable=True)
    dead = dead_queue(DEAD_KEY)
    channel.queue_declare(dead, durable=True, arguments={"x-max-length": DEAD_MESSAGES}, callback=_count_dead)
    channel.queue_bind(dead, DEAD, routing_key=DEAD_KEY)
    for node in governorates:
        for exchange, key in ((UP, f"up.{node}"), (DOWN, f"down.{node}")):
            queue = f"{exchange}.{node}"
            channel.queue_declare(queue, durable=True, arguments=link_queue_arguments())
            channel.queue_bind(queue, exchange, routing_key=key)
    channel.exchange_declare(UP, exchange_type="topic", durable=True, callback=lambda _frame: declared())


def _count_dead(declared: Any) -> None:
    metrics.DEAD_LETTERS.labels(DEAD_KEY).set(declared.method.message_count)


def link_queue_arguments() -> dict[str, Any]:
    """Arguments of the queue that carries one direction of one link."""
    return {
        "x-queue-type": "quorum",
        "x-single-active-consumer": True,
        "x-max-length-bytes": QUEUE_BYTES,
        "x-overflow": "reject-publish",
        "x-delivery-limit": DELIVERY_LIMIT,
        "x-dead-letter-exchange": DEAD,
        "x-dead-letter-routing-key": DEAD_KEY,
    }
