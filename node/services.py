"""The nameko services of a node in this process: `python -m node.services NAME… --settings FILE`.

A process of its own, started by `jisr run`, because eventlet must patch the standard library before anything else is
imported. Doors, timers and subscriptions start at once and live through a broker that is away. What nameko refuses to
start without a broker, the RPC side, joins when the broker appears and is replaced when it dies.
"""

import eventlet

eventlet.monkey_patch()

import argparse  # noqa: E402 - nothing may be imported before the patch
import signal  # noqa: E402
import sys  # noqa: E402
import threading  # noqa: E402
from importlib import import_module  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

from nameko.containers import ServiceContainer  # noqa: E402
from nameko.runners import ServiceRunner  # noqa: E402

from kernel import log  # noqa: E402
from kernel.broker import channel_to  # noqa: E402
from kernel.errors import BrokerAway, JisrError, Unavailable  # noqa: E402
from kernel.extensions import container_config  # noqa: E402
from kernel.settings import Settings  # noqa: E402
from node.commands.output import BAD_CALL, UNREACHABLE  # noqa: E402
from node.processes import SERVICES, check_databases, prepare  # noqa: E402

CLASSES = {
    "forum": ("services.forum.service", "ForumService"),
    "case": ("services.case.service", "CaseService"),
    "notify": ("services.notify.service", "NotifyService"),
    "sync": ("services.sync.service", "SyncService"),
}
ANSWERING = {"sync": ("services.sync.service", "SyncRpc")}  # served by RPC, needs the broker
STOP_SECONDS = 10
BROKER_RETRY_SECONDS = (1.0, 2.0, 5.0, 10.0)

events = log.get_logger("services")


class Runner(ServiceRunner):
    """nameko's runner, each service with a configuration of its own: its web server listens on its own port."""

    def __init__(self, settings: Settings) -> None:
        super().__init__({})
        self._settings = settings

    def add_service(self, cls: Any) -> None:
        self.service_map[cls.name] = ServiceContainer(cls, container_config(self._settings, cls.name))


class Answering:
    """Hosts one RPC class: starts it once the broker answers, and again after it died."""

    def __init__(self, settings: Settings, service: str) -> None:
        self._settings = settings
        self._class = _class(ANSWERING[service])
        self._container: ServiceContainer | None = None
        self._stopping = threading.Event()

    def run(self) -> None:
        """Serve until `stop`."""
        failures = 0
        while not self._stopping.is_set():
            try:
                with channel_to(self._settings.broker, name="is the broker there"):
                    failures = 0
                self._container = ServiceContainer(self._class, container_config(self._settings, self._class.name))
                self._container.start()
                events.info("rpc.serving", service=self._class.name)
                self._container.wait()
            except BrokerAway:
                failures += 1
            except Exception as error:  # nameko raises what kombu and amqp do
                failures += 1
                events.failure("rpc.died", error)
            self._stopping.wait(BROKER_RETRY_SECONDS[min(failures, len(BROKER_RETRY_SECONDS) - 1)])

    def stop(self) -> None:
        """Stop serving."""
        self._stopping.set()
        if self._container is not None:
            self._container.kill()


def _class(place: tuple[str, str]) -> Any:
    return getattr(import_module(place[0]), place[1])


def serve(settings: Settings, names: list[str]) -> None:
    """Serve until SIGTERM or SIGINT; then finish what is under way, at most ten seconds."""
    runner = Runner(settings)
    for name in names:
        runner.add_service(_class(CLASSES[name]))
    answering = [Answering(settings, name) for name in names if name in ANSWERING]
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    runner.start()
    for answerer in answering:
        eventlet.spawn_n(answerer.run)
    events.info("services.serving", services=names, node=settings.node)
    died = eventlet.spawn(runner.wait)
    while not stopping.wait(0.2):
        if died.dead:
            died.wait()
            return
    with eventlet.Timeout(STOP_SECONDS, False):
        for answerer in answering:
            answerer.stop()
        runner.stop()


def main() -> int:
    """Parse the command line of this process, started by `jisr run`."""
    parser = argparse.ArgumentParser(prog="python -m node.services", description="Serve nameko services of a node.")
    parser.add_argument("names", nargs="+", choices=SERVICES)
    parser.add_argument("--settings", type=Path)
    chosen = parser.parse_args()
    try:
        prepared = prepare(chosen.settings)
        log.configure(prepared.settings.log_level)
        for name in chosen.names:
            check_databases(prepared.settings, name)
        serve(prepared.settings, chosen.names)
    except JisrError as error:
        print(f"jisr: {error.message}", file=sys.stderr)
        return UNREACHABLE if isinstance(error, Unavailable) else BAD_CALL
    except OSError as error:
        print(f"jisr: {chosen.names}: {error.strerror}", file=sys.stderr)
        return BAD_CALL
    return 0


if __name__ == "__main__":
    sys.exit(main())
