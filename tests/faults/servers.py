"""What outlives a country: the four brokers, one PostgreSQL, the nurseries and the templates of databases.

Baghdad's broker speaks TLS and is administered by `jisr admit` and `jisr revoke`, as a directorate's is; at Erbil, as
long ago, nodes are joined by hand.

Children end with the thread that started them (`deploy.children`): brokers are started by threads of a pool that lives
as long as they do, everything else by the thread that made this.
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

from deploy import children
from deploy.demo.nursery import Nursery
from deploy.postgres import PrivatePostgres
from deploy.rabbitmq import PrivateRabbitMQ
from tests.kit.databases import PostgresDatabases, SqliteDatabases
from tests.kit.small_country import BAGHDAD, DIRECTORATES, GOVERNORATES
from tests.links.gate import Gate

ROOT = Path(__file__).parents[2]
NODES = (*GOVERNORATES, *DIRECTORATES)
ON_POSTGRES = ("duhok", "directorate-baghdad")
VHOST = "jisr"


class Servers:
    """Use as a context: nothing that was started here runs afterwards."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.gate = Gate(home / "brokers" / BAGHDAD)
        self.brokers = {node: self._broker(node) for node in NODES}
        self.postgres = PrivatePostgres(home / "postgres")
        self.on_postgres = PostgresDatabases(lambda: self.postgres)
        self._nurseries: dict[str, Nursery] = {}
        self._starters = ThreadPoolExecutor(len(NODES))

    def _broker(self, node: str) -> PrivateRabbitMQ:
        return self.gate.broker if node == BAGHDAD else PrivateRabbitMQ(self.home / "brokers" / node)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start what is there from the beginning, side by side."""
        (self.home / "templates").mkdir(parents=True)
        self.on_sqlite = SqliteDatabases(self.home / "templates")
        for kind in ("services", "engine", "gateway"):
            self._nurseries[kind] = self._nursery(kind)
        starting = [self._starters.submit(broker.start) for broker in self.brokers.values()]
        self.postgres.start()
        for started in starting:
            started.result()

    def stop(self) -> None:
        """End everything."""
        for nursery in self._nurseries.values():
            nursery.stop()
        for broker in self.brokers.values():
            broker.kill()
        self.postgres.stop()
        self._starters.shutdown()

    def start_broker(self, node: str) -> None:
        """Start a broker that was stopped, from a thread that lives on."""
        self._starters.submit(self.brokers[node].start).result()

    def nursery(self, kind: str) -> Nursery:
        """Where processes of this kind are forked."""
        return self._nurseries[kind]

    def _nursery(self, kind: str) -> Nursery:
        command = [*children.as_user(None, death_signal="KILL"), sys.executable, "-m", "deploy.demo.nursery", kind]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("JISR_")}
        log = self.home / f"nursery-{kind}.log"
        return Nursery(command, log=log, environment={**environment, "PYTHONPATH": str(ROOT)})
