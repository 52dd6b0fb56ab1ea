"""The running service: a real process, real HTTP, a real broker, a real mail server."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlmodel import select

from contracts.notify import GATEWAY
from contracts.roles import Role
from deploy.rabbitmq import PrivateRabbitMQ
from kernel import broker
from kernel.broker import ARRIVALS, FACTS
from kernel.clock import now
from kernel.database import Database
from kernel.fact import canonical, pack
from kernel.outbox import Slice
from services.notify import outgoing
from services.notify.model import LEASE
from services.notify.tables import DeliveryRow
from services.sync.tables import JournalState
from tests.kit import wait
from tests.kit.nodes import Country
from tests.kit.rabbitmq import Vhost, new_vhost
from tests.services.notify.facts import DIRECTORATE, RETRIES, account, directive_fact
from tests.services.notify.mail_host import MailHost, mail_host, said
from tests.services.notify.office import Office

OFFICER = ("officer", Role.COMMUNITY_OFFICER)


@pytest.fixture
def host() -> Iterator[MailHost]:
    with mail_host() as running:
        yield running


def smtp(host: MailHost) -> dict[str, Any]:
    return {"host": "127.0.0.1", "port": host.port, "sender": "jisr@ninewa.test", "timeout_seconds": 2}


def publish(vhost: Vhost, exchange: str, key: str, body: bytes) -> None:
    with vhost.channel() as channel:
        channel.basic_publish(exchange, key, body)


def consumed(vhost: Vhost, *queues: str) -> bool:
    """Whether somebody consumes each of the queues; each was bound before that."""
    if not set(queues) <= set(vhost.queue_lengths()):
        return False
    with vhost.channel() as channel:
        return all(channel.queue_declare(queue, passive=True).method.consumer_count for queue in queues)


def arrival(fact: Any) -> bytes:
    return msgspec.json.encode(Slice(DIRECTORATE, "arrivals", 1, [msgspec.Raw(pack(fact))]))


def test_a_fact_becomes_a_notification_and_an_e_mail(country: Country, host: MailHost) -> None:
    node = country.add("ninewa", smtp=smtp(host))
    node.migrate()
    node.start("notify", "case")
    office = Office(node)
    office.know("officer", Role.COMMUNITY_OFFICER)
    office.record(office.assigned("officer"))
    (told,) = wait.until(lambda: office.inbox(*OFFICER), seconds=60, what="the officer is notified")
    assert (told["rule"], told["reference"], told["title"]) == (
        "case_assigned",
        "NI-2026-000123-L",
        "A case was assigned to you",
    )
    (message,) = wait.until(lambda: host.messages, seconds=60, what="the e-mail went out")
    assert "NI-2026-000123-L" in said(message)
    assert office.metric('jisr_notifications_total{channel="inbox",result="made"}') == 1
    sent = 'jisr_notifications_total{channel="mail",result="sent"}'
    wait.until(lambda: office.metric(sent) == 1, what="the e-mail is counted")
    read = office.call("read_notification", *OFFICER, notification_id=told["id"])
    assert read["read_at"] is not None
    assert office.call("list_notifications", *OFFICER)["unread"] == 0


def test_what_is_no_fact_goes_to_the_dead_letters_and_the_next_fact_is_handled(country: Country) -> None:
    node = country.add("ninewa")
    node.migrate()
    node.start("notify", "case")
    office = Office(node)
    office.know("officer", Role.COMMUNITY_OFFICER)
    office.know("director", Role.PROVINCIAL_DIRECTOR)
    vhost = node.vhost
    wait.until(lambda: consumed(vhost, "notify.facts", "notify.arrivals"), seconds=60, what="both queues are consumed")
    publish(vhost, FACTS, "case", b"\x00 this is not a fact")
    broken = replace(directive_fact(), operational=canonical({"title": "no table"}))
    publish(vhost, ARRIVALS, broken.type, arrival(broken))
    publish(vhost, ARRIVALS, "directive.issued.v1", arrival(directive_fact()))
    office.record(office.assigned("officer"))
    wait.until(lambda: office.inbox(*OFFICER), seconds=60, what="the fact after the garbage is handled")
    director = ("director", Role.PROVINCIAL_DIRECTOR)
    wait.until(lambda: office.inbox(*director), seconds=60, what="the directive after the broken one is told")
    letters = {
        letter["cause"]
        for queue in ("notify.facts", "notify.arrivals")
        for letter in broker.dead_letters(vhost.url, queue)
    }
    assert letters == {"not_a_slice", "bad_input"}
    (directive,) = office.call("list_directives", *director)["items"]
    assert directive["origin"] == DIRECTORATE
    given = office.call("acknowledge_directive", *director, directive_id=directive["id"], role="provincial_director")
    assert [each["node"] for each in given["acknowledgements"]] == ["ninewa"]


def test_doors_refuse_what_is_not_theirs(country: Country) -> None:
    node = country.add("ninewa")
    node.migrate()
    node.start("notify")
    office = Office(node)
    by_admin = office.ask("put_contact", "an-administrator", Role.NODE_ADMIN, **account("x"))
    assert (by_admin.status_code, by_admin.json()["code"]) == (403, "forbidden")
    assert office.ask("list_notifications", "partner", Role.REFERRAL_PARTNER).status_code == 403
    assert office.ask("list_deliveries", "officer", Role.COMMUNITY_OFFICER).status_code == 403
    assert office.ask("put_contact", GATEWAY, Role.NODE_ADMIN, **account("x", email="nobody")).status_code == 422
    wording = {"title": {"en": "t"}, "text": {"en": "x"}}
    here = office.ask("issue_directive", "author", Role.DIRECTIVE_AUTHOR, **wording)
    assert (here.status_code, here.json()["code"]) == (409, "not_a_directorate")
    missing = office.ask("read_notification", *OFFICER, notification_id="01a1f875-04ad-7012-85fa-af83b964aac8")
    assert (missing.status_code, missing.json()["code"]) == (404, "notification_not_found")


def test_an_e_mail_whose_sender_was_killed_before_it_wrote_that_down_goes_out_again(
    country: Country, host: MailHost
) -> None:
    node = country.add("ninewa", smtp=smtp(host))
    node.migrate()
    node.start("notify", "case", environment={"JISR_CRASH_AT": "after_mail"})
    office = Office(node)
    office.know("officer", Role.COMMUNITY_OFFICER)
    office.record(office.assigned("officer"))
    node.wait_ended("notify", seconds=60)
    assert len(host.messages) == 1
    database = Database(node.settings.database_url_of("notify"), service="notify")
    try:
        with database.read() as session:
            assert session.exec(select(DeliveryRow)).one().state == "sending"
        server = outgoing.mail_server(node.settings)
        assert server is not None
        assert outgoing.send_due(database, server, retries=RETRIES) == 0, "its lease runs"
        assert outgoing.send_due(database, server, retries=RETRIES, now=lambda: now() + LEASE) == 1
    finally:
        database.close()
    first, second = host.messages
    assert first["Message-ID"] == second["Message-ID"]


def journaled(node_home: Path, count: int) -> Callable[[], bool]:
    def look() -> bool:
        database = Database(f"sqlite:///{node_home / 'sync.db'}", service="sync")
        try:
            with database.read() as session:
                state = session.get(JournalState, 1)
                return state is not None and state.number >= count
        finally:
            database.close()

    return look


def test_a_fact_that_died_with_the_broker_and_its_data_is_caught_up(
    tmp_path: Path, own_rabbitmq: PrivateRabbitMQ
) -> None:
    country = Country(tmp_path, lambda: new_vhost(own_rabbitmq))
    try:
        node = country.add("ninewa", links=[country.add(f"directorate-{city}") for city in ("baghdad", "erbil")])
        node.migrate()
        node.start("notify", "case", "sync", "engine")
        office = Office(node)
        office.know("officer", Role.COMMUNITY_OFFICER)
        wait.until(lambda: "notify.facts" in node.vhost.queue_lengths(), seconds=60, what="the queue is there")
        node.stop("notify")
        office.record(office.assigned("officer"))
        wait.until(journaled(node.home, 1), seconds=60, what="the fact is in the journal")
        wait.until(lambda: office.unpublished() == 0, seconds=60, what="the relay will not publish it again")
        own_rabbitmq.kill()
        own_rabbitmq.delete_data()
        own_rabbitmq.start()
        node.start("notify")
        told = wait.until(lambda: office.inbox(*OFFICER), seconds=120, what="the fact was caught up")
        assert [each["rule"] for each in told] == ["case_assigned"]
        caught_up = 'jisr_handled_facts_total{queue="notify.catch_up",result="handled"}'
        wait.until(lambda: office.metric(caught_up) == 1, what="it was handled by catching up, not by the broker")
    finally:
        country.kill()
