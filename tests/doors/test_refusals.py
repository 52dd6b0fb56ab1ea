"""Bad input, at the API and at the doors behind it: refused in one shape, saying what and where, changing nothing."""

import json
import socket
from datetime import timedelta
from http.client import HTTPResponse
from typing import Any

import pytest
import requests

from contracts.roles import Role
from kernel.clock import now
from kernel.crypto import SigningKey
from kernel.identity import Actor, sign_actor

from .api import OPENING, TRIAGED, UNKNOWN, Person, Town, refused

UNIT = "refusals"
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def supervisor(ninewa: Town) -> Person:
    return ninewa.person("refusing-supervisor", Role.UNIT_SUPERVISOR, unit=UNIT)


@pytest.fixture(scope="module")
def case(supervisor: Person) -> dict[str, Any]:
    return supervisor.make("/cases", OPENING)


def send(person: Person, path: str, raw: bytes, content_type: str = "application/json") -> requests.Response:
    headers = {"Authorization": f"Bearer {person.token}", "Content-Type": content_type}
    return requests.post(f"{person.url}{path}", data=raw, headers=headers, timeout=30)


def where(answer: requests.Response) -> dict[str, Any]:
    named: dict[str, Any] = refused(answer, 422)["details"]["where"]
    return named


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b'{"answers":', 400),
        (b"[]", 400),
        (b"\xff", 400),
        (b'{"category": NaN}', 400),
        (b'{"category": ' + b"[" * 50_000, 400),
        (b'{"narrative": "' + b"x" * MIB + b'"}', 413),
        (b'{"narrative": "' + b"x" * (2 * MIB) + b'"}', 413),
    ],
    ids=["broken", "no object", "no text", "no number", "too deep", "too large", "far too large"],
)
def test_malformed_or_oversized_json_is_refused(supervisor: Person, raw: bytes, status: int) -> None:
    refused(send(supervisor, "/cases", raw), status)


def test_a_body_that_is_not_json_is_refused(supervisor: Person) -> None:
    refused(send(supervisor, "/cases", b"category=drugs", "application/x-www-form-urlencoded"), 415)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("category", 5),
        ("category", "arrest"),
        ("answers", "no"),
        ("district", "atlantis"),
        ("parties", {}),
        ("reported_at", "2026-01-01T00:00:00"),
        ("reported_at", "yesterday"),
        ("incident_from", "2026-02-30"),
        ("narrative", "x\u202ey"),
        ("narrative", "x\x00y"),
        ("ethnicity", "none of your business"),
        ("interpreter", 7),
    ],
)
def test_wrong_types_unknown_values_and_unknown_fields_are_named(supervisor: Person, field: str, value: Any) -> None:
    assert set(where(supervisor.post("/cases", OPENING | {field: value}))) == {field}


def test_what_is_wrong_inside_is_named_by_its_path(supervisor: Person) -> None:
    parties = [{"role": "reporter"}, {"role": "reporter", "tribe": "x", "age": -1}]
    named = where(supervisor.post("/cases", OPENING | {"parties": parties}))
    assert set(named["parties"]["1"]) == {"tribe", "age"}


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GARBAGE\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 20_000 + b"\r\n\r\n", 431),
        (b"POST /api/v1/login HTTP/1.1\r\nTransfer-Encoding: strange\r\n\r\n", 501),
    ],
    ids=["no request line", "endless headers", "unknown encoding"],
)
def test_what_is_not_http_is_refused_in_the_same_shape(ninewa: Town, request_bytes: bytes, status: int) -> None:
    with socket.create_connection(("127.0.0.1", ninewa.node.ports["gateway"]), timeout=10) as line:
        line.sendall(request_bytes)
        answer = HTTPResponse(line)
        answer.begin()
        assert answer.status == status
        assert set(json.loads(answer.read())) == {"code", "message", "details"}
        assert answer.headers["Content-Security-Policy"]
        assert answer.headers["Server"] is None


def test_nothing_that_was_refused_is_kept(ninewa: Town) -> None:
    alone = ninewa.person("alone", Role.UNIT_SUPERVISOR, unit="nobody-else")
    refused(alone.post("/cases", OPENING | {"category": "arrest"}), 422)
    assert alone.read("/cases")["items"] == []


@pytest.mark.parametrize("path", [f"/cases/{UNKNOWN}", f"/cases/{UNKNOWN}/referrals", f"/cases/{UNKNOWN}/notes"])
def test_an_unknown_id_is_404(supervisor: Person, path: str) -> None:
    refused(supervisor.get(path), 404)


def test_a_case_of_another_unit_is_404_as_if_it_were_not_there(ninewa: Town, case: dict[str, Any]) -> None:
    stranger = ninewa.person("stranger", Role.UNIT_SUPERVISOR, unit="elsewhere")
    assert (
        refused(stranger.get(f"/cases/{case['id']}"), 404)["code"]
        == refused(stranger.get(f"/cases/{UNKNOWN}"), 404)["code"]
    )


def test_an_id_that_is_none_is_422(supervisor: Person) -> None:
    assert set(where(supervisor.get("/cases/not-an-id"))) == {"case_id"}


def test_a_forbidden_move_says_what_is_possible(supervisor: Person, ninewa: Town) -> None:
    case = supervisor.make("/cases", OPENING)
    answer = refused(supervisor.post(f"/cases/{case['id']}/close", {"informed": "yes", "text": "x"}), 409)
    assert answer["code"] == "move_refused"
    assert answer["details"]["possible"]
    assert supervisor.read(f"/cases/{case['id']}")["status"] == "received"


def test_who_saw_an_older_version_is_told_both(supervisor: Person) -> None:
    case = supervisor.make("/cases", OPENING)
    supervisor.do(f"/cases/{case['id']}/triage", TRIAGED | {"version": case["version"]})
    answer = refused(supervisor.post(f"/cases/{case['id']}/triage", TRIAGED | {"version": case["version"]}), 409)
    assert answer["code"] in ("stale_version", "move_refused")


@pytest.mark.parametrize("role", [Role.FORUM_FACILITATOR, Role.NODE_ADMIN, Role.OPERATOR, Role.REFERRAL_PARTNER])
def test_a_wrong_role_is_403(ninewa: Town, case: dict[str, Any], role: Role) -> None:
    wrong = ninewa.person(f"wrong-{role.value.replace('_', '-')}", role)
    refused(wrong.get("/cases"), 403)
    refused(wrong.get(f"/cases/{case['id']}"), 403)
    refused(wrong.post("/cases", OPENING), 403)


def test_no_token_is_401(ninewa: Town) -> None:
    answer = ninewa.nobody().get("/cases")
    refused(answer, 401)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_directorate_has_no_cases_and_a_governorate_no_replicas(ninewa: Town, baghdad: Town) -> None:
    officer = baghdad.person("misplaced-officer", Role.INTAKE_OFFICER)
    assert refused(officer.post("/cases", OPENING), 404)["code"] == "not_at_this_node"
    analyst = ninewa.person("misplaced-analyst", Role.FEDERAL_ANALYST)
    assert refused(analyst.get("/replicas"), 404)["code"] == "not_at_this_node"


# The same key


def test_who_lost_an_answer_asks_again_and_gets_it(supervisor: Person) -> None:
    first = supervisor.post("/cases", OPENING, Idempotency_Key="lost-1")
    again = supervisor.post("/cases", OPENING, Idempotency_Key="lost-1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert supervisor.post("/cases", OPENING, Idempotency_Key="lost-2").json()["id"] != first.json()["id"]


def test_a_key_used_with_another_body_is_refused(supervisor: Person) -> None:
    supervisor.post("/cases", OPENING, Idempotency_Key="other-1")
    answer = supervisor.post("/cases", OPENING | {"category": "drugs"}, Idempotency_Key="other-1")
    assert refused(answer, 422)["code"] == "idempotency_key_reused"


def test_a_move_asked_for_twice_is_made_once(supervisor: Person) -> None:
    case = supervisor.make("/cases", OPENING)
    answers = [supervisor.post(f"/cases/{case['id']}/triage", TRIAGED, Idempotency_Key="move-1") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].content == answers[1].content


def test_another_persons_key_is_another_key(supervisor: Person, ninewa: Town) -> None:
    colleague = ninewa.person("colleague", Role.UNIT_SUPERVISOR, unit=UNIT)
    mine = supervisor.post("/cases", OPENING, Idempotency_Key="shared-1").json()
    theirs = colleague.post("/cases", OPENING, Idempotency_Key="shared-1").json()
    assert mine["id"] != theirs["id"]


# The doors behind: a service trusts nobody but its own gateway, and checks again


def ask_door(town: Town, service: str, door: str, values: Any, token: str | None) -> requests.Response:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    url = f"{town.node.url(service)}/doors/{door}"
    return requests.post(url, data=json.dumps(values), headers=headers, timeout=30)


def actor(*roles: Role, node: str = "ninewa") -> Actor:
    return Actor("somebody", "Somebody", frozenset(roles), node, unit=UNIT)


def test_a_service_checks_the_role_again(ninewa: Town) -> None:
    key = SigningKey.load(ninewa.node.settings.keys_directory / "gateway.key")
    wrong = sign_actor(key, actor(Role.FORUM_FACILITATOR), now=now())
    refused(ask_door(ninewa, "case", "open_case", OPENING, wrong), 403)
    right = sign_actor(key, actor(Role.INTAKE_OFFICER), now=now())
    assert ask_door(ninewa, "case", "open_case", OPENING, right).status_code == 200


def test_a_service_believes_only_its_own_gateway(ninewa: Town) -> None:
    key = SigningKey.load(ninewa.node.settings.keys_directory / "gateway.key")
    officer = actor(Role.INTAKE_OFFICER)
    tokens = {
        "nobody's": None,
        "another gateway's": sign_actor(SigningKey.new(), officer, now=now()),
        "another node's": sign_actor(key, actor(Role.INTAKE_OFFICER, node="anbar"), now=now()),
        "an old": sign_actor(key, officer, now=now() - timedelta(minutes=5)),
        "a person's": ninewa.person("curious", Role.INTAKE_OFFICER).token,
    }
    for whose, token in tokens.items():
        assert ask_door(ninewa, "case", "open_case", OPENING, token).status_code == 401, whose


def test_a_service_checks_the_shape_again(ninewa: Town) -> None:
    key = SigningKey.load(ninewa.node.settings.keys_directory / "gateway.key")
    token = sign_actor(key, actor(Role.INTAKE_OFFICER), now=now())
    refused(ask_door(ninewa, "case", "open_case", OPENING | {"colour": "red"}, token), 422)
    refused(ask_door(ninewa, "case", "open_case", [], token), 400)
