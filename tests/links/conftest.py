"""One secure broker for all tests of links, a virtual host of its own for each."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.kit.databases import SqliteDatabases
from tests.kit.rabbitmq import Vhost, new_vhost
from tests.links.country import SecureCountry
from tests.links.gate import Gate, Hall, open_hall


@pytest.fixture(scope="session")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """A directorate's broker that speaks TLS."""
    made = Gate(tmp_path_factory.mktemp("gate"))
    made.broker.start()
    try:
        yield made
    finally:
        made.broker.kill()


@pytest.fixture
def make_secure_vhost(gate: Gate) -> Iterator[Callable[[], Vhost]]:
    """Makes virtual hosts on the secure broker."""
    made: list[Vhost] = []

    def make() -> Vhost:
        made.append(new_vhost(gate.broker))
        return made[-1]

    yield make
    for vhost in made:
        gate.broker.delete_vhost(vhost.name)


@pytest.fixture
def secure_country(
    tmp_path: Path, gate: Gate, make_secure_vhost: Callable[[], Vhost], sqlite_databases: SqliteDatabases
) -> Iterator[SecureCountry]:
    """Nodes that do not know each other yet; what joins them is enrolment."""
    made = SecureCountry(tmp_path, gate, make_secure_vhost, sqlite_databases)
    yield made
    made.close()


@pytest.fixture(scope="module")
def hall(gate: Gate) -> Iterator[Hall]:
    """Two governorates that were let in, for tests that only knock."""
    vhost = new_vhost(gate.broker)
    yield open_hall(gate, vhost, "ninewa", "duhok")
    for user in ("ninewa", "duhok"):
        gate.admin.shut_out(user)
    gate.broker.delete_vhost(vhost.name)
