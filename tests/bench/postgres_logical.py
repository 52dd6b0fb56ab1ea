"""The same facts through PostgreSQL's logical replication: what a database does by itself, and the yardstick.

Two private clusters with `wal_level=logical`, one publication, one subscription. A fact is a row of three columns: its
id, its version, and its parts as one JSON document of the same bytes. Both sides sync to disk: a subscription's own
default is not to (`synchronous_commit=off`), and a directorate must not say that it holds what a power cut takes away.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2.extras import execute_values
from sqlalchemy.engine import make_url

from deploy.postgres import PrivatePostgres
from deploy.proxy import Proxy
from kernel.fact import Fact
from services.sync.records import decode_head
from tests.bench.watch import Run, Watch

TABLE = "CREATE TABLE fact (id uuid PRIMARY KEY, version bigint NOT NULL, parts json NOT NULL)"
PER_COMMIT = 2000  # as the journal of the other side is filled; single rows would slow PostgreSQL down, not Jisr


class Pair:
    """A publisher and a subscriber, whose subscription is off until `catch_up`."""

    def __init__(self, publisher: PrivatePostgres, subscriber: PrivatePostgres, line: Proxy | None) -> None:
        self._publisher, self._subscriber, self.line = publisher, subscriber, line
        for server in (publisher, subscriber):
            server.execute("ALTER SYSTEM SET wal_level = logical")
            server.restart()
            server.create_database("bench")
            server.execute(TABLE, database="bench")
        publisher.execute("CREATE PUBLICATION facts FOR TABLE fact", database="bench")
        self._writing, self._reading = psycopg2.connect(_dsn(publisher)), psycopg2.connect(_dsn(subscriber))
        with self._writing, self._writing.cursor() as cursor:
            cursor.execute("SELECT pg_create_logical_replication_slot('facts', 'pgoutput')")
        subscriber.execute(
            f"CREATE SUBSCRIPTION facts CONNECTION '{_dsn(publisher, line.port if line else None)}' PUBLICATION facts "
            "WITH (create_slot = false, slot_name = 'facts', copy_data = false, enabled = false, "
            "synchronous_commit = 'on')",
            database="bench",
        )
        self._published = 0

    def publish(self, facts: Sequence[Fact], per_commit: int = PER_COMMIT) -> None:
        """Commit facts at the publisher, so many in one transaction."""
        for at in range(0, len(facts), per_commit):
            with self._writing, self._writing.cursor() as cursor:
                rows = [_row(fact) for fact in facts[at : at + per_commit]]
                execute_values(cursor, "INSERT INTO fact VALUES %s", rows, page_size=500)
        self._published += len(facts)

    def held(self) -> int:
        """Rows that a reader sees at the subscriber."""
        with self._reading, self._reading.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM fact")
            (count,) = cursor.fetchone() or (0,)
            return int(count)

    def catch_up(self, seconds: float) -> Run:
        """Enable the subscription and watch until every row is there, or for so many seconds."""
        with Watch(self.held, self._published, self.line) as watch:
            self._subscriber.execute("ALTER SUBSCRIPTION facts ENABLE", database="bench")
            return watch.run(seconds)

    def close(self) -> None:
        self._writing.close()
        self._reading.close()


def _row(fact: Fact) -> tuple[str, int, str]:
    head = decode_head(fact.head)
    parts = (fact.head, fact.statistical or b"null", fact.operational or b"null")
    return head.id, head.version, "[" + ",".join(part.decode() for part in parts) + "]"


def _dsn(server: PrivatePostgres, port: int | None = None) -> str:
    url: Any = make_url(server.url("bench"))
    return f"host=127.0.0.1 port={port or url.port} user={url.username} password={url.password} dbname={url.database}"


@contextmanager
def pair(*, line: bool = False) -> Iterator[Pair]:
    """Two fresh clusters. `line`: the subscriber reaches the publisher through a proxy."""
    with ExitStack() as stack:
        home = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="jisr-bench-pg-", ignore_cleanup_errors=True))
        )
        home.chmod(0o755)
        publisher, subscriber = (stack.enter_context(PrivatePostgres(home / name)) for name in ("from", "to"))
        proxy = stack.enter_context(Proxy((publisher.host, publisher.port))) if line else None
        made = Pair(publisher, subscriber, proxy)
        stack.callback(made.close)
        yield made
