"""A service's own database: one engine, transactions that never wait for a network, migrations.

SQLite (WAL, `synchronous=FULL`: a commit that returned is on disk) for an embedded node, PostgreSQL for a server.
A write transaction takes its lock when it begins (`BEGIN IMMEDIATE` on SQLite), so that it fails or waits before it
has done anything. Never publish, call or sleep inside one: a greenthread that yields inside a SQLite write
transaction freezes the whole process.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, DateTime, Dialect, Engine, TypeDecorator, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import registry
from sqlmodel import Session, SQLModel

from kernel import crash
from kernel.errors import NoRoom, Unavailable

SQLITE_BUSY_SECONDS = 10  # longer than any transaction of ours; shorter than a person's patience
POSTGRESQL_CONNECT_SECONDS = 5
POOL_SIZE = 10
SQLITE_PASSING = frozenset({"BUSY", "LOCKED", "FULL", "IOERR", "CANTOPEN", "READONLY", "NOMEM", "PROTOCOL"})
POSTGRESQL_PASSING = ("08", "53", "57P", "58", "40001", "40P01", "55P03", "25006")
FULL = frozenset({"SQLITE_FULL", "53100"})


def table_base() -> Any:
    """A fresh abstract base for a service's tables, with metadata of its own.

    Each service subclasses its own base, so that two services may use the same table name. Typed `Any` because mypy
    cannot subclass a class made at run time.
    """
    tables = registry()

    class Base(SQLModel, registry=tables):
        __abstract__ = True

    return Base


KernelTable = table_base()


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC instant, the same on SQLite (stored without a zone) and PostgreSQL. Naive values are refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant without a time zone cannot be stored")
        instant = value.astimezone(UTC)
        return instant.replace(tzinfo=None) if dialect.name == "sqlite" else instant

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Database:
    """One service's database. Threads and greenthreads may share it; each transaction has its own session."""

    def __init__(self, url: str, *, service: str) -> None:
        self.service = service
        self.engine = _engine(url)
        self.dialect = self.engine.dialect.name
        self.on_commit: list[Callable[[], None]] = []
        self.info: dict[str, Any] = {}  # given to each session as `session.info`: what its tables need to be read
        # SQLite admits one writer; queueing here is fair, its own busy handler is not.
        self._writer = threading.Lock() if self.dialect == "sqlite" else None

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One write transaction: committed at the end, rolled back on any error, then the commit callbacks.

        Raises `Unavailable` when the database is locked, full or away; then nothing was changed.
        """
        with self.write_silently() as session:
            yield session
            crash.here("before_commit")
        crash.here("after_commit")
        for called in self.on_commit:
            called()

    @contextmanager
    def write_silently(self, *, lasting: bool = True) -> Iterator[Session]:
        """A write transaction that appends no fact, so that nobody need be woken after it.

        `lasting=False`: SQLite does not wait for the disk. Only for what comes out the same when it is done again: a
        loss of power may take such a transaction back, together with others of its kind, never with a lasting one.
        """
        turn: AbstractContextManager[Any] = self._writer or nullcontext()
        with turn, _translated(self.service), Session(self.engine, expire_on_commit=False, info=self.info) as session:
            session.connection(execution_options={"jisr_write": True, "jisr_lasting": lasting})
            yield session
            session.commit()

    @contextmanager
    def read(self, *, at_one_moment: bool = False) -> Iterator[Session]:
        """A session for reading; nothing done in it is kept. Raises `Unavailable` like `write`.

        `at_one_moment`: all statements see what was committed before the first. SQLite has it so in any case.
        """
        with _translated(self.service), Session(self.engine, expire_on_commit=False, info=self.info) as session:
            if at_one_moment and self.dialect == "postgresql":
                session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            yield session

    def answers(self) -> bool:
        """Whether the database can be read now."""
        try:
            with self.read() as session:
                session.connection().exec_driver_sql("SELECT 1")
        except Unavailable:
            return False
        return True

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


def _engine(url: str) -> Engine:
    # Parameters may be personal data and must not stand in an exception's text.
    common: dict[str, Any] = {"hide_parameters": True, "pool_size": POOL_SIZE, "max_overflow": POOL_SIZE}
    if make_url(url).get_backend_name() == "sqlite":
        if (path := make_url(url).database) and path != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(url, connect_args={"timeout": SQLITE_BUSY_SECONDS, "check_same_thread": False}, **common)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    # The connection used last is used next: its server process has the catalogue, plans and tables at hand.
    return create_engine(
        url,
        pool_pre_ping=True,
        pool_use_lifo=True,
        connect_args={"connect_timeout": POSTGRESQL_CONNECT_SECONDS},
        **common,
    )


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # this module begins transactions itself, see _begin_sqlite
    # secure_delete: what is erased is overwritten, also within a page.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if not options.get("jisr_write"):
        connection.exec_driver_sql("BEGIN")
        return
    # A log is lost from its end only, and this level is set before each write: NORMAL never weakens another commit.
    connection.exec_driver_sql(f"PRAGMA synchronous={'FULL' if options.get('jisr_lasting', True) else 'NORMAL'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")


@contextmanager
def _translated(service: str) -> Iterator[None]:
    try:
        yield
    except PoolTimeout as error:
        raise Unavailable(f"The database of {service} has no free connection now.") from error
    except DBAPIError as error:
        if not is_passing(error):
            raise
        if _cause(error) in FULL:
            raise NoRoom(work=f"the database of {service}") from error
        raise Unavailable(f"The database of {service} cannot take this now.", cause=_cause(error)) from error


def is_passing(error: DBAPIError) -> bool:
    """Whether this error is about the database's state (locked, full, away) and not about the statement."""
    if error.connection_invalidated:
        return True
    cause = _cause(error)
    if hasattr(error.orig, "sqlite_errorname"):
        return any(word in cause for word in SQLITE_PASSING)
    if type(error.orig).__module__.startswith("psycopg2"):
        return cause.startswith(POSTGRESQL_PASSING) or (not cause and type(error.orig).__name__ == "OperationalError")
    return False


def _cause(error: DBAPIError) -> str:
    return str(getattr(error.orig, "sqlite_errorname", None) or getattr(error.orig, "pgcode", None) or "")
