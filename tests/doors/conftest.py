"""Two running nodes for all these tests, a governorate and a directorate: real services, real gateway, real broker."""

from collections.abc import Iterator

import pytest

from deploy.rabbitmq import PrivateRabbitMQ
from tests.kit.databases import SqliteDatabases
from tests.kit.nodes import Country
from tests.kit.rabbitmq import new_vhost

from .api import Town, give_databases, shift, shift_file

PROCESSES = ("services", "gateway")


@pytest.fixture(scope="session")
def running(
    tmp_path_factory: pytest.TempPathFactory, rabbitmq: PrivateRabbitMQ, sqlite_databases: SqliteDatabases
) -> Iterator[Country]:
    made = Country(tmp_path_factory.mktemp("doors"), lambda: new_vhost(rabbitmq))
    try:
        for node_id in ("ninewa", "directorate-baghdad"):
            node = made.add(node_id)
            give_databases(node, sqlite_databases)
            shift(node, 0)
            node.start(*PROCESSES, environment={"JISR_CLOCK_SHIFT": str(shift_file(node))})
        yield made
    finally:
        made.kill()


@pytest.fixture(scope="session")
def ninewa(running: Country) -> Iterator[Town]:
    town = Town(running.nodes["ninewa"])
    yield town
    town.close()


@pytest.fixture(scope="session")
def baghdad(running: Country) -> Iterator[Town]:
    town = Town(running.nodes["directorate-baghdad"])
    yield town
    town.close()
