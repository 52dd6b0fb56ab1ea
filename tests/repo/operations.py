"""The operations of the HTTP API and the groups of roles that may ask for them, as docs/api.md shows them."""

import re
from types import ModuleType

from contracts import roles as named
from contracts.roles import ALL, Role
from services.gateway import routes
from services.gateway.app import OPERATIONS

MANY = 2  # a group of more roles is called by its name


def operations() -> str:
    """The table of groups, then every operation, by the part of the API it belongs to."""
    return "\n".join(["| group | roles |", "|---|---|", *_groups(), "", *(_part(module) for module in OPERATIONS)])


def _groups() -> list[str]:
    used = {group: route for module in OPERATIONS for route in module.routes if (group := _group(route.roles))}
    return [f"| *{group}* | {_list(used[group].roles or ALL)} |" for group in sorted(used)]


def _group(wanted: frozenset[Role] | None) -> str | None:
    if wanted is None or wanted == ALL or len(wanted) <= MANY:
        return None
    return next((name.lower() for name, value in vars(named).items() if value == wanted and name.isupper()), None)


def _list(roles: frozenset[Role]) -> str:
    return ", ".join(f"`{role}`" for role in sorted(roles))


def _part(module: ModuleType) -> str:
    places = {route.at for route in module.routes}
    lines = [f"### {module.operations.name}", "", module.operations.description, ""]
    lines += ["| operation | what it does | who |", "|---|---|---|"]
    lines += [_row(route, mixed=len(places) > 1) for route in module.routes]
    return "\n".join([*lines, ""])


def _row(route: routes.Route, *, mixed: bool) -> str:
    path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.path)
    where = f" (at a {route.at})" if mixed and route.at else ""
    return f"| `{route.method} {routes.PREFIX}{path}` | {route.says}{where} | {_who(route.roles)} |"


def _who(roles: frozenset[Role] | None) -> str:
    if roles is None:
        return "without logging in"
    if roles == ALL:
        return "everybody"
    group = _group(roles)
    return f"*{group}*" if group else _list(roles)
