"""The migrations make exactly the tables that the code declares, on both backends."""

from importlib import import_module
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, Table

from kernel.database import Database, KernelTable
from kernel.migration import KERNEL_VERSIONS, SERVICE_VERSIONS, migrate, pending_migrations
from tests.conftest import Databases
from tests.kit.databases import WITH_DATABASES
from tests.repo.documents import modules


def _declared(service: str) -> MetaData:
    """The tables of the kernel and of one service, in one place."""
    modules("kernel")
    both = MetaData()
    for table in [*KernelTable.metadata.tables.values(), *_tables_of(service)]:
        table.to_metadata(both)
    return both


def _tables_of(service: str) -> list[Table]:
    found = {}
    module = import_module(f"services.{service}.tables")
    for value in vars(module).values():
        for table in getattr(getattr(value, "metadata", None), "tables", {}).values():
            found[table.name] = table
    return [table for name, table in found.items() if name not in KernelTable.metadata.tables]


def _of_ours(_object: Any, name: str | None, kind: str, _reflected: bool, _compared: Any) -> bool:
    return not (kind == "table" and name in (KERNEL_VERSIONS, SERVICE_VERSIONS))


@pytest.mark.parametrize("service", WITH_DATABASES)
def test_migrations_make_the_declared_tables(service: str, databases: Databases) -> None:
    database = Database(databases.migrated(service), service=service)
    try:
        with database.engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"include_object": _of_ours, "compare_type": True})
            differences = compare_metadata(context, _declared(service))
    finally:
        database.close()
    assert not differences, f"write a migration for services/{service}: {differences}"


@pytest.mark.parametrize("service", WITH_DATABASES)
def test_migrating_again_changes_nothing(service: str, databases: Databases) -> None:
    url = databases.empty()
    assert pending_migrations(url, service)
    assert migrate(url, service)
    assert migrate(url, service) == []
    assert pending_migrations(url, service) == []
