"""Fixtures every test may use. Servers start when the first test asks for them, and end with the run."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from deploy.postgres import PrivatePostgres
from deploy.proxy import Proxy
from deploy.rabbitmq import PrivateRabbitMQ
from kernel.database import Database
from kernel.settings import Settings
from tests.kit.databases import PostgresDatabases, SqliteDatabases, node_databases
from tests.kit.nodes import Country
from tests.kit.postgres import private_postgres
from tests.kit.rabbitmq import Vhost, new_vhost, private_rabbitmq

BACKENDS = ("sqlite", "postgresql")

# No deadline per example: the machine may be busy. Function-scoped fixtures are shared by examples on
# purpose where used.
hypothesis_settings.register_profile(
    "jisr", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
hypothesis_settings.load_profile("jisr")


class MakeDatabase(Protocol):
    """Makes a migrated database of a service, closed when the test ends."""

    def __call__(self, service: str) -> Database: ...


class Databases(Protocol):
    """Fresh databases on one backend."""

    dialect: str

    def empty(self) -> str: ...

    def migrated(self, service: str) -> str: ...

    def drop_all(self) -> None: ...


@pytest.fixture(scope="session")
def rabbitmq() -> Iterator[PrivateRabbitMQ]:
    """One broker for the run. A test that stops it or raises an alarm takes `own_rabbitmq` instead."""
    with private_rabbitmq() as broker:
        yield broker


@pytest.fixture
def own_rabbitmq() -> Iterator[PrivateRabbitMQ]:
    """A broker for one test, which may kill it, alarm it or delete its data. Costs about five seconds."""
    with private_rabbitmq() as broker:
        yield broker


@pytest.fixture
def vhost(rabbitmq: PrivateRabbitMQ) -> Iterator[Vhost]:
    """A fresh virtual host on the run's broker."""
    made = new_vhost(rabbitmq)
    yield made
    rabbitmq.delete_vhost(made.name)


@pytest.fixture
def make_vhost(rabbitmq: PrivateRabbitMQ) -> Iterator[Callable[[], Vhost]]:
    """Makes as many fresh virtual hosts as a test needs: one a node."""
    made: list[Vhost] = []

    def make() -> Vhost:
        made.append(new_vhost(rabbitmq))
        return made[-1]

    yield make
    for vhost in made:
        rabbitmq.delete_vhost(vhost.name)


@pytest.fixture
def make_line() -> Iterator[Callable[[int], Proxy]]:
    """Makes bad lines (`Proxy`) to a loopback port, stopped when the test ends."""
    made: list[Proxy] = []

    def make(port: int) -> Proxy:
        line = Proxy(("127.0.0.1", port))
        line.start()
        made.append(line)
        return line

    yield make
    for line in made:
        line.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PrivatePostgres]:
    """One PostgreSQL server for the run."""
    with private_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def sqlite_databases(tmp_path_factory: pytest.TempPathFactory) -> SqliteDatabases:
    """Fresh SQLite databases."""
    return SqliteDatabases(tmp_path_factory.mktemp("databases"))


@pytest.fixture(scope="session")
def postgres_databases(request: pytest.FixtureRequest) -> PostgresDatabases:
    """Fresh PostgreSQL databases; the server starts when the first is asked for."""
    return PostgresDatabases(lambda: request.getfixturevalue("postgres"))


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """Runs the test once on SQLite and once on PostgreSQL."""
    return str(request.param)


@pytest.fixture
def databases(
    backend: str, sqlite_databases: SqliteDatabases, postgres_databases: PostgresDatabases
) -> Iterator[Databases]:
    """Fresh databases on the backend of this run of the test."""
    chosen: Databases = sqlite_databases if backend == "sqlite" else postgres_databases
    yield chosen
    chosen.drop_all()


@pytest.fixture
def make_database(databases: Databases) -> Iterator[MakeDatabase]:
    """`make_database("case")`: a migrated database of a service, on SQLite and on PostgreSQL."""
    made: list[Database] = []

    def make(service: str) -> Database:
        made.append(Database(databases.migrated(service), service=service))
        return made[-1]

    yield make
    for database in made:
        database.close()


@pytest.fixture
def make_sqlite_database(sqlite_databases: SqliteDatabases, tmp_path: Path) -> Iterator[MakeDatabase]:
    """Like `make_database`, on SQLite only: for what has nothing to do with the backend."""
    made: list[Database] = []

    def make(service: str) -> Database:
        into = tmp_path / f"{service}-{len(made)}.db"
        made.append(Database(sqlite_databases.migrated(service, into=into), service=service))
        return made[-1]

    yield make
    for database in made:
        database.close()


@pytest.fixture
def country(tmp_path: Path, make_vhost: Callable[[], Vhost]) -> Iterator[Country]:
    """Nodes on SQLite whose processes end with the test."""
    made = Country(tmp_path, make_vhost)
    yield made
    made.kill()


@pytest.fixture
def country_on_each_backend(
    tmp_path: Path, make_vhost: Callable[[], Vhost], backend: str, request: pytest.FixtureRequest
) -> Iterator[Country]:
    """Nodes on SQLite, then on PostgreSQL."""
    if backend == "sqlite":
        made = Country(tmp_path, make_vhost)
    else:
        made = Country(tmp_path, make_vhost, node_databases(request.getfixturevalue("postgres")))
    yield made
    made.kill()


@pytest.fixture
def make_settings(country: Country) -> Callable[..., Settings]:
    """`make_settings("ninewa", log_level="debug")`: the settings of a node with its files, keys and
    broker.
    """

    def make(node_id: str = "ninewa", **values: Any) -> Settings:
        return country.add(node_id, **values).settings

    return make
