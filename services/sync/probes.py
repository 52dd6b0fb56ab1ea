"""`/metrics`, `/healthz` and `/readyz` of the engine, on a thread of their own with the standard library's server."""

import threading
from collections.abc import Callable
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from kernel.errors import SettingsError
from kernel.metrics import wsgi_app


class _Quiet(WSGIRequestHandler):
    timeout = 10

    def log_message(self, format: str, *args: object) -> None:
        """Probes come every few seconds; they are not news."""


class ProbeServer:
    """Listens on the engine's port until `stop`."""

    def __init__(self, host: str, port: int, ready: Callable[[], dict[str, bool]]) -> None:
        try:
            self._server: WSGIServer = make_server(host, port, wsgi_app(ready), handler_class=_Quiet)
        except OSError as error:
            raise SettingsError(
                f"The engine cannot listen on {host}:{port} (`ports.engine`): {error.strerror}."
            ) from error
        self._thread = threading.Thread(target=self._server.serve_forever, name="probes", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
