"""A directorate's broker in the hands of somebody else: it sits between the exchanges and the queues of a link and
alters, drops, repeats and reorders what passes, in both directions. What is held must stay a prefix of what was
recorded, nobody may be blamed who did nothing, and when it ends the link must be level again."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pika
from pika.adapters.blocking_connection import BlockingChannel

from services.sync import journal
from tests.kit import wait
from tests.kit.small_country import BAGHDAD
from tests.links.country import SecureCountry, put_aside
from tests.replication.country import Node, converged

SEED = 20261120
EACH = 4  # of every kind of mischief at the least


class Tamperer(threading.Thread):
    """Takes every message of a link before its queue does, and passes it on as it likes."""

    def __init__(self, channel: BlockingChannel, seed: int) -> None:
        super().__init__(name="tamperer", daemon=True)
        self._channel = channel
        self._random = random.Random(seed)
        self._stopping = threading.Event()
        self._kept: list[tuple[str, pika.BasicProperties, bytes]] = []
        self.done: Counter[str] = Counter()

    def run(self) -> None:
        for source, target in (("stolen.up", "jisr.up.ninewa"), ("stolen.down", "jisr.down.ninewa")):
            self._channel.basic_consume(source, self._taker(target), auto_ack=True)
        while not self._stopping.is_set():
            self._channel.connection.process_data_events(0.05)
        self._release()

    def stop(self) -> None:
        self._stopping.set()
        self.join(10)

    def _taker(self, target: str) -> Callable[[BlockingChannel, Any, pika.BasicProperties, bytes], None]:
        def take(_channel: BlockingChannel, _method: Any, properties: pika.BasicProperties, body: bytes) -> None:
            mischief = self._random.choice(("alter", "resign", "truncate", "drop", "repeat", "keep", "pass", "pass"))
            self.done[mischief] += 1
            getattr(self, f"_{mischief}")(target, properties, body)

        return take

    def _put(self, target: str, properties: pika.BasicProperties, body: bytes) -> None:
        self._channel.basic_publish("", target, body, properties)

    _pass = _put

    def _alter(self, target: str, properties: pika.BasicProperties, body: bytes) -> None:
        at = self._random.randrange(len(body))
        self._put(target, properties, body[:at] + bytes([body[at] ^ 1 << self._random.randrange(8)]) + body[at + 1 :])

    def _resign(self, target: str, properties: pika.BasicProperties, body: bytes) -> None:
        headers = {**properties.headers, "jisr-signature": self._random.randbytes(64).hex()}
        self._put(target, pika.BasicProperties(delivery_mode=2, headers=headers, user_id=properties.user_id), body)

    def _truncate(self, target: str, properties: pika.BasicProperties, body: bytes) -> None:
        self._put(target, properties, body[: self._random.randrange(len(body))])

    def _drop(self, target: str, properties: pika.BasicProperties, body: bytes) -> None:
        """Nothing arrives."""

    def _repeat(self, target: str, properties: pika.BasicProperties, body: bytes) -> None:
        for _ in range(3):
            self._put(target, properties, body)

    def _keep(self, target: str, properties: pika.BasicProperties, body: bytes) -> None:
        self._kept.append((target, properties, body))
        if len(self._kept) >= 3:
            self._release()

    def _release(self) -> None:
        self._random.shuffle(self._kept)
        while self._kept:
            self._put(*self._kept.pop())


@contextmanager
def tampering(country: SecureCountry, seed: int) -> Iterator[Tamperer]:
    """The broker's administrator re-binds the link's exchanges to queues of his own, and afterwards back."""
    routes = (("jisr.up", "up.ninewa", "stolen.up"), ("jisr.down", "down.ninewa", "stolen.down"))
    with country.gate.compromised(country[BAGHDAD].vhost.name) as connection:
        channel = connection.channel()
        for exchange, key, stolen in routes:
            channel.queue_declare(stolen, durable=True)
            channel.queue_bind(stolen, exchange, key)
            channel.queue_unbind(f"{exchange}.ninewa", exchange, key)
        tamperer = Tamperer(channel, seed)
        tamperer.start()
        try:
            yield tamperer
        finally:
            tamperer.stop()
            for exchange, key, stolen in routes:
                channel.queue_bind(f"{exchange}.ninewa", exchange, key)
                channel.queue_unbind(stolen, exchange, key)


def is_prefix(replica: Node, origin: Node) -> bool:
    """Whether what a replica holds is what its origin recorded, up to some number."""
    held = replica.held(origin.name)
    if held is None or held.number == 0:
        return True
    with origin.database.read() as session:
        place = journal.position_at(session, origin.name, held.number)
    return place is not None and place.digest == held.digest


def test_it_cannot_change_what_is_held_nor_put_the_blame_on_a_node(secure_country: SecureCountry) -> None:
    country = secure_country
    ninewa, baghdad = country["ninewa"], country[BAGHDAD]
    baghdad.start()
    wait.until(lambda: "jisr.up.ninewa" in baghdad.vhost.queue_lengths(), seconds=60)
    country.join("ninewa")
    print(f"seed {SEED}")
    with tampering(country, SEED) as tamperer:
        ninewa.start()

        def enough() -> bool:
            ninewa.record_some(3)
            baghdad.record_some(1)
            assert is_prefix(baghdad, ninewa)
            assert is_prefix(ninewa, baghdad)
            assert tamperer.is_alive()
            kinds = ("alter", "resign", "truncate", "drop", "repeat", "keep")
            return all(tamperer.done[kind] >= EACH for kind in kinds)

        wait.until(enough, seconds=90, what="every kind of mischief was done")
    converged(ninewa, baghdad, seconds=60)
    converged(baghdad, ninewa, seconds=60)
    for node, origin in ((baghdad, "ninewa"), (ninewa, BAGHDAD)):
        replica = node.replica(origin)
        assert replica is not None
        assert replica.state == "ok"
        assert put_aside(node), "something altered arrived, and was put aside"
    assert baghdad.records("ninewa") == ninewa.records("ninewa")
