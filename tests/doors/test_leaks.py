"""Nothing personal leaves: every personal field is marked, every flow is run, and everything is searched.

A governorate and its home directorate run whole, with a broker of their own. Searched for each marker, in many forms,
are the broker's files with every queue and dead letter, the journal, the outboxes, the directorate's databases, every
log, every metric, every notification, and what accounts see that may not read identity. And the node's own database is
searched for what must be sealed even there."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from contracts.roles import Role
from deploy.demo.search import Find, search
from deploy.rabbitmq import PrivateRabbitMQ
from tests.doors.api import Person, Town, give_databases
from tests.doors.leaking import CLEAR_AT_HOME, NO_TEXT, Flows, Marks, personal_texts
from tests.kit import wait
from tests.kit.databases import SqliteDatabases
from tests.kit.nodes import Country, Node
from tests.kit.rabbitmq import new_vhost
from tests.services.case.office import DIRECTOR, OFFICER, PARTNER, SUPERVISOR

PROCESSES = ("services", "engine", "gateway")
PARTS = ("forum", "case", "notify", "sync", "engine", "gateway")


@pytest.fixture
def country(tmp_path: Path, own_rabbitmq: PrivateRabbitMQ, sqlite_databases: SqliteDatabases) -> Iterator[Country]:
    made = Country(tmp_path, lambda: new_vhost(own_rabbitmq))
    try:
        baghdad = made.add("directorate-baghdad")
        ninewa = made.add("ninewa", links=[baghdad])
        for node in (baghdad, ninewa):
            give_databases(node, sqlite_databases)
            node.start(*PROCESSES)
        yield made
    finally:
        made.kill()


@pytest.fixture
def towns(country: Country) -> Iterator[tuple[Town, Town]]:
    made = Town(country.nodes["ninewa"]), Town(country.nodes["directorate-baghdad"])
    yield made
    for town in made:
        town.close()


def test_no_mark_is_found_where_it_must_not_be(
    towns: tuple[Town, Town], own_rabbitmq: PrivateRabbitMQ, tmp_path: Path
) -> None:
    ninewa, baghdad = towns
    marks = Marks(seed=7)
    flows = Flows(ninewa, marks)
    for category in ("neighbour_dispute", "domestic_abuse"):
        flows.everything(category)
    flows.report()
    assert personal_texts() <= marks.fields | NO_TEXT, "a personal field that no flow marks"
    analyst = baghdad.person("leaks-analyst", Role.FEDERAL_ANALYST)
    _everything_arrived(flows, analyst)

    seen = tmp_path / "seen"
    seen.mkdir()
    for name, text in _shown(flows, analyst, ninewa.node, baghdad.node):
        (seen / name).write_text(text, encoding="utf-8")
    away = [baghdad.node.home, own_rabbitmq.data, seen, *_must_not_know(ninewa.node)]
    finds, read = search(away, marks.named)
    assert not finds, f"personal data left: {_named(finds, marks)}"
    assert read > 20

    own, _ = search([ninewa.node.home], marks.named)
    sealed = [
        find for find in own if marks.named.get(find.marker, "") not in CLEAR_AT_HOME and find.marker in marks.named
    ]
    assert not sealed, f"not sealed at rest: {_named(sealed, marks)}"
    assert any("case.db" in find.place for find in own), "the search is blind: the audit log holds marked reasons"
    known, _ = search([own_rabbitmq.data, baghdad.node.home], [flows.cases[0]])
    assert {str(own_rabbitmq.data) in find.place for find in known} >= {False}, "the search is blind in databases"


def _everything_arrived(flows: Flows, analyst: Person) -> None:
    """The directorate holds each case as it last was at the node."""
    versions = {case: flows.people[DIRECTOR.id].read(f"/cases/{case}") for case in flows.cases[:1]}
    last = flows.people[SUPERVISOR.id].read("/cases", limit=200)["items"]
    wanted = {case["id"]: case["version"] for case in last} | {key: value["version"] for key, value in versions.items()}

    def arrived() -> bool:
        held = {row["subject"]: row["version"] for row in analyst.read("/records", kind="case", limit=200)["items"]}
        return all(held.get(case) == version for case, version in wanted.items())

    wait.until(arrived, seconds=90, what="the directorate holds every case as it last was")


def _shown(flows: Flows, analyst: Person, *nodes: Node) -> Iterator[tuple[str, str]]:
    """What may be read by who may not read identity: notifications, lists, exports, records, metrics."""
    for account, person in flows.people.items():
        if account == PARTNER.id:
            continue  # has no inbox
        yield f"{account}-notifications.json", json.dumps(person.read("/notifications", limit=200))
    director, officer = flows.people[DIRECTOR.id], flows.people[OFFICER.id]
    for name, person in (("director", director), ("officer", officer)):
        yield f"{name}-cases.json", json.dumps(person.read("/cases", limit=200))
        for shape in ("csv", "xlsx"):
            yield f"{name}-export.{shape}", person.get("/cases/export", format=shape).content.hex()
    for kind in ("case", "referral", "receipt", "break_glass"):
        yield f"analyst-{kind}.json", json.dumps(analyst.read("/records", kind=kind, limit=200))
    for node in nodes:
        for part in PARTS:
            answer = requests.get(f"{node.url(part)}/metrics", timeout=30)
            yield f"{node.id}-{part}-metrics.txt", answer.text


def _must_not_know(node: Node) -> list[Path]:
    """Of the governorate itself: its journal, its logs, and the databases that are not the case service's."""
    others = [path for service in ("sync", "notify", "forum", "gateway") for path in node.home.glob(f"{service}.db*")]
    return [*others, *(path for path in node.home.rglob("*.log"))]


def _named(finds: list[Find], marks: Marks) -> list[str]:
    return [f"{marks.named.get(find.marker, 'the beginning of a marker')} in {find.place}" for find in finds[:20]]
