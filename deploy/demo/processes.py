"""The processes of the country: started, watched, started again when they die, stopped together.

A process that dies is started again, for that is what a service manager does for a real node; five deaths
within a minute mean that it cannot run, and then the country stops and says why. Only one thread starts
processes (see `deploy.children`): `watch()` is called by whoever waits, again and again.
"""

import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from deploy.children import ProcessFailed, tail

DEATHS = 5
WITHIN_SECONDS = 60
STOP_SECONDS = 20


class Running(Protocol):
    """What is needed of a process; `subprocess.Popen` is one."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None: ...

    def send_signal(self, sig: int, /) -> None: ...

    def wait(self, timeout: float | None = None) -> int: ...


@dataclass
class Watched:
    """One process by its name (`ninewa engine`), and how to start it again."""

    name: str
    begin: Callable[[], Running]
    log: Path
    process: Running
    deaths: deque[float] = field(default_factory=lambda: deque(maxlen=DEATHS))
    restarts: int = 0


class Processes:
    """All that the demo runs beside the broker."""

    def __init__(self) -> None:
        self._watched: dict[str, Watched] = {}

    def start(self, name: str, begin: Callable[[], Running], *, log: Path) -> None:
        self._watched[name] = Watched(name, begin, log, begin())

    def watch(self) -> list[str]:
        """Start again what has died; the names of what was. ProcessFailed when one dies again and again."""
        died = [one for one in self._watched.values() if one.process.poll() is not None]
        for one in died:
            self._again(one)
        return [one.name for one in died]

    def kill(self, name: str) -> int:
        """SIGKILL one process, as a power cut would; `watch` starts it again. The process id it had."""
        process = self._watched[name].process
        process.send_signal(signal.SIGKILL)
        process.wait(STOP_SECONDS)
        return process.pid

    def restarts(self, name: str) -> int:
        return self._watched[name].restarts

    def pids(self) -> dict[str, int]:
        return {name: one.process.pid for name, one in self._watched.items()}

    def stop(self) -> None:
        """Ask all of them to end, at once, and kill those that have not after a while."""
        processes = [one.process for one in self._watched.values()]
        for process in processes:
            process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for process in processes:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, deadline - time.monotonic()))
        for process in processes:
            process.send_signal(signal.SIGKILL)
            process.wait(STOP_SECONDS)
        self._watched.clear()

    def _again(self, one: Watched) -> None:
        now = time.monotonic()
        one.deaths.append(now)
        if len(one.deaths) == DEATHS and now - one.deaths[0] < WITHIN_SECONDS:
            raise ProcessFailed(
                f"{one.name} ended {DEATHS} times within {WITHIN_SECONDS} seconds, see {one.log}:\n{tail(one.log)}"
            )
        one.process = one.begin()
        one.restarts += 1
