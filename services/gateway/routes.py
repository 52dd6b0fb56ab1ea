"""From one line to an operation: URL, who may, the shapes it takes and gives, and its place in the OpenAPI document.

The values of the path, the query and the body are one set of values to the door behind it; none may be named twice.
They are checked here with the door's own schema, so that most mistakes are answered without asking, and again by the
door.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from flask import Response, request
from flask_smorest import Blueprint
from marshmallow import Schema, ValidationError, fields

from contracts.roles import Role
from kernel import audit, idempotency
from kernel.clock import now
from kernel.errors import BadInput, Forbidden, NotFound, refuse
from kernel.identity import Actor, require
from services.gateway import auth, body, documents
from services.gateway.state import Call, Gateway, gateway, visit

PREFIX = "/api/v1"
JSON = "application/json"
GOVERNORATE = "governorate"
DIRECTORATE = "directorate"

Does = Callable[[Call], Any]
Roles = frozenset[Role] | None


class NotAtThisNode(NotFound):
    """This is done at a {where}; this node, {node}, is a {kind}."""

    code = "not_at_this_node"


@dataclass(frozen=True)
class Route:
    """One operation. `roles` None: without logging in.

    `does` gives the view, as JSON values, as bytes, or as a response of its own in one of `media`; without it the door
    of that name is asked. `without` are values that the door takes and this operation does not. `most`: how many bytes
    of a body are read.
    """

    method: str
    path: str
    name: str
    takes: type[Schema]
    gives: type[Schema]
    roles: Roles
    says: str
    status: int = 200
    at: str | None = None
    door: str | None = None
    without: tuple[str, ...] = ()
    does: Does | None = None
    media: tuple[str, ...] = (JSON,)
    most: int = body.MAX_BODY_BYTES

    @property
    def in_path(self) -> tuple[str, ...]:
        return tuple(re.findall(r"<(\w+)>", self.path))

    def forms(self) -> tuple[Schema, Schema]:
        """What the path gives, and what the query or the body gives."""
        return self.takes(only=self.in_path), self.takes(exclude=self.in_path + self.without)


def get(path: str, name: str, takes: type[Schema], gives: type[Schema], roles: Roles, says: str, **more: Any) -> Route:
    """Read."""
    return Route("GET", path, name, takes, gives, roles, says, **more)


def make(path: str, name: str, takes: type[Schema], gives: type[Schema], roles: Roles, says: str, **more: Any) -> Route:
    """Create something: 201."""
    return Route("POST", path, name, takes, gives, roles, says, 201, **more)


def act(path: str, name: str, takes: type[Schema], gives: type[Schema], roles: Roles, says: str, **more: Any) -> Route:
    """Do something to what exists: 200."""
    return Route("POST", path, name, takes, gives, roles, says, **more)


def blueprint(name: str, says: str, routes: Sequence[Route], *, service: str | None = None) -> Blueprint:
    """The operations of one module; those that do nothing themselves ask `service`, by default of the same name."""
    made = Blueprint(name, __name__, url_prefix=PREFIX, description=says)
    for route in routes:
        _add(made, route, route.does or _door(service or name, route.door or route.name))
    return made


def _door(service: str, door: str) -> Does:
    def ask(call: Call) -> bytes:
        return call.gateway.doors.call(
            service, door, call.values, actor=call.by, idempotency_key=call.key, request_id=call.request_id
        )

    return ask


def _add(made: Blueprint, route: Route, does: Does) -> None:
    path_form, rest_form = route.forms()

    def view(**in_path: str) -> Response:
        actor = _caller(route)
        rest = _query(rest_form) if route.method == "GET" else _body(rest_form, route.most)
        values = _path(path_form, in_path) | rest
        return _answer(route, does(Call(gateway(), route.name, actor, values, _key(), visit().request_id)))

    described = documents.operation(route, path_form, rest_form)
    made.route(route.path, methods=[route.method], endpoint=route.name)(made.doc(**described)(view))


def _caller(route: Route) -> Actor | None:
    """Who asks, checked: known, at the right kind of node, and in one of the roles."""
    here = gateway()
    if route.roles is None:
        _check_place(route, here)
        return None
    with here.database.read() as session:
        actor = auth.caller(session, here.key, request.headers.get("Authorization"), node=here.node)
    _check_place(route, here)
    try:
        require(actor, *route.roles)
    except Forbidden:
        _note_refusal(route, actor)
        raise
    return actor


def _check_place(route: Route, here: Gateway) -> None:
    if route.at not in (None, here.kind):
        refuse(NotAtThisNode, where=route.at, node=here.node, kind=here.kind)


def _note_refusal(route: Route, actor: Actor) -> None:
    with gateway().database.write_silently() as session:
        audit.record(
            session, actor=actor, action=route.name, subject=route.path, outcome="refused", reason="role", at=now()
        )


def _query(form: Schema) -> dict[str, Any]:
    """The values of the query, as JSON has them. What was left out is left to the door."""
    given: dict[str, Any] = {}
    for name, several in request.args.lists():
        many = isinstance(form.fields.get(name), fields.List)
        if len(several) > 1 and not many:
            raise BadInput(where={name: ["Give this once."]})
        given[name] = several if many else several[0]
    loaded: dict[str, Any] = form.dump(_load(form, given))
    return {name: value for name, value in loaded.items() if value is not None}


def _body(form: Schema, most: int) -> dict[str, Any]:
    """The body as it was sent, once it fits: the door judges the client's own words, not our reading of them."""
    if request.args:
        raise BadInput(where={name: ["Send this in the body."] for name in request.args})
    sent = body.read_object(request.get_data(cache=True), mimetype=request.mimetype, most=most)
    _load(form, sent)
    return sent


def _path(form: Schema, given: dict[str, Any]) -> dict[str, Any]:
    """Field by field: rules over several fields are about the body, which is not here."""
    loaded, problems = {}, {}
    for name, field in form.fields.items():
        try:
            loaded[name] = field.deserialize(given[name], name, given)
        except ValidationError as error:
            problems[name] = error.messages
    if problems:
        raise BadInput(where=problems)
    shown: dict[str, Any] = form.dump(loaded)
    return shown


def _load(form: Schema, given: dict[str, Any]) -> Any:
    try:
        return form.load(given)
    except ValidationError as error:
        raise BadInput(where=error.normalized_messages()) from error


def _key() -> str | None:
    given = request.headers.get("Idempotency-Key")
    return None if given is None else idempotency.check_key(given)


def _answer(route: Route, result: Any) -> Response:
    if isinstance(result, Response):
        return result
    answer = result if isinstance(result, bytes) else msgspec.json.encode(result)
    return Response(answer, route.status, mimetype="application/json")
