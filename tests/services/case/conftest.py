"""An office on SQLite and on PostgreSQL."""

import pytest

from tests.conftest import MakeDatabase
from tests.services.case.office import Office


@pytest.fixture
def office(make_database: MakeDatabase) -> Office:
    """An office with an empty database, once on each backend."""
    return Office(make_database("case"))


@pytest.fixture
def sqlite_office(make_sqlite_database: MakeDatabase) -> Office:
    """An office for what has nothing to do with the backend."""
    return Office(make_sqlite_database("case"))
