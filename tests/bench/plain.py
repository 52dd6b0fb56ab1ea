"""The same facts as a nameko user would send them: one event per change, one insert per event.

`nameko.standalone.events` publishes, confirmed and persistent, into the durable queue of an event handler; a consumer
with nameko's own prefetch of ten inserts each into PostgreSQL, commits, and acknowledges. It is a process of its own:
`python -m tests.bench.plain AMQP_URL DSN`. There is no order across a reconnect, no check, no record, and no answer to
what is held.
"""

import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg2
from kombu import Connection, Exchange, Queue
from kombu.mixins import ConsumerMixin
from nameko.standalone.events import event_dispatcher
from sqlalchemy.engine import make_url

from deploy.postgres import PrivatePostgres
from deploy.proxy import Proxy
from kernel.fact import Fact
from services.sync.records import decode_head
from tests.bench.watch import Run, Watch
from tests.kit.rabbitmq import new_vhost, private_rabbitmq

TABLE = "CREATE TABLE fact (id uuid PRIMARY KEY, version bigint NOT NULL, parts json NOT NULL)"
PREFETCH = 10  # nameko's `max_workers`
EVENT, SERVICE = "case_changed", "case"
EXCHANGE = Exchange(f"{SERVICE}.events", type="topic", durable=True)
QUEUE = Queue(f"evt-{SERVICE}-{EVENT}--replica.on_change", EXCHANGE, routing_key=EVENT, durable=True)


class Plain:
    """A queue full of events, and a consumer that is started by `catch_up`."""

    def __init__(self, near: str, far: str, dsn: str, line: Proxy | None) -> None:
        self._near, self._far, self._dsn, self.line = near, far, dsn, line
        self._reading = psycopg2.connect(dsn)
        self._published = 0
        with self._reading, self._reading.cursor() as cursor:
            cursor.execute(TABLE)
        with Connection(near) as connection:
            QUEUE(connection).declare()

    def publish(self, facts: Sequence[Fact]) -> None:
        """One event for each fact."""
        dispatch = event_dispatcher({"AMQP_URI": self._near})
        for fact in facts:
            head = decode_head(fact.head)
            parts = [json.loads(part or b"null") for part in (fact.head, fact.statistical, fact.operational)]
            dispatch(SERVICE, EVENT, {"id": head.id, "version": head.version, "parts": parts})
        self._published += len(facts)

    def held(self) -> int:
        with self._reading, self._reading.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM fact")
            (count,) = cursor.fetchone() or (0,)
            return int(count)

    def catch_up(self, seconds: float) -> Run:
        """Start the consumer and watch until every event is a row, or for so many seconds."""
        with Watch(self.held, self._published, self.line) as watch:
            consumer = subprocess.Popen([sys.executable, "-m", "tests.bench.plain", self._far, self._dsn])
            try:
                return watch.run(seconds)
            finally:
                consumer.kill()
                consumer.wait()

    def close(self) -> None:
        self._reading.close()


class Consumer(ConsumerMixin):
    """What an event handler of nameko does with one insert in it."""

    def __init__(self, url: str, dsn: str) -> None:
        self.connection = Connection(url)
        self._database = psycopg2.connect(dsn)

    def get_consumers(self, consumer: Any, _channel: Any) -> list[Any]:
        return [consumer([QUEUE], callbacks=[self._insert], prefetch_count=PREFETCH, accept=["json"])]

    def _insert(self, body: dict[str, Any], message: Any) -> None:
        with self._database, self._database.cursor() as cursor:
            values = (body["id"], body["version"], json.dumps(body["parts"]))
            cursor.execute("INSERT INTO fact VALUES (%s, %s, %s) ON CONFLICT DO NOTHING", values)
        message.ack()


@contextmanager
def plain(*, line: bool = False) -> Iterator[Plain]:
    """A fresh broker and a fresh cluster. `line`: the consumer reaches the broker through a proxy."""
    with ExitStack() as stack:
        home = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="jisr-bench-plain-", ignore_cleanup_errors=True))
        )
        home.chmod(0o755)
        server = stack.enter_context(PrivatePostgres(home / "to"))
        url: Any = make_url(server.create_database("bench"))
        dsn = f"host=127.0.0.1 port={url.port} user={url.username} password={url.password} dbname={url.database}"
        broker = stack.enter_context(private_rabbitmq())
        vhost = new_vhost(broker)
        proxy = stack.enter_context(Proxy((broker.host, broker.port))) if line else None
        made = Plain(vhost.url, vhost.url_through(proxy.port) if proxy else vhost.url, dsn, proxy)
        stack.callback(made.close)
        yield made


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        Consumer(sys.argv[1], sys.argv[2]).run()
