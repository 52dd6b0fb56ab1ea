"""The sync service as a gateway meets it: a real process, real HTTP, RPC over a real broker."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from deploy.rabbitmq import PrivateRabbitMQ
from kernel.clock import now
from kernel.crypto import SigningKey
from kernel.database import Database
from kernel.identity import Actor, sign_actor
from services.sync import journal
from services.sync.replicas import Refused
from tests.kit import wait
from tests.kit.nodes import Country, Node
from tests.kit.rabbitmq import new_vhost
from tests.services.sync.facts import NOW, fact, slice_of
from tests.services.sync.replica_kit import Origin, Taker

DIRECTORATE = "directorate-baghdad"


class Gateway:
    """Calls doors as a node's gateway does."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.key = SigningKey.load(node.home / "keys" / "gateway.key")

    def ask(self, door: str, role: str, **values: Any) -> requests.Response:
        token = sign_actor(self.key, Actor("a1", "Amal", frozenset({role}), self.node.id), now=now())
        return requests.post(
            f"{self.node.url('sync')}/doors/{door}",
            data=json.dumps(values),
            headers={"Authorization": f"Bearer {token}"},
            timeout=10,
        )

    def told(self, door: str, role: str, **values: Any) -> dict[str, Any]:
        answer = self.ask(door, role, **values)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body


@pytest.fixture(scope="module")
def gateway(country_of_module: Country) -> Iterator[Gateway]:
    """The sync service of a directorate that holds a journal of two facts and a replica of three."""
    node = country_of_module.add(DIRECTORATE, replication={"stale_seconds": 3600})
    node.migrate()
    database = Database(node.settings.database_url_of("sync"), service="sync")
    with database.write() as session:
        journal.begin(session, DIRECTORATE)
        taken = journal.take(slice_of([fact(type="directive.issued.v1"), fact()]))
        journal.append(session, [taken], origin=DIRECTORATE, now=NOW)
    origin = Origin("ninewa")
    origin.add(*(fact() for _ in range(2)), fact(audience=(DIRECTORATE,)))
    Taker(database).take(origin.hello(), origin.batch(0, 3, to=DIRECTORATE), at=now())
    node.start("sync")
    yield Gateway(node)
    node.stop()
    database.close()


@pytest.fixture(scope="module")
def country_of_module(tmp_path_factory: pytest.TempPathFactory, rabbitmq: PrivateRabbitMQ) -> Iterator[Country]:
    """A country for all tests of this module."""
    made = Country(tmp_path_factory.mktemp("doors"), lambda: new_vhost(rabbitmq))
    yield made
    made.kill()


def test_the_journal_says_where_it_ends(gateway: Gateway) -> None:
    told = gateway.told("journal_status", "operator")
    assert (told["origin"], told["epoch"], told["head"]["number"]) == (DIRECTORATE, 1, 2)
    assert len(told["head"]["digest"]) == 64


def test_every_link_is_listed(gateway: Gateway) -> None:
    told = gateway.told("list_links", "operator")
    links = {link["destination"]: link for link in told["items"]}
    assert len(links) == 19
    assert links["ninewa"]["clearance"] == "operational"
    assert links["ninewa"]["behind"] == {"known": False, "entries": None, "seconds": None}


def test_an_operator_pauses_and_resumes_a_link(gateway: Gateway) -> None:
    assert gateway.told("pause_link", "operator", destination="ninewa")["state"] == "paused"
    assert gateway.told("resume_link", "operator", destination="ninewa")["paused"] is False
    refused = gateway.ask("pause_link", "federal_analyst", destination="ninewa")
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    unknown = gateway.ask("pause_link", "operator", destination="atlantis")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "link_not_found")


def test_replicas_records_and_statistics_are_shown_to_analysts(gateway: Gateway) -> None:
    replicas = {each["origin"]: each for each in gateway.told("list_replicas", "federal_analyst")["items"]}
    assert (replicas["ninewa"]["held"]["number"], replicas["ninewa"]["behind"]["entries"]) == (3, 0)
    assert replicas["basra"]["state"] == "silent"
    page = gateway.told("list_records", "federal_analyst", origin="ninewa", limit=2)
    assert len(page["items"]) == 2
    rest = gateway.told("list_records", "federal_analyst", origin="ninewa", limit=2, after=page["next"])
    assert (len(rest["items"]), rest["next"]) == (1, None)
    counted = gateway.told("case_statistics", "federal_analyst", by="origin,month")
    assert [row["cases"] for row in counted["rows"]] == [3]
    readings = {each["origin"]: each["reading"] for each in counted["coverage"]}
    assert (readings["ninewa"], readings["basra"]) == ("exact", "missing")


def test_what_was_put_aside_is_shown_to_who_runs_the_node_with_causes_and_without_content(gateway: Gateway) -> None:
    database = Database(gateway.node.settings.database_url_of("sync"), service="sync")
    anbar = Origin("anbar")
    anbar.add(fact(type="marvel.seen.v1"), fact(type="marvel.seen.v1"))
    refused = [Refused(f"cause {number}", b"content", stops=False) for number in range(3)]
    Taker(database, "anbar").take(anbar.batch(0, 2, to=DIRECTORATE), refused=refused)
    database.close()
    newest = gateway.told("list_quarantine", "operator", origin="anbar", limit=2)
    assert [each["reason"] for each in newest["items"]] == ["cause 2", "cause 1"]
    oldest = gateway.told("list_quarantine", "operator", origin="anbar", after=newest["next"])
    assert ([each["reason"] for each in oldest["items"]], oldest["next"]) == (["cause 0"], None)
    assert "content" not in json.dumps(newest)
    parked = gateway.told("list_parked", "node_admin", origin="anbar", limit=1)
    assert [(each["number"], each["skipped_at"]) for each in parked["items"]] == [(1, None)]
    rest = gateway.told("list_parked", "node_admin", origin="anbar", after=parked["next"])
    assert ([each["number"] for each in rest["items"]], rest["next"]) == ([2], None)
    for door, values in (("list_quarantine", {}), ("list_parked", {"origin": "anbar"})):
        assert gateway.ask(door, "federal_analyst", **values).status_code == 403


def test_who_runs_the_node_sees_no_record(gateway: Gateway) -> None:
    for door in ("list_records", "case_statistics"):
        assert gateway.ask(door, "operator").status_code == 403


@pytest.mark.parametrize("by", ["", "shoe_size", "origin,origin", "origin,category,month,status", "origin,"])
def test_statistics_by_something_else_are_refused(gateway: Gateway, by: str) -> None:
    assert gateway.ask("case_statistics", "federal_analyst", by=by).status_code == 422


RPC = """
import json, sys
from kernel.extensions import RpcCaller
caller = RpcCaller("sync", {"AMQP_URI": sys.argv[1]})
asked = (("journal", 1), ("arrivals", 0))
print(json.dumps([caller.call("facts_after", stream=name, after=after, limit=50) for name, after in asked]))
caller.close()
"""


def test_another_service_reads_facts_by_number_over_rpc(gateway: Gateway) -> None:
    def ask() -> Any:
        asked = subprocess.run(
            [sys.executable, "-c", RPC, gateway.node.vhost.url], capture_output=True, text=True, check=False
        )
        return json.loads(asked.stdout) if asked.returncode == 0 else None

    own, arrived = wait.until(ask, seconds=60, what="the RPC side joined the broker")
    assert (own["head"], [each["number"] for each in own["items"]]) == (2, [2])
    assert own["items"][0]["origin"] == DIRECTORATE
    assert (arrived["head"], arrived["items"][0]["origin"]) == (1, "ninewa")
