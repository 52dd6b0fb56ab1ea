"""Operations: accounts, by administrators; and the officers a case can be given to."""

from collections.abc import Callable
from typing import Any

import msgspec
from marshmallow import Schema
from sqlmodel import Session

from contracts import gateway as contract
from contracts.roles import ADMIN, SUPERVISION
from contracts.work import ACCOUNTS
from kernel import idempotency
from kernel.clock import now
from kernel.crypto import hashed_id
from services.gateway import accounts
from services.gateway.routes import GOVERNORATE, act, blueprint, get, make
from services.gateway.state import Call
from services.gateway.tables import Account


def add_account(call: Call) -> bytes:
    values = contract.AddAccount().load(call.values)
    hashed = call.gateway.passwords.hash(values["password"])
    return once(
        call,
        lambda session: accounts.add(session, values, hashed, by=call.by, now=now(), hash_key=call.gateway.hash_key),
    )


def set_roles(call: Call) -> bytes:
    values = contract.SetRoles().load(call.values)
    return once(
        call,
        lambda session: accounts.set_roles(session, **values, by=call.by, now=now(), hash_key=call.gateway.hash_key),
    )


def set_posting(call: Call) -> bytes:
    values = contract.SetPosting().load(call.values)
    return once(
        call,
        lambda session: accounts.set_posting(session, **values, by=call.by, now=now(), hash_key=call.gateway.hash_key),
    )


def set_active(call: Call) -> bytes:
    values = contract.SetActive().load(call.values)
    return once(
        call,
        lambda session: accounts.set_active(session, **values, by=call.by, now=now(), hash_key=call.gateway.hash_key),
    )


def show_account(call: Call) -> dict[str, Any]:
    with call.gateway.database.read() as session:
        return accounts.shown(accounts.one(session, call.values["account_id"]))


def list_accounts(call: Call) -> dict[str, Any]:
    with call.gateway.database.read() as session:
        return dumped(contract.AccountPage(), accounts.listed(session, contract.AccountQuery().load(call.values)))


def list_officers(call: Call) -> dict[str, Any]:
    with call.gateway.database.read() as session:
        return dumped(contract.OfficerPage(), accounts.officers(session, contract.OfficerQuery().load(call.values)))


def once(call: Call, carry_out: Callable[[Session], Account]) -> bytes:
    """The answer, and the same one again for the same Idempotency-Key.

    The request's digest is keyed: it may cover a password, and a plain digest would be a fast hash of it.
    """
    request = msgspec.json.encode([call.operation, call.values], order="sorted")
    digest = hashed_id(call.gateway.hash_key, request.decode()).encode()
    call.gateway.disk.admit(ACCOUNTS)
    with call.gateway.database.write() as session:
        if call.key is not None:
            kept = idempotency.claim(session, call.by.id, call.key, digest, now=now())
            if kept is not None:
                return kept
        answer = msgspec.json.encode(accounts.shown(carry_out(session)))
        if call.key is not None:
            idempotency.keep(session, call.by.id, call.key, answer)
        return answer


def dumped(view: Schema, value: Any) -> dict[str, Any]:
    """`value` as the view's JSON values."""
    shown: dict[str, Any] = view.dump(value)
    return shown


ACCOUNT = "/accounts/<account_id>"

routes = (
    get(
        "/accounts",
        "list_accounts",
        contract.AccountQuery,
        contract.AccountPage,
        ADMIN,
        "Accounts, oldest first",
        does=list_accounts,
    ),
    make(
        "/accounts",
        "add_account",
        contract.AddAccount,
        contract.AccountView,
        ADMIN,
        "Make an account",
        does=add_account,
    ),
    get(ACCOUNT, "get_account", contract.AccountName, contract.AccountView, ADMIN, "One account", does=show_account),
    act(
        f"{ACCOUNT}/roles",
        "set_roles",
        contract.SetRoles,
        contract.AccountView,
        ADMIN,
        "Say what it may do from now on; never one's own",
        does=set_roles,
    ),
    act(
        f"{ACCOUNT}/posting",
        "set_posting",
        contract.SetPosting,
        contract.AccountView,
        ADMIN,
        "Say in which unit and forums it works from now on; never one's own",
        does=set_posting,
    ),
    act(
        f"{ACCOUNT}/active",
        "set_active",
        contract.SetActive,
        contract.AccountView,
        ADMIN,
        "Let it log in or refuse it, from this moment on; never one's own",
        does=set_active,
    ),
    get(
        "/officers",
        "list_officers",
        contract.OfficerQuery,
        contract.OfficerPage,
        SUPERVISION,
        "Who can be given a case",
        at=GOVERNORATE,
        does=list_officers,
    ),
)
operations = blueprint("account", "Who may use this node, and what for.", routes)
