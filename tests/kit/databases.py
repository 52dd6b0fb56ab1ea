"""Migrated databases in milliseconds: each service is migrated once per run and backend, then copied."""

import itertools
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

from sqlalchemy.engine import make_url

from deploy.postgres import PrivatePostgres
from kernel.migration import migrate

WITH_DATABASES = ("forum", "case", "notify", "sync", "gateway")
_numbers = itertools.count(1)


class SqliteDatabases:
    """Copies of a migrated file below `directory`."""

    dialect = "sqlite"

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._templates: dict[str, Path] = {}

    def empty(self) -> str:
        """The URL of a database in which nothing is yet."""
        return f"sqlite:///{self._directory / f'database-{next(_numbers)}.db'}"

    def migrated(self, service: str, *, into: Path | None = None) -> str:
        """The URL of a fresh database with a service's tables. `into`: where its file shall be."""
        template = self._templates.get(service)
        if template is None:
            template = self._templates[service] = self._directory / f"template-{service}.db"
            migrate(f"sqlite:///{template}", service)
            _end_wal(template)
        url = f"sqlite:///{into}" if into else self.empty()
        shutil.copyfile(template, make_url(url).database or "")
        return url

    def drop_all(self) -> None:
        """Nothing to do: the directory goes with the test run."""


class PostgresDatabases:
    """Copies of a migrated template database on `server`."""

    dialect = "postgresql"

    def __init__(self, server: Callable[[], PrivatePostgres]) -> None:
        self._server = server
        self._templates: dict[str, str] = {}
        self._made: list[str] = []

    def empty(self) -> str:
        """The URL of a database in which nothing is yet."""
        return self._create("template1")

    def migrated(self, service: str) -> str:
        """The URL of a fresh database with a service's tables."""
        template = self._templates.get(service)
        if template is None:
            template = self._templates[service] = f"template_{service}"
            migrate(self._server().create_database(template), service)
        return self._create(template)

    def drop_all(self) -> None:
        """Drop what was made since the last call."""
        while self._made:
            self._server().drop_database(self._made.pop())

    def _create(self, template: str) -> str:
        name = f"test_{next(_numbers)}"
        self._made.append(name)
        return self._server().create_database(name, template=template)


def node_databases(server: PrivatePostgres) -> Callable[[str], str]:
    """Makes the empty databases of a node on `server`, and gives the `database_url` for its settings."""

    def make(node_id: str) -> str:
        prefix = f"{node_id.replace('-', '_')}_{next(_numbers)}"
        for service in WITH_DATABASES:
            server.create_database(f"{prefix}_{service}")
        return server.url(f"{prefix}_{{service}}")

    return make


def _end_wal(path: Path) -> None:
    """Bring what is in SQLite's write-ahead log into the file itself, so that the file alone is the
    database.
    """
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
    connection.close()
