"""Doors: one HTTP request, one transaction, one call."""

import inspect
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import msgspec
from marshmallow import Schema, ValidationError
from nameko.extensions import register_entrypoint
from nameko.web.handlers import HttpRequestHandler
from sqlmodel import Session
from werkzeug.wrappers import Request, Response

from kernel import audit, idempotency, identity, metrics
from kernel.clock import now
from kernel.crypto import VerifyKey
from kernel.database import Database
from kernel.disk import disk_of
from kernel.errors import BadInput, Internal, JisrError, MalformedRequest, TooLarge
from kernel.extensions.dependencies import SETTINGS, Server
from kernel.identity import Actor
from kernel.log import get_logger
from kernel.settings import Settings

MAX_BODY_BYTES = 1024 * 1024  # a case with parties and narrative is tens of KiB

log = get_logger("service")


@dataclass(frozen=True)
class Call:
    """What a door or a subscription hands to a method: an open transaction and what was checked.

    `source`: whose facts a subscription brings, a service of this node or, on exchange `arrivals`, the origin.
    """

    session: Session
    actor: Actor
    values: dict[str, Any]
    now: datetime
    node: str
    settings: Settings
    source: str = ""


@dataclass(frozen=True)
class _Entry:
    """A request whose size, JSON, caller and shape were checked."""

    actor: Actor
    values: dict[str, Any]
    key: str | None
    digest: bytes
    settings: Settings


class _Door(HttpRequestHandler):
    """The entrypoint behind `door`."""

    server = Server()

    def __init__(self, url: str, schema: type[Schema], **options: Any) -> None:
        self.schema = schema
        super().__init__("POST", url, **options)

    def setup(self) -> None:
        super().setup()
        settings: Settings = self.container.config[SETTINGS]
        self.gateway_key = VerifyKey.load(settings.keys_directory / "gateway.pub")

    def get_entrypoint_parameters(self, request: Request) -> tuple[tuple[Any, ...], dict[str, Any]]:
        settings: Settings = self.container.config[SETTINGS]
        actor = identity.read_actor(
            self.gateway_key, identity.bearer(request.headers.get("Authorization")), node=settings.node
        )
        body = _read_body(request)
        key = request.headers.get("Idempotency-Key")
        entry = _Entry(
            actor=actor,
            values=_load(self.schema, body),
            key=idempotency.check_key(key) if key is not None else None,
            digest=idempotency.request_digest(self.url, body),
            settings=settings,
        )
        return (entry,), {}

    def handle_request(self, request: Request) -> Response:
        started = time.perf_counter()
        response = super().handle_request(request)
        metrics.DOOR_SECONDS.labels(self.container.service_name, self.method_name, response.status_code).observe(
            time.perf_counter() - started
        )
        return response

    def response_from_result(self, result: bytes) -> Response:
        return Response(result, status=200, content_type="application/json")

    def response_from_exception(self, exc: Exception) -> Response:
        error = exc
        if not isinstance(error, JisrError):
            log.failure("door.failed", exc, door=self.method_name)
            error = Internal()
        headers = {"Retry-After": str(error.retry_after)} if error.retry_after else None
        body = msgspec.json.encode(error.as_dict(), enc_hook=str)
        return Response(body, status=error.status, headers=headers, content_type="application/json")


def _read_body(request: Request) -> bytes:
    length = request.content_length
    if length is None:
        raise MalformedRequest("Send the body with a Content-Length.")
    if length > MAX_BODY_BYTES:
        raise TooLarge(limit=MAX_BODY_BYTES)
    return request.get_data(cache=False)


@cache
def _one(schema: type[Schema]) -> Schema:
    """An instance to share: making one takes longer than reading a request with it."""
    return schema()


def _load(schema: type[Schema], body: bytes) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(body or b"{}")
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise MalformedRequest("The body is not valid JSON.") from error
    if not isinstance(document, dict):
        raise MalformedRequest()
    try:
        values: dict[str, Any] = _one(schema).load(document)
    except ValidationError as error:
        raise BadInput(where=error.normalized_messages()) from error
    return values


def door(
    schema: type[Schema], *, roles: Collection[str], view: type[Schema], reads: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., bytes]]:
    """Serve a method at `POST /doors/<its name>`: `schema` in, `view` out, only for actors with one of `roles`.

    The method gets a `Call` with an open write transaction (a read session when `reads`) and returns what `view`
    dumps. With an Idempotency-Key the answer is stored in the same transaction. A refusal is audited.
    """

    def decorate(method: Callable[..., Any]) -> Callable[..., bytes]:
        name = method.__name__

        def entered(self: Any, entry: _Entry) -> bytes:
            with _audited(self.database, name, entry):
                identity.require(entry.actor, *roles)
                if reads:
                    with self.database.read() as session:
                        return _dump(view, method(self, _call(session, entry)))
                disk_of(entry.settings).admit(self.work)
                with self.database.write() as session:
                    return _once(session, entry, lambda: _dump(view, method(self, _call(session, entry))))

        entered.__name__ = name
        entered.__doc__ = method.__doc__
        register_entrypoint(entered, _Door(f"/doors/{name}", schema))
        entered.door = DoorShape(name, schema, view, frozenset(str(role) for role in roles), reads)  # type: ignore[attr-defined]
        return entered

    return decorate


@dataclass(frozen=True)
class DoorShape:
    """What is published of a door: its name, schemas, roles and whether it only reads."""

    name: str
    schema: type[Schema]
    view: type[Schema]
    roles: frozenset[str]
    reads: bool


def doors_of(service: type) -> list[DoorShape]:
    """The doors of a service class, by name."""
    return [method.door for _, method in inspect.getmembers(service) if hasattr(method, "door")]


def _call(session: Session, entry: _Entry) -> Call:
    return Call(session, entry.actor, entry.values, now(), entry.settings.node, entry.settings)


def _dump(view: type[Schema], result: Any) -> bytes:
    return msgspec.json.encode(_one(view).dump(result), enc_hook=str)


def _once(session: Session, entry: _Entry, carry_out: Callable[[], bytes]) -> bytes:
    if entry.key is None:
        return carry_out()
    stored = idempotency.claim(session, entry.actor.id, entry.key, entry.digest, now=now())
    if stored is not None:
        return stored
    answer = carry_out()
    idempotency.keep(session, entry.actor.id, entry.key, answer)
    return answer


@contextmanager
def _audited(database: Database, door_name: str, entry: _Entry) -> Iterator[None]:
    """Write a refusal to the audit log, after its transaction was rolled back."""
    try:
        yield
    except JisrError as error:
        if error.audited:
            subject = str(next((value for key, value in entry.values.items() if key.endswith("_id")), "-"))[:64]
            with database.write_silently() as session:
                audit.record(
                    session,
                    actor=entry.actor,
                    action=door_name,
                    subject=subject,
                    outcome="refused",
                    reason=error.code,
                    at=now(),
                )
        raise
