"""Engines on a link with mutual TLS: what was admitted works, what was not is kept out and changes nothing."""

from datetime import timedelta
from functools import partial
from pathlib import Path

import pika

from kernel import authority
from kernel.clock import now
from kernel.crypto import SigningKey
from kernel.tls import EXPIRED
from services.sync import journal, message
from services.sync.message import Batch, Held, Hello, Message, open_message
from services.sync.position import Position
from tests.kit import wait
from tests.kit.small_country import BAGHDAD, ERBIL
from tests.links.country import SecureCountry, gets_in, metric, put_aside, tries_again
from tests.replication.country import Node, converged

EXPIRY = "jisr_link_certificate_expiry_timestamp_seconds"


def start(country: SecureCountry, facts: int = 5) -> tuple[Node, Node]:
    """Baghdad runs, Ninewa joins it and has brought some facts over."""
    ninewa, baghdad = country["ninewa"], country[BAGHDAD]
    baghdad.start()
    wait.until(lambda: "engine.started" in baghdad.log(), seconds=60)
    country.join("ninewa")
    ninewa.start()
    ninewa.record_some(facts)
    converged(ninewa, baghdad, at_least=facts)
    return ninewa, baghdad


def publish(
    country: SecureCountry, exchange: str, key: str, *messages: tuple[bytes, dict[str, str]], user: str
) -> None:
    """As a compromised broker does it: anything, in the name of anybody."""
    with country.gate.compromised(country[BAGHDAD].vhost.name) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        for body, headers in messages:
            properties = pika.BasicProperties(headers=headers, user_id=user or None)
            channel.basic_publish(exchange, key, body, properties, mandatory=True)


def held_at(node: Node) -> int:
    replica = node.replica("ninewa")
    return replica.number if replica else 0


def told(node: Node) -> int | None:
    """What a node was told that Baghdad holds."""
    link = node.link(BAGHDAD)
    return link.held_number if link else None


def hello(node: Node, key: SigningKey) -> tuple[bytes, dict[str, str]]:
    place = node.head()
    assert place is not None
    return message.sign(Hello(node.name, 1, 10**9, "b", place, "x"), key)


def test_what_a_node_says_at_the_moment_it_is_admitted_is_not_put_aside(secure_country: SecureCountry) -> None:
    country = secure_country
    ninewa, baghdad = country["ninewa"], country[BAGHDAD]
    with ninewa.writing() as session:
        journal.begin(session, "ninewa")
    baghdad.start()
    wait.until(lambda: "jisr.up.ninewa" in baghdad.vhost.queue_lengths(), what="its engine declared the queue")
    country.join("ninewa")
    publish(country, "", "jisr.up.ninewa", hello(ninewa, ninewa.key), user="ninewa")
    wait.until(
        lambda: baghdad.replica("ninewa"), what="Baghdad heard it, before its engine looked for admissions again"
    )
    assert put_aside(baghdad) == []


def test_a_node_is_heard_as_soon_as_it_is_admitted_and_both_sides_tell_when_its_certificate_ends(
    secure_country: SecureCountry,
) -> None:
    ninewa, baghdad = start(secure_country)
    assert put_aside(baghdad) == put_aside(ninewa) == []
    (peer,) = wait.until(lambda: secure_country.gate.admin.connections("ninewa"), seconds=60)
    assert peer
    own = wait.until(lambda: metric(ninewa, EXPIRY, peer=BAGHDAD), seconds=60)
    assert own is not None
    assert own == wait.until(lambda: metric(baghdad, EXPIRY, peer="ninewa"), seconds=60)
    assert timedelta(days=364) < timedelta(seconds=own - now().timestamp()) < timedelta(days=366)


def test_a_revoked_node_loses_its_open_connection_at_once_and_comes_back_only_with_new_keys(
    secure_country: SecureCountry,
) -> None:
    country = secure_country
    ninewa, baghdad = start(country)
    signed = hello(ninewa, ninewa.key)
    country.jisr(BAGHDAD, "revoke", "ninewa", "--reason", "server stolen")
    assert country.gate.admin.connections("ninewa") == []
    wait.until(lambda: ninewa.link_state(BAGHDAD) == "unauthorised", seconds=60)
    entries, once = held_at(baghdad), gets_in(ninewa)
    ninewa.record_some(3)
    tries_again(ninewa, 3)
    assert gets_in(ninewa) == once
    wait.until(lambda: metric(baghdad, "jisr_replica_held", origin="ninewa") == entries, seconds=60)
    publish(country, "", "jisr.up.ninewa", signed, user="ninewa")
    wait.until(lambda: any("not known here" in reason for reason in put_aside(baghdad)), seconds=60)
    assert held_at(baghdad) == entries
    ninewa.kill()
    ninewa.key = SigningKey.new()
    (ninewa.home / "keys" / "node.key").unlink()
    ninewa.key.save(ninewa.home / "keys" / "node.key")
    (ninewa.home / "links" / BAGHDAD / "link.key").unlink()
    country.finish("ninewa", country.admit("ninewa", country.request("ninewa")["fingerprint"])["fingerprint"])
    ninewa.start()
    converged(ninewa, baghdad, at_least=entries + 3)


def test_an_expired_certificate_stops_the_link_with_the_reason_and_a_renewed_one_needs_no_restart(
    secure_country: SecureCountry,
) -> None:
    country = secure_country
    ninewa, baghdad = country["ninewa"], country[BAGHDAD]
    country.join("ninewa")
    files = ninewa.home / "links" / BAGHDAD
    renewed = (files / "certificate.pem").read_bytes()
    wanted = authority.load_request(authority.new_request(authority.load_key(files / "link.key"), "ninewa"), "ninewa")
    past = now() - timedelta(days=3)
    expired = country.gate.authority.sign_node(wanted, "ninewa", now=past, days=2)
    authority.replace(files / "certificate.pem", expired)
    country.start("ninewa", BAGHDAD)
    ninewa.record_some(3)
    wait.until(lambda: ninewa.link_state(BAGHDAD) == "unauthorised", seconds=90)
    link = ninewa.link(BAGHDAD)
    assert link is not None
    assert EXPIRED in (link.reason or "")
    assert gets_in(ninewa) == 0
    authority.replace(files / "certificate.pem", renewed)
    converged(ninewa, baghdad, at_least=3)


def test_what_comes_by_a_nodes_queue_counts_only_with_its_user_and_its_key(secure_country: SecureCountry) -> None:
    country = secure_country
    ninewa, baghdad = start(country)
    duhok = country["duhok"]
    country.join("duhok")
    wait.until(lambda: metric(baghdad, EXPIRY, peer="duhok"), seconds=60, what="the engine knows duhok's key")
    by_another = message.sign(Hello("ninewa", 1, 10**9, "b", Position(0, b"\x01" * 32), "x"), duhok.key)
    anothers_own = message.sign(Hello("duhok", 1, 10**9, "b", Position(0, b"\x01" * 32), "x"), duhok.key)
    right = hello(ninewa, ninewa.key)
    publish(country, "jisr.up", "up.ninewa", by_another, anothers_own, user="ninewa")
    publish(country, "jisr.up", "up.ninewa", right, user="duhok")
    publish(country, "jisr.up", "up.ninewa", right, user="")
    wait.until(lambda: len(put_aside(baghdad)) == 4, seconds=60)
    forged, queue, user, nobody = put_aside(baghdad)
    assert "in the name of ninewa" in forged
    assert "came by the queue of ninewa" in queue
    assert user == nobody == "A message in the queue of ninewa was not published by its user ninewa."
    ninewa.record_some(3)
    converged(ninewa, baghdad, at_least=8)
    assert baghdad.replica("duhok") is None


def test_old_batches_that_are_replayed_change_nothing(secure_country: SecureCountry) -> None:
    country = secure_country
    ninewa, baghdad = country["ninewa"], country[BAGHDAD]
    baghdad.start()
    wait.until(lambda: "jisr.up.ninewa" in baghdad.vhost.queue_lengths(), seconds=60)
    with baghdad.vhost.channel() as channel:
        channel.queue_declare("tap")
        channel.queue_bind("tap", "jisr.up", routing_key="up.ninewa")
    country.join("ninewa")
    ninewa.start()
    for count in (5, 10, 15):
        ninewa.record_some(5)
        converged(ninewa, baghdad, at_least=count)
    before = baghdad.held("ninewa"), baghdad.records("ninewa"), put_aside(baghdad)
    tapped: list[tuple[bytes, dict[str, str]]] = []
    with baghdad.vhost.channel() as channel:
        channel.queue_unbind("tap", "jisr.up", routing_key="up.ninewa")
        while (taken := channel.basic_get("tap", auto_ack=True))[0] is not None:
            _, properties, body = taken
            tapped.append((body, dict(properties.headers)))
    ring = message.ring({"ninewa": ninewa.key.verify_key})
    batches = [one for one in tapped if isinstance(open_message(*one, ring).message, Batch)]
    assert len(batches) >= 3
    publish(country, "jisr.up", "up.ninewa", *reversed(tapped), *tapped, user="ninewa")
    repeats = 2 * len(batches)
    wait.until(lambda: (metric(baghdad, "jisr_repeats_total", origin="ninewa") or 0) >= repeats, seconds=60)
    assert (baghdad.held("ninewa"), baghdad.records("ninewa"), put_aside(baghdad)) == before
    ninewa.record_some(5)
    converged(ninewa, baghdad, at_least=20)


def test_a_governorate_believes_nobody_but_the_directorate_that_it_pinned(secure_country: SecureCountry) -> None:
    """A false `held` would make it think that what it has not delivered is safe."""
    country = secure_country
    ninewa, baghdad = start(country)
    wait.until(lambda: told(ninewa) == 5, seconds=60, what="ninewa knows that five are held")
    baghdad.stop()
    ninewa.record_some(5)
    wait.until(lambda: ninewa.head_number() == 10, seconds=60)
    head = ninewa.head()
    assert head is not None
    lie: Message = Held("ninewa", 1, head, 2**21, "ok", "")
    country.join("duhok")
    for key in (SigningKey.new(), country["duhok"].key, ninewa.key):
        publish(country, "jisr.down", "down.ninewa", message.sign(lie, key), user="")
    wait.until(lambda: len(put_aside(ninewa)) == 3, seconds=60)
    counted = metric(ninewa, "jisr_quarantined_total", queue="jisr.down.ninewa", reason="refused")
    assert counted == 3
    assert told(ninewa) == 5
    baghdad.start()
    converged(ninewa, baghdad, at_least=10)


def test_users_of_admitted_nodes_are_made_again_when_the_broker_lost_them(secure_country: SecureCountry) -> None:
    country = secure_country
    ninewa, baghdad = start(country)
    country.gate.admin.shut_out("ninewa")
    wait.until(lambda: ninewa.link_state(BAGHDAD) == "unauthorised", seconds=60)
    ninewa.record_some(3)
    country.gate.broker.close_connections()
    converged(ninewa, baghdad, at_least=8)


def test_a_link_whose_files_are_missing_says_so_and_goes_on_when_they_come(secure_country: SecureCountry) -> None:
    country = secure_country
    ninewa, baghdad = country["ninewa"], country[BAGHDAD]
    country.join("ninewa")
    certificate: Path = ninewa.home / "links" / BAGHDAD / "certificate.pem"
    kept = certificate.read_bytes()
    certificate.unlink()
    country.start("ninewa", BAGHDAD)
    ninewa.record_some(3)
    wait.until(lambda: ninewa.link_state(BAGHDAD) == "unauthorised", seconds=90)
    link = ninewa.link(BAGHDAD)
    assert link is not None
    assert "certificate.pem cannot be read" in (link.reason or "")
    assert metric(ninewa, EXPIRY, peer=BAGHDAD) is None
    authority.write_new(certificate, kept)
    converged(ninewa, baghdad, at_least=3)


def test_one_enrolment_joins_two_directorates_and_each_hears_the_other(secure_country: SecureCountry) -> None:
    country = secure_country
    country.join(ERBIL)
    country.start(BAGHDAD, ERBIL)
    wait.until(lambda: gets_in(country[ERBIL]) > 0, seconds=90, what="Erbil got through to Baghdad's broker")
    for asking, asked in ((ERBIL, BAGHDAD), (BAGHDAD, ERBIL)):
        country.jisr(asking, "witness", "--wait", "60")
        heard = partial(_has_heard, country[asking], asked)
        wait.until(heard, seconds=60, what=f"{asking} shows when {asked} was heard")


def _has_heard(node: Node, witness: str) -> bool:
    return metric(node, "jisr_witness_last_timestamp_seconds", witness=witness) is not None
