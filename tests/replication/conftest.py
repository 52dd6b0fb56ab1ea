"""Countries for the tests of the engine."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Databases
from tests.kit.databases import SqliteDatabases
from tests.kit.rabbitmq import Vhost
from tests.replication.country import Country


@pytest.fixture
def country(tmp_path: Path, make_vhost: Callable[[], Vhost], databases: Databases) -> Iterator[Country]:
    """Two governorates and two directorates, on SQLite and on PostgreSQL."""
    made = Country(tmp_path, make_vhost, databases)
    yield made
    made.close()


@pytest.fixture
def sqlite_country(
    tmp_path: Path, make_vhost: Callable[[], Vhost], sqlite_databases: SqliteDatabases
) -> Iterator[Country]:
    """The same on SQLite only: for what has nothing to do with the database."""
    made = Country(tmp_path, make_vhost, sqlite_databases)
    yield made
    made.close()
