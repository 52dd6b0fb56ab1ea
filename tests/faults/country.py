"""A small country: two governorates and both directorates, on brokers of their own, with a bad line for every link."""

import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from contracts.roles import Role
from contracts.topology import Topology, load
from deploy.proxy import Proxy
from kernel.clock import now
from kernel.crypto import load_hash_key
from kernel.database import Database
from node import enrolment
from node.commands.link import operator
from node.processes import prepare
from services.gateway import accounts
from services.gateway.passwords import Passwords
from services.sync import peers
from tests.faults.node import QUICK, SLOWER, Node
from tests.faults.servers import NODES, VHOST, Servers
from tests.kit.small_country import BAGHDAD, DIRECTORATES, ERBIL, GOVERNORATES, TOPOLOGY

KINDS = {ERBIL: ("services", "engine")}  # nobody asks anything in Erbil over HTTP
PASSWORD = "a long enough password"
UNIT = "unit-1"
ACCOUNTS = {
    "intake": Role.INTAKE_OFFICER,
    "supervisor": Role.UNIT_SUPERVISOR,
    "director": Role.PROVINCIAL_DIRECTOR,
    "author": Role.DIRECTIVE_AUTHOR,
}
ADMITTED_DAYS = 30
READY_SECONDS = 120.0
POLL_SECONDS = 0.05
COSTLY_POLL_SECONDS = 0.25  # where every look asks several databases or processes

Value = TypeVar("Value")


class NotInTime(AssertionError):
    """Something that should have happened did not; the text says what."""


class Country:
    """Made ready by `start`. `wait` starts again what has died, so whoever waits keeps the country alive."""

    def __init__(self, home: Path, servers: Servers, *, full: bool) -> None:
        self.home, self.servers = home, servers
        self.deaths: Counter[str] = Counter()  # of processes that nobody had told to die
        self.put_aside: Counter[tuple[str, str]] = Counter()  # what scenarios have injected so far, by node and kind
        self.invented: set[str] = set()  # subjects of facts that a scenario put into an outbox: no service has them
        self.recovered = False  # whether a journal was recovered from a directorate
        self.lines: dict[tuple[str, str], Proxy] = {}
        self._timing = SLOWER if full else QUICK
        self._waiter = threading.Event()
        self._down: set[tuple[str, str]] = set()
        self.nodes = {
            name: Node(name, home / "nodes" / name, servers, KINDS.get(name, ("services", "engine", "gateway")))
            for name in NODES
        }

    def __getitem__(self, name: str) -> Node:
        return self.nodes[name]

    # --- from nothing to ready

    def start(self) -> None:
        """Everything, until every process says that it is ready."""
        peers = self.home / "peers"
        peers.mkdir(parents=True)
        topology = self.home / "topology.toml"
        topology.write_text(TOPOLOGY)
        self.topology: Topology = load(topology)
        for node in self.nodes.values():
            password = secrets.token_urlsafe(12)
            self._fresh_vhost(node, password)
            node.prepare(peers, topology, node.name, password, self._timing)
        self._draw_lines()
        self._add_accounts()
        for node in self.nodes.values():
            node.write_settings()
        for origin in GOVERNORATES:
            self._join(origin)
        for node in self.nodes.values():
            node.start()
        self.wait(self.ready, READY_SECONDS, "every process is ready", every=COSTLY_POLL_SECONDS)

    def _fresh_vhost(self, node: Node, password: str) -> None:
        if f'"{VHOST}"' in node.broker.evaluate("rabbit_vhost:list_names()"):
            node.broker.delete_vhost(VHOST)  # an earlier country's
        node.broker.add_vhost(VHOST, user=node.name, password=password)

    def _draw_lines(self) -> None:
        """Governorates reach Baghdad by mutual TLS, as people enrol them; at Erbil nodes were joined by hand."""
        gate = self.servers.gate
        gate.write_authority(self[BAGHDAD].home / "ca")
        self[BAGHDAD].values["broker_admin"] = {"url": gate.admin_url}
        for origin in GOVERNORATES:
            line = self._line(origin, BAGHDAD, gate.tls_port)
            self[origin].values["links"][BAGHDAD] = {"broker_url": gate.url(VHOST, line.port)}
        for origin, destination in (*((name, ERBIL) for name in GOVERNORATES), (ERBIL, BAGHDAD)):
            broker, user = self[destination].broker, f"link-{origin}"
            broker.add_user(user, origin)
            broker.set_permissions(user, VHOST, write=r"^jisr\.up$", read=rf"^jisr\.down\.{origin}$")
            broker.set_topic_permissions(user, VHOST, "jisr.up", write=rf"^up\.{origin}$")
            line = self._line(origin, destination, broker.port)
            url = broker.url(VHOST, user=user, password=origin, port=line.port)
            self[origin].values["links"][destination] = {"broker_url": url}

    def _line(self, origin: str, destination: str, port: int) -> Proxy:
        line = self.lines[origin, destination] = Proxy(("127.0.0.1", port))
        line.start()
        return line

    def _join(self, origin: str) -> None:
        """The three steps of enrolling, without a process for each: whoever makes a country waits for them."""
        asking, admitting = prepare(self[origin].settings_file), prepare(self[BAGHDAD].settings_file)
        by, signing = operator(BAGHDAD), enrolment.Signing(ADMITTED_DAYS)
        request, _ = enrolment.request(asking, BAGHDAD)
        answer, _ = enrolment.admit(admitting, request, signing, lambda _read_out: True, by=by, broker=None)
        enrolment.finish(asking, answer, lambda _read_out: True, by=operator(origin))

    def _add_accounts(self) -> None:
        hashed = Passwords().hash(PASSWORD)
        for node in self.nodes.values():
            if "gateway" not in node.kinds:
                continue
            database = Database(node.database_url.format(home=node.home, service="gateway"), service="gateway")
            hash_key = load_hash_key(node.home / "keys" / "hash.key")
            try:
                for login, role in ACCOUNTS.items():
                    values = {"login": login, "name": login, "roles": [role.value], "unit": UNIT, "forums": []}
                    with database.write() as session:
                        given = values | {"language": "ar", "email": None}
                        accounts.add(session, given, hashed, by=None, now=now(), hash_key=hash_key)
            finally:
                database.close()

    # --- while it runs

    def ready(self) -> bool:
        return all(node.ready() for node in self.nodes.values())

    def keep_down(self, node: str, *kinds: str) -> None:
        """What was ended shall not be started by `watch`."""
        self._down |= {(node, kind) for kind in kinds or self[node].kinds}

    def let_up(self, node: str, *kinds: str) -> None:
        """Undo `keep_down`, and start."""
        self._down -= {(node, kind) for kind in kinds or self[node].kinds}
        self[node].start(*kinds)

    def watch(self) -> None:
        """Start again what has ended, as a service manager does; count what nobody had told to."""
        for node in self.nodes.values():
            for kind in node.collect():
                if kind not in node.expected_deaths:
                    self.deaths[f"{node.name} {kind}"] += 1
            for kind in node.kinds:
                if kind not in node.running and (node.name, kind) not in self._down:
                    node.start(kind)

    def wait(self, condition: Callable[[], Value], seconds: float, what: str, every: float = POLL_SECONDS) -> Value:
        """The first true value of `condition`, asked so often. Raises `NotInTime`."""
        deadline = time.monotonic() + seconds
        while not (value := condition()):
            if time.monotonic() > deadline:
                raise NotInTime(f"after {seconds:.0f} s still not: {what} (last value: {value!r})")
            self.watch()
            self._waiter.wait(every)
        return value

    def let_pass(self, seconds: float) -> None:
        """Let time pass, and keep the country alive meanwhile."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.watch()
            self._waiter.wait(min(left, POLL_SECONDS))

    def enrol(self, origin: str) -> None:
        """The three commands by which people let a governorate in, who read each fingerprint out to each other."""
        request, answer = self.home / f"{origin}.request", self.home / f"{origin}.answer"
        asked = self[origin].said("enrol", BAGHDAD, "--out", str(request))
        read_out = ("--fingerprint", asked["fingerprint"])
        admitted = self[BAGHDAD].said("admit", str(request), "--out", str(answer), *read_out)
        self[origin].said("enrol", "--finish", str(answer), "--fingerprint", admitted["fingerprint"])

    def user_of(self, origin: str, destination: str) -> str:
        """As whom a governorate publishes at a directorate's broker."""
        if destination != BAGHDAD:
            return f"link-{origin}"
        with self[BAGHDAD].reading() as session:
            return next(row.broker_user for row in peers.listed(session) if row.node == origin and not row.revoked_at)

    def held_by(self, origin: str) -> tuple[str, ...]:
        """Who holds a replica of `origin`."""
        return DIRECTORATES if origin in GOVERNORATES else GOVERNORATES

    def waiting_for(self, origin: str) -> str:
        """What of `origin` has not arrived yet, in words."""
        waiting = self[origin].waiting()
        if waiting:
            return f"{waiting} facts wait in the outboxes of {origin}"
        head = self[origin].head()
        for destination in self.held_by(origin):
            held = self[destination].held(origin)
            if held != head:
                return f"{destination} holds {held.number} of {origin}, whose journal ends at {head.number}"
            if (folded := self[destination].folded(origin)) != held.number:
                return f"{destination} holds {held.number} of {origin}, and its records tell of {folded}"
        return ""

    def unsettled(self) -> str:
        """What has not arrived yet, in words; empty when every outbox is empty and every head is held."""
        return next((found for origin in NODES if (found := self.waiting_for(origin))), "")

    def settle(self, seconds: float) -> None:
        """Wait until nothing is under way. Raises `NotInTime` naming what is."""
        last = ""

        def nothing() -> bool:
            nonlocal last
            last = self.unsettled()
            return not last

        try:
            self.wait(nothing, seconds, "everything has arrived", every=COSTLY_POLL_SECONDS)
        except NotInTime as error:
            raise NotInTime(f"{error}: {last}") from None

    def close(self) -> None:
        """Nothing of this country runs afterwards."""
        for line in self.lines.values():
            line.stop()
        for node in self.nodes.values():
            node.close()
