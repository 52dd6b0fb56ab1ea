"""The desk at which the forum service is asked, once on SQLite and once on PostgreSQL."""

import pytest

from tests.conftest import MakeDatabase
from tests.services.forum.desk import Desk


@pytest.fixture
def desk(make_database: MakeDatabase) -> Desk:
    """A fresh forum database and handlers to ask."""
    return Desk(make_database("forum"))


@pytest.fixture
def sqlite_desk(make_sqlite_database: MakeDatabase) -> Desk:
    """Like `desk`, for what has nothing to do with the backend."""
    return Desk(make_sqlite_database("forum"))
