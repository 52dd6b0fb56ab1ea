"""`jisr run all`: the processes of a node as children of one, restarted when they die, stopped together.

A child that dies is started again after a pause that doubles up to a minute, and starts at a second again once it has
lived for a minute. Children cannot outlive the supervisor: the kernel kills them when it dies (`PR_SET_PDEATHSIG`).
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from kernel import log
from node.processes import SERVICES

PR_SET_PDEATHSIG = 1
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
LIVED_SECONDS = 60.0
STOP_SECONDS = 15.0
LOOK_SECONDS = 0.2

events = log.get_logger("supervisor")


@dataclass
class Child:
    """One process: how to start it, and how it has fared."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    due_at: float = 0.0
    pause: float = FIRST_PAUSE_SECONDS

    def start(self, now: float) -> None:
        """Start the process; the kernel kills it when this process dies."""
        libc = ctypes.CDLL(None)
        self.process = subprocess.Popen(self.command, preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL))
        self.started_at = now
        events.info("child.started", child=self.name, pid=self.process.pid)

    def look(self, now: float) -> None:
        """Notice a death, and start again when its pause is over."""
        if self.process is not None and (code := self.process.poll()) is not None:
            lived = now - self.started_at
            self.pause = FIRST_PAUSE_SECONDS if lived > LIVED_SECONDS else min(self.pause * 2, LONGEST_PAUSE_SECONDS)
            self.due_at = now + self.pause
            self.process = None
            events.warning("child.died", child=self.name, code=code, lived=round(lived, 1), again_in=self.pause)
        if self.process is None and now >= self.due_at:
            self.start(now)


def supervise(names: Sequence[str], settings_file: Path) -> None:
    """Run `names` until SIGTERM or SIGINT, then stop them all."""
    children = [Child(name, _command(name, settings_file)) for name in names]
    stopping = False

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    try:
        while not stopping:
            for child in children:
                child.look(time.monotonic())
            time.sleep(LOOK_SECONDS)
    finally:
        _stop(children)


def _command(name: str, settings_file: Path) -> list[str]:
    program = ["node.services", *SERVICES] if name == "services" else ["node", "run", name]
    return [sys.executable, "-m", *program, "--settings", str(settings_file)]


def _stop(children: Sequence[Child]) -> None:
    running = [child.process for child in children if child.process is not None]
    for process in running:
        process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for process in running:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    events.info("supervisor.stopped", pid=os.getpid())
