"""One node of the rig: its files, its databases, its processes, and what they say of themselves."""

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import func, select, text
from sqlmodel import Session

from deploy.demo.layout import Place, make_keys
from deploy.demo.nursery import Nursling
from deploy.ports import free_port
from deploy.rabbitmq import PrivateRabbitMQ
from kernel.database import Database
from kernel.errors import Unavailable
from kernel.settings import Settings, load
from services.sync import folding
from services.sync.position import Position, start
from services.sync.tables import JournalState, Replica
from tests.faults.servers import ON_POSTGRES, ROOT, VHOST, Servers
from tests.kit.databases import WITH_DATABASES
from tests.kit.nodes import toml

LISTENING = ("gateway", "forum", "case", "notify", "sync", "engine")
PARTS = {"services": ("forum", "case", "notify", "sync"), "engine": ("engine",), "gateway": ("gateway",)}
END_SECONDS = 20
# What the protocol times in tens of seconds, in tenths: what follows from it can be waited for.
QUICK: dict[str, float] = {
    "hello_seconds": 0.5,
    "held_coalesce_seconds": 0.05,
    "no_progress_seconds": 2.0,
    "backoff_first_seconds": 0.1,
    "backoff_max_seconds": 1.0,
    "stale_seconds": 2.0,
    "witness_seconds": 5.0,
}
# Slower for lines of the field, on which two batches take three seconds.
SLOWER = QUICK | {
    "hello_seconds": 3.0,
    "held_coalesce_seconds": 0.2,
    "no_progress_seconds": 20.0,
    "stale_seconds": 10.0,
}


class Node:
    """`kinds`: the processes that it runs. A process that ends without being told to is counted in `deaths`."""

    def __init__(self, name: str, home: Path, servers: Servers, kinds: tuple[str, ...]) -> None:
        self.name, self.home, self.kinds = name, home, kinds
        self.servers = servers
        self.ports = {process: free_port() for process in LISTENING}
        self.running: dict[str, Nursling] = {}
        self.environment: dict[str, dict[str, str]] = {}
        self.expected_deaths: set[str] = set()
        self._open: dict[str, Database] = {}
        self._swapping = False
        self._database_names: dict[str, str] = {}
        self.clock = home / "clock"
        self.values: dict[str, Any] = {}

    # --- files

    def prepare(self, peers: Path, topology: Path, user: str, password: str, timing: Mapping[str, float]) -> None:
        """Directories, keys, settings without links, and empty databases."""
        (self.home / "log").mkdir(parents=True)
        make_keys(Place(self.name, self.home, self.ports), peers)
        self._make_databases()
        self.values |= {
            "node": self.name,
            "home": ".",
            "topology": str(topology),
            "peer_keys": str(peers),
            "database_url": self.database_url,
            "broker_url": self.broker.url(VHOST, user=user, password=password),
            "ports": dict(self.ports),
            "replication": dict(timing),
            "links": {},
        }

    def _make_databases(self) -> None:
        for service in WITH_DATABASES:
            if self.name in ON_POSTGRES:
                url = self.servers.on_postgres.migrated(service)
                self._database_names[service] = url.rpartition("/")[2]
                self._rename(service)
            else:
                self.servers.on_sqlite.migrated(service, into=self.home / f"{service}.db")

    def _rename(self, service: str) -> None:
        wanted = f"{self._prefix}_{service}"
        self.servers.postgres.drop_database(wanted)
        self.servers.postgres.execute(f'ALTER DATABASE {self._database_names[service]} RENAME TO "{wanted}"')

    @property
    def _prefix(self) -> str:
        return f"{self.home.parent.parent.name}_{self.name}".replace("-", "_")

    @property
    def database_url(self) -> str:
        """As it stands in the settings."""
        if self.name in ON_POSTGRES:
            return self.servers.postgres.url(f"{self._prefix}_{{service}}")
        return "sqlite:///{home}/{service}.db"

    @property
    def settings_file(self) -> Path:
        return self.home / "settings.toml"

    @property
    def settings(self) -> Settings:
        return load(self.settings_file)

    def write_settings(self) -> None:
        self.settings_file.touch(mode=0o600)
        self.settings_file.write_text(toml(self.values))

    @property
    def broker(self) -> PrivateRabbitMQ:
        return self.servers.brokers[self.name]

    def log(self, kind: str) -> Path:
        return self.home / "log" / f"{kind}.log"

    # --- processes

    def start(self, *kinds: str) -> None:
        """Start what does not run of `kinds`, of all when none is named."""
        for kind in kinds or self.kinds:
            if kind in self.running:
                continue
            more = {"JISR_CLOCK_SHIFT": str(self.clock), **self.environment.get(kind, {})}
            self.running[kind] = self.servers.nursery(kind).bear(self.settings_file, self.log(kind), more)

    def signal(self, number: int, *kinds: str) -> None:
        for kind in kinds or self.kinds:
            if kind in self.running:
                self.running[kind].send_signal(number)

    def kill(self, *kinds: str) -> None:
        """SIGKILL, and wait for the end."""
        self._end(signal.SIGKILL, kinds)

    def stop(self, *kinds: str) -> None:
        """Ask to end, and kill what has not ended after a while."""
        self._end(signal.SIGTERM, kinds)

    def _end(self, number: int, kinds: tuple[str, ...]) -> None:
        ending = {kind: self.running.pop(kind) for kind in kinds or self.kinds if kind in self.running}
        for process in ending.values():
            process.send_signal(number)
        for process in ending.values():
            try:
                process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait(END_SECONDS)

    def collect(self) -> list[str]:
        """The kinds of processes that have ended since by themselves; they are not running any more."""
        ended = [kind for kind, process in self.running.items() if process.poll() is not None]
        for kind in ended:
            del self.running[kind]
        return ended

    def ready(self) -> bool:
        """Whether every process that this node has says that it can do its work."""
        return self._all_answer("readyz")

    def serves(self) -> bool:
        """Whether every process has come up, though its work may be stopped, as by a disk that is nearly full."""
        return self._all_answer("healthz")

    def _all_answer(self, probe: str) -> bool:
        return all(kind in self.running for kind in self.kinds) and all(
            self._ok(part, probe) for kind in self.kinds for part in PARTS[kind]
        )

    def _ok(self, part: str, probe: str) -> bool:
        try:
            with requests.get(f"http://127.0.0.1:{self.ports[part]}/{probe}", timeout=5) as answer:
                return answer.ok
        except requests.RequestException:
            return False

    def jisr(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """One command of `jisr` at this node."""
        return subprocess.run(
            [sys.executable, "-m", "node", *words, "--settings", str(self.settings_file)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=check,
            timeout=180,
        )

    def said(self, *words: str) -> dict[str, Any]:
        """What a command says in JSON. Raises AssertionError with what it said instead."""
        done = self.jisr(*words, "--json", check=False)
        try:
            answer: dict[str, Any] = json.loads(done.stdout)
        except ValueError:
            what = f"jisr {' '.join(words)} ended with {done.returncode}: {done.stdout}{done.stderr}"
            raise AssertionError(what) from None
        return answer

    # --- databases

    @contextmanager
    def reading(self, service: str = "sync") -> Iterator[Session]:
        with self._database(service).read() as session:
            yield session

    @contextmanager
    def writing(self, service: str = "sync") -> Iterator[Session]:
        with self._database(service).write_silently() as session:
            yield session

    def _database(self, service: str) -> Database:
        if self._swapping:
            raise Unavailable(f"The databases of {self.name} are being replaced.")
        if service not in self._open:
            self._open[service] = Database(self.database_url.format(home=self.home, service=service), service=service)
        return self._open[service]

    def forget_databases(self) -> None:
        """Close what was opened for reading: the files are about to be others."""
        while self._open:
            self._open.popitem()[1].close()

    def waiting(self) -> int:
        """Facts of this node's services that its journal lacks."""
        return sum(self._count(service, "outbox_row") for service in WITH_DATABASES if service != "sync") + self._count(
            "sync", "outbox_row"
        )

    def _count(self, service: str, table: str) -> int:
        with self.reading(service) as session:
            return int(session.connection().execute(text(f"SELECT count(*) FROM {table}")).scalar_one())  # noqa: S608

    def count(self, table: Any, *where: Any) -> int:
        """Rows of a table of the sync database."""
        with self.reading() as session:
            return int(session.connection().execute(select(func.count()).select_from(table).where(*where)).scalar_one())

    def head(self) -> Position:
        with self.reading() as session:
            state = session.get(JournalState, 1)
            return start(self.name, 1) if state is None else Position(state.number, state.digest)

    def held(self, origin: str) -> Position:
        with self.reading() as session:
            row = session.get(Replica, origin)
            return start(origin, 1) if row is None else Position(row.number, row.digest)

    def epoch(self, origin: str) -> int:
        """The life of the journal that a replica follows."""
        with self.reading() as session:
            row = session.get(Replica, origin)
            return 1 if row is None else row.epoch

    def folded(self, origin: str) -> int:
        """The entry up to which the records of a replica reach."""
        with self.reading() as session:
            return folding.reached(session, origin)

    # --- backups: of a node whose processes are stopped

    def back_up(self, name: str) -> None:
        """Keep the five databases as they are."""
        self._each_database(self._copy_postgres, self._copy_sqlite, "{service}", f"{name}_{{service}}")

    def restore(self, name: str) -> None:
        """Put the five databases back as `back_up` found them."""
        self._each_database(self._copy_postgres, self._copy_sqlite, f"{name}_{{service}}", "{service}")

    def lose_database(self, service: str) -> None:
        """Replace one database by an empty one."""
        with self.swapped():
            if self.name in ON_POSTGRES:
                url = self.servers.on_postgres.migrated(service)
                self._database_names[service] = url.rpartition("/")[2]
                self._rename(service)
            else:
                self._remove(self.home / f"{service}.db")
                self.servers.on_sqlite.migrated(service, into=self.home / f"{service}.db")

    @contextmanager
    def swapped(self) -> Iterator[None]:
        """Nobody here reads the databases of this node meanwhile, and afterwards everybody opens them anew."""
        self._swapping = True
        self.forget_databases()
        try:
            yield
        finally:
            self.forget_databases()
            self._swapping = False

    def copied(self, name: str, home: Path) -> dict[str, Any]:
        """Settings of a copy of this node in `home`, on the databases that `back_up(name)` kept."""
        for part in ("keys", "links"):
            shutil.copytree(self.home / part, home / part, dirs_exist_ok=True)
        url = f"sqlite:///{self.home}/{name}_{{service}}.db"
        if self.name in ON_POSTGRES:
            url = self.servers.postgres.url(f"{self._prefix}_{name}_{{service}}")
        return {**self.values, "database_url": url, "ports": {process: free_port() for process in LISTENING}}

    def _each_database(
        self, postgres: Callable[[str, str], None], sqlite: Callable[[str, str], None], source: str, target: str
    ) -> None:
        copy = postgres if self.name in ON_POSTGRES else sqlite
        with self.swapped():
            for service in WITH_DATABASES:
                copy(source.format(service=service), target.format(service=service))

    def _copy_postgres(self, source: str, target: str) -> None:
        self.servers.postgres.drop_database(f"{self._prefix}_{target}")
        self.servers.postgres.create_database(f"{self._prefix}_{target}", template=f"{self._prefix}_{source}")

    def _copy_sqlite(self, source: str, target: str) -> None:
        self._remove(self.home / f"{target}.db")
        with (
            closing(sqlite3.connect(self.home / f"{source}.db")) as opened,
            closing(sqlite3.connect(self.home / f"{target}.db")) as copied,
        ):
            opened.backup(copied)

    def _remove(self, file: Path) -> None:
        for each in (file, file.with_name(f"{file.name}-wal"), file.with_name(f"{file.name}-shm")):
            each.unlink(missing_ok=True)

    def close(self) -> None:
        """Kill what runs, close what is open, drop what is on a server."""
        self.kill()
        self.forget_databases()
        if self.name in ON_POSTGRES and self.servers.postgres.running:
            for service in WITH_DATABASES:
                self.servers.postgres.drop_database(f"{self._prefix}_{service}")

    def keep_files(self, into: Path) -> None:
        """Copy what explains a failure: logs, settings, and the databases that are files."""
        kept = into / self.name
        kept.mkdir(parents=True, exist_ok=True)
        for file in (*self.home.glob("log/*.log"), *self.home.glob("*.db*"), *self.home.glob("settings.toml")):
            shutil.copy2(file, kept)


def environment_of_crash(point: str, once: Path) -> Mapping[str, str]:
    """What a process is started with to die at `point`, once."""
    return {"JISR_CRASH_AT": point, "JISR_CRASH_ONCE": str(once)}
