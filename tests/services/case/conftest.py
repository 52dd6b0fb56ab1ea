"""An office on SQLite and on PostgreSQL, and one running case service."""

from collections.abc import Iterator

import pytest

from deploy.rabbitmq import PrivateRabbitMQ
from kernel.database import Database
from tests.conftest import MakeDatabase
from tests.kit.nodes import Country, Node
from tests.kit.rabbitmq import new_vhost
from tests.services.case.doors import Doors
from tests.services.case.office import Office


@pytest.fixture
def office(make_database: MakeDatabase) -> Office:
    """An office with an empty database, once on each backend."""
    return Office(make_database("case"))


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory, rabbitmq: PrivateRabbitMQ) -> Iterator[Node]:
    """A node whose case service runs."""
    vhost = new_vhost(rabbitmq)
    country = Country(tmp_path_factory.mktemp("case"), lambda: vhost)
    ninewa = country.add("ninewa")
    ninewa.migrate()
    ninewa.start("case")
    yield ninewa
    country.kill()
    rabbitmq.delete_vhost(vhost.name)


@pytest.fixture
def doors(node: Node) -> Doors:
    """The doors of that service."""
    return Doors(node)


@pytest.fixture
def database(node: Node) -> Iterator[Database]:
    """The service's database, read from outside."""
    opened = Database(node.settings.database_url_of("case"), service="case")
    yield opened
    opened.close()
