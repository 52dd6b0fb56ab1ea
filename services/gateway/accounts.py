"""Accounts: who may use this node, and what for. Each change is a fact, a line in the audit log, and news for notify.

`by` is who asks; None is the command line on the node itself, which is how the first administrator comes to be. An
administrator makes and changes the accounts of others; nobody changes their own roles or their own standing.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from marshmallow import ValidationError
from sqlmodel import Session, select

from contracts import gateway as contract
from contracts.roles import Role
from kernel import audit, outbox
from kernel.crypto import hashed_id
from kernel.database import Database
from kernel.errors import BadInput, Conflict, Forbidden, NotFound, refuse
from kernel.fact import compose
from kernel.identity import Actor
from kernel.ids import new_id
from kernel.paging import Page, page
from services.gateway.passwords import Passwords
from services.gateway.tables import Account, ContactDue

FIELD = (Role.COMMUNITY_OFFICER, Role.CASE_WORKER)  # who can be given a case


class AccountNotFound(NotFound):
    """There is no account {subject} here."""

    code = "account_not_found"


class LoginTaken(Conflict):
    """There is an account with this login."""

    code = "login_taken"


class OwnAccount(Forbidden):
    """Nobody changes their own roles or standing; another administrator can."""

    code = "own_account"


class WrongPassword(Forbidden):
    """This is not your present password."""

    code = "wrong_password"


# Use cases: a session and plain values in, a row out


def add(
    session: Session, values: Mapping[str, Any], password: str, *, by: Actor | None, now: datetime, hash_key: bytes
) -> Account:
    """A new account; `password` is its hash."""
    if session.exec(select(Account).where(Account.login == values["login"])).first():
        refuse(LoginTaken)
    account = Account(
        id=new_id(),
        login=values["login"],
        password=password,
        name=values["name"],
        roles=_sorted(values["roles"]),
        unit=values["unit"],
        forums=list(values["forums"]),
        language=values["language"],
        email=values["email"],
        created_at=now,
    )
    session.add(account)
    _tell(session, account, "created", by=by, now=now, hash_key=hash_key)
    return account


def set_roles(
    session: Session, account_id: str, roles: Sequence[str], *, by: Actor | None, now: datetime, hash_key: bytes
) -> Account:
    """What the account may do from now on. To set what is already so changes nothing."""
    account = _of_another(session, account_id, by)
    if account.roles != _sorted(roles):
        account.roles = _sorted(roles)
        account.version += 1
        _tell(session, account, "roles_set", by=by, now=now, hash_key=hash_key)
    return account


def set_posting(
    session: Session,
    account_id: str,
    unit: str | None,
    forums: Sequence[str],
    *,
    by: Actor | None,
    now: datetime,
    hash_key: bytes,
) -> Account:
    """Where the account works: its unit and its forums decide which records its roles reach."""
    account = _of_another(session, account_id, by)
    if (account.unit, account.forums) != (unit, list(forums)):
        account.unit, account.forums = unit, list(forums)
        account.version += 1
        _tell(session, account, "posted", by=by, now=now, hash_key=hash_key)
    return account


def set_active(
    session: Session, account_id: str, active: bool, *, by: Actor | None, now: datetime, hash_key: bytes
) -> Account:
    """Let the account log in, or refuse it and every token that it was given."""
    account = _of_another(session, account_id, by)
    if account.active != active:
        account.active = active
        account.tokens += 1
        account.version += 1
        _tell(session, account, "enabled" if active else "disabled", by=by, now=now, hash_key=hash_key)
    return account


def set_password(session: Session, account_id: str, password: str, *, by: Actor | None, now: datetime) -> Account:
    """Replace the password's hash and refuse every token given before."""
    account = one(session, account_id)
    account.password = password
    account.tokens += 1
    _note(session, account, "set_password", by=by, now=now)
    return account


def one(session: Session, account_id: str) -> Account:
    return session.get(Account, account_id) or refuse(AccountNotFound, subject=account_id)


def listed(session: Session, values: Mapping[str, Any]) -> Page[Account]:
    """A page of accounts, oldest first."""
    chosen = select(Account)
    if values["active"] is not None:
        chosen = chosen.where(Account.active == values["active"])
    if values["role"] is not None:
        chosen = chosen.where(Account.id.in_(_holding(session, [values["role"]])))
    return page(session, chosen, key=Account.id, limit=values["limit"], after=values["after"])


def officers(session: Session, values: Mapping[str, Any]) -> Page[Account]:
    """A page of those who can be given a case."""
    chosen = select(Account).where(Account.active, Account.id.in_(_holding(session, FIELD)))
    if values["unit"] is not None:
        chosen = chosen.where(Account.unit == values["unit"])
    return page(session, chosen, key=Account.id, limit=values["limit"], after=values["after"])


def _holding(session: Session, roles: Sequence[str]) -> list[str]:
    """Ids of the accounts that hold any of `roles`; a node has hundreds at the most."""
    rows = session.exec(select(Account.id, Account.roles)).all()
    return [account_id for account_id, held in rows if not set(held).isdisjoint(roles)]


def _of_another(session: Session, account_id: str, by: Actor | None) -> Account:
    if by is not None and by.id == account_id:
        refuse(OwnAccount)
    return one(session, account_id)


def _tell(session: Session, account: Account, event: str, *, by: Actor | None, now: datetime, hash_key: bytes) -> None:
    """Publish what the account may do now, have notify told, and write who did it."""
    fact = compose(
        contract.AccountFact,
        event,
        id=new_id(),
        subject=hashed_id(hash_key, account.id),
        version=account.version,
        values={"roles": [Role(role) for role in account.roles], "active": account.active},
        at=now,
    )
    session.flush()
    outbox.append(session, fact)
    session.merge(ContactDue(account_id=account.id, attempts=0, next_at=now))
    _note(session, account, event, by=by, now=now)


def _note(session: Session, account: Account, action: str, *, by: Actor | None, now: datetime) -> None:
    audit.record(
        session,
        actor=by,
        action=f"account.{action}",
        subject=account.id,
        outcome="allowed",
        reason=None if by else "command line",
        at=now,
    )


def _sorted(roles: Sequence[str]) -> list[str]:
    return sorted(str(role) for role in roles)


# For the command line: each opens its own transaction


def add_user(
    database: Database,
    values: Mapping[str, Any],
    *,
    now: datetime,
    hash_key: bytes,
    passwords: Passwords | None = None,
) -> dict[str, Any]:
    """Make an account from the values of `contracts.gateway.AddAccount`. Raises BadInput, LoginTaken."""
    checked = _checked(contract.AddAccount(), values)
    password = (passwords or Passwords()).hash(checked["password"])
    with database.write() as session:
        return shown(add(session, checked, password, by=None, now=now, hash_key=hash_key))


def list_users(database: Database) -> list[dict[str, Any]]:
    """Every account, oldest first."""
    with database.read() as session:
        return [shown(account) for account in session.exec(select(Account).order_by(Account.id)).all()]


def set_user_roles(
    database: Database, login: str, roles: Sequence[str], *, now: datetime, hash_key: bytes
) -> dict[str, Any]:
    """Give the account with this login these roles and no others."""
    with database.write() as session:
        checked = _checked(contract.SetRoles(), {"account_id": _by_login(session, login).id, "roles": list(roles)})
        return shown(set_roles(session, **checked, by=None, now=now, hash_key=hash_key))


def set_user_posting(
    database: Database, login: str, *, unit: str | None, forums: Sequence[str], now: datetime, hash_key: bytes
) -> dict[str, Any]:
    """Let the account with this login work in this unit and these forums."""
    with database.write() as session:
        values = {"account_id": _by_login(session, login).id, "unit": unit, "forums": list(forums)}
        checked = _checked(contract.SetPosting(), values)
        return shown(set_posting(session, **checked, by=None, now=now, hash_key=hash_key))


def disable_user(database: Database, login: str, *, now: datetime, hash_key: bytes) -> dict[str, Any]:
    """Refuse this login, and its tokens, from now on."""
    with database.write() as session:
        account = _by_login(session, login)
        return shown(set_active(session, account.id, False, by=None, now=now, hash_key=hash_key))


def enable_user(database: Database, login: str, *, now: datetime, hash_key: bytes) -> dict[str, Any]:
    """Let this login in again; tokens given before it was disabled stay refused."""
    with database.write() as session:
        account = _by_login(session, login)
        return shown(set_active(session, account.id, True, by=None, now=now, hash_key=hash_key))


def is_told(database: Database, account_id: str) -> bool:
    """Whether notify has answered for this account as it stands."""
    with database.read() as session:
        return session.get(ContactDue, account_id) is None


def shown(account: Account) -> dict[str, Any]:
    """The account as JSON values, without its password."""
    view: dict[str, Any] = contract.AccountView().dump(account)
    return view


def _by_login(session: Session, login: str) -> Account:
    found = session.exec(select(Account).where(Account.login == login.lower())).first()
    return found or refuse(AccountNotFound, subject=login)


def _checked(form: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    try:
        checked: dict[str, Any] = form.load(values)
    except ValidationError as error:
        raise BadInput(where=error.normalized_messages()) from error
    return checked
