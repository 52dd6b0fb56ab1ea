"""Logging in: what is answered, how guessers are slowed, and how soon a token ends."""

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from sqlmodel import select

from contracts.roles import Role
from kernel.audit import AuditEntry
from kernel.clock import now
from kernel.crypto import SigningKey
from kernel.errors import TooManyRequests
from kernel.identity import sign_token
from services.gateway import accounts, auth
from services.gateway.passwords import Passwords
from services.gateway.state import Gateway

from .conftest import HASH_KEY, PASSWORD, LoggedIn

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_a_login_and_its_password_are_answered_with_a_token_for_a_shift(people: LoggedIn) -> None:
    people("amal", Role.INTAKE_OFFICER)
    answer = people.nobody().post("/login", {"login": "Amal", "password": PASSWORD})
    assert answer.status_code == 200
    assert answer.json is not None
    lasts = datetime.fromisoformat(answer.json["expires_at"]) - now()
    assert timedelta(hours=7, minutes=59) < lasts <= timedelta(hours=8)
    me = people.nobody().get("/me", headers={"Authorization": f"Bearer {answer.json['token']}"})
    assert me.json is not None
    assert (me.json["login"], me.json["roles"]) == ("amal", ["intake_officer"])


@pytest.mark.parametrize("body", [{"login": "amal", "password": "wrong"}, {"login": "nobody", "password": PASSWORD}])
def test_which_of_the_two_is_wrong_is_not_said(people: LoggedIn, body: dict[str, Any]) -> None:
    people("amal", Role.INTAKE_OFFICER)
    answer = people.nobody().post("/login", body)
    assert answer.status_code == 401
    assert answer.json == {
        "code": "wrong_login",
        "details": {},
        "message": "This login and this password do not belong together.",
    }
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="jisr"'


def test_an_unknown_login_costs_as_many_hashes_as_a_known_one(gateway: Gateway, people: LoggedIn) -> None:
    people("amal", Role.INTAKE_OFFICER)
    checked: list[bool] = []

    class Counting(Passwords):
        def fits(self, hashed: str | None, password: str) -> bool:
            checked.append(hashed is None)
            return super().fits(hashed, password)

    gateway.logins.passwords = Counting(gateway.passwords._hasher)
    for login in ("amal", "nobody"):
        with pytest.raises(auth.WrongLogin):
            gateway.logins.log_in(login, "wrong", address="10.0.0.1", now=NOON)
    assert checked == [False, True]
    with gateway.database.read() as session:
        lines = session.exec(select(AuditEntry).where(AuditEntry.action == "log_in")).all()
    assert [line.outcome for line in lines] == ["refused", "refused"]


def test_nobody_has_no_password_that_fits(gateway: Gateway) -> None:
    assert not gateway.passwords.fits(None, "the password of nobody")
    assert not gateway.passwords.fits("not a hash", PASSWORD)


def test_a_disabled_account_is_answered_like_a_wrong_password_and_its_tokens_end_at_once(
    gateway: Gateway, people: LoggedIn
) -> None:
    amal = people("amal", Role.INTAKE_OFFICER)
    assert amal.get("/me").status_code == 200
    accounts.disable_user(gateway.database, "amal", now=now(), hash_key=HASH_KEY)
    assert amal.get("/me").status_code == 401
    answer = people.nobody().post("/login", {"login": "amal", "password": PASSWORD})
    assert answer.json is not None
    assert (answer.status_code, answer.json["code"]) == (401, "wrong_login")


def test_a_token_given_before_an_account_was_disabled_stays_refused_when_it_is_enabled(
    gateway: Gateway, people: LoggedIn
) -> None:
    amal = people("amal", Role.INTAKE_OFFICER)
    assert amal.account is not None
    for active in (False, True):
        with gateway.database.write() as session:
            accounts.set_active(session, amal.account.id, active, by=None, now=now(), hash_key=HASH_KEY)
    assert amal.get("/me").status_code == 401


def test_a_role_that_was_taken_counts_no_more_from_that_moment(gateway: Gateway, people: LoggedIn) -> None:
    admin = people("admin", Role.NODE_ADMIN)
    assert admin.get("/accounts").status_code == 200
    accounts.set_user_roles(gateway.database, "admin", ["operator"], now=now(), hash_key=HASH_KEY)
    assert admin.get("/accounts").status_code == 403


def token(key: SigningKey, **claims: Any) -> str:
    given = {"sub": "somebody", "round": 1, **claims}
    return sign_token(key, given, audience=claims.pop("audience", "api"), now=now(), seconds=60)


def test_a_token_that_is_not_ours_is_refused(gateway: Gateway, people: LoggedIn) -> None:
    amal = people("amal", Role.INTAKE_OFFICER)
    assert amal.account is not None
    subject = {"sub": amal.account.id}
    forged = {
        "another node's key": token(SigningKey.new(), **subject),
        "another audience": token(gateway.key, audience="services", **subject),
        "another round": token(gateway.key, round=7, **subject),
        "no such account": token(gateway.key),
        "no signature": jwt.encode({**subject, "round": 1, "aud": "api"}, key="", algorithm="none"),
        "no token at all": "xyz",
    }
    for why, refused in forged.items():
        answer = people.nobody().get("/me", headers={"Authorization": f"Bearer {refused}"})
        assert answer.status_code == 401, why
    for header in ({}, {"Authorization": "Basic YTpi"}, {"Authorization": "Bearer "}):
        assert people.nobody().get("/me", headers=header).status_code == 401


def test_an_expired_token_is_refused_and_says_so(gateway: Gateway, people: LoggedIn) -> None:
    amal = people("amal", Role.INTAKE_OFFICER)
    assert amal.account is not None
    old = auth.give_token(gateway.key, amal.account, now=now() - timedelta(hours=9))["token"]
    answer = people.nobody().get("/me", headers={"Authorization": f"Bearer {old}"})
    assert answer.status_code == 401
    assert answer.json is not None
    assert "expired" in answer.json["message"]


def guess(gateway: Gateway, login: str, address: str, times: int, at: datetime = NOON) -> None:
    for _ in range(times):
        with pytest.raises(auth.WrongLogin):
            gateway.logins.log_in(login, "wrong", address=address, now=at)


def test_who_mistypes_too_often_has_to_wait_even_with_the_right_password(gateway: Gateway, people: LoggedIn) -> None:
    people("amal", Role.INTAKE_OFFICER)
    guess(gateway, "amal", "10.0.0.1", auth.TRIES_TOGETHER)
    with pytest.raises(TooManyRequests) as refused:
        gateway.logins.log_in("amal", PASSWORD, address="10.0.0.1", now=NOON)
    assert refused.value.retry_after == 30
    assert gateway.logins.log_in("amal", PASSWORD, address="10.0.0.1", now=NOON + timedelta(seconds=30))["token"]


def test_a_guesser_elsewhere_does_not_lock_an_officer_out_at_once(gateway: Gateway, people: LoggedIn) -> None:
    people("amal", Role.INTAKE_OFFICER)
    guess(gateway, "amal", "10.9.9.9", auth.TRIES_TOGETHER)
    assert gateway.logins.log_in("amal", PASSWORD, address="10.0.0.1", now=NOON)["token"]


def test_a_guesser_with_many_addresses_is_slowed_for_that_login(gateway: Gateway, people: LoggedIn) -> None:
    people("amal", Role.INTAKE_OFFICER)
    for number in range(auth.TRIES_LOGIN):
        guess(gateway, "amal", f"10.0.1.{number}", 1)
    with pytest.raises(TooManyRequests):
        gateway.logins.log_in("amal", PASSWORD, address="10.0.0.1", now=NOON)


def test_a_guesser_of_many_logins_is_slowed_for_that_address(gateway: Gateway) -> None:
    for number in range(auth.TRIES_ADDRESS):
        guess(gateway, f"login{number}", "10.9.9.9", 1)
    with pytest.raises(TooManyRequests):
        gateway.logins.log_in("amal", PASSWORD, address="10.9.9.9", now=NOON)


def test_too_many_attempts_are_answered_429_with_retry_after(people: LoggedIn) -> None:
    nobody = people.nobody()
    statuses = [nobody.post("/login", {"login": "amal", "password": "wrong"}).status_code for _ in range(6)]
    assert statuses == [401] * 5 + [429]
    assert int(nobody.post("/login", {"login": "amal", "password": "wrong"}).headers["Retry-After"]) > 0


def test_one_changes_ones_own_password_and_logs_in_anew(people: LoggedIn) -> None:
    amal = people("amal", Role.INTAKE_OFFICER)
    wrong = amal.post("/me/password", {"current": "wrong", "password": "another long password"})
    assert wrong.json is not None
    assert (wrong.status_code, wrong.json["code"]) == (403, "wrong_password")
    assert amal.post("/me/password", {"current": PASSWORD, "password": "another long password"}).status_code == 200
    assert amal.get("/me").status_code == 401
    answer = people.nobody().post("/login", {"login": "amal", "password": "another long password"})
    assert answer.status_code == 200
