"""What a service is given: its database, its relay, its probes, the node's settings."""

from collections.abc import Callable
from typing import Any

from eventlet import wsgi
from nameko.extensions import DependencyProvider
from nameko.web.server import HttpOnlyProtocol, WebServer
from werkzeug.routing import Rule
from werkzeug.wrappers import Request, Response

from kernel import metrics, outbox
from kernel.database import Database as KernelDatabase
from kernel.disk import disk_of
from kernel.settings import Settings
from kernel.vault import Vault

SETTINGS = "JISR_SETTINGS"  # the key of `Settings` in a container's config


def container_config(settings: Settings, service: str) -> dict[str, Any]:
    """The nameko configuration of one service of this node."""
    return {
        SETTINGS: settings,
        "AMQP_URI": settings.broker,
        "WEB_SERVER_ADDRESS": f"{settings.host}:{settings.port_of(service)}",
        "max_workers": 64,
        "parent_calls_tracked": 0,
    }


class Database(DependencyProvider):
    """The service's own database, as a `kernel.database.Database`. `sealed`: its sessions carry the node's `vault`;
    `begin`: what else is to be done with it before the service starts.
    """

    def __init__(
        self, *, sealed: bool = False, begin: Callable[[KernelDatabase, Settings], None] | None = None
    ) -> None:
        self.sealed = sealed
        self.begin = begin

    def setup(self) -> None:
        settings: Settings = self.container.config[SETTINGS]
        service = self.container.service_name
        self.database = KernelDatabase(settings.database_url_of(service), service=service)
        if self.sealed:
            vault = self.database.info["vault"] = Vault.at(settings.keys_directory)
            vault.reload()  # a service that cannot seal must not start
        if self.begin is not None:
            self.begin(self.database, settings)

    def get_dependency(self, worker_ctx: Any) -> KernelDatabase:
        return self.database

    def stop(self) -> None:
        self.database.close()


def database_of(container: Any) -> KernelDatabase:
    for dependency in container.dependencies:
        if isinstance(dependency, Database):
            return dependency.database
    raise TypeError(f"service {container.service_name} declares no Database")


class Relay(DependencyProvider):
    """Publishes the service's outbox from a greenthread of its own, woken by every commit."""

    def start(self) -> None:
        settings: Settings = self.container.config[SETTINGS]
        self.relay = outbox.Relay(database_of(self.container), settings.broker)
        self.relay.start()

    def get_dependency(self, worker_ctx: Any) -> outbox.Relay:
        return self.relay

    def stop(self) -> None:
        self.relay.stop()


class Server(WebServer):
    """nameko's web server without a log line per request: the door measures and the gateway logs."""

    def get_wsgi_server(self, sock: Any, wsgi_app: Any, protocol: Any = HttpOnlyProtocol, debug: bool = False) -> Any:
        return wsgi.Server(sock, sock.getsockname(), wsgi_app, protocol=protocol, debug=debug, log_output=False)


class Metrics(DependencyProvider):
    """`/metrics`, `/healthz` and `/readyz` beside the service's doors. Ready: the database answers, there is room."""

    server = Server()

    def setup(self) -> None:
        self.server.register_provider(self)

    def stop(self) -> None:
        self.server.unregister_provider(self)

    def get_url_rule(self) -> Rule:
        return Rule("/<any(metrics, healthz, readyz):probe>", methods=["GET"])

    def handle_request(self, request: Request) -> Response:
        settings: Settings = self.container.config[SETTINGS]
        database = database_of(self.container)
        disk = disk_of(settings).goes_on(self.container.service_cls.work)  # also sets its gauges for /metrics
        answer = metrics.probe(request.path, lambda: {"database": database.answers(), "disk": disk})
        if answer is None:
            return Response(status=404)
        status, content_type, body = answer
        return Response(body, status=status, content_type=content_type)

    def get_dependency(self, worker_ctx: Any) -> Any:
        return metrics


class Node(DependencyProvider):
    """The node's settings, for timers that need them."""

    def get_dependency(self, worker_ctx: Any) -> Settings:
        settings: Settings = self.container.config[SETTINGS]
        return settings
