"""RPC between services: measured where it is served, bounded and replaceable where it is asked."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from nameko.extensions import DependencyProvider
from nameko.rpc import rpc as nameko_rpc
from nameko.standalone.rpc import ServiceRpcProxy

from kernel import metrics
from kernel.errors import BrokerAway
from kernel.log import get_logger

RPC_SECONDS = 10

log = get_logger("service")


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
