"""Operations: logging in, and one's own account."""

from typing import Any

from flask import request

from contracts import gateway as contract
from contracts.roles import ALL
from kernel.clock import now
from kernel.errors import refuse
from services.gateway import accounts
from services.gateway.account import dumped, once
from services.gateway.routes import act, blueprint, get
from services.gateway.state import Call


def log_in(call: Call) -> dict[str, Any]:
    values = contract.Login().load(call.values)
    given = call.gateway.logins.log_in(
        values["login"], values["password"], address=request.remote_addr or "unknown", now=now()
    )
    return dumped(contract.TokenView(), given)


def me(call: Call) -> dict[str, Any]:
    with call.gateway.database.read() as session:
        return accounts.shown(accounts.one(session, call.by.id))


def change_password(call: Call) -> bytes:
    """Two hashes, both outside the transaction."""
    here, values = call.gateway, contract.ChangePassword().load(call.values)
    with here.database.read() as session:
        present = accounts.one(session, call.by.id).password
    if not here.passwords.fits(present, values["current"]):
        refuse(accounts.WrongPassword)
    hashed = here.passwords.hash(values["password"])
    return once(call, lambda session: accounts.set_password(session, call.by.id, hashed, by=call.by, now=now()))


routes = (
    act("/login", "log_in", contract.Login, contract.TokenView, None, "Log in", does=log_in),
    get("/me", "show_me", contract.MeQuery, contract.AccountView, ALL, "Your own account", does=me),
    act("/me/password", "change_password", contract.ChangePassword, contract.AccountView, ALL,
        "Change your own password; every token given before is refused from then on", does=change_password),
)
operations = blueprint("login", "Logging in, and your own account.", routes)
