"""Accounts over HTTP: who may, what is answered, and the same answer for the same Idempotency-Key."""

from typing import Any

from sqlmodel import select

from contracts.roles import Role
from kernel.fact import unpack
from kernel.outbox import OutboxRow
from services.gateway.state import Gateway

from .conftest import PASSWORD, LoggedIn

AMAL = {"login": "amal", "password": PASSWORD, "name": "Amal", "roles": ["intake_officer"]}


def facts(gateway: Gateway) -> list[str]:
    with gateway.database.read() as session:
        rows = session.exec(select(OutboxRow)).all()
    return [unpack(row.envelope).type for row in sorted(rows, key=lambda row: row.id or 0)]


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json["code"]


def test_an_administrator_makes_an_account_that_can_log_in(gateway: Gateway, people: LoggedIn) -> None:
    made = people("admin", Role.NODE_ADMIN).post("/accounts", AMAL)
    assert made.status_code == 201
    assert people.nobody().post("/login", {"login": "amal", "password": PASSWORD}).status_code == 200
    assert facts(gateway) == ["account.created.v1"] * 2


def test_the_same_key_and_body_is_answered_the_same_and_done_once(gateway: Gateway, people: LoggedIn) -> None:
    admin = people("admin", Role.NODE_ADMIN)
    answers = [admin.post("/accounts", AMAL, headers={"Idempotency-Key": "k1"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].data == answers[1].data
    assert facts(gateway) == ["account.created.v1"] * 2
    assert code(admin.post("/accounts", AMAL)) == (409, "login_taken")


def test_the_same_key_with_another_body_or_operation_is_refused(people: LoggedIn) -> None:
    admin = people("admin", Role.NODE_ADMIN)
    key = {"Idempotency-Key": "k1"}
    made = admin.post("/accounts", AMAL, headers=key)
    reused = (422, "idempotency_key_reused")
    assert code(admin.post("/accounts", {**AMAL, "password": "another long password"}, headers=key)) == reused
    assert made.json is not None
    assert code(admin.post(f"/accounts/{made.json['id']}/active", {"active": False}, headers=key)) == reused


def test_a_refused_request_does_not_use_up_its_key(people: LoggedIn) -> None:
    admin = people("admin", Role.NODE_ADMIN)
    key = {"Idempotency-Key": "k1"}
    assert admin.post("/accounts", {**AMAL, "login": "admin"}, headers=key).status_code == 409
    assert admin.post("/accounts", AMAL, headers=key).status_code == 201


def test_an_administrator_cannot_grant_themselves(people: LoggedIn) -> None:
    admin = people("admin", Role.NODE_ADMIN)
    assert admin.account is not None
    own = f"/accounts/{admin.account.id}"
    assert code(admin.post(f"{own}/roles", {"roles": ["node_admin", "unit_supervisor"]})) == (403, "own_account")
    assert code(admin.post(f"{own}/active", {"active": False})) == (403, "own_account")


def test_another_administrator_can(gateway: Gateway, people: LoggedIn) -> None:
    admin, other = people("admin", Role.NODE_ADMIN), people("other", Role.NODE_ADMIN)
    assert admin.account is not None
    granted = other.post(f"/accounts/{admin.account.id}/roles", {"roles": ["operator"]})
    assert granted.json is not None
    assert granted.json["roles"] == ["operator"]
    assert admin.get("/accounts").status_code == 403
    assert facts(gateway)[-1] == "account.roles_set.v1"


def test_nobody_else_touches_accounts(people: LoggedIn) -> None:
    for role in (Role.PROVINCIAL_DIRECTOR, Role.OPERATOR, Role.UNIT_SUPERVISOR, Role.INSPECTORATE):
        person = people(role.value, role)
        assert person.get("/accounts").status_code == 403
        assert person.post("/accounts", AMAL).status_code == 403


def test_an_account_that_is_not_there_is_404(people: LoggedIn) -> None:
    admin = people("admin", Role.NODE_ADMIN)
    assert code(admin.get("/accounts/nowhere")) == (404, "account_not_found")
    assert code(admin.post("/accounts/nowhere/roles", {"roles": []})) == (404, "account_not_found")


def test_a_supervisor_sees_who_can_be_given_a_case_and_no_more_of_them(people: LoggedIn) -> None:
    supervisor = people("sara", Role.UNIT_SUPERVISOR)
    people("walid", Role.CASE_WORKER, email="walid@example.org")
    answer = supervisor.get("/officers")
    assert answer.json is not None
    (officer,) = answer.json["items"]
    assert set(officer) == {"id", "name", "roles", "unit", "language"}


def test_lists_are_continued_by_their_cursor_and_refuse_an_invented_one(people: LoggedIn) -> None:
    admin = people("admin", Role.NODE_ADMIN)
    for number in range(3):
        people(f"officer{number}", Role.CASE_WORKER)
    first = admin.get("/accounts?limit=2&role=case_worker").json
    assert first is not None
    rest = admin.get(f"/accounts?limit=2&role=case_worker&after={first['next']}").json
    assert rest is not None
    assert [item["login"] for item in first["items"] + rest["items"]] == ["officer0", "officer1", "officer2"]
    assert rest["next"] is None
    assert admin.get("/accounts?after=%F0%9F%98%80").status_code == 422
