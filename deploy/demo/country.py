"""The country: its brokers, lines, nodes and their processes, from nothing to ready and back to nothing.

Each node is what it is in the field: the processes `jisr run services`, `jisr run engine` and `jisr run
gateway` with a settings file of their own. Each link from a governorate to a directorate goes through a
proxy, so that it can be cut as a line is cut. Processes are started a few nodes at a time, for a machine with
two cores is no faster when everything begins at once, only less sure. Many nodes on one machine share their
libraries' pages (`nursery`).
"""

import os
import secrets
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

import requests

from contracts.roles import Role
from contracts.topology import Topology
from deploy import children
from deploy.demo import layout
from deploy.demo.brokers import Brokers
from deploy.demo.client import Api
from deploy.demo.layout import Place
from deploy.demo.nursery import Nursery
from deploy.demo.processes import Processes, Running
from deploy.proxy import Proxy
from kernel.clock import now
from kernel.crypto import load_hash_key
from kernel.database import Database
from kernel.migration import migrate
from services.gateway import accounts
from services.gateway.passwords import Passwords

Value = TypeVar("Value")

DATABASES = ("gateway", *layout.SERVICES)
PROCESSES = ("services", "engine", "gateway")
AT_ONCE = max(2, os.cpu_count() or 2)
SHARED_FROM = 8
"""With more nodes than this, processes are forked from a nursery and share what they have in common."""
NURSERY = "deploy.demo.nursery"
PREPARED_AT_A_TIME = 5
READY_SECONDS = 120
POLL_SECONDS = 0.1
JISR = Path(sys.executable).with_name("jisr")


@dataclass(frozen=True)
class Account:
    """A sample account. Its login is the same at every node that has it; so is the password of them all."""

    login: str
    name: str
    roles: tuple[Role, ...]


AT_GOVERNORATE = (
    Account("admin", "مدير النظام", (Role.NODE_ADMIN,)),
    Account("operator", "مشغّل", (Role.OPERATOR,)),
    Account("director", "مدير المحافظة", (Role.PROVINCIAL_DIRECTOR,)),
    Account("supervisor", "مسؤول الوحدة", (Role.UNIT_SUPERVISOR,)),
    Account("intake", "موظف الاستقبال", (Role.INTAKE_OFFICER,)),
    Account("officer", "ضابط الشرطة المجتمعية", (Role.COMMUNITY_OFFICER,)),
    Account("worker", "عاملة الحالات", (Role.CASE_WORKER,)),
)
AT_DIRECTORATE = (
    Account("admin", "مدير النظام", (Role.NODE_ADMIN,)),
    Account("operator", "مشغّل", (Role.OPERATOR,)),
    Account("analyst", "محلل", (Role.FEDERAL_ANALYST, Role.REGIONAL_ANALYST)),
    Account("author", "كاتب التوجيهات", (Role.DIRECTIVE_AUTHOR,)),
)
FACILITATORS = ("facilitator", "cofacilitator")


class NotInTime(RuntimeError):
    """Something that should have happened did not; the text says what."""


class Country:
    """Use as a context: whatever happens inside, nothing runs afterwards."""

    def __init__(self, home: Path, nodes: Sequence[str], brokers: Brokers, *, say: Callable[[str], None]) -> None:
        self.home = home
        self.brokers = brokers
        self.topology: Topology = layout.write_topology(home, nodes)
        self.places: dict[str, Place] = {node: layout.place(home, node) for node in self.topology.nodes}
        self.lines: dict[tuple[str, str], Proxy] = {}
        self.processes = Processes()
        self._shared = len(nodes) > SHARED_FROM
        self._nurseries: dict[str, Nursery] = {}
        self.password = _kept_password(home / "password")
        self._say = say
        self._ending = threading.Event()
        self._tokens: dict[tuple[str, str], str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def governorates(self) -> list[str]:
        return [node.id for node in self.topology.governorates]

    @property
    def directorates(self) -> list[str]:
        return [node.id for node in self.topology.directorates]

    # -- from nothing to ready
    # -------------------------------------------------------------------------------------

    def start(self) -> None:
        """Everything, until every process of every node says that it is ready."""
        self._draw_lines()
        self._say("starting RabbitMQ, and preparing keys, settings and databases meanwhile")
        with ThreadPoolExecutor(1) as meanwhile:
            prepared = meanwhile.submit(self._prepare_all)
            try:
                self.brokers.start()
            except BaseException:
                self._ending.set()
                raise
            prepared.result()
        for nodes in _groups(list(self.places), AT_ONCE):
            self._say(f"starting {', '.join(nodes)}")
            for node in nodes:
                self._start_node(self.places[node])
            self.wait(partial(self.ready, *nodes), READY_SECONDS, f"{', '.join(nodes)} ready")

    def _draw_lines(self) -> None:
        links = [(node, link.destination) for node in self.governorates for link in self.topology.links_from(node)]
        witnesses = ((node, other) for node in self.directorates for other in self.topology.witnesses_of(node))
        links += [(node, other) for node, other in witnesses if node > other]  # one of two dials; that is enough
        self.brokers.arrange(self.places, links)
        for link in links:
            self.lines[link] = Proxy(self.brokers.target)
            self.lines[link].start()

    def _prepare_all(self) -> None:
        for number, place in enumerate(self.places.values(), 1):
            if self._ending.is_set():
                return
            self._prepare(place)
            if number % PREPARED_AT_A_TIME == 0:
                self._say(f"prepared {number} of {len(self.places)} nodes")

    def _prepare(self, own: Place) -> None:
        layout.make_keys(own, self.home / "peers")
        urls = {
            destination: self.brokers.link_url(own.node, destination, line.port)
            for (origin, destination), line in self.lines.items()
            if origin == own.node
        }
        layout.write_settings(own, broker_url=self.brokers.url(own.node), link_urls=urls)
        for service in DATABASES:
            migrate(_database(own, service), service, keys=own.home / "keys")
        self._add_accounts(own)

    def _add_accounts(self, own: Place) -> None:
        """The sample accounts, as `jisr user add` makes them on the node itself: the first one must come from
        there."""
        database = Database(_database(own, "gateway"), service="gateway")
        hashed = Passwords().hash(self.password)
        hash_key = load_hash_key(own.home / "keys" / "hash.key")
        try:
            for account in self.accounts_of(own.node):
                with suppress(accounts.LoginTaken), database.write() as session:
                    values = account_values(account.login, account.name, account.roles, unit=own.node)
                    accounts.add(session, values, hashed, by=None, now=now(), hash_key=hash_key)
        finally:
            database.close()

    def _start_node(self, own: Place) -> None:
        for process in PROCESSES:
            log = own.logs / f"{process}.log"
            begin = self._begin_shared if self._shared else self._begin
            self.processes.start(f"{own.node} {process}", partial(begin, process, own, log), log=log)

    def _begin(self, process: str, own: Place, log: Path) -> Running:
        """The process as a real node runs it."""
        command = [str(JISR), "run", process, "--settings", str(own.settings)]
        return children.start(command, log=log, environment=_environment())

    def _begin_shared(self, process: str, own: Place, log: Path) -> Running:
        """The same process, forked from one that has loaded the libraries already."""
        if process not in self._nurseries:
            command = [*children.as_user(None, death_signal="KILL"), sys.executable, "-m", NURSERY, process]
            file = self.home / f"nursery-{process}.log"
            self._nurseries[process] = Nursery(command, log=file, environment=_environment())
        return self._nurseries[process].bear(own.settings, log)

    # -- while it runs
    # ---------------------------------------------------------------------------------------------

    def pids(self) -> set[int]:
        """Every process that was started, apart from the broker's and what they started themselves."""
        return {*self.processes.pids().values(), *(nursery.pid for nursery in self._nurseries.values())}

    def watch(self) -> None:
        """Start again what has died; called again and again by the thread that started the country."""
        self.brokers.watch()
        for name in self.processes.watch():
            self._say(f"{name} ended and was started again")

    def wait(self, condition: Callable[[], Value], seconds: float, what: str) -> Value:
        """The first true value of `condition`, the country being watched meanwhile. NotInTime after
        `seconds`."""
        deadline = time.monotonic() + seconds
        while not (value := condition()):
            if time.monotonic() > deadline:
                raise NotInTime(f"after {seconds:.0f} s still not: {what}; logs are below {self.home}/nodes")
            self.watch()
            time.sleep(POLL_SECONDS)
        return value

    def ready(self, *nodes: str) -> bool:
        """Whether every process of these nodes says that it can do its work."""
        return all(_ready(self.places[node].at(process)) for node in nodes for process in layout.LISTENING)

    def accounts_of(self, node: str) -> tuple[Account, ...]:
        return AT_DIRECTORATE if node in self.directorates else AT_GOVERNORATE

    def logins_of(self, node: str) -> list[str]:
        """The logins of the node's accounts; the facilitators come with the sample."""
        logins = [account.login for account in self.accounts_of(node)]
        return logins if node in self.directorates else [*logins, *FACILITATORS]

    def api(self, node: str, login: str, *, stopped: Callable[[], bool] = lambda: False) -> Api:
        """The API of `node` as that account sees it; a token is asked for once, for it costs a tenth of a second."""
        api = Api(self.places[node].address, stopped=stopped)
        if (node, login) in self._tokens:
            api.use(self._tokens[node, login])
        else:
            self._tokens[node, login] = api.log_in(login, self.password)
        return api

    def forget(self, node: str, login: str) -> None:
        """Log in anew the next time: the token may have expired."""
        self._tokens.pop((node, login), None)

    # -- and back to nothing
    # -----------------------------------------------------------------------------------------

    def stop(self) -> None:
        """Stop all that was started. Safe to call at any point, and twice."""
        self.processes.stop()
        for nursery in self._nurseries.values():
            nursery.stop()
        self._nurseries.clear()
        for line in self.lines.values():
            line.stop()
        self.lines.clear()
        self.brokers.stop()


def account_values(
    login: str, name: str, roles: Sequence[Role], *, unit: str | None, forums: Sequence[str] = ()
) -> dict[str, object]:
    """An account in the words of the API (contracts.gateway.AddAccount), without its password."""
    return {
        "login": login,
        "name": name,
        "roles": [role.value for role in roles],
        "unit": unit,
        "forums": list(forums),
        "language": "ar",
        "email": None,
    }


def _database(own: Place, service: str) -> str:
    return f"sqlite:///{own.home}/{service}.db"


def _ready(address: str) -> bool:
    try:
        return requests.get(f"{address}/readyz", timeout=2).ok
    except requests.RequestException:
        return False


def _environment() -> dict[str, str]:
    """Our own environment without what would override a node's settings."""
    return {name: value for name, value in os.environ.items() if not name.startswith("JISR_")}


def _groups(nodes: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(nodes), size):
        yield nodes[start : start + size]


def _kept_password(path: Path) -> str:
    """The password of every sample account, chosen at the first start and kept for the next."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(f"jisr-{secrets.token_hex(2)}-{secrets.token_hex(2)}-demo", encoding="utf-8")
    return path.read_text(encoding="utf-8")
