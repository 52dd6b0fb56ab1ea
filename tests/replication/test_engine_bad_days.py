"""What may happen to an engine: a twin, garbage, a broker that forgets, an operator, a forger."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pika
import pytest

from contracts.topology import Clearance, LinkSpec
from deploy.rabbitmq import PrivateRabbitMQ
from kernel.clock import now
from kernel.identity import Actor
from kernel.ids import new_id
from services.sync import handlers, message
from services.sync.entry import Shown, record
from services.sync.message import Batch, Hello, pack
from services.sync.position import advance, start
from services.sync.tables import Quarantine, Replica
from tests.kit import wait
from tests.kit.databases import SqliteDatabases
from tests.kit.rabbitmq import Vhost, new_vhost
from tests.kit.small_country import BAGHDAD, ERBIL
from tests.replication.country import PACKAGE, Country, Node, converged
from tests.services.sync.facts import fact

OPERATOR = Actor(id="op", name="operator", roles=frozenset({"operator"}), node="ninewa")


def operate(node: Node, destination: str, *, pause: bool) -> None:
    spec = LinkSpec(node.name, destination, Clearance.OPERATIONAL)
    with node.writing() as session:
        (handlers.pause_link if pause else handlers.resume_link)(session, spec, by=OPERATOR, now=now(), audience=())


def publish(vhost: Vhost, exchange: str, key: str, body: bytes, headers: dict[str, str] | None = None) -> None:
    with vhost.channel() as channel:
        channel.basic_publish(exchange, key, body, pika.BasicProperties(headers=headers), mandatory=True)


def test_a_second_engine_of_the_same_node_refuses_to_start(country: Country) -> None:
    ninewa = country["ninewa"]
    ninewa.start()
    wait.until(lambda: "engine.started" in ninewa.log(), seconds=60)
    first = ninewa.process
    ninewa.start()
    second = ninewa.process
    assert second is not None
    assert second.wait(20) == 1
    assert "Another engine of ninewa is running" in ninewa.log()
    ninewa.process = first
    assert not ninewa.died()
    assert ninewa.stop() == 0


def test_on_postgresql_a_second_engine_with_another_home_refuses_too(country: Country, tmp_path: Path) -> None:
    if country.databases.dialect != "postgresql":
        pytest.skip("SQLite files are in the node's home, which the lock file guards")
    ninewa = country["ninewa"]
    ninewa.start()
    wait.until(lambda: "engine.started" in ninewa.log(), seconds=60)
    first = ninewa.process
    (tmp_path / "elsewhere").mkdir()
    moved = ninewa.settings_file.read_text().replace('home = "."', f'home = "{tmp_path / "elsewhere"}"')
    moved = moved.replace('node = "ninewa"', f'node = "ninewa"\nkeys = "{ninewa.home / "keys"}"')
    ninewa.settings_file.write_text(moved)
    ninewa.start()
    assert ninewa.process is not None
    assert ninewa.process.wait(20) == 1
    assert "it holds the lock in the sync database" in ninewa.log()
    ninewa.process = first


def test_a_stopped_engine_ends_in_order_and_goes_on_where_it_was(sqlite_country: Country) -> None:
    country = sqlite_country
    country.start("ninewa", BAGHDAD)
    country["ninewa"].record_some(10)
    converged(country["ninewa"], country[BAGHDAD], at_least=10)
    assert country["ninewa"].stop() == 0
    assert country[BAGHDAD].stop() == 0
    country["ninewa"].record_some(10)
    country.start("ninewa", BAGHDAD)
    converged(country["ninewa"], country[BAGHDAD], at_least=20)


def test_a_paused_link_holds_what_is_recorded_and_a_resumed_one_brings_it(country: Country) -> None:
    ninewa, baghdad, erbil = country["ninewa"], country[BAGHDAD], country[ERBIL]
    country.start("ninewa", BAGHDAD, ERBIL)
    ninewa.record_some(5)
    converged(ninewa, baghdad, erbil, at_least=5)
    operate(ninewa, BAGHDAD, pause=True)
    wait.until(lambda: ninewa.link_state(BAGHDAD) == "paused", seconds=60)
    ninewa.record_some(20)
    converged(ninewa, erbil, at_least=25)
    held = baghdad.held("ninewa")
    assert held is not None
    assert held.number == 5
    operate(ninewa, BAGHDAD, pause=False)
    converged(ninewa, baghdad, at_least=25)


def test_facts_addressed_to_a_governorate_come_down_and_are_announced(sqlite_country: Country) -> None:
    country = sqlite_country
    baghdad, ninewa, duhok = country[BAGHDAD], country["ninewa"], country["duhok"]
    with ninewa.vhost.channel() as channel:
        channel.exchange_declare("arrivals", exchange_type="topic", durable=True)
        channel.queue_declare("seen", durable=True)
        channel.queue_bind("seen", "arrivals", routing_key="#")
    country.start(BAGHDAD, "ninewa", "duhok")
    everyone = fact(type="directive.issued.v1")
    one = fact(type="directive.issued.v1", audience=("ninewa",))
    baghdad.record(everyone, one)
    converged(baghdad, ninewa, duhok, at_least=2)
    assert duhok.disclosures(BAGHDAD) == ["full", "withheld"]
    announced = []
    while (body := wait.until(lambda: ninewa.vhost.get("seen"), seconds=60)) is not None:
        announced += [envelope["head"]["id"] for envelope in json.loads(body)["facts"]]
        if len(announced) == 2:
            break
    assert announced == [everyone.id, one.id]


def test_garbage_on_every_queue_is_kept_aside_and_stops_nobody(sqlite_country: Country) -> None:
    country = sqlite_country
    ninewa, baghdad = country["ninewa"], country[BAGHDAD]
    country.start("ninewa", BAGHDAD)
    ninewa.record_some(5)
    converged(ninewa, baghdad, at_least=5)
    stranger = message.sign(Hello("ninewa", 1, 9, "b", start("ninewa", 1), "x"), baghdad.key)
    for body, headers in ((b"", {}), (b"\xff" * 100, {"jisr-key": "?"}), stranger):
        publish(baghdad.vhost, "jisr.up", "up.ninewa", body, headers)
        publish(baghdad.vhost, "jisr.down", "down.ninewa", body, headers)
    for body in (b"", b"junk", b'{"service":"case","stream":"s","first":1,"facts":[1]}'):
        publish(ninewa.vhost, "facts", "case", body)
    wait.until(lambda: ninewa.vhost.queue_lengths().get("recorder.dead") == 3, seconds=60)
    wait.until(lambda: baghdad.count(Quarantine) == 3, seconds=60)
    ninewa.record_some(5)
    converged(ninewa, baghdad, at_least=10)
    wait.until(lambda: ninewa.link_state(BAGHDAD) in {"idle", "sending", "waiting"}, seconds=60)


def test_a_false_chain_stops_its_own_origin_and_nobody_else(sqlite_country: Country) -> None:
    country = sqlite_country
    baghdad, ninewa, duhok = country[BAGHDAD], country["ninewa"], country["duhok"]
    country.start("ninewa", "duhok", BAGHDAD)
    ninewa.record_some(3)
    duhok.record_some(3)
    converged(ninewa, baghdad, at_least=3)
    ninewa.stop()
    body, headers = message.sign(forged(ninewa, after=3), ninewa.key)
    publish(baghdad.vhost, "jisr.up", "up.ninewa", body, headers)
    wait.until(lambda: state_of(baghdad, "ninewa") == "refused", seconds=60)
    duhok.record_some(3)
    converged(duhok, baghdad, at_least=6)
    ninewa.start()
    ninewa.record_some(3)
    wait.until(lambda: ninewa.link_state(BAGHDAD) == "refused", seconds=60)
    operate(baghdad, "ninewa", pause=False)
    converged(ninewa, baghdad, at_least=6)
    wait.until(lambda: ninewa.link_state(BAGHDAD) == "idle", seconds=60)


def test_another_history_under_the_same_name_is_found_to_have_diverged(sqlite_country: Country) -> None:
    country = sqlite_country
    baghdad, ninewa = country[BAGHDAD], country["ninewa"]
    country.start("ninewa", BAGHDAD)
    ninewa.record_some(3)
    converged(ninewa, baghdad, at_least=3)
    ninewa.kill()
    with baghdad.writing() as session:
        row = session.get(Replica, "ninewa")
        assert row is not None
        row.digest = b"\x01" * 32
    ninewa.start()
    ninewa.record_some(1)
    wait.until(lambda: ninewa.link_state(BAGHDAD) == "diverged", seconds=60)


def state_of(node: Node, origin: str) -> str | None:
    row = node.replica(origin)
    return None if row is None else str(row.state)


def forged(node: Node, *, after: int) -> Batch:
    """A batch that continues a node's journal by its number and the digest held, but leads to a false digest."""
    head = node.head()
    assert head is not None
    assert head.number == after
    shown: list[Shown] = []
    for offset in range(2):
        entry = record(after + 1 + offset, fact(), b"s" * 16)
        shown.append(show_full(entry))
    place = head
    false = []
    for one in shown:
        place = advance(place, one.leaf)
        false.append(bytes(reversed(place.digest)))
    return pack(node.name, 1, head, shown, false, 10**6)


def show_full(entry: object) -> Shown:
    from services.sync import records

    return records.of_entry(entry)  # type: ignore[arg-type]


@pytest.fixture
def lonely_country(
    tmp_path: Path, own_rabbitmq: PrivateRabbitMQ, sqlite_databases: SqliteDatabases
) -> Iterator[Country]:
    """A country on a broker of its own, which may be killed."""
    made = Country(tmp_path, lambda: new_vhost(own_rabbitmq, f"v-{new_id()}"), sqlite_databases)
    yield made
    made.close()


def test_a_broker_that_loses_its_data_loses_nothing_of_ours(
    lonely_country: Country, own_rabbitmq: PrivateRabbitMQ
) -> None:
    country = lonely_country
    ninewa, baghdad, erbil = country["ninewa"], country[BAGHDAD], country[ERBIL]
    country.start("ninewa", BAGHDAD, ERBIL)
    ninewa.record_some(30)
    converged(ninewa, baghdad, erbil, at_least=30)
    ninewa.record_some(100)
    own_rabbitmq.kill()
    own_rabbitmq.delete_data()
    ninewa.record_some(30)
    own_rabbitmq.start()
    converged(ninewa, baghdad, erbil, at_least=160, seconds=60)
    assert ninewa.head_number() == 160


def test_with_a_disk_alarm_the_link_is_blocked_and_goes_on_afterwards(
    lonely_country: Country, own_rabbitmq: PrivateRabbitMQ
) -> None:
    country = lonely_country
    ninewa, baghdad = country["ninewa"], country[BAGHDAD]
    country.start("ninewa", BAGHDAD)
    ninewa.record_some(3)
    converged(ninewa, baghdad, at_least=3)
    own_rabbitmq.set_disk_alarm()
    ninewa.record_some(3)
    wait.until(lambda: "wire.blocked" in ninewa.log(), seconds=60)
    wait.until(lambda: ninewa.link_state(BAGHDAD) == "blocked", seconds=60)
    own_rabbitmq.set_disk_alarm(False)
    converged(ninewa, baghdad, at_least=6, seconds=60)


def metric(node: Node, name: str) -> dict[str, float]:
    with urlopen(f"http://127.0.0.1:{node.port}/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if line.startswith(name)}


def test_a_silent_origin_has_no_lag_but_a_growing_staleness(sqlite_country: Country) -> None:
    country = sqlite_country
    ninewa, baghdad = country["ninewa"], country[BAGHDAD]
    baghdad.write_settings(stale_seconds=2.0)
    country.start("ninewa", BAGHDAD)
    ninewa.record_some(3)
    converged(ninewa, baghdad, at_least=3)
    behind, stale = 'jisr_replica_behind_entries{origin="ninewa"}', 'jisr_replica_staleness_seconds{origin="ninewa"}'
    held = 'jisr_replica_held{origin="ninewa"}'
    wait.until(lambda: metric(baghdad, "jisr_replica_held").get(held) == 3, seconds=60)  # measured once a second
    assert metric(baghdad, "jisr_replica_behind").get(behind) == 0
    assert metric(baghdad, "jisr_replica_behind").get('jisr_replica_behind_entries{origin="duhok"}') is None
    ninewa.kill()
    wait.until(lambda: behind not in metric(baghdad, "jisr_replica_behind"), seconds=60)
    assert metric(baghdad, "jisr_replica_staleness")[stale] >= 2
    with urlopen(f"http://127.0.0.1:{baghdad.port}/readyz", timeout=5) as answer:
        assert answer.status == 200


SURPRISED = """
import sys
from services.sync.senders import Sender
from tests.replication.engine import main

def surprise(_):
    raise RuntimeError("what somebody wrote")

Sender.measure = surprise
sys.exit(main())
"""


def test_an_engine_that_meets_what_nobody_expected_says_where_without_the_text_and_ends(country: Country) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", SURPRISED, str(country["ninewa"].settings_file)],
        cwd=PACKAGE,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 1
    assert '"engine.defect"' in ended.stderr
    assert "surprise" in ended.stderr
    assert "what somebody wrote" not in ended.stderr
