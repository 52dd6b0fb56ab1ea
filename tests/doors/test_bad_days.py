"""Officers' requests while something is away: recorded if it can be, refused honestly if it cannot."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from contracts.roles import Role
from deploy.proxy import Proxy
from deploy.rabbitmq import PrivateRabbitMQ
from tests.kit import wait
from tests.kit.databases import SqliteDatabases
from tests.kit.nodes import Country, Node
from tests.kit.rabbitmq import new_vhost

from .api import OPENING, PASSWORD, TRIAGED, Person, Town, give_databases, refused

UNIT = "bad-days"


@pytest.fixture
def node(tmp_path: Path, own_rabbitmq: PrivateRabbitMQ, sqlite_databases: SqliteDatabases) -> Iterator[Node]:
    """A governorate with a broker of its own that may be killed."""
    country = Country(tmp_path, lambda: new_vhost(own_rabbitmq))
    made = country.add("ninewa")
    give_databases(made, sqlite_databases)
    yield made
    country.kill()


@pytest.fixture
def town(node: Node) -> Iterator[Town]:
    made = Town(node)
    yield made
    made.close()


def assigned(supervisor: Person, worker: Person) -> None:
    """A case that its handler must be told of, recorded without a broker."""
    case = supervisor.make("/cases", OPENING)
    supervisor.do(f"/cases/{case['id']}/triage", TRIAGED)
    supervisor.do(f"/cases/{case['id']}/assign", {"handler_id": worker.id})


def told(worker: Person) -> None:
    wait.until(lambda: worker.read("/notifications")["items"], seconds=60, what="the handler was notified")


def test_officers_record_while_the_broker_is_down_and_facts_flow_when_it_is_back(
    node: Node, town: Town, own_rabbitmq: PrivateRabbitMQ
) -> None:
    own_rabbitmq.kill()
    node.start("services", "gateway")
    supervisor = town.person("supervisor", Role.UNIT_SUPERVISOR, unit=UNIT)
    worker = town.person("worker", Role.CASE_WORKER, unit=UNIT)
    wait.until(town.notify_knows_everybody, seconds=60, what="notify knows everybody")
    assigned(supervisor, worker)
    assert worker.read("/notifications")["items"] == []
    own_rabbitmq.start()
    told(worker)


def test_officers_record_while_the_broker_has_a_disk_alarm_and_facts_flow_afterwards(
    node: Node, town: Town, own_rabbitmq: PrivateRabbitMQ
) -> None:
    node.start("services", "gateway")
    supervisor = town.person("supervisor", Role.UNIT_SUPERVISOR, unit=UNIT)
    worker = town.person("worker", Role.CASE_WORKER, unit=UNIT)
    wait.until(town.notify_knows_everybody, seconds=60, what="notify knows everybody")
    own_rabbitmq.set_disk_alarm()
    assigned(supervisor, worker)
    own_rabbitmq.set_disk_alarm(False)
    told(worker)


def test_officers_record_while_the_broker_takes_connections_and_says_nothing(
    node: Node, town: Town, own_rabbitmq: PrivateRabbitMQ
) -> None:
    with Proxy(("127.0.0.1", own_rabbitmq.port)) as line:
        line.black_hole()
        node.change(broker_url=node.vhost.url_through(line.port))
        node.start("services", "gateway")
        supervisor = town.person("supervisor", Role.UNIT_SUPERVISOR, unit=UNIT)
        worker = town.person("worker", Role.CASE_WORKER, unit=UNIT)
        wait.until(town.notify_knows_everybody, seconds=60, what="notify knows everybody")
        wait.until(
            lambda: "subscription.waits" in node.log("services").read_text(),
            seconds=60,
            what="a subscription gave up once",
        )
        assigned(supervisor, worker)
        line.heal()
        told(worker)
        assert node.processes["services"].poll() is None


def test_a_service_that_is_away_is_a_503_and_the_others_serve(node: Node, town: Town) -> None:
    node.start("forum", "gateway")
    director = town.person("director", Role.PROVINCIAL_DIRECTOR)
    assert director.read("/forums")["items"] == []
    answer = director.get("/cases")
    assert refused(answer, 503)["code"] == "service_away"
    assert int(answer.headers["Retry-After"]) > 0
    node.start("case")
    assert director.read("/cases")["items"] == []
    node.kill("case")
    assert refused(director.get("/cases"), 503)


def test_an_account_made_while_notify_is_away_is_told_when_it_is_back(node: Node, town: Town) -> None:
    node.start("gateway")
    town.person("operator", Role.OPERATOR)
    assert not town.notify_knows_everybody()
    node.start("notify")
    wait.until(town.notify_knows_everybody, seconds=60, what="notify was told")


def test_an_account_made_on_the_node_itself_is_known_to_notify_when_the_command_has_ended(
    node: Node, town: Town
) -> None:
    node.start("notify", "gateway")
    password = node.home / "password"
    password.write_text(PASSWORD)
    node.jisr("user", "add", "amal", "--role", "operator", "--name", "Amal", "--password-file", str(password))
    assert town.notify_knows_everybody()


def test_a_role_change_is_in_the_journal(node: Node, town: Town) -> None:
    node.start("engine", "gateway")
    admin, operator = town.person("admin", Role.NODE_ADMIN), town.person("operator", Role.OPERATOR)
    admin.do(f"/accounts/{operator.id}/roles", {"roles": ["operator", "node_admin"]})

    def journaled() -> bool:
        with closing(sqlite3.connect(node.home / "sync.db")) as database:
            heads = [json.loads(row[0]) for row in database.execute("SELECT head FROM journal_entry ORDER BY number")]
        return [head["type"] for head in heads] == ["account.created.v1", "account.created.v1", "account.roles_set.v1"]

    wait.until(journaled, seconds=60, what="the role change is in the journal")


def test_behind_a_trusted_proxy_each_caller_is_slowed_alone(node: Node, town: Town) -> None:
    node.change(trusted_proxy="127.0.0.1")
    node.start("gateway")

    def guess(address: str) -> int:
        wrong = {"login": "amal", "password": "wrong"}
        return town.nobody().post("/login", wrong, X_Forwarded_For=address).status_code

    assert [guess("10.0.0.1") for _ in range(6)] == [401] * 5 + [429]
    assert guess("10.0.0.2") == 401


def test_a_gateway_that_was_killed_serves_the_tokens_it_gave(node: Node, town: Town) -> None:
    node.start("gateway")
    operator = town.person("operator", Role.OPERATOR)
    node.kill("gateway")
    node.start("gateway")
    assert operator.read("/me")["login"] == "operator"


def test_a_gateway_that_is_told_to_end_ends(node: Node) -> None:
    node.start("gateway")
    running = node.processes["gateway"]
    node.stop("gateway")
    assert running.returncode == 0
