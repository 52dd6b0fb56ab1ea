"""Every answer: one shape of refusal, the headers that a browser obeys, one metric and one log line.

A refusal is `{code, message, details}`, whoever refuses: a service, the gateway, Flask, or the HTTP server under it.
"""

import re
from http import HTTPStatus
from time import monotonic
from typing import Any

import msgspec
from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from kernel import metrics
from kernel.errors import Internal, JisrError
from kernel.ids import new_id
from kernel.log import get_logger
from services.gateway.state import Visit, visit

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
STRICT_TRANSPORT = "max-age=31536000"
SENTENCES = {
    400: "The request is not well-formed HTTP.",
    404: "There is nothing at this address.",
    405: "This address does not take this method.",
    408: "The request did not arrive in time.",
    413: "The request is larger than what is accepted.",
    414: "The address is longer than what is accepted.",
    415: "The body must be JSON, with the header Content-Type: application/json.",
    431: "The headers are longer than what is accepted.",
}

# Python 3.13 took over the phrases of RFC 9110; a code is for programs and stays what it was.
CODES = {
    413: "request_entity_too_large",
    414: "request_uri_too_long",
    416: "requested_range_not_satisfiable",
    422: "unprocessable_entity",
}

log = get_logger("gateway")


def install(app: Flask) -> None:
    """Make `app` answer this way."""
    app.before_request(_begin)
    app.after_request(_end)
    app.register_error_handler(JisrError, refusal)
    app.register_error_handler(HTTPException, http_refusal)
    app.register_error_handler(Exception, defect)


def refusal(error: JisrError) -> Response:
    """What was refused, and what the client may do about it."""
    answer = _json(error.as_dict(), error.status)
    if error.status == HTTPStatus.UNAUTHORIZED:
        answer.headers["WWW-Authenticate"] = 'Bearer realm="jisr"'
    if error.retry_after or error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        answer.headers["Retry-After"] = str(error.retry_after or 2)
    return answer


def http_refusal(error: HTTPException) -> Response:
    """What Flask or werkzeug refused, in our shape. Keeps headers such as Allow."""
    status = error.code or 500
    answer = _json(http_error(status), status)
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            answer.headers[name] = value
    return answer


def http_error(status: int) -> dict[str, Any]:
    """`{code, message, details}` for an HTTP status that says it all."""
    phrase = HTTPStatus(status).phrase
    code = CODES.get(status) or re.sub(r"[^a-z]+", "_", phrase.lower())
    return {"code": code, "message": SENTENCES.get(status, f"{phrase}."), "details": {}}


def defect(error: Exception) -> Response:
    """An error that nobody expected: the log has its place, the answer has nothing."""
    log.failure("gateway.defect", error, route=_route(), request_id=visit().request_id)
    return refusal(Internal())


def _json(body: Any, status: int) -> Response:
    if isinstance(body, dict):
        g.visit.code = body["code"]
    return Response(msgspec.json.encode(body, enc_hook=str), status, mimetype="application/json")


def _begin() -> None:
    given = request.headers.get("X-Request-Id", "")
    g.visit = Visit(request_id=given if REQUEST_ID.fullmatch(given) else new_id())


def _end(answer: Response) -> Response:
    for name, value in HEADERS.items():
        answer.headers.setdefault(name, value)
    if request.is_secure:
        answer.headers["Strict-Transport-Security"] = STRICT_TRANSPORT
    answer.headers["X-Request-Id"] = visit().request_id
    _observe(answer)
    return answer


def _observe(answer: Response) -> None:
    """By the route's template: an address may hold an id, and a metric may not."""
    present, route = visit(), _route()
    seconds = monotonic() - present.began
    metrics.HTTP_SECONDS.labels(route, _method(), str(answer.status_code)).observe(seconds)
    if route not in ("/healthz", "/readyz", "/metrics"):
        log.info(
            "gateway.answered",
            route=route,
            method=_method(),
            status=answer.status_code,
            code=present.code,
            milliseconds=round(seconds * 1000, 1),
            request_id=present.request_id,
        )


def _route() -> str:
    return request.url_rule.rule if request.url_rule else "unknown"


def _method() -> str:
    """A closed list: anybody can invent a method."""
    return request.method if request.method in ("GET", "HEAD", "POST") else "other"
