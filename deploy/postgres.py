"""A private PostgreSQL server, run from the system's package, that touches no other server on the machine.

    with PrivatePostgres(Path("home")) as server:
        url = server.create_database("jisr_case")

It listens on a free loopback port, with a password made for it, and without a Unix socket. PostgreSQL
refuses to run
as root: started by root, it runs as the package's user `postgres`, who must be able to reach `home`.
"""

import pwd
import secrets
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Self
from urllib.parse import quote

import psycopg2
from psycopg2 import sql

from deploy import children
from deploy.ports import free_port

START_SECONDS = 120
STOP_SECONDS = 30
OWNER = "jisr"
_OPTIONS = ("unix_socket_directories=", "max_connections=300")
_UNSAFE_BUT_QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class PostgresMissing(RuntimeError):
    """PostgreSQL's server is not installed: install Debian's or Ubuntu's package `postgresql`."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


def programs() -> Path:
    """The directory of the newest installed server's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    raise PostgresMissing


class PrivatePostgres:
    """One server below the directory `home`. `durable=False` gives up crash safety for speed: for unit tests
    only.
    """

    def __init__(self, home: Path, *, port: int | None = None, durable: bool = True) -> None:
        self.home = home.resolve()
        self.port = port or free_port()
        self.host = "127.0.0.1"
        self.durable = durable
        self.data = self.home / "data"
        self.log = self.home / "postgres.log"
        self._programs = programs()
        self._user = "postgres" if children.running_as_root() else None
        self._password_file = self.home / "password"
        self._server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Make the data directory where there is none, start the server, return when it answers."""
        if self.running:
            return
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        options = [f"port={self.port}", f"listen_addresses={self.host}", *_OPTIONS]
        options += [] if self.durable else _UNSAFE_BUT_QUICK
        self._server = children.start(
            [str(self._programs / "postgres"), "-D", str(self.data), *_each_after("-c", options)],
            log=self.log,
            user=self._user,
            cwd=self.home,
        )
        children.wait_ready(self._server, self._answers, seconds=START_SECONDS, log=self.log)

    def stop(self) -> None:
        """Shut the server down in order (PostgreSQL's `fast`: open transactions are rolled back)."""
        children.stop(self._server, with_signal=signal.SIGINT, seconds=STOP_SECONDS)
        self._server = None

    def kill(self) -> None:
        """SIGKILL the server, as a power cut would; its own children end when they notice."""
        children.kill(self._server)
        self._server = None

    def restart(self) -> None:
        """Stop and start."""
        self.stop()
        self.start()

    @property
    def running(self) -> bool:
        """Whether the server's process lives."""
        return self._server is not None and self._server.poll() is None

    def create_database(self, name: str, *, template: str = "template1") -> str:
        """Make a database, as a copy of `template` (to which nobody may be connected), and return its URL."""
        self.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Drop a database where there is one, and end its connections."""
        self.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of a database."""
        password = quote(self._password_file.read_text(), safe="")
        return f"postgresql+psycopg2://{OWNER}:{password}@{self.host}:{self.port}/{database}"

    def execute(self, statement: str | sql.Composable, *, database: str = "postgres") -> None:
        """Run one statement outside a transaction."""
        connection = self._connect(database)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
        finally:
            connection.close()

    # -- within --------------------------------------------------------------------------------------------

    def _connect(self, database: str) -> "psycopg2.extensions.connection":
        return psycopg2.connect(
            host=self.host,
            port=self.port,
            user=OWNER,
            password=self._password_file.read_text(),
            dbname=database,
            connect_timeout=5,
        )

    def _answers(self) -> bool:
        try:
            self._connect("postgres").close()
        except psycopg2.OperationalError:
            return False
        return True

    def _initialise(self) -> None:
        self.data.mkdir(parents=True, exist_ok=True)
        self.data.chmod(0o700)
        self._password_file.write_text(secrets.token_urlsafe(18))
        self._password_file.chmod(0o600)
        if self._user is not None:
            self._hand_over()
        made = subprocess.run(
            [
                *children.as_user(self._user),
                *(str(self._programs / "initdb"), "-D", str(self.data), "-U", OWNER, "--encoding=UTF8"),
                *("--locale=C.UTF-8", "--auth=scram-sha-256", f"--pwfile={self._password_file}"),
                *(() if self.durable else ("--no-sync",)),
            ],
            cwd=self.home,
            capture_output=True,
            check=False,
        )
        if made.returncode != 0:
            shutil.rmtree(self.data, ignore_errors=True)
            raise children.ProcessFailed(f"initdb failed in {self.home}: {made.stderr.decode(errors='replace')}")

    def _hand_over(self) -> None:
        """Give home to the server's user, and see that the directories above let that user through."""
        account = pwd.getpwnam(self._user or "")
        for path in (self.home, self.data, self._password_file):
            shutil.chown(path, account.pw_uid, account.pw_gid)
        for parent in self.home.parents:
            if not parent.stat().st_mode & 0o001:
                raise children.ProcessFailed(f"PostgreSQL's user {self._user} cannot reach {self.home}: see {parent}")


def _each_after(flag: str, values: list[str]) -> list[str]:
    return [word for value in values for word in (flag, value)]
