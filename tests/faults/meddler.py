"""Somebody in the middle of a broker: takes what is on its way to a queue, and passes it on as the dice say.

It is as a broker in the wrong hands: it passes messages on in the name of who published them. The queue is unbound from
its exchange and a queue of the meddler is bound in its place. What is passed on goes straight to the real queue. `stop`
puts everything back as it was, and passes on what was kept back.
"""

import random
import threading
from contextlib import suppress
from dataclasses import dataclass

import pika

from deploy.rabbitmq import PrivateRabbitMQ
from tests.faults.servers import VHOST

COMPROMISED = "compromised"
QUEUE = "meddler"
LOOK_SECONDS = 0.02
END_SECONDS = 20


def url_in_any_name(broker: PrivateRabbitMQ) -> str:
    """Where somebody comes in who may do everything, also publish in the name of another."""
    broker.add_user(COMPROMISED, COMPROMISED, tags="impersonator")
    broker.set_permissions(COMPROMISED, VHOST, configure=".*", write=".*", read=".*")
    return broker.url(VHOST, user=COMPROMISED, password=COMPROMISED)


@dataclass(frozen=True)
class Habit:
    """How likely a message is lost, passed on twice, or kept back to be passed on later and out of order."""

    loses: float = 0.0
    repeats: float = 0.0
    delays: float = 0.0


class Meddler(threading.Thread):
    """Between an exchange and one queue of it. `lost`, `repeated` and `delayed` count what it did."""

    def __init__(self, broker: PrivateRabbitMQ, exchange: str, key: str, queue: str, dice: random.Random, habit: Habit):
        super().__init__(name="meddler", daemon=True)
        self._url = url_in_any_name(broker)
        self._exchange, self._key, self._queue = exchange, key, queue
        self._dice, self._habit = dice, habit
        self._kept: list[tuple[pika.BasicProperties, bytes]] = []
        self._stopping = threading.Event()
        self.lost = self.repeated = self.delayed = 0
        self.failed = ""

    def run(self) -> None:
        try:
            self._meddle()
        except Exception as error:  # told to whoever stops us
            self.failed = f"{type(error).__name__}: {error}"

    def stop(self) -> None:
        """Put everything back. Raises AssertionError when the meddler could not do its work."""
        self._stopping.set()
        self.join(END_SECONDS)
        assert not self.failed, self.failed

    def _meddle(self) -> None:
        connection = pika.BlockingConnection(pika.URLParameters(self._url))
        try:
            channel = connection.channel()
            channel.confirm_delivery()
            channel.queue_declare(QUEUE, durable=True)
            channel.queue_bind(QUEUE, self._exchange, self._key)
            channel.queue_unbind(self._queue, self._exchange, self._key)
            while not self._stopping.is_set():
                if not self._take(channel):
                    connection.process_data_events(LOOK_SECONDS)
            channel.queue_bind(self._queue, self._exchange, self._key)
            channel.queue_unbind(QUEUE, self._exchange, self._key)
            while self._take(channel):
                pass
            self._dice.shuffle(self._kept)
            for properties, body in self._kept:
                channel.basic_publish("", self._queue, body, properties)
            channel.queue_delete(QUEUE)
        finally:
            with suppress(pika.exceptions.AMQPError):
                connection.close()

    def _take(self, channel: pika.adapters.blocking_connection.BlockingChannel) -> bool:
        method, properties, body = channel.basic_get(QUEUE, auto_ack=True)
        if method is None:
            return False
        again = pika.BasicProperties(headers=properties.headers, delivery_mode=2, user_id=properties.user_id)
        if self._dice.random() < self._habit.loses:
            self.lost += 1
            return True
        if self._dice.random() < self._habit.delays:
            self.delayed += 1
            self._kept.append((again, body))
            if len(self._kept) < 4:
                return True
            again, body = self._kept.pop(self._dice.randrange(len(self._kept)))
        channel.basic_publish("", self._queue, body, again)
        if self._dice.random() < self._habit.repeats:
            self.repeated += 1
            channel.basic_publish("", self._queue, body, again)
        return True
