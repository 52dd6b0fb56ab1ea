"""Doors and subscriptions as a caller and an operator meet them: a real process, real HTTP, a real broker."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
import requests
from marshmallow import fields
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import UnroutableError
from sqlmodel import select

from kernel import broker, outbox
from kernel.audit import AuditEntry
from kernel.clock import now
from kernel.crypto import SigningKey
from kernel.database import Database
from kernel.fact import FactSchema, compose, pack, statistical
from kernel.identity import Actor, sign_actor
from kernel.ids import new_id
from kernel.migration import migrate
from tests.kit import wait
from tests.kit.nodes import Country, Node


class Wish(FactSchema):
    kind = "test_wish"
    wish = statistical(fields.String(required=True))


class Toy:
    """The running process, and how a gateway calls it."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.key = SigningKey.load(node.home / "keys" / "gateway.key")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self.node.home / "toy.log").open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.services.kernel.toy", str(self.node.settings_file)],
                stderr=output,
                stdout=output,
            )
        wait.until(lambda: self.node.ready("forum"), seconds=60, what="the toy is ready")

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def call(
        self, door: str, body: Any, headers: dict[str, str] | None = None, *, roles: tuple[str, ...] = ("writer",)
    ) -> requests.Response:
        actor = Actor("a1", "Amal", frozenset(roles), self.node.id)
        token = sign_actor(self.key, actor, now=now())
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return requests.post(
            f"{self.node.url('forum')}/doors/{door}",
            data=data,
            headers={"Authorization": f"Bearer {token}", **(headers or {})},
            timeout=10,
        )

    def log(self) -> str:
        return (self.node.home / "toy.log").read_text()


@pytest.fixture
def toy(country: Country) -> Iterator[Toy]:
    node = country.add("ninewa")
    migrate(node.settings.database_url_of("forum"), "forum")
    made = Toy(node)
    made.start()
    yield made
    made.stop()


def test_a_door_checks_everything_before_it_opens(toy: Toy) -> None:
    def refused(response: requests.Response) -> tuple[int, str]:
        assert set(response.json()) == {"code", "message", "details"}
        return response.status_code, response.json()["code"]

    assert toy.call("make", {"title": "one"}).json() == {"title": "one", "count": 1}
    assert refused(toy.call("make", b"{")) == (400, "malformed_request")
    assert refused(toy.call("make", b"[1]")) == (400, "malformed_request")
    assert refused(toy.call("make", b"[" * 100_000)) == (400, "malformed_request")
    assert refused(toy.call("make", b" " * 1_048_577)) == (413, "too_large")
    assert refused(toy.call("make", {})) == (422, "bad_input")
    assert refused(toy.call("make", {"title": "x", "more": 1})) == (422, "bad_input")
    assert refused(toy.call("make", {"title": "x"}, {"Authorization": "Bearer no"})) == (401, "not_authenticated")
    assert refused(toy.call("make", {"title": "x"}, roles=("reader",))) == (403, "forbidden")
    assert refused(toy.call("make", {"title": "x"}, {"Idempotency-Key": "a b"})) == (422, "bad_input")
    where = toy.call("make", {"title": 7}).json()["details"]["where"]
    assert where == {"title": ["Not a valid string."]}
    assert toy.call("make", {"title": "two"}).json()["count"] == 2

    # a refusal is in the audit log, its place in the chain intact
    database = Database(toy.node.settings.database_url_of("forum"), service="forum")
    with database.read() as session:
        lines = session.exec(select(AuditEntry)).all()
    assert [(line.actor_id, line.action, line.outcome, line.reason) for line in lines] == [
        ("a1", "make", "refused", "forbidden")
    ]
    database.close()


def test_an_unexpected_error_says_nothing_of_its_cause_and_leaves_nothing(toy: Toy) -> None:
    response = toy.call("fail", {"title": "Sinjar"})
    assert (response.status_code, response.json()["code"]) == (500, "internal_error")
    assert "Sinjar" not in response.text
    assert "Sinjar" not in toy.log()
    assert "RuntimeError" in toy.log()
    assert toy.call("look", {}).json()["title"] == "nothing"


def test_a_repeated_request_is_answered_and_not_carried_out(toy: Toy) -> None:
    key = {"Idempotency-Key": "k-1"}
    first = toy.call("make", {"title": "one"}, key)
    again = toy.call("make", {"title": "one"}, key)
    assert first.content == again.content
    other = toy.call("make", {"title": "two"}, key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert toy.call("make", {"title": "three"}).json()["count"] == 2


def test_probes_are_served_and_durations_counted_by_door(toy: Toy) -> None:
    toy.call("make", {"title": "one"})
    url = toy.node.url("forum")
    assert requests.get(f"{url}/healthz", timeout=5).json() == {"alive": True}
    assert requests.get(f"{url}/readyz", timeout=5).json() == {"database": True, "disk": True}
    shown = requests.get(f"{url}/metrics", timeout=5).text
    assert 'jisr_door_seconds_count{door="make",service="forum",status="200"} 1.0' in shown
    assert requests.get(f"{url}/nothing", timeout=5).status_code == 404


def test_a_failing_timer_is_called_again_and_its_text_not_logged(toy: Toy) -> None:
    wait.until(lambda: toy.log().count('"timer.failed"') >= 3, what="the timer has failed three times")
    assert "called again" not in toy.log()


def wish(what: str, fact_id: str | None = None) -> msgspec.Raw:
    fact = compose(Wish, "made", id=fact_id or new_id(), subject="s", version=1, values={"wish": what}, at=now())
    return msgspec.Raw(pack(fact))


def routed(channel: BlockingChannel, body: bytes) -> bool:
    try:
        channel.basic_publish("facts", "case", body, mandatory=True)
    except UnroutableError:
        return False
    return True


@pytest.fixture
def publish(toy: Toy) -> Callable[[bytes], None]:
    def publish(body: bytes) -> None:
        with toy.node.vhost.channel() as channel:
            broker.declare_exchanges(channel)
            wait.until(lambda: routed(channel, body), what="the subscription joined, its queue is bound")

    return publish


def handled(toy: Toy) -> int:
    return int(toy.call("look", {}).json()["count"])


def test_a_fact_that_cannot_be_handled_is_kept_alone_and_the_others_are_handled(
    toy: Toy, publish: Callable[[bytes], None]
) -> None:
    facts = [wish("be handled"), wish("fail always"), wish("be handled")]
    publish(msgspec.json.encode(outbox.Slice("case", "s", 1, facts)))
    publish(b"this is no fact")
    wait.until(lambda: handled(toy) == 2, seconds=60, what="two facts are handled")
    url = toy.node.vhost.url
    wait.until(lambda: len(broker.dead_letters(url, "notify.facts")) == 2, seconds=60, what="two dead letters")
    letters = broker.dead_letters(url, "notify.facts")
    assert [letter["cause"] for letter in letters] == ["bad_input", "not_a_slice"]
    with toy.node.vhost.channel() as channel:
        _, _, body = channel.basic_get("notify.facts.dead", auto_ack=True)
    assert outbox.read_slice(body).first == 2
    assert [bytes(raw) for raw in outbox.read_slice(body).facts] == [bytes(facts[1])]


def test_a_repeated_fact_is_handled_once_and_an_absent_database_is_waited_for(
    toy: Toy, publish: Callable[[bytes], None]
) -> None:
    body = msgspec.json.encode(outbox.Slice("case", "s", 1, [wish("fail twice", "f-1")]))
    publish(body)
    publish(body)
    wait.until(lambda: handled(toy) == 1, seconds=60, what="the fact is handled after the database answered")
    wait.until(lambda: toy.node.vhost.queue_lengths()["notify.facts"] == 0, what="the repeat is taken")
    assert handled(toy) == 1
    assert broker.dead_letters(toy.node.vhost.url, "notify.facts") == []


def test_a_service_starts_and_serves_without_its_broker(country: Country) -> None:
    node = country.add("ninewa")
    node.change(broker_url="amqp://nobody:nothing@127.0.0.1:1/none")
    migrate(node.settings.database_url_of("forum"), "forum")
    toy = Toy(node)
    toy.start()
    try:
        assert toy.call("make", {"title": "one"}).status_code == 200
    finally:
        toy.stop()
