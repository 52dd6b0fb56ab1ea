"""Migrations: the kernel's own tables first, then the service's, in one transaction each (Alembic).

Both histories live in the service's database, each with its own version table, so that a kernel table changes in one
place for every service. A service keeps its revisions in `services/<service>/migrations/`.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from kernel.database import Database
from kernel.errors import SettingsError

KERNEL = Path(__file__).parent / "migrations"
KERNEL_VERSIONS = "alembic_version_kernel"
SERVICE_VERSIONS = "alembic_version"
MIGRATION_LOCK = 0x6A697372  # "jisr": one migration at a time on PostgreSQL


def migrate(url: str, service: str, *, keys: Path | None = None, to: str = "head") -> list[str]:
    """Bring the database at `url` to this release; return the revisions that were applied, oldest first.

    `keys`: the node's key directory, for a migration that seals what was in the clear. `to`: the last revision of the
    service to apply. Raises `Unavailable` when the database cannot be reached, `SettingsError` for a service that does
    not exist.
    """
    database = Database(url, service=service)
    try:
        applied: list[str] = []
        for versions, table in _histories(service):
            with database.write() as session:
                connection = session.connection()
                if database.dialect == "postgresql":
                    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
                config = _config(versions, table, connection)
                config.attributes["keys"] = keys
                last = to if table == SERVICE_VERSIONS else "head"
                applied += _pending(config, connection, table, last)
                command.upgrade(config, last)
        return applied
    finally:
        database.close()


def pending_migrations(url: str, service: str) -> list[str]:
    """The revisions that the database at `url` still lacks, oldest first."""
    database = Database(url, service=service)
    try:
        with database.read() as session:
            connection = session.connection()
            return [
                revision
                for versions, table in _histories(service)
                for revision in _pending(_config(versions, table, connection), connection, table)
            ]
    finally:
        database.close()


def _histories(service: str) -> list[tuple[Path, str]]:
    spec = find_spec(f"services.{service}")
    if spec is None or not spec.submodule_search_locations:
        raise SettingsError(f"There is no service named {service}.")
    own = Path(spec.submodule_search_locations[0]) / "migrations"
    return [(KERNEL / "versions", KERNEL_VERSIONS), (own, SERVICE_VERSIONS)]


def _config(versions: Path, table: str, connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(KERNEL).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", str(versions).replace("%", "%%"))
    attributes: dict[str, Any] = {"connection": connection, "version_table": table}
    config.attributes.update(attributes)
    return config


def _pending(config: Config, connection: Connection, table: str, last: str = "heads") -> list[str]:
    context = MigrationContext.configure(connection, opts={"version_table": table})
    here = context.get_current_revision()
    script = ScriptDirectory.from_config(config)
    revisions = [revision.revision for revision in script.iterate_revisions(last, here or "base")]
    return list(reversed(revisions))
