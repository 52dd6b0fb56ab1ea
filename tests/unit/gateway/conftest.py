"""A gateway on SQLite whose services are a recorder of what is asked, and people who are logged in to it."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from contracts.roles import Role
from deploy.ports import free_port
from kernel.clock import now
from kernel.crypto import SigningKey
from kernel.database import Database
from kernel.disk import Disk
from kernel.identity import Actor, sign_actor
from kernel.settings import LOOPBACK, DiskSettings
from services.gateway import accounts, auth
from services.gateway.app import SERVICES, create_app
from services.gateway.auth import Logins
from services.gateway.doors import Doors
from services.gateway.passwords import Passwords
from services.gateway.state import Gateway
from services.gateway.tables import Account

PASSWORD = "a long enough password"
HASH_KEY = b"k" * 32
CHEAP = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@dataclass
class Asked:
    """One request that reached a service."""

    door: str
    values: dict[str, Any]
    headers: dict[str, str]


@dataclass
class StandIn:
    """In place of every service: answers what it was told to, and keeps what was asked."""

    port: int
    asked: list[Asked] = field(default_factory=list)
    status: int = 200
    answer: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)

    def answers(self, status: int, answer: Any, **headers: str) -> None:
        self.status, self.answer, self.headers = status, json.dumps(answer).encode(), headers


@pytest.fixture
def services() -> Iterator[StandIn]:
    stand_in = StandIn(free_port())

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            stand_in.asked.append(Asked(self.path.removeprefix("/doors/"), json.loads(body), dict(self.headers)))
            self._answer(stand_in.status, stand_in.answer)

        def do_GET(self) -> None:
            self._answer(200, b"{}")

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **stand_in.headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Quietly."""

    server = ThreadingHTTPServer(("127.0.0.1", stand_in.port), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield stand_in
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def database(make_sqlite_database: Callable[[str], Database]) -> Database:
    return make_sqlite_database("gateway")


def roomy(home: Path) -> Disk:
    """A disk with room, however full this machine's is."""
    return Disk(home, [home], DiskSettings(reserve_bytes=0), free=lambda _: 2**40)


@pytest.fixture
def make_gateway(database: Database, services: StandIn, tmp_path: Path) -> Callable[..., Gateway]:
    def make(node: str = "ninewa", kind: str = "governorate") -> Gateway:
        key = SigningKey.new()
        urls = dict.fromkeys(SERVICES, f"http://127.0.0.1:{services.port}")
        doors = Doors(urls, sign=lambda actor: sign_actor(key, actor, now=now()))
        logins = Logins(database, key, node, CHEAP)
        return Gateway(node, kind, database, key, HASH_KEY, doors, logins, CHEAP, LOOPBACK, roomy(tmp_path))

    return make


@pytest.fixture
def gateway(make_gateway: Callable[..., Gateway]) -> Gateway:
    return make_gateway()


@dataclass
class Api:
    """The API as one person, or as nobody."""

    client: FlaskClient
    account: Account | None = None
    token: str | None = None

    def get(self, path: str, **options: Any) -> TestResponse:
        return self._ask("GET", path, options)

    def post(self, path: str, body: Any = None, **options: Any) -> TestResponse:
        return self._ask("POST", path, options if body is None else {"json": body, **options})

    def _ask(self, method: str, path: str, options: dict[str, Any]) -> TestResponse:
        headers = dict(options.pop("headers", {}))
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        return self.client.open(f"/api/v1{path}", method=method, headers=headers, **options)


class LoggedIn:
    """`people("amal", Role.INTAKE_OFFICER)`: the API as a person with these roles."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.client = create_app(gateway).test_client()

    def __call__(self, login: str, *roles: Role, **values: Any) -> Api:
        given: dict[str, Any] = {"login": login, "name": login, "roles": roles, "language": "ar"}
        given |= {"unit": None, "forums": [], "email": None}
        with self.gateway.database.write() as session:
            account = accounts.add(session, given | values, CHEAP.hash(PASSWORD), by=None, now=now(), hash_key=HASH_KEY)
        token = auth.give_token(self.gateway.key, account, now=now())["token"]
        return Api(self.client, account, token)

    def nobody(self) -> Api:
        return Api(self.client)


@pytest.fixture
def people(gateway: Gateway) -> LoggedIn:
    return LoggedIn(gateway)


@pytest.fixture
def admin() -> Actor:
    return Actor("admin", "Admin", frozenset({Role.NODE_ADMIN}), "ninewa")
