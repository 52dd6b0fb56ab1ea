"""Telling notify who works here: until it has answered, and never an older state over a newer one."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from contracts.notify import GATEWAY, PutContact
from contracts.roles import Role
from kernel.clock import now
from kernel.identity import read_actor
from services.gateway import accounts
from services.gateway.contacts import FIRST_RETRY, LONGEST_RETRY, Contacts
from services.gateway.state import Gateway
from services.gateway.tables import ContactDue
from tests.kit import wait

from .conftest import HASH_KEY, LoggedIn, StandIn

REFUSED = {"code": "unavailable", "message": "Not now.", "details": {}}


@pytest.fixture
def contacts(gateway: Gateway) -> Contacts:
    return Contacts(gateway.database, gateway.doors, node="ninewa")


def due(gateway: Gateway) -> list[ContactDue]:
    with gateway.database.read() as session:
        return list(session.exec(select(ContactDue)).all())


def test_notify_is_told_of_a_new_account_once(
    contacts: Contacts, gateway: Gateway, people: LoggedIn, services: StandIn
) -> None:
    people("amal", Role.CASE_WORKER, email="amal@example.org", unit="mosul-left")
    assert contacts.tell_once(now()) == 1
    assert contacts.tell_once(now()) == 0
    (asked,) = services.asked
    assert asked.door == "put_contact"
    told: dict[str, Any] = PutContact().load(asked.values)
    assert (told["email"], told["roles"], told["version"]) == ("amal@example.org", [Role.CASE_WORKER], 1)
    actor = read_actor(gateway.key.verify_key, asked.headers["Authorization"][7:], node="ninewa")
    assert (actor.id, actor.roles) == (GATEWAY, frozenset({Role.NODE_ADMIN}))
    assert due(gateway) == []


def test_what_notify_did_not_take_is_told_again_later(
    contacts: Contacts, gateway: Gateway, people: LoggedIn, services: StandIn
) -> None:
    people("amal", Role.CASE_WORKER)
    services.answers(503, REFUSED)
    start = now()
    assert contacts.tell_once(start) == 0
    assert contacts.tell_once(start) == 0
    assert len(services.asked) == 1
    assert due(gateway)[0].next_at == start + FIRST_RETRY
    services.answers(200, {})
    assert contacts.tell_once(start + FIRST_RETRY) == 1


def test_waiting_grows_up_to_five_minutes_and_never_ends(
    contacts: Contacts, gateway: Gateway, people: LoggedIn, services: StandIn
) -> None:
    people("amal", Role.CASE_WORKER)
    services.answers(503, REFUSED)
    at = datetime(2027, 1, 1, tzinfo=UTC)
    waits = []
    for _ in range(12):
        contacts.tell_once(at)
        waits.append(due(gateway)[0].next_at - at)
        at = due(gateway)[0].next_at
    assert waits[:3] == [FIRST_RETRY, 2 * FIRST_RETRY, 4 * FIRST_RETRY]
    assert waits[-1] == LONGEST_RETRY
    assert max(waits) == LONGEST_RETRY


def test_a_change_while_notify_was_told_is_told_too(
    contacts: Contacts, gateway: Gateway, people: LoggedIn, services: StandIn
) -> None:
    people("amal", Role.CASE_WORKER)
    call = gateway.doors.call

    def change_meanwhile(*arguments: Any, **options: Any) -> bytes:
        answer = call(*arguments, **options)
        if len(services.asked) == 1:
            accounts.set_user_roles(gateway.database, "amal", ["unit_supervisor"], now=now(), hash_key=HASH_KEY)
        return answer

    contacts.doors.call = change_meanwhile  # type: ignore[method-assign]
    contacts.tell_once(now())
    assert len(due(gateway)) == 1
    contacts.tell_once(now() + timedelta(seconds=1))
    assert [asked.values["version"] for asked in services.asked] == [1, 2]
    assert due(gateway) == []


def test_the_loop_is_woken_by_a_commit(
    contacts: Contacts, gateway: Gateway, people: LoggedIn, services: StandIn
) -> None:
    thread = contacts.start()
    try:
        people("amal", Role.CASE_WORKER)
        wait.until(lambda: due(gateway) == [] and services.asked, seconds=4, what="notify was told")
    finally:
        contacts.stop()
        thread.join(timeout=10)
    assert not thread.is_alive()
