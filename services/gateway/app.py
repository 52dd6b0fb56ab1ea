"""The WSGI application of one gateway, put together."""

from ipaddress import ip_address
from typing import Any

import msgspec
from flask import Flask, Response, request
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from werkzeug.exceptions import NotFound

from contracts.topology import load as load_topology
from contracts.work import ACCOUNTS
from kernel.clock import now
from kernel.crypto import SigningKey, load_hash_key
from kernel.database import Database
from kernel.disk import disk_of
from kernel.identity import sign_actor
from kernel.settings import Settings
from services.gateway import (
    account,
    answers,
    case,
    documents,
    erasure,
    evidence,
    forum,
    handler_requests,
    identity,
    lifecycle,
    login,
    mediations,
    notify,
    receipts,
    referrals,
    registers,
    sync,
    transfers,
    welfare,
)
from services.gateway.auth import Logins
from services.gateway.body import MAX_BODY_BYTES
from services.gateway.doors import Doors
from services.gateway.passwords import Passwords
from services.gateway.state import EXTENSION, Gateway

SERVICE = "gateway"
SERVICES = ("forum", "case", "notify", "sync")
OPERATIONS = (
    login,
    account,
    forum,
    case,
    lifecycle,
    mediations,
    welfare,
    identity,
    erasure,
    evidence,
    receipts,
    referrals,
    registers,
    transfers,
    handler_requests,
    notify,
    sync,
)
FORWARDED = ("Forwarded", "X-Forwarded-For")


def open_gateway(settings: Settings) -> Gateway:
    """Open what the gateway needs: database, keys, the addresses of the services. Raises SettingsError."""
    key = SigningKey.load(settings.keys_directory / "gateway.key")
    database = Database(settings.database_url_of(SERVICE), service=SERVICE)
    passwords = Passwords()
    return Gateway(
        node=settings.node,
        kind=load_topology(settings.topology).node(settings.node).kind,
        database=database,
        key=key,
        hash_key=load_hash_key(settings.keys_directory / "hash.key"),
        doors=Doors(
            {service: settings.url_of(service) for service in SERVICES},
            sign=lambda actor: sign_actor(key, actor, now=now()),
        ),
        logins=Logins(database, key, settings.node, passwords),
        passwords=passwords,
        disk=disk_of(settings),
        metrics_from=settings.metrics_from,
    )


def create_app(gateway: Gateway) -> Flask:
    """The application. It reads nothing but `gateway`; two of them may live in one process."""
    app = Flask(__name__)
    app.config |= {
        "MAX_CONTENT_LENGTH": MAX_BODY_BYTES,
        "PROVIDE_AUTOMATIC_OPTIONS": False,  # pages of other origins have no business here
        "TRAP_HTTP_EXCEPTIONS": False,
    }
    app.url_map.merge_slashes = False  # a redirect would be an answer in another shape
    app.extensions[EXTENSION] = gateway
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    api = documents.open_document(app)
    answers.install(app)
    for module in OPERATIONS:
        api.register_blueprint(module.operations)
    documents.install_pages(app, api)
    _add_probes(app, gateway)
    return app


def _add_probes(app: Flask, gateway: Gateway) -> None:
    @app.get("/healthz")
    def healthz() -> Response:
        return _json({"alive": True}, 200)

    @app.get("/readyz")
    def readyz() -> Response:
        """Ready with its own database: a service that is away is said, and each request to it answered 503."""
        ready = gateway.database.answers()
        room = gateway.disk.goes_on(ACCOUNTS)
        said = {"database": ready, "disk": room, "services": gateway.doors.reachable()}
        return _json(said, 200 if ready else 503)

    @app.get("/metrics")
    def numbers() -> Response:
        if not _may_measure(gateway):
            raise NotFound
        gateway.disk.look()  # sets its gauges
        return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)


def _may_measure(gateway: Gateway) -> bool:
    """From the networks that the settings name, and not through a proxy, which stands in one of them."""
    if any(header in request.headers for header in FORWARDED):
        return False
    try:
        address = ip_address(request.remote_addr or "")
    except ValueError:
        return False
    return any(address in network for network in gateway.metrics_from)


def _json(body: Any, status: int) -> Response:
    return Response(msgspec.json.encode(body), status, mimetype="application/json")
