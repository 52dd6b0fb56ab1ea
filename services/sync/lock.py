"""One engine per node: a second one would tell two stories under one name.

A lock file in the node's home stops a second engine on this machine. On PostgreSQL an advisory lock in the sync
database stops one on any machine; it lives as long as the connection that took it, so it is looked after.
"""

from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from kernel.database import Database
from kernel.errors import JisrError

ADVISORY = 0x6A69737265  # "jisre"


class AlreadyRunning(JisrError):
    """Another engine of {node} is running: {where}. Stop it first; two engines of one node would fork its journal."""

    code = "already_running"


class EngineLock:
    """Taken at the start, given back at the end."""

    def __init__(self, node: str, home: Path, database: Database) -> None:
        self._node = node
        home.mkdir(parents=True, exist_ok=True)
        self._path = home / "engine.lock"
        self._file = FileLock(str(self._path))
        self._database = database
        self._connection: Any = None

    def take(self) -> None:
        """Raises `AlreadyRunning` when another engine has it, `Unavailable` when the database is away."""
        try:
            self._file.acquire(timeout=0)
        except Timeout as error:
            raise AlreadyRunning(node=self._node, where=f"it holds {self._path}") from error
        self.keep()

    def keep(self) -> None:
        """On PostgreSQL: make sure that the advisory lock is still ours, or take it again."""
        if self._database.dialect != "postgresql":
            return
        if self._connection is not None and self._alive():
            return
        self._drop()
        with self._database.read() as probe:  # says `Unavailable` in the usual way when the database is away
            probe.connection()
        connection = self._database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        taken = connection.execute(text(f"SELECT pg_try_advisory_lock({ADVISORY})")).scalar_one()
        if not taken:
            connection.close()
            raise AlreadyRunning(node=self._node, where="it holds the lock in the sync database")
        self._connection = connection

    def _alive(self) -> bool:
        try:
            self._connection.execute(text("SELECT 1"))
        except DBAPIError:
            return False
        return True

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None

    def release(self) -> None:
        """Give both back."""
        self._drop()
        self._file.release()
