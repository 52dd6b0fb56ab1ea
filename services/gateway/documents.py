"""The OpenAPI document: each operation with every answer it may give, and the same as a page for people.

The page is made on the server from the document, in plain HTML without a script: see docs/decisions on why.
"""

from typing import TYPE_CHECKING, Any

import msgspec
from flask import Flask, Response, render_template
from flask_smorest import Api
from flask_smorest.spec.plugins import FlaskPlugin
from marshmallow import Schema
from marshmallow.fields import Field

from contracts import gateway as contract
from contracts.roles import ALL
from kernel import idempotency

if TYPE_CHECKING:
    from services.gateway.routes import Route

VERSION = "1"
JSON = "application/json"
SECURITY = "token"
SAYS = (
    "Records of community policing at one node. Log in with `POST /login`, send the token as `Authorization: Bearer`. "
    "Every refusal has one shape: `{code, message, details}`. Lists give `{items, next}`; send `next` as `after` for "
    "the next page. Send an `Idempotency-Key` of your own with every POST: asked again with the same key and body, the "
    "answer is the first one and nothing is done twice. A 503 may be asked again after `Retry-After` seconds."
)

_SECONDS = {"description": "seconds to wait before asking again", "schema": {"type": "integer", "minimum": 1}}
_REQUEST_ID = {"description": "names this request in the log", "schema": {"type": "string"}}
REFUSALS: dict[int, tuple[str, str, dict[str, Any]]] = {
    400: ("Malformed", "The body is not well-formed JSON, or no object.", {}),
    401: (
        "NotAuthenticated",
        "No token, or one that is not valid any more.",
        {"WWW-Authenticate": {"description": "how to authenticate", "schema": {"type": "string"}}},
    ),
    403: ("Forbidden", "Your roles, or your own part in this, do not allow it.", {}),
    404: ("NotFound", "There is nothing by that name, or not at this kind of node.", {}),
    409: ("Conflict", "The present state does not allow it; details say what is possible.", {}),
    413: ("TooLarge", "The body is larger than 1 MiB.", {}),
    415: ("NotJson", "The body is not sent as application/json.", {}),
    422: ("BadInput", "What was sent does not fit; `details.where` names the fields.", {}),
    429: ("TooManyRequests", "Too many attempts.", {"Retry-After": _SECONDS}),
    500: ("InternalError", "A defect; the operators find it by the request id.", {}),
    503: ("Unavailable", "A part that is needed does not answer now.", {"Retry-After": _SECONDS}),
}
KEY_PARAMETER = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": False,
    "description": "a name of your own for this request; kept with its answer",
    "schema": {"type": "string", "minLength": 1, "maxLength": idempotency.MAX_KEY, "pattern": "^[!-~]+$"},
}


class _Paths(FlaskPlugin):
    """Leaves parameters of the path to the operations, which know their shapes; Flask's rules say only "string"."""

    def rule_to_params(self, rule: Any) -> list[dict[str, Any]]:
        return []


def open_document(app: Flask) -> Api:
    """The document of `app`, with what all operations share."""
    app.config |= {
        "API_TITLE": "Jisr",
        "API_VERSION": VERSION,
        "OPENAPI_VERSION": "3.0.3",
    }
    info = {"description": SAYS, "license": {"name": "MIT"}}
    api = Api(spec_kwargs={"info": info, "flask_plugin": _Paths()})
    api.DEFAULT_ERROR_RESPONSE_NAME = None  # every refusal is named; an answer that is not is a defect
    api.ERROR_SCHEMA = contract.ErrorView
    api.init_app(app)
    api.ma_plugin.converter.add_attribute_function(_sensitivity)
    scheme = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "from POST /api/v1/login"}
    api.spec.components.security_scheme(SECURITY, scheme)
    for name, says, headers in REFUSALS.values():
        content = {"application/json": {"schema": contract.ErrorView}}
        shown = {"X-Request-Id": _REQUEST_ID, **headers}
        api.spec.components.response(name, {"description": says, "headers": shown, "content": content})
    return api


def _sensitivity(_converter: Any, field: Field, **_: Any) -> dict[str, Any]:
    """How sensitive a field is, C0 to C4, for those who build on this."""
    return {"x-sensitivity": field.metadata["sensitivity"]} if "sensitivity" in field.metadata else {}


def operation(route: "Route", path_form: Schema, rest_form: Schema) -> dict[str, Any]:
    """What the document says of one operation."""
    described: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.says,
        "description": _who(route),
        "parameters": [],
        "responses": _answers(route),
        "security": [] if route.roles is None else [{SECURITY: []}],
    }
    if route.in_path:
        described["parameters"].append({"in": "path", "schema": path_form})
    if route.method == "GET":
        described["parameters"] += [{"in": "query", "schema": rest_form}] if rest_form.fields else []
        return described
    described["parameters"].append(KEY_PARAMETER)
    needed = any(field.required for field in rest_form.fields.values())
    described["requestBody"] = {"required": needed, "content": {"application/json": {"schema": rest_form}}}
    return described


def _who(route: "Route") -> str:
    where = f" At a {route.at} only." if route.at else ""
    if route.roles is None:
        return f"Without logging in.{where}"
    if route.roles == ALL:
        return f"Everybody who is logged in.{where}"
    return f"Roles: {', '.join(sorted(route.roles))}.{where}"


def _answers(route: "Route") -> dict[str, Any]:
    content: dict[str, Any] = {
        media: {"schema": route.gives if media == JSON else {"type": "string", "format": "binary"}}
        for media in route.media
    }
    given: dict[str, Any] = {
        str(route.status): {
            "description": "Done" if route.status == 200 else "Created",
            "headers": {"X-Request-Id": _REQUEST_ID},
            "content": content,
        }
    }
    return given | {str(status): REFUSALS[status][0] for status in _statuses(route)}


def _statuses(route: "Route") -> list[int]:
    """Which refusals this operation may answer with."""
    if route.roles is None:
        return [400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 503]
    every = [401, 403, 404, 422, 500, 503]
    return every if route.method == "GET" else sorted([*every, 400, 409, 413, 415])


def install_pages(app: Flask, api: Api) -> None:
    """`/api/v1/openapi.json` and `/api/v1/docs`, made once, from the finished document."""
    document = api.spec.to_dict()
    compact = msgspec.json.encode(document)
    page: list[str] = []

    @app.get("/api/v1/openapi.json")
    def openapi() -> Response:
        return Response(compact, mimetype="application/json")

    @app.get("/api/v1/docs")
    def docs() -> Response:
        if not page:
            page.append(render_template("docs.html", document=document))
        return Response(page[0], mimetype="text/html")
