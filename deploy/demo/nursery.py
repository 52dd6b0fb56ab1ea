"""Many processes of one kind that share what they have in common: `python -m deploy.demo.nursery engine`.

Sixty processes that each load the same libraries take six gigabytes and two minutes. A nursery loads them
once and forks: each child is the same process as `jisr run KIND --settings FILE`, with its own settings, log,
session and fate, but the pages that none of them changes are there once. Used where many nodes run on one
machine, which no real node does.

It reads a line of JSON for each child (`{"settings": …, "log": …, "environment": …}`) and answers with its
process id. Children die with the nursery, the nursery with the demo. The nursery itself does nothing but wait
for the next line, starts no thread and opens no connection: that is what makes forking it safe. Eventlet's hub
is made when nameko is imported, and its epoll descriptor would be shared, so a child begins with a new one.
"""

import ctypes
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

PR_SET_PDEATHSIG = 1
BIRTH_SECONDS = 60
SERVICES = "services"


class Nursling:
    """A grandchild, held by a descriptor that stays its own whoever gets its process id later."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        try:
            self._descriptor: int | None = os.pidfd_open(pid)
        except ProcessLookupError:
            self._descriptor = None

    def poll(self) -> int | None:
        """None while it lives. Its exit code is the nursery's to know; -1 stands for it."""
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        ended = self._ended(timeout)
        if ended is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        return ended

    def send_signal(self, sig: int, /) -> None:
        """Harmless when it has ended."""
        if self.poll() is None and self._descriptor is not None:
            signal.pidfd_send_signal(self._descriptor, sig)

    def _ended(self, seconds: float | None) -> int | None:
        if self._descriptor is None:
            return -1
        if not select.select([self._descriptor], [], [], seconds)[0]:
            return None
        os.close(self._descriptor)
        self._descriptor = None
        return -1


class Nursery:
    """The demo's side: one process per kind, asked for children."""

    def __init__(self, command: list[str], *, log: Path, environment: dict[str, str]) -> None:
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment,
                start_new_session=True,
            )
        self._log = log

    @property
    def pid(self) -> int:
        return self._process.pid

    def bear(self, settings: Path, log: Path, environment: Mapping[str, str] | None = None) -> Nursling:
        """One more child, started with this settings file and writing to this log; `environment`: what it has more."""
        wanted = {"settings": str(settings), "log": str(log), "environment": dict(environment or {})}
        asked = json.dumps(wanted).encode() + b"\n"
        _pipe(self._process.stdin).write(asked)
        _pipe(self._process.stdin).flush()
        answers = _pipe(self._process.stdout)
        line = answers.readline() if select.select([answers], [], [], BIRTH_SECONDS)[0] else b""
        if not line:
            raise RuntimeError(f"the nursery does not answer, see {self._log}")
        return Nursling(int(line))

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            _pipe(pipe).close()


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise RuntimeError("the nursery has no pipe")
    return pipe


# -- the nursery's own side
# ----------------------------------------------------------------------------------------


def _serve(kind: str) -> None:
    """Fork once for every line, until the demo closes the pipe or dies."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries the dead
    _load(kind)
    lines = os.fdopen(0, "rb", buffering=0, closefd=False)
    while line := lines.readline():
        asked = json.loads(line)
        pid = os.fork()
        if pid == 0:
            os.environ.update(asked["environment"])
            _grow_up(kind, asked["settings"], asked["log"])
        os.write(1, f"{pid}\n".encode())


def _load(kind: str) -> None:
    """Import what the children will need.

    For services, first the module that has eventlet patch the standard library: what was imported before it keeps the
    real `sleep`, and a broker that is away would put the whole process to sleep with it.
    """
    if kind == SERVICES:
        import node.services  # noqa: F401
        import services.case.service
        import services.forum.service
        import services.notify.service
        import services.sync.service
    else:
        import services.gateway.serve
        import services.sync.engine  # noqa: F401
    import gc

    gc.freeze()  # the collector would touch, and so copy, every page


def _grow_up(kind: str, settings: str, log: str) -> None:
    """In the child: become what `jisr run` would have become. Never returns."""
    code = 1
    try:
        os.setsid()
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _redirect(log)
        code = _run(kind, settings)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _redirect(log: str) -> None:
    nothing, output = os.open(os.devnull, os.O_RDONLY), os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)


def _run(kind: str, settings: str) -> int:
    if kind != SERVICES:
        from node.cli import app

        return _code(lambda: app(["run", kind, "--settings", settings]))
    from eventlet import hubs

    from node.processes import SERVICES as NAMES
    from node.services import main

    hubs.use_hub()
    sys.argv = ["node.services", *NAMES, "--settings", settings]
    return main()


def _code(run: Any) -> int:
    try:
        run()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1
    return 0


if __name__ == "__main__":
    _serve(sys.argv[1])
