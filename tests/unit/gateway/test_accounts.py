"""Accounts: facts, audit, news for notify, and who may change whose."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlmodel import select

from contracts.roles import Role
from kernel.audit import AuditEntry, verify_audit
from kernel.crypto import hashed_id
from kernel.database import Database
from kernel.errors import BadInput
from kernel.fact import Fact, unpack
from kernel.identity import Actor
from kernel.outbox import OutboxRow
from services.gateway import accounts
from services.gateway.tables import Account, ContactDue

from .conftest import CHEAP

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HASH_KEY = b"k" * 32
AMAL = {
    "login": "amal",
    "password": "a long enough password",
    "name": "Amal Hassan",
    "roles": ["intake_officer"],
    "email": "amal@example.org",
    "unit": "mosul-left",
}


@pytest.fixture
def database(make_database: Callable[[str], Database]) -> Database:
    return make_database("gateway")


def add(database: Database, **values: Any) -> dict[str, Any]:
    return accounts.add_user(database, {**AMAL, **values}, now=NOON, hash_key=HASH_KEY, passwords=CHEAP)


def facts(database: Database) -> list[Fact]:
    with database.read() as session:
        rows = session.exec(select(OutboxRow)).all()
    return [unpack(row.envelope) for row in sorted(rows, key=lambda row: row.id or 0)]


def admin(account_id: str = "another") -> Actor:
    return Actor(account_id, "Admin", frozenset({Role.NODE_ADMIN}), "ninewa")


def test_an_account_is_kept_without_its_password(database: Database) -> None:
    made = add(database)
    assert "password" not in made
    with database.read() as session:
        kept = session.get(Account, made["id"])
    assert kept is not None
    assert kept.password.startswith("$argon2id$")


def test_a_login_is_kept_in_small_letters_and_taken_once(database: Database) -> None:
    assert add(database, login="AMAL")["login"] == "amal"
    with pytest.raises(accounts.LoginTaken):
        add(database)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("password", "short"),
        ("login", "two words"),
        ("roles", ["emperor"]),
        ("roles", ["operator", "operator"]),
        ("language", "fr"),
        ("email", "nowhere"),
        ("unit", 5),
        ("colour", "red"),
    ],
)
def test_what_does_not_fit_is_refused_and_named(database: Database, field: str, value: Any) -> None:
    with pytest.raises(BadInput) as refused:
        add(database, **{field: value})
    assert field in refused.value.details["where"]


def test_a_new_account_is_a_fact_that_says_nothing_personal(database: Database) -> None:
    made = add(database)
    (fact,) = facts(database)
    assert fact.type == "account.created.v1"
    assert fact.subject == hashed_id(HASH_KEY, made["id"])
    assert fact.operational_values()["roles"] == ["intake_officer"]
    everything = fact.head + fact.statistical + fact.operational
    for personal in ("amal", "Amal Hassan", "amal@example.org", made["id"]):
        assert personal.encode() not in everything


def test_each_change_is_a_fact_of_the_next_version(database: Database) -> None:
    made = add(database)
    accounts.set_user_roles(database, "amal", ["unit_supervisor", "case_worker"], now=NOON, hash_key=HASH_KEY)
    accounts.disable_user(database, "AMAL", now=NOON, hash_key=HASH_KEY)
    assert [(fact.type, fact.version) for fact in facts(database)] == [
        ("account.created.v1", 1),
        ("account.roles_set.v1", 2),
        ("account.disabled.v1", 3),
    ]
    assert accounts.list_users(database)[0] | {"version": 0} == made | {
        "roles": ["case_worker", "unit_supervisor"],
        "active": False,
        "version": 0,
    }


def test_an_account_can_be_posted_elsewhere(database: Database) -> None:
    add(database)
    posted = accounts.set_user_posting(database, "amal", unit="tal-afar", forums=["f1"], now=NOON, hash_key=HASH_KEY)
    assert (posted["unit"], posted["forums"], posted["version"]) == ("tal-afar", ["f1"], 2)
    assert facts(database)[-1].type == "account.posted.v1"


def test_what_is_already_so_is_no_fact(database: Database) -> None:
    add(database)
    accounts.set_user_roles(database, "amal", ["intake_officer"], now=NOON, hash_key=HASH_KEY)
    accounts.disable_user(database, "amal", now=NOON, hash_key=HASH_KEY)
    accounts.disable_user(database, "amal", now=NOON, hash_key=HASH_KEY)
    assert len(facts(database)) == 2


def test_each_change_waits_for_notify_to_be_told(database: Database) -> None:
    made = add(database)
    with database.read() as session:
        due = session.exec(select(ContactDue)).one()
    assert (due.account_id, due.next_at) == (made["id"], NOON)


def test_each_change_is_in_the_audit_log_with_who_did_it(database: Database) -> None:
    made = add(database)
    with database.write() as session:
        accounts.set_active(session, made["id"], False, by=admin(), now=NOON, hash_key=HASH_KEY)
    with database.read() as session:
        lines = [(line.actor_id, line.action, line.subject) for line in session.exec(select(AuditEntry)).all()]
        assert verify_audit(session) is None
    assert lines == [(None, "account.created", made["id"]), ("another", "account.disabled", made["id"])]


def test_nobody_changes_their_own_roles_or_standing(database: Database) -> None:
    made = add(database, roles=["node_admin"])
    for change in (
        lambda session: accounts.set_roles(
            session, made["id"], ["node_admin", "operator"], by=admin(made["id"]), now=NOON, hash_key=HASH_KEY
        ),
        lambda session: accounts.set_posting(
            session, made["id"], None, ["f1"], by=admin(made["id"]), now=NOON, hash_key=HASH_KEY
        ),
        lambda session: accounts.set_active(
            session, made["id"], False, by=admin(made["id"]), now=NOON, hash_key=HASH_KEY
        ),
    ):
        with pytest.raises(accounts.OwnAccount), database.write() as session:
            change(session)
    assert accounts.list_users(database)[0]["roles"] == ["node_admin"]


def test_an_account_that_is_not_there_is_said_to_be_missing(database: Database) -> None:
    with pytest.raises(accounts.AccountNotFound):
        accounts.disable_user(database, "nobody", now=NOON, hash_key=HASH_KEY)


def test_accounts_are_listed_by_page_role_and_standing(database: Database) -> None:
    for number in range(5):
        add(database, login=f"officer{number}", roles=["case_worker"])
    add(database)
    accounts.disable_user(database, "officer0", now=NOON, hash_key=HASH_KEY)

    def listed(**values: Any) -> list[str]:
        query = {"limit": 2, "after": None, "active": None, "role": None, **values}
        seen: list[str] = []
        while True:
            with database.read() as session:
                found = accounts.listed(session, query)
            seen += [account.login for account in found.items]
            if found.next is None:
                return seen
            query["after"] = found.next

    assert listed() == ["officer0", "officer1", "officer2", "officer3", "officer4", "amal"]
    assert listed(active=True, role="case_worker") == ["officer1", "officer2", "officer3", "officer4"]


def test_officers_are_those_who_can_be_given_a_case(database: Database) -> None:
    add(database, login="worker", roles=["case_worker"], unit="mosul-left")
    add(database, login="elsewhere", roles=["community_officer"], unit="tal-afar")
    add(database, login="supervisor", roles=["unit_supervisor"])
    query = {"limit": 50, "after": None, "unit": "mosul-left"}
    with database.read() as session:
        assert [account.login for account in accounts.officers(session, query).items] == ["worker"]


def test_a_new_password_ends_every_token_given_before(database: Database) -> None:
    made = add(database)
    with database.write() as session:
        before = accounts.one(session, made["id"]).tokens
        assert accounts.set_password(session, made["id"], "hash", by=None, now=NOON).tokens == before + 1


def test_a_change_that_fails_leaves_no_fact(database: Database) -> None:
    made = add(database)

    def change_and_fail() -> None:
        with database.write() as session:
            accounts.set_roles(session, made["id"], ["operator"], by=None, now=NOON, hash_key=HASH_KEY)
            raise BadInput

    with pytest.raises(BadInput):
        change_and_fail()
    assert len(facts(database)) == 1
