"""The processes of the country: started, watched, started again when they die, stopped together.

A process that dies is started again, for that is what a service manager does for a real node; five deaths
within a minute mean that it cannot run, and then the country stops and says why. Only one thread starts
processes (see `deploy.children`): `watch()` is called by whoever waits, again and again.
"""

import signal
import subprocess
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deploy import children

DEATHS = 5
WITHIN_SECONDS = 60
STOP_SECONDS = 20


@dataclass
class Watched:
    """One process by its name (`ninewa engine`), and what it takes to start it again."""

    name: str
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes]
    deaths: deque[float] = field(default_factory=lambda: deque(maxlen=DEATHS))
    restarts: int = 0


class Processes:
    """All that the demo runs beside the broker."""

    def __init__(self) -> None:
        self._watched: dict[str, Watched] = {}

    def start(self, name: str, command: Sequence[str], *, log: Path, environment: Mapping[str, str]) -> None:
        process = children.start(command, log=log, environment=environment)
        self._watched[name] = Watched(name, command, log, environment, process)

    def watch(self) -> list[str]:
        """Start again what has died; the names of what was. ProcessFailed when one dies again and again."""
        died = [one for one in self._watched.values() if one.process.poll() is not None]
        for one in died:
            self._again(one)
        return [one.name for one in died]

    def kill(self, name: str) -> int:
        """SIGKILL one process, as a power cut would; `watch` starts it again. The process id it had."""
        process = self._watched[name].process
        children.kill(process)
        return process.pid

    def restarts(self, name: str) -> int:
        return self._watched[name].restarts

    def pids(self) -> dict[str, int]:
        return {name: one.process.pid for name, one in self._watched.items()}

    def stop(self) -> None:
        """Ask all of them to end, at once, and kill those that have not after a while."""
        for one in self._watched.values():
            if one.process.poll() is None:
                one.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for one in self._watched.values():
            children.stop(one.process, seconds=max(0.1, deadline - time.monotonic()))
        self._watched.clear()

    def _again(self, one: Watched) -> None:
        now = time.monotonic()
        one.deaths.append(now)
        if len(one.deaths) == DEATHS and now - one.deaths[0] < WITHIN_SECONDS:
            raise children.ProcessFailed(
                f"{one.name} ended {DEATHS} times within {WITHIN_SECONDS} seconds (last with code "
                f"{one.process.returncode}), see {one.log}:\n{children.tail(one.log)}"
            )
        one.process = children.start(one.command, log=one.log, environment=one.environment)
        one.restarts += 1
