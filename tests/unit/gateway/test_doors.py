"""Asking a service: what is sent, what comes back, and an honest word when there is no answer."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from contracts.roles import Role
from deploy.ports import free_port
from kernel.errors import Internal, JisrError
from kernel.identity import Actor, read_actor
from services.gateway import doors as doors_module
from services.gateway.doors import Doors, ServiceAway, ServiceSilent
from services.gateway.state import Gateway

from .conftest import LoggedIn, StandIn

AMAL = Actor("amal", "Amal", frozenset({Role.INTAKE_OFFICER}), "ninewa", unit="mosul-left", forums=("a", "b"))
CASE = "01940000-0000-7000-8000-000000000000"


def ask(gateway: Gateway, **options: Any) -> bytes:
    return gateway.doors.call("case", "get_case", {"case_id": CASE}, actor=AMAL, **options)


def test_a_service_is_told_the_values_the_actor_and_the_key(gateway: Gateway, services: StandIn) -> None:
    services.answers(200, {"id": CASE})
    assert ask(gateway, idempotency_key="k1", request_id="r1") == b'{"id": "%s"}' % CASE.encode()
    (asked,) = services.asked
    assert (asked.door, asked.values) == ("get_case", {"case_id": CASE})
    assert (asked.headers["Idempotency-Key"], asked.headers["X-Request-Id"]) == ("k1", "r1")
    token = asked.headers["Authorization"].removeprefix("Bearer ")
    assert read_actor(gateway.key.verify_key, token, node="ninewa") == AMAL


def test_path_query_and_body_are_one_set_of_values_to_the_door(people: LoggedIn, services: StandIn) -> None:
    supervisor = people("sara", Role.UNIT_SUPERVISOR)
    supervisor.get("/cases?status=received&limit=5&assigned_to_me=false")
    supervisor.post(f"/cases/{CASE.upper()}/triage", {"risk": "high", "conflict_checked": True, "scope_checked": True})
    listed, triaged = services.asked
    assert listed.values == {"status": "received", "limit": 5, "assigned_to_me": False}
    assert triaged.values == {"case_id": CASE, "risk": "high", "conflict_checked": True, "scope_checked": True}


def test_creating_is_answered_201_and_doing_200(people: LoggedIn, services: StandIn) -> None:
    worker = people("walid", Role.CASE_WORKER)
    assert worker.post(f"/cases/{CASE}/notes", {"text": "spoke to her"}).status_code == 201
    assert worker.post(f"/cases/{CASE}/start", {}).status_code == 200


def test_a_reason_to_read_identity_is_never_part_of_an_address(people: LoggedIn, services: StandIn) -> None:
    supervisor = people("sara", Role.UNIT_SUPERVISOR)
    assert supervisor.get(f"/cases/{CASE}?reason=she+called").status_code == 422
    assert supervisor.post(f"/cases/{CASE}/identity", {"reason": "she called"}).status_code == 200
    (asked,) = services.asked
    assert (asked.door, asked.values) == ("get_case", {"case_id": CASE, "reason": "she called"})


@pytest.mark.parametrize("status", [403, 404, 409, 422])
def test_what_a_service_refuses_is_passed_on_in_its_words(people: LoggedIn, services: StandIn, status: int) -> None:
    refused = {"code": "move_refused", "message": "Not now.", "details": {"possible": ["triaged"]}}
    services.answers(status, refused)
    answer = people("sara", Role.UNIT_SUPERVISOR).get(f"/cases/{CASE}")
    assert (answer.status_code, answer.json) == (status, refused)


def test_a_service_that_cannot_now_is_passed_on_with_its_retry_after(people: LoggedIn, services: StandIn) -> None:
    services.answers(503, {"code": "unavailable", "message": "Locked.", "details": {}}, Retry_After="7")
    answer = people("sara", Role.UNIT_SUPERVISOR).get(f"/cases/{CASE}")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, {"code": "internal_error", "message": "x", "details": {}}),
        (500, "a trace"),
        (404, "no such door"),
        (401, {"code": "not_authenticated", "message": "x", "details": {}}),
        (302, {}),
        (502, ["x"]),
    ],
)
def test_what_only_a_defect_can_cause_says_nothing(gateway: Gateway, services: StandIn, status: int, body: Any) -> None:
    services.answers(status, body)
    with pytest.raises(Internal) as failed:
        ask(gateway)
    assert failed.value.details == {}


def test_a_service_that_is_away_was_not_asked_and_may_be_asked_again(gateway: Gateway, people: LoggedIn) -> None:
    away = Doors({"case": f"http://127.0.0.1:{free_port()}"}, sign=lambda _actor: "token")
    with pytest.raises(ServiceAway) as refused:
        away.call("case", "get_case", {}, actor=AMAL)
    assert refused.value.retry_after > 0
    object.__setattr__(gateway, "doors", away)
    answer = people("sara", Role.UNIT_SUPERVISOR).get(f"/cases/{CASE}")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert away.reachable() == {"case": False}


@contextmanager
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def test_a_service_that_does_not_answer_may_have_done_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doors_module, "ANSWER_SECONDS", 0.2)
    with listening() as server:
        silent = Doors({"case": f"http://127.0.0.1:{server.getsockname()[1]}"}, sign=lambda _actor: "token")
        with pytest.raises(ServiceSilent) as refused:
            silent.call("case", "open_case", {}, actor=AMAL)
    assert "Idempotency-Key" in refused.value.message


def test_a_proxy_in_the_environment_is_not_asked(
    gateway: Gateway, services: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("NO_PROXY", "")
    try:
        ask(gateway)
    except JisrError:
        pytest.fail("the request went to the proxy")
    assert len(services.asked) == 1
