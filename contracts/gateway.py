"""The published language of the gateway: logging in, accounts, and the fact that says what an account may do.

Everything else that the HTTP API takes and gives is the published language of the service behind it. An account's
login, name and e-mail address are C2: they stay in the gateway's database, and notify's, which is told the address.
"""

import re
from collections.abc import Callable
from typing import Any

from marshmallow import ValidationError, fields, pre_load, validate

from contracts.notify import LANGUAGES
from contracts.roles import Role
from kernel.fact import FactSchema, operational
from kernel.paging import PageQuery
from kernel.schema import Strict, Text, c0, c1, c2, c4

LOGIN_PATTERN = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")
PASSWORD_MIN = 12
PASSWORD_MAX = 256
MAX_FORUMS = 50


def _login(text: str) -> None:
    if not LOGIN_PATTERN.fullmatch(text):
        raise ValidationError("Up to 64 small letters, digits, dots, hyphens; a letter or digit at both ends.")


def _distinct(values: list[Any]) -> None:
    if len(set(values)) < len(values):
        raise ValidationError("Name each only once.")


def _roles(**options: Any) -> fields.List:
    checks: list[Callable[[Any], Any]] = [validate.Length(max=len(Role)), _distinct]
    return fields.List(fields.Enum(Role, by_value=True), validate=checks, **options)


def _password() -> Text:
    note = {"description": f"{PASSWORD_MIN} to {PASSWORD_MAX} characters", "format": "password"}
    return Text(min=PASSWORD_MIN, max=PASSWORD_MAX, required=True, load_only=True, metadata=note)


# Logging in


class Login(Strict):
    """Who you say you are. Anything may be sent here; only what belongs together is answered with a token."""

    login = c2(Text(max=64, required=True))
    password = c4(Text(max=PASSWORD_MAX, required=True, metadata={"format": "password"}))


class TokenView(Strict):
    """Send `token` as `Authorization: Bearer …` until `expires_at`."""

    token = c4(fields.String(required=True))
    expires_at = c1(fields.AwareDateTime(required=True))


class MeQuery(Strict):
    """Your own account; there is nothing to choose."""


class ChangePassword(Strict):
    """Your present password and the next one. Every token given before is refused afterwards."""

    current = c4(Text(max=PASSWORD_MAX, required=True, load_only=True, metadata={"format": "password"}))
    password = c4(_password())


# Accounts


class AddAccount(Strict):
    """A new account. Its owner should change the password at the first opportunity."""

    login = c2(Text(max=64, required=True, validate=_login))
    password = c4(_password())
    name = c2(Text(max=120, required=True))
    roles = c2(_roles(required=True))
    unit = c1(Text(max=64, load_default=None, allow_none=True))
    forums = c1(fields.List(Text(max=64), load_default=list, validate=[validate.Length(max=MAX_FORUMS), _distinct]))
    language = c1(Text(max=8, load_default=LANGUAGES[0], validate=validate.OneOf(LANGUAGES)))
    email = c2(fields.Email(load_default=None, allow_none=True, validate=validate.Length(max=254)))

    @pre_load
    def lower_login(self, values: Any, **_: Any) -> Any:
        """Logins are kept in small letters, however they are typed."""
        if isinstance(values, dict) and isinstance(values.get("login"), str):
            return {**values, "login": values["login"].lower()}
        return values


class AccountName(Strict):
    """One account, by its id."""

    account_id = c2(Text(max=36, required=True))


class SetRoles(AccountName):
    """What the account may do from now on. Nobody sets their own."""

    roles = c2(_roles(required=True))


class SetActive(AccountName):
    """Whether the account may log in. Disabling refuses its tokens from that moment on."""

    active = c1(fields.Boolean(required=True))


class SetPosting(AccountName):
    """Where the account works from now on: its unit, and the forums it reads or writes. Nobody sets their own."""

    unit = c1(Text(max=64, required=True, allow_none=True))
    forums = c1(fields.List(Text(max=64), required=True, validate=[validate.Length(max=MAX_FORUMS), _distinct]))


class AccountQuery(PageQuery):
    """Accounts in the order in which they were made; `active` and `role` choose among them."""

    active = c1(fields.Boolean(load_default=None, allow_none=True))
    role = c2(fields.Enum(Role, by_value=True, load_default=None, allow_none=True))


class AccountView(Strict):
    """An account without its password."""

    id = c2(fields.String(required=True))
    login = c2(fields.String(required=True))
    name = c2(fields.String(required=True))
    roles = c2(fields.List(fields.String(), required=True))
    unit = c1(fields.String(required=True, allow_none=True))
    forums = c1(fields.List(fields.String(), required=True))
    language = c1(fields.String(required=True))
    email = c2(fields.String(required=True, allow_none=True))
    active = c1(fields.Boolean(required=True))
    version = c1(fields.Integer(required=True))
    created_at = c1(fields.AwareDateTime(required=True))


class AccountPage(Strict):
    items = c2(fields.List(fields.Nested(AccountView), required=True))
    next = c1(fields.String(required=True, allow_none=True))


class OfficerQuery(PageQuery):
    """Who can be given a case: active officers and case workers; `unit` chooses among them."""

    unit = c1(Text(max=64, load_default=None, allow_none=True))


class OfficerView(Strict):
    """As much of a colleague as is needed to assign a case to them."""

    id = c2(fields.String(required=True))
    name = c2(fields.String(required=True))
    roles = c2(fields.List(fields.String(), required=True))
    unit = c1(fields.String(required=True, allow_none=True))
    language = c1(fields.String(required=True))


class OfficerPage(Strict):
    items = c2(fields.List(fields.Nested(OfficerView), required=True))
    next = c1(fields.String(required=True, allow_none=True))


# Answers that every operation may give


class ErrorView(Strict):
    """The one shape of every refusal. `details.where` names the fields when what was sent does not fit."""

    code = c0(fields.String(required=True))
    message = c0(fields.String(required=True))
    details = c0(fields.Dict(required=True))


# Facts


class AccountFact(FactSchema):
    """A role change is a fact: `account.created.v1`, `.roles_set.v1`, `.posted.v1`, `.disabled.v1`, `.enabled.v1`.

    The subject is a hash of the account's id, keyed at this node. Nothing here says who it is.
    """

    kind = "account"
    events = ("created", "roles_set", "posted", "disabled", "enabled")

    roles = operational(fields.List(fields.Enum(Role, by_value=True), required=True))
    active = operational(fields.Boolean(required=True))
