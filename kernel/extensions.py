"""nameko, tamed: the doors, subscriptions, timers and dependencies that every service is made of.

The only place in the kernel that imports nameko. What it adds to the stock extensions, and why:

- `door`: one HTTP request, one transaction, one call. Checks size, JSON, caller, roles and shape before the
  transaction; stores the answer for its Idempotency-Key inside it; answers every error in one shape. nameko's own
  handler shows the text of unexpected errors.
- `subscription`: a quorum queue consumed with pika. A fact that cannot be handled is tried again a few times and then
  kept with the dead letters. nameko's own event handler acknowledges when the handler raises: the fact is gone.
- `Relay`, `Subscription` and `RpcClient` live through a broker that is away; nameko's own refuse to start without it.
"""

import inspect
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from eventlet import wsgi
from eventlet.event import Event
from marshmallow import Schema, ValidationError
from nameko.extensions import DependencyProvider, Entrypoint, register_entrypoint
from nameko.rpc import rpc as nameko_rpc
from nameko.standalone.rpc import ServiceRpcProxy
from nameko.timer import Timer
from nameko.web.handlers import HttpRequestHandler
from nameko.web.server import HttpOnlyProtocol, WebServer
from pika.adapters.blocking_connection import BlockingChannel
from sqlmodel import Session
from werkzeug.routing import Rule
from werkzeug.wrappers import Request, Response

from kernel import audit, broker, idempotency, identity, metrics, outbox
from kernel.clock import now
from kernel.crypto import VerifyKey
from kernel.database import Database as KernelDatabase
from kernel.errors import (
    BadInput,
    BrokerAway,
    Internal,
    JisrError,
    MalformedRequest,
    TooLarge,
    Unavailable,
)
from kernel.fact import Fact, unpack
from kernel.identity import Actor
from kernel.log import get_logger
from kernel.settings import Settings

SETTINGS = "JISR_SETTINGS"  # the key of `Settings` in a container's config
MAX_BODY_BYTES = 1024 * 1024  # a case with parties and narrative is tens of KiB
RPC_SECONDS = 10
ATTEMPTS = 5
FIRST_RETRY_SECONDS = 0.2
DATABASE_RETRY_SECONDS = 2.0
RECONNECT_SECONDS = (1.0, 2.0, 5.0, 10.0)
COUNT_DEAD_SECONDS = 10.0
PREFETCH = 20

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


class Database(DependencyProvider):
    """The service's own database, as a `kernel.database.Database`."""

    def setup(self) -> None:
        settings: Settings = self.container.config[SETTINGS]
        service = self.container.service_name
        self.database = KernelDatabase(settings.database_url_of(service), service=service)

    def get_dependency(self, worker_ctx: Any) -> KernelDatabase:
        return self.database

    def stop(self) -> None:
        self.database.close()


def _database_of(container: Any) -> KernelDatabase:
    for dependency in container.dependencies:
        if isinstance(dependency, Database):
            return dependency.database
    raise TypeError(f"service {container.service_name} declares no Database")


class Relay(DependencyProvider):
    """Publishes the service's outbox from a greenthread of its own, woken by every commit."""

    def start(self) -> None:
        settings: Settings = self.container.config[SETTINGS]
        self.relay = outbox.Relay(_database_of(self.container), settings.broker)
        self.relay.start()

    def get_dependency(self, worker_ctx: Any) -> outbox.Relay:
        return self.relay

    def stop(self) -> None:
        self.relay.stop()


class _Server(WebServer):
    """nameko's web server without a log line per request: the door measures and the gateway logs."""

    def get_wsgi_server(self, sock: Any, wsgi_app: Any, protocol: Any = HttpOnlyProtocol, debug: bool = False) -> Any:
        return wsgi.Server(sock, sock.getsockname(), wsgi_app, protocol=protocol, debug=debug, log_output=False)


class Metrics(DependencyProvider):
    """`/metrics`, `/healthz` and `/readyz` beside the service's doors. Ready means: the database answers."""

    server = _Server()

    def setup(self) -> None:
        self.server.register_provider(self)

    def stop(self) -> None:
        self.server.unregister_provider(self)

    def get_url_rule(self) -> Rule:
        return Rule("/<any(metrics, healthz, readyz):probe>", methods=["GET"])

    def handle_request(self, request: Request) -> Response:
        answer = metrics.probe(request.path, lambda: {"database": _database_of(self.container).answers()})
        if answer is None:
            return Response(status=404)
        status, content_type, body = answer
        return Response(body, status=status, content_type=content_type)

    def get_dependency(self, worker_ctx: Any) -> Any:
        return metrics


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

    server = _Server()

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


def _load(schema: type[Schema], body: bytes) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(body or b"{}")
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise MalformedRequest("The body is not valid JSON.") from error
    if not isinstance(document, dict):
        raise MalformedRequest()
    try:
        values: dict[str, Any] = schema().load(document)
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
    return msgspec.json.encode(view().dump(result), enc_hook=str)


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
def _audited(database: KernelDatabase, door_name: str, entry: _Entry) -> Iterator[None]:
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


class _Subscription(Entrypoint):
    """The entrypoint behind `subscription`: consumes in a greenthread, joins when the broker appears."""

    def __init__(self, queue: str, exchange: str, keys: Collection[str], **options: Any) -> None:
        self.queue = queue
        self.exchange = exchange
        self.keys = list(keys)
        self._stopping = False
        super().__init__(**options)

    def start(self) -> None:
        self.container.spawn_managed_thread(self._run, identifier=f"subscription {self.queue}")

    def stop(self) -> None:
        self._stopping = True

    def kill(self) -> None:
        self._stopping = True

    def _run(self) -> None:
        settings: Settings = self.container.config[SETTINGS]
        failures = 0
        while not self._stopping:
            try:
                with broker.channel_to(settings.broker, name=f"subscription {self.queue}") as channel:
                    broker.declare_work_queue(channel, self.queue, self.exchange, self.keys)
                    failures = 0
                    self._consume(channel)
            except BrokerAway as error:
                if failures == 0:
                    log.warning("subscription.waits", queue=self.queue, cause=error.details)
                time.sleep(RECONNECT_SECONDS[min(failures, len(RECONNECT_SECONDS) - 1)])
                failures += 1

    def _consume(self, channel: BlockingChannel) -> None:
        channel.basic_qos(prefetch_count=PREFETCH)
        counted_at = 0.0
        for method, _properties, body in channel.consume(self.queue, inactivity_timeout=0.5):
            if self._stopping:
                return
            if time.monotonic() - counted_at > COUNT_DEAD_SECONDS:
                metrics.DEAD_LETTERS.labels(self.queue).set(broker.count_dead(channel, self.queue))
                counted_at = time.monotonic()
            if method is not None:
                self._handle(channel, body)
                channel.basic_ack(method.delivery_tag)

    def _handle(self, channel: BlockingChannel, body: bytes) -> None:
        """Handle each fact of a message; what cannot be handled is kept with the dead letters, alone."""
        try:
            slice_ = outbox.read_slice(body)
            facts = [unpack(bytes(raw)) for raw in slice_.facts]
        except JisrError as error:
            self._bury(channel, body, error.code)
            return
        for offset, fact in enumerate(facts):
            cause = self._attempt(channel, fact, slice_.service)
            if cause is not None:
                alone = outbox.Slice(slice_.service, slice_.stream, slice_.first + offset, [slice_.facts[offset]])
                self._bury(channel, msgspec.json.encode(alone), cause)
            metrics.HANDLED.labels(self.queue, "dead" if cause else "handled").inc()

    def _attempt(self, channel: BlockingChannel, fact: Fact, source: str) -> str | None:
        """Handle one fact; None when it was, else why not, after `ATTEMPTS`. Waits as long as the database is away."""
        attempt = 1
        while True:
            error = self._work(fact, source)
            if error is None:
                return None
            if isinstance(error, Unavailable):
                channel.connection.sleep(DATABASE_RETRY_SECONDS)
                continue
            if attempt == ATTEMPTS:
                log.failure("subscription.gave_up", error, queue=self.queue, fact=fact.id, type=fact.type)
                return error.code if isinstance(error, JisrError) else type(error).__name__
            channel.connection.sleep(FIRST_RETRY_SECONDS * 2 ** (attempt - 1))
            attempt += 1

    def _work(self, fact: Fact, source: str) -> BaseException | None:
        """Run the method in a worker of its own; return what it raised."""
        settings: Settings = self.container.config[SETTINGS]
        done = Event()

        def finished(worker_ctx: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
            done.send(exc_info[1] if exc_info else None)
            return result, exc_info

        self.container.spawn_worker(self, (fact, settings, source), {}, handle_result=finished)
        error: BaseException | None = done.wait()
        return error

    def _bury(self, channel: BlockingChannel, body: bytes, cause: str) -> None:
        log.warning("subscription.dead_letter", queue=self.queue, cause=cause, bytes=len(body))
        broker.bury(channel, self.queue, body, cause)
        metrics.DEAD_LETTERS.labels(self.queue).inc()


def subscription(
    queue: str, *, exchange: str, keys: Collection[str]
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Call a method once per fact that arrives on `queue`, bound to `exchange` by `keys`, in a write transaction.

    The method gets a `Call` (its actor is the node itself) and the `Fact`. A repeat is the method's to notice
    (`kernel.inbox.first_time`). Messages of both `facts` and `arrivals` are slices; one of `arrivals` names the origin
    as its `service` and carries the number of the first arrival.
    """

    def decorate(method: Callable[..., None]) -> Callable[..., None]:
        def entered(self: Any, fact: Fact, settings: Settings, source: str) -> None:
            actor = node_actor(settings.node)
            with self.database.write() as session:
                method(self, Call(session, actor, {}, now(), settings.node, settings, source), fact)

        entered.__name__ = method.__name__
        entered.__doc__ = method.__doc__
        register_entrypoint(entered, _Subscription(queue, exchange, keys))
        return entered

    return decorate


def node_actor(node: str) -> Actor:
    """The node itself, for what nobody asked for: timers and subscriptions."""
    return Actor(id=f"node:{node}", name=node, roles=frozenset(), node=node)


def every(seconds: float) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Call a method every `seconds`, one call at a time; a failure is logged and the next call comes as usual."""

    def decorate(method: Callable[..., None]) -> Callable[..., None]:
        def ticked(self: Any) -> None:
            try:
                method(self)
            except JisrError as error:
                log.warning("timer.failed", timer=method.__name__, code=error.code, cause=error.details)
            except Exception as error:  # the container would log its text
                log.failure("timer.failed", error, timer=method.__name__)

        ticked.__name__ = method.__name__
        ticked.__doc__ = method.__doc__
        register_entrypoint(ticked, Timer(seconds))
        return ticked

    return decorate


class Node(DependencyProvider):
    """The node's settings, for timers that need them."""

    def get_dependency(self, worker_ctx: Any) -> Settings:
        settings: Settings = self.container.config[SETTINGS]
        return settings


def rpc(method: Callable[..., Any]) -> Callable[..., Any]:
    """Serve a method by RPC and measure it."""

    def called(self: Any, *args: Any, **kwargs: Any) -> Any:
        with _measured(method.__name__):
            return method(self, *args, **kwargs)

    called.__name__ = method.__name__
    called.__doc__ = method.__doc__
    served: Callable[..., Any] = nameko_rpc(called)
    return served


@contextmanager
def _measured(method: str) -> Iterator[None]:
    started = time.perf_counter()
    result = "failed"
    try:
        yield
        result = "answered"
    finally:
        metrics.RPC_SECONDS.labels(method, result).observe(time.perf_counter() - started)


class RpcCaller:
    """Calls another service by RPC with a bounded wait; the proxy is replaced after any failure."""

    def __init__(self, service: str, config: dict[str, Any]) -> None:
        self._service = service
        self._config = config
        self._manager: ServiceRpcProxy | None = None
        self._proxy: Any = None

    def call(self, method: str, **values: Any) -> Any:
        """The answer of `method`. Raises `BrokerAway` when none came within ten seconds, whatever the reason."""
        try:
            if self._proxy is None:
                self._manager = ServiceRpcProxy(self._service, self._config, timeout=RPC_SECONDS)
                self._proxy = self._manager.start()
            with _measured(method):
                return getattr(self._proxy, method)(**values)
        except Exception as error:  # kombu, amqp and nameko raise some twenty kinds when a broker goes away
            self.close()
            raise BrokerAway(f"No answer from {self._service}.{method}.", cause=type(error).__name__) from error

    def close(self) -> None:
        """Forget the connection, whatever its state."""
        manager, self._manager, self._proxy = self._manager, None, None
        if manager is not None:
            try:
                manager.stop()
            except Exception as error:
                log.debug("rpc.close_failed", error=type(error).__name__)


class RpcClient(DependencyProvider):
    """Another service, reached by RPC: `self.sync.call("facts_after", …)`."""

    def __init__(self, service: str) -> None:
        self.service = service

    def setup(self) -> None:
        self.caller = RpcCaller(self.service, dict(self.container.config))

    def get_dependency(self, worker_ctx: Any) -> RpcCaller:
        return self.caller

    def stop(self) -> None:
        self.caller.close()


def container_config(settings: Settings, service: str) -> dict[str, Any]:
    """The nameko configuration of one service of this node."""
    return {
        SETTINGS: settings,
        "AMQP_URI": settings.broker,
        "WEB_SERVER_ADDRESS": f"{settings.host}:{settings.port_of(service)}",
        "max_workers": 64,
        "parent_calls_tracked": 0,
    }
