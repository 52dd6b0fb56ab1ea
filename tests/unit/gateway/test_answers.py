"""Every answer: one shape of refusal, headers, bounds, and nothing said that should not be."""

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client import REGISTRY

from contracts.roles import Role
from kernel.database import Database
from kernel.errors import NotFound, Unavailable
from services.gateway.app import create_app
from services.gateway.body import MAX_BODY_BYTES
from services.gateway.state import Gateway

from .conftest import PASSWORD, LoggedIn, StandIn


def refusal(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.data
    assert answer.mimetype == "application/json"
    assert set(answer.json) == {"code", "message", "details"}
    return dict(answer.json)


def test_what_flask_refuses_has_the_shape_of_every_refusal(people: LoggedIn) -> None:
    nobody = people.nobody()
    assert refusal(nobody.get("/nothing"), 404)["code"] == "not_found"
    assert refusal(nobody.get("/login"), 405)["code"] == "method_not_allowed"
    assert nobody.get("/login").headers["Allow"] == "POST"
    assert refusal(people.client.open("//api/v1/me", method="GET"), 404)
    assert refusal(people.client.open("/api/v1/login", method="OPTIONS"), 405)


@pytest.mark.parametrize(
    ("options", "status", "code"),
    [
        ({"data": b"{", "content_type": "application/json"}, 400, "malformed_request"),
        ({"data": b"[1]", "content_type": "application/json"}, 400, "malformed_request"),
        ({"data": b'{"a":' + b"[" * 99, "content_type": "application/json"}, 400, "nested_too_deeply"),
        ({"data": b"login=amal", "content_type": "application/x-www-form-urlencoded"}, 415, "unsupported_media_type"),
        ({"data": b"x" * (MAX_BODY_BYTES + 1), "content_type": "application/json"}, 413, "request_entity_too_large"),
        ({"json": {"login": 5, "password": "x"}}, 422, "bad_input"),
        ({"json": {"login": "a", "password": "x", "colour": "red"}}, 422, "bad_input"),
        ({"json": {"login": "a\u202eb", "password": "x"}}, 422, "bad_input"),
        ({}, 422, "bad_input"),
    ],
)
def test_a_bad_body_is_refused_with_what_is_wrong(
    people: LoggedIn, options: dict[str, Any], status: int, code: str
) -> None:
    assert refusal(people.nobody().post("/login", **options), status)["code"] == code


def test_what_does_not_fit_is_named_wherever_it_was_sent(people: LoggedIn) -> None:
    operator = people("omar", Role.OPERATOR, Role.NODE_ADMIN, Role.UNIT_SUPERVISOR)

    def where(answer: Any) -> set[str]:
        return set(refusal(answer, 422)["details"]["where"])

    assert where(operator.get("/accounts?limit=none&colour=red")) == {"limit", "colour"}
    assert where(operator.get("/accounts?limit=1&limit=2")) == {"limit"}
    assert where(operator.get("/forums/not-a-uuid")) == {"forum_id"}
    assert where(operator.post("/links/directorate-erbil/pause?why=no", {})) == {"why"}
    assert where(operator.post("/accounts", {"login": "x"})) == {"password", "name", "roles"}
    assert (
        "Idempotency-Key"
        in refusal(operator.post("/links/directorate-erbil/pause", {}, headers={"Idempotency-Key": "two words"}), 422)[
            "message"
        ]
    )


def test_the_caller_is_asked_for_before_anything_else(people: LoggedIn) -> None:
    assert refusal(people.nobody().post("/cases", data=b"{"), 401)
    assert refusal(people.nobody().get("/replicas?x=1"), 401)


def test_a_wrong_role_is_refused_and_written_to_the_audit_log(gateway: Gateway, people: LoggedIn) -> None:
    facilitator = people("fadia", Role.FORUM_FACILITATOR)
    assert refusal(facilitator.get("/cases"), 403)["details"]["needs"]
    assert refusal(people("admin", Role.NODE_ADMIN).get("/cases"), 403)
    with gateway.database.read() as session:
        lines = (
            session.connection()
            .exec_driver_sql("SELECT action, outcome FROM audit_entry WHERE outcome = 'refused'")
            .all()
        )
    assert [tuple(line) for line in lines] == [("list_cases", "refused")] * 2


def test_what_is_done_elsewhere_says_where(make_gateway: Callable[..., Gateway], people: LoggedIn) -> None:
    analyst = people("ali", Role.FEDERAL_ANALYST)
    assert refusal(analyst.get("/replicas"), 404)["code"] == "not_at_this_node"
    officer = LoggedIn(make_gateway("directorate-baghdad", "directorate"))("sara", Role.INTAKE_OFFICER)
    answer = refusal(officer.get("/cases"), 404)
    assert answer["details"] == {"where": "governorate", "node": "directorate-baghdad", "kind": "directorate"}


def test_a_defect_says_nothing_of_its_cause(
    gateway: Gateway, people: LoggedIn, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(gateway)

    @app.get("/defect")
    def defect() -> str:
        raise RuntimeError("the secret of Amal Hassan")

    with caplog.at_level(logging.DEBUG):
        answer = app.test_client().get("/defect")
    assert refusal(answer, 500) == {
        "code": "internal_error",
        "details": {},
        "message": "Something went wrong here; the operators can find it in the log by the request id.",
    }
    assert "Amal" not in answer.get_data(as_text=True)
    assert all("Amal" not in str(record.__dict__) for record in caplog.records if record.name.startswith("jisr"))


def test_a_database_that_is_away_is_a_503_with_retry_after(gateway: Gateway, people: LoggedIn) -> None:
    amal = people("amal", Role.INTAKE_OFFICER)

    class Away(Database):
        def __init__(self) -> None:
            """Has no engine."""

        def read(self, *, at_one_moment: bool = False) -> Any:
            raise Unavailable("The database of gateway cannot take this now.")

    object.__setattr__(gateway, "database", Away())
    answer = amal.get("/me")
    assert refusal(answer, 503)
    assert answer.headers["Retry-After"] == "2"


def test_every_answer_tells_the_browser_to_trust_nothing(people: LoggedIn) -> None:
    for answer in (people.nobody().get("/docs"), people.nobody().get("/nothing"), people.client.get("/healthz")):
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Set-Cookie" not in answer.headers
    secure = people.client.get("/healthz", base_url="https://localhost")
    assert "Strict-Transport-Security" in secure.headers


def test_a_request_keeps_the_id_it_came_with_if_it_is_a_plain_one(people: LoggedIn) -> None:
    assert people.client.get("/healthz", headers={"X-Request-Id": "abc-12345"}).headers["X-Request-Id"] == "abc-12345"
    assert people.client.get("/healthz", headers={"X-Request-Id": "a b"}).headers["X-Request-Id"] != "a b"


def test_a_request_is_logged_and_counted_by_route_and_without_anything_personal(
    people: LoggedIn, caplog: pytest.LogCaptureFixture, services: StandIn
) -> None:
    supervisor = people("amal", Role.UNIT_SUPERVISOR)
    case_id = "01940000-0000-7000-8000-000000000000"
    with caplog.at_level(logging.INFO, logger="jisr.gateway"):
        supervisor.post(f"/cases/{case_id}/identity", {"reason": "Amal Hassan asked for help"})
    (line,) = [record.__dict__["values"] for record in caplog.records if record.getMessage() == "gateway.answered"]
    assert line["route"] == "/api/v1/cases/<case_id>/identity"
    assert (line["method"], line["status"]) == ("POST", 200)
    assert supervisor.account is not None
    for personal in (case_id, "Hassan", supervisor.account.id, "amal"):
        assert personal not in json.dumps(line)
    labels = {"route": "/api/v1/cases/<case_id>/identity", "method": "POST", "status": "200"}
    assert REGISTRY.get_sample_value("jisr_http_request_seconds_count", labels) == 1


def test_an_invented_method_or_address_makes_no_new_label(people: LoggedIn) -> None:
    people.client.open("/api/v1/some/invented/address", method="INVENTED")
    labels = {"route": "unknown", "method": "other", "status": "404"}
    assert REGISTRY.get_sample_value("jisr_http_request_seconds_count", labels) == 1


def test_metrics_are_for_the_networks_that_the_settings_name_and_not_for_a_proxy(people: LoggedIn) -> None:
    assert b"jisr_http_request_seconds" in people.client.get("/metrics").data
    assert people.client.get("/metrics", headers={"X-Forwarded-For": "10.0.0.1"}).status_code == 404
    away = people.client.get("/metrics", environ_base={"REMOTE_ADDR": "10.0.0.1"})
    assert refusal(away, 404)


def test_health_says_alive_and_ready_says_which_services_answer(people: LoggedIn) -> None:
    assert people.client.get("/healthz").json == {"alive": True}
    assert people.client.get("/readyz").json == {
        "database": True,
        "disk": True,
        "services": {"case": True, "forum": True, "notify": True, "sync": True},
    }


def test_a_password_never_comes_back(people: LoggedIn) -> None:
    admin = people("admin", Role.NODE_ADMIN)
    made = admin.post("/accounts", {"login": "amal", "password": PASSWORD, "name": "Amal", "roles": ["operator"]})
    assert made.status_code == 201
    for answer in (made, admin.get("/accounts"), admin.get("/me")):
        assert PASSWORD not in answer.get_data(as_text=True)
        assert "argon2" not in answer.get_data(as_text=True)


def test_an_error_outside_http_is_still_an_answer(gateway: Gateway) -> None:
    app = create_app(gateway)

    @app.get("/missing")
    def missing() -> str:
        raise NotFound(subject="x")

    assert refusal(app.test_client().get("/missing"), 404)
