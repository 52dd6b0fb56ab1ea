"""Confirmed, mandatory publishing that does not wait for each confirmation, and what comes in on the same connection.

pika's blocking connection publishes one message a round trip. In a service each of its waits also lets every door that
is ready go first, so that on a busy machine the round trip, not the broker, was most of a fact's time. Here messages
follow each other while the broker confirms; how many may be unconfirmed is the caller's to bound.

Not for sharing between threads, except `wake`. Every call returns or raises `BrokerAway` within about ten seconds.
What was published before `BrokerAway` may or may not have arrived: the caller goes back to what is acknowledged.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pika
from pika.adapters.select_connection import IOLoop, SelectConnection
from pika.channel import Channel

from kernel.broker import BROKER_ERRORS, CONNECT_SECONDS, broker_away, parameters
from kernel.errors import BrokerAway

CLOSE_SECONDS = 2.0


class Publisher:
    """One connection, made when needed and replaced after any error. `prepare(channel)` declares and consumes."""

    def __init__(self, url: str, *, name: str, prepare: Callable[[Channel], None]) -> None:
        self._parameters = parameters(url, name=name)
        self._prepare = prepare
        self._loop: IOLoop | None = None
        self._connection: SelectConnection | None = None
        self._channel: Channel | None = None
        self._lost: BaseException | None = None  # why this connection is not used again
        self._refused = False
        self._tag = 0
        self._flying: set[int] = set()

    # --- for the caller

    @property
    def unconfirmed(self) -> int:
        """How many messages the broker has not confirmed yet."""
        return len(self._flying)

    def connect(self) -> bool:
        """Be connected; True when a new connection was made, so that volatile state must be forgotten."""
        if self._channel is not None and self._channel.is_open and self._lost is None:
            return False
        self.close()
        self._open()
        return True

    def publish(self, exchange: str, routing_key: str, body: bytes) -> None:
        """Publish persistently. `unconfirmed` falls when it is in every bound queue; `wait` raises if it cannot be."""
        self.connect()
        if self._channel is None:
            raise BrokerAway()
        properties = pika.BasicProperties(delivery_mode=2)
        with broker_away():
            self._channel.basic_publish(exchange, routing_key, body, properties, mandatory=True)
        self._tag += 1
        self._flying.add(self._tag)

    def wait(self, seconds: float, done: Callable[[], bool]) -> None:
        """Send and take what there is, then wait until `done`, for so many seconds at most.

        Raises `BrokerAway` when the connection is lost, or when the broker could not keep what was published.
        """
        self.connect()
        self._turn(0.0)
        self._check()
        self._turn_until(done, seconds)

    def wake(self) -> None:
        """Let a `wait` in another thread or greenthread look at `done` now."""
        loop = self._loop
        if loop is not None:
            with suppress(*BROKER_ERRORS, AttributeError):  # it is being closed, and nobody waits
                loop.add_callback_threadsafe(lambda: None)

    def close(self) -> None:
        """Close the connection, whatever its state."""
        loop, connection = self._loop, self._connection
        if loop is not None and connection is not None:
            with suppress(*BROKER_ERRORS, BrokerAway):
                if connection.is_open:
                    connection.close()
                self._close_turns(connection)
            loop.deactivate_poller()
            loop.close()
        self._loop = self._connection = self._channel = None
        self._lost, self._refused, self._tag = None, False, 0
        self._flying.clear()

    # --- the loop

    def _open(self) -> None:
        self._loop = IOLoop()
        self._loop.activate_poller()
        with broker_away():
            self._connection = SelectConnection(
                self._parameters,
                on_open_callback=self._opened,
                on_open_error_callback=lambda _connection, error: self._lose(error),
                on_close_callback=lambda _connection, error: self._lose(error),
                custom_ioloop=self._loop,
            )
        try:
            ready = self._turn_until(lambda: self._channel is not None, CONNECT_SECONDS * 2)
        except BrokerAway:
            self.close()
            raise
        if not ready:
            self.close()
            raise BrokerAway(cause="no answer")

    def _turn(self, seconds: float) -> None:
        """One turn of pika's loop: wait for so long at most, then do what is due."""
        if self._loop is None:
            raise BrokerAway()
        timer = self._loop.call_later(max(0.0, seconds), lambda: None)
        with broker_away():
            self._loop.poll()
            self._loop.process_timeouts()
        self._loop.remove_timeout(timer)

    def _close_turns(self, connection: SelectConnection) -> None:
        until = time.monotonic() + CLOSE_SECONDS
        while not connection.is_closed and time.monotonic() < until:
            self._turn(until - time.monotonic())

    def _turn_until(self, done: Callable[[], bool], seconds: float) -> bool:
        until = time.monotonic() + seconds
        while not done():
            left = until - time.monotonic()
            if left <= 0:
                return False
            self._turn(left)
            self._check()
        return True

    def _check(self) -> None:
        """Raise what pika told. A refusal is told once; a connection that saw an error is replaced by the next call."""
        if self._lost is not None:
            raise BrokerAway(cause=type(self._lost).__name__) from self._lost
        if self._refused:
            self._refused = False
            raise BrokerAway("No queue takes this message now.")

    # --- what pika tells

    def _opened(self, connection: Any) -> None:
        connection.channel(on_open_callback=self._channel_opened)

    def _channel_opened(self, channel: Channel) -> None:
        channel.add_on_close_callback(lambda _channel, error: self._lose(error))
        channel.add_on_return_callback(lambda *_message: self._refuse())
        channel.confirm_delivery(self._confirmed, callback=lambda _frame: self._ready(channel))

    def _ready(self, channel: Channel) -> None:
        self._prepare(channel)
        self._channel = channel

    def _confirmed(self, frame: Any) -> None:
        method = frame.method
        if isinstance(method, pika.spec.Basic.Nack):
            self._refuse()
        if method.multiple:
            self._flying = {tag for tag in self._flying if tag > method.delivery_tag}
        else:
            self._flying.discard(method.delivery_tag)

    def _refuse(self) -> None:
        self._refused = True

    def _lose(self, why: BaseException | str) -> None:
        self._lost = self._lost or (why if isinstance(why, BaseException) else BrokerAway(why))
