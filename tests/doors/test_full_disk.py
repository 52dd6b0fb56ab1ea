"""A governorate whose disk fills, on a small file system of its own: cases are recorded longest, nothing is lost."""

import json
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests

from contracts.roles import Role
from deploy.rabbitmq import PrivateRabbitMQ
from tests.kit import wait
from tests.kit.databases import SqliteDatabases
from tests.kit.nodes import Country
from tests.kit.rabbitmq import new_vhost

from .api import OPENING, PASSWORD, Person, Town, give_databases, refused

MIB = 1024 * 1024
SIZE = 64 * MIB
LIMITS = {
    "low_bytes": 28 * MIB,
    "scarce_bytes": 20 * MIB,
    "short_bytes": 12 * MIB,
    "last_bytes": 6 * MIB,
    "reserve_bytes": 4 * MIB,
}
AREA = {"kind": "neighbourhood", "names": {"ar": "الزهور"}, "district": "mosul"}


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 MiB."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0700", "tmpfs", str(place)],
        capture_output=True,
        text=True,
    )
    if mounted.returncode:
        pytest.skip(f"a file system can be mounted by root only: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.fixture
def town(small: Path, rabbitmq: PrivateRabbitMQ, sqlite_databases: SqliteDatabases) -> Iterator[Town]:
    """Ninewa on it, with everything that it writes but its broker."""
    country = Country(small, lambda: new_vhost(rabbitmq))
    ninewa = country.add("ninewa", disk=LIMITS)
    give_databases(ninewa, sqlite_databases)
    ninewa.start("services", "engine", "gateway")
    made = Town(ninewa)
    yield made
    made.close()
    country.kill()


class Ballast:
    """A file that leaves so much free, and no more."""

    def __init__(self, small: Path) -> None:
        self.file = small / "ballast"

    def leave(self, free: int) -> None:
        self.file.touch()
        found = os.statvfs(self.file)
        size = self.file.stat().st_size + found.f_bavail * found.f_frsize - free
        with self.file.open("r+b") as file:
            if size > self.file.stat().st_size:
                os.posix_fallocate(file.fileno(), 0, size)
            else:
                os.truncate(file.fileno(), max(0, size))


def stage_is(town: Town, stage: str) -> None:
    def seen() -> bool:
        numbers = requests.get(f"{town.node.url('engine')}/metrics", timeout=5).text
        return f'jisr_disk_stage{{stage="{stage}"}} 1.0' in numbers

    wait.until(seen, seconds=60, what=f"the engine sees that room is {stage}")


def fails(person: Person, path: str, body: object) -> bool:
    answer = person.post(path, body)
    return answer.status_code == 503 and answer.json()["code"] == "no_room"


def account(login: str) -> dict[str, Any]:
    return {"login": login, "password": PASSWORD, "name": login, "roles": ["operator"]}


def journaled(town: Town) -> set[str]:
    """The cases whose opening is in the journal."""
    with closing(sqlite3.connect(town.node.home / "sync.db")) as database:
        heads = [json.loads(head) for (head,) in database.execute("SELECT head FROM journal_entry")]
    return {head["subject"] for head in heads if head["type"].startswith("case.")}


def test_as_the_disk_fills_forums_stop_before_accounts_and_cases_go_on_to_the_last(town: Town, small: Path) -> None:
    intake = town.person("intake", Role.INTAKE_OFFICER, unit="mosul-left")
    director = town.person("director", Role.PROVINCIAL_DIRECTOR)
    admin = town.person("admin", Role.NODE_ADMIN)
    ballast, reserve = Ballast(small), town.node.home / "reserve"
    wait.until(reserve.exists, seconds=60, what="the engine has made the reserve")
    opened = [intake.make("/cases", OPENING)["id"]]

    ballast.leave(LIMITS["short_bytes"] - MIB)
    stage_is(town, "short")
    wait.until(
        lambda: requests.get(f"{town.node.url('forum')}/readyz", timeout=5).json() == {"database": True, "disk": False},
        seconds=60,
        what="the forum service says that it takes nothing",
    )
    told = refused(director.post("/areas", AREA), 503)
    assert told["code"] == "no_room"
    assert "too full for changes to forums" in told["message"]
    assert director.get("/forums").status_code == 200
    admin.make("/accounts", account("one"))
    opened.append(intake.make("/cases", OPENING)["id"])

    ballast.leave(LIMITS["last_bytes"] - MIB)
    stage_is(town, "last")
    wait.until(lambda: not reserve.exists(), seconds=60, what="the reserve is released")
    wait.until(lambda: fails(admin, "/accounts", account("two")), seconds=60, what="accounts are not changed any more")
    opened.append(intake.make("/cases", OPENING)["id"])
    shown = town.node.jisr("status", "--json", check=False).stdout
    assert json.loads(shown)["disk"]["stage"] == "last"

    ballast.leave(0)
    wait.until(lambda: fails(intake, "/cases", OPENING), seconds=60, what="there is no room even for a case")
    assert intake.get(f"/cases/{opened[0]}").status_code in (200, 503)

    ballast.file.unlink()
    wait.until(lambda: director.post("/areas", AREA).status_code != 503, seconds=60, what="forums are changed again")
    wait.until(reserve.exists, seconds=60, what="the reserve is made again")
    opened.append(intake.make("/cases", OPENING)["id"])
    for case in opened:
        assert intake.get(f"/cases/{case}").status_code == 200
    wait.until(lambda: journaled(town) >= set(opened), seconds=60, what="all of them are in the journal")
