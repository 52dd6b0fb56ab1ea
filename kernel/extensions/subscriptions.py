"""Subscriptions: a queue consumed fact by fact, each in its own transaction, failures kept with the dead letters."""

import time
from collections.abc import Callable, Collection
from typing import Any

import msgspec
from eventlet.event import Event
from nameko.extensions import Entrypoint, register_entrypoint
from pika.adapters.blocking_connection import BlockingChannel

from kernel import broker, metrics, outbox
from kernel.clock import now
from kernel.errors import BrokerAway, JisrError, Unavailable
from kernel.extensions.dependencies import SETTINGS
from kernel.extensions.doors import Call
from kernel.fact import Fact, unpack
from kernel.identity import Actor
from kernel.log import get_logger
from kernel.settings import Settings

ATTEMPTS = 5
FIRST_RETRY_SECONDS = 0.2
DATABASE_RETRY_SECONDS = 2.0
RECONNECT_SECONDS = (1.0, 2.0, 5.0, 10.0)
COUNT_DEAD_SECONDS = 10.0
PREFETCH = 20

log = get_logger("service")


class _Subscription(Entrypoint):
    """The entrypoint behind `subscription`: consumes in a greenthread, joins when the broker appears."""

    def __init__(self, queue: str, exchange: str, keys: Collection[str], **options: Any) -> None:
        self.queue = queue
        self.exchange = exchange
        self.keys = list(keys)
        self._stopping = False
        super().__init__(**options)

    def start(self) -> None:
        self.container.spawn_managed_thread(self._run, identifier=f"subscription {self.queue}")

    def stop(self) -> None:
        self._stopping = True

    def kill(self) -> None:
        self._stopping = True

    def _run(self) -> None:
        settings: Settings = self.container.config[SETTINGS]
        failures = 0
        while not self._stopping:
            try:
                with broker.channel_to(settings.broker, name=f"subscription {self.queue}") as channel:
                    broker.declare_work_queue(channel, self.queue, self.exchange, self.keys)
                    failures = 0
                    self._consume(channel)
            except BrokerAway as error:
                if failures == 0:
                    log.warning("subscription.waits", queue=self.queue, cause=error.details)
                failures = self._pause(failures)
            except Exception as error:  # one that ends takes every service of this process with it
                if failures == 0:
                    log.failure("subscription.failed", error, queue=self.queue)
                failures = self._pause(failures)

    def _pause(self, failures: int) -> int:
        """Wait before the next connection, longer after each failure in a row; return how many there were."""
        time.sleep(RECONNECT_SECONDS[min(failures, len(RECONNECT_SECONDS) - 1)])
        return failures + 1

    def _consume(self, channel: BlockingChannel) -> None:
        channel.basic_qos(prefetch_count=PREFETCH)
        counted_at = 0.0
        for method, _properties, body in channel.consume(self.queue, inactivity_timeout=0.5):
            if self._stopping:
                return
            if time.monotonic() - counted_at > COUNT_DEAD_SECONDS:
                metrics.DEAD_LETTERS.labels(self.queue).set(broker.count_dead(channel, self.queue))
                counted_at = time.monotonic()
            if method is not None:
                self._handle(channel, body)
                channel.basic_ack(method.delivery_tag)

    def _handle(self, channel: BlockingChannel, body: bytes) -> None:
        """Handle each fact of a message; what cannot be handled is kept with the dead letters, alone."""
        try:
            slice_ = outbox.read_slice(body)
            facts = [unpack(bytes(raw)) for raw in slice_.facts]
        except JisrError as error:
            self._bury(channel, body, error.code)
            return
        for offset, fact in enumerate(facts):
            cause = self._attempt(channel, fact, slice_.service)
            if cause is not None:
                alone = outbox.Slice(slice_.service, slice_.stream, slice_.first + offset, [slice_.facts[offset]])
                self._bury(channel, msgspec.json.encode(alone), cause)
            metrics.HANDLED.labels(self.queue, "dead" if cause else "handled").inc()

    def _attempt(self, channel: BlockingChannel, fact: Fact, source: str) -> str | None:
        """Handle one fact; None when it was, else why not, after `ATTEMPTS`. Waits as long as the database is away."""
        attempt = 1
        while True:
            error = self._work(fact, source)
            if error is None:
                return None
            if isinstance(error, Unavailable):
                channel.connection.sleep(DATABASE_RETRY_SECONDS)
                continue
            if attempt == ATTEMPTS:
                log.failure("subscription.gave_up", error, queue=self.queue, fact=fact.id, type=fact.type)
                return error.code if isinstance(error, JisrError) else type(error).__name__
            channel.connection.sleep(FIRST_RETRY_SECONDS * 2 ** (attempt - 1))
            attempt += 1

    def _work(self, fact: Fact, source: str) -> BaseException | None:
        """Run the method in a worker of its own; return what it raised."""
        settings: Settings = self.container.config[SETTINGS]
        done = Event()

        def finished(worker_ctx: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
            done.send(exc_info[1] if exc_info else None)
            return result, exc_info

        self.container.spawn_worker(self, (fact, settings, source), {}, handle_result=finished)
        error: BaseException | None = done.wait()
        return error

    def _bury(self, channel: BlockingChannel, body: bytes, cause: str) -> None:
        log.warning("subscription.dead_letter", queue=self.queue, cause=cause, bytes=len(body))
        broker.bury(channel, self.queue, body, cause)
        metrics.DEAD_LETTERS.labels(self.queue).inc()


def subscription(
    queue: str, *, exchange: str, keys: Collection[str]
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Call a method once per fact that arrives on `queue`, bound to `exchange` by `keys`, in a write transaction.

    The method gets a `Call` (its actor is the node itself) and the `Fact`. A repeat is the method's to notice
    (`kernel.inbox.first_time`). Messages of both `facts` and `arrivals` are slices; one of `arrivals` names the origin
    as its `service` and carries the number of the first arrival.
    """

    def decorate(method: Callable[..., None]) -> Callable[..., None]:
        def entered(self: Any, fact: Fact, settings: Settings, source: str) -> None:
            actor = node_actor(settings.node)
            with self.database.write() as session:
                method(self, Call(session, actor, {}, now(), settings.node, settings, source), fact)

        entered.__name__ = method.__name__
        entered.__doc__ = method.__doc__
        register_entrypoint(entered, _Subscription(queue, exchange, keys))
        return entered

    return decorate


def node_actor(node: str) -> Actor:
    """The node itself, for what nobody asked for: timers and subscriptions."""
    return Actor(id=f"node:{node}", name=node, roles=frozenset(), node=node)
