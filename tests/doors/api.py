"""The API of a running node as one person sees it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from sqlmodel import select

from contracts.roles import Role
from kernel.clock import now
from kernel.crypto import load_hash_key
from kernel.database import Database
from services.gateway import accounts
from services.gateway.passwords import Passwords
from services.gateway.tables import ContactDue
from tests.kit.databases import WITH_DATABASES, SqliteDatabases
from tests.kit.nodes import Node

PASSWORD = "a long enough password"
UNKNOWN = "01940000-0000-7000-8000-00000000dead"
NO_TO_ALL = dict.fromkeys(("force", "threat", "injury", "weapon", "child", "money_taken", "images_misused"), "no")
OPENING = {"answers": NO_TO_ALL, "category": "neighbour_dispute", "channel": "walk_in", "district": "mosul"}
TRIAGED = {"risk": "medium", "conflict_checked": True, "scope_checked": True}


@dataclass
class Person:
    """Somebody with an account, logged in; or nobody, without a token."""

    url: str
    id: str = ""
    token: str = ""

    def get(self, path: str, **query: Any) -> requests.Response:
        return requests.get(f"{self.url}{path}", params=query, headers=self._headers({}), timeout=30)

    def post(self, path: str, body: Any = None, **headers: str) -> requests.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return requests.post(f"{self.url}{path}", json=body or {}, headers=self._headers(named), timeout=30)

    def make(self, path: str, body: Any) -> dict[str, Any]:
        """What was created."""
        return _told(self.post(path, body), 201)

    def do(self, path: str, body: Any = None) -> dict[str, Any]:
        """What became of it."""
        return _told(self.post(path, body), 200)

    def read(self, path: str, **query: Any) -> dict[str, Any]:
        """What is there."""
        return _told(self.get(path, **query), 200)

    def _headers(self, more: dict[str, str]) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", **more} if self.token else more


def _told(answer: requests.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    told: dict[str, Any] = answer.json()
    return told


def refused(answer: requests.Response, status: int) -> dict[str, Any]:
    """The refusal, which has the one shape of all of them."""
    assert answer.status_code == status, answer.text
    told: dict[str, Any] = answer.json()
    assert set(told) == {"code", "message", "details"}
    return told


class Town:
    """A running node and the people of it."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self._database = Database(node.settings.database_url_of("gateway"), service="gateway")
        self._passwords = Passwords()

    def person(self, login: str, *roles: Role, **values: Any) -> Person:
        """Somebody new, logged in through the API."""
        given = {"login": login, "password": PASSWORD, "name": login, "roles": [role.value for role in roles]}
        key = load_hash_key(self.node.settings.keys_directory / "hash.key")
        account = accounts.add_user(self._database, given | values, now=now(), hash_key=key, passwords=self._passwords)
        answer = self.nobody().do("/login", {"login": login, "password": PASSWORD})
        return Person(self.node.api, account["id"], answer["token"])

    def notify_knows_everybody(self) -> bool:
        """Whether notify has been told of every account there is."""
        with self._database.read() as session:
            return session.exec(select(ContactDue)).first() is None

    def nobody(self) -> Person:
        """Somebody without a token."""
        return Person(self.node.api)

    def close(self) -> None:
        self._database.close()


def shift_file(node: Node) -> Path:
    """What is added to the clock of a node that was started with it (kernel/clock.py)."""
    return node.home / "clock.shift"


def shift(node: Node, seconds: float) -> None:
    """Let the clock of a running node stand so many seconds from the machine's."""
    writing = shift_file(node).with_suffix(".writing")
    writing.write_text(str(seconds))
    writing.replace(shift_file(node))


def give_databases(node: Node, databases: SqliteDatabases) -> None:
    """Copies of migrated files, which is quicker than `jisr migrate`."""
    for service in WITH_DATABASES:
        databases.migrated(service, into=node.home / f"{service}.db")
