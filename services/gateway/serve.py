"""The gateway as a process: waitress in front; behind it two loops, for its facts and for what notify must know."""

import json
from typing import Any

from flask import Flask
from waitress.channel import HTTPChannel
from waitress.server import create_server
from waitress.task import ErrorTask

from kernel.log import get_logger
from kernel.outbox import Relay
from kernel.settings import Settings
from services.gateway.answers import HEADERS, http_error
from services.gateway.app import create_app, open_gateway
from services.gateway.body import MAX_BODY_BYTES
from services.gateway.contacts import Contacts

THREADS = 16  # each waits for a service most of its time; about 50 KiB of stack in use each
SLACK = 64 * 1024  # so that a body just too large is refused by the application, with a request id

log = get_logger("gateway")


class OwnErrorTask(ErrorTask):
    """What waitress itself refuses (broken HTTP, far too large), in the shape of every other refusal."""

    def execute(self) -> None:
        error = self.request.error
        body = json.dumps(http_error(error.code)).encode()
        self.status = f"{error.code} {error.reason}"
        self.response_headers.extend([("Content-Type", "application/json"), *HEADERS.items()])
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class OwnChannel(HTTPChannel):
    """A connection that answers every error in our shape."""

    error_task_class = OwnErrorTask


class Server:
    """One running gateway: HTTP server, relay, contacts."""

    def __init__(self, settings: Settings) -> None:
        self.gateway = open_gateway(settings)
        self.relay = Relay(self.gateway.database, settings.broker)
        self.contacts = Contacts(self.gateway.database, self.gateway.doors, node=settings.node)
        self.http = _listen(create_app(self.gateway), settings)

    def run(self) -> None:
        """Serve until `stop`, or until the process is told to end."""
        self.relay.start()
        self.contacts.start()
        log.info("gateway.started", node=self.gateway.node, port=self.http.effective_port)
        try:
            self.http.run()
        finally:
            self.stop()

    def stop(self) -> None:
        """Stop taking requests, finish those at hand, end the loops."""
        self.relay.stop()
        self.contacts.stop()
        self.http.close()
        self.gateway.database.close()


def _listen(app: Flask, settings: Settings) -> Any:
    proxy = settings.trusted_proxy
    believed = {"trusted_proxy": proxy, "trusted_proxy_headers": "x-forwarded-for x-forwarded-proto"} if proxy else {}
    server = create_server(
        app,
        host=settings.gateway_host or settings.host,
        port=settings.port_of("gateway"),
        threads=THREADS,
        ident=None,
        max_request_body_size=MAX_BODY_BYTES + SLACK,
        max_request_header_size=16 * 1024,
        channel_timeout=60,
        cleanup_interval=15,
        connection_limit=200,
        clear_untrusted_proxy_headers=False,
        **believed,
    )
    server.channel_class = OwnChannel
    return server


def serve(settings: Settings) -> None:
    """Run the gateway of this node in the foreground."""
    Server(settings).run()
