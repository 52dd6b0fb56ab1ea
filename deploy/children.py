"""Child processes that never outlive us.

Each child is started by util-linux's `setpriv --pdeathsig`: the kernel kills it when the thread that started
it ends,
however that happens. Start children from a thread that lives as long as they should, the main thread as a
rule.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

POLL_SECONDS = 0.05


class ProcessFailed(RuntimeError):
    """A private server did not do what it was asked to in time; the text says where its log is."""


def start(
    command: Sequence[str],
    *,
    log: Path,
    environment: Mapping[str, str] | None = None,
    user: str | None = None,
    cwd: Path | None = None,
    death_signal: str = "KILL",
) -> subprocess.Popen[bytes]:
    """Start `command` in its own session, its output appended to `log`, as `user` where given (root only).

    `death_signal` is what it gets when we end: `TERM` for one that has children of its own to end.
    """
    with log.open("ab") as output:
        return subprocess.Popen(
            [*as_user(user, death_signal=death_signal), *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environment) if environment is not None else None,
            cwd=cwd,
            start_new_session=True,
        )


def as_user(user: str | None, *, death_signal: str | None = None) -> list[str]:
    """The words to put before a command so that it runs as `user` and gets `death_signal` when its starter
    ends.
    """
    words = ["setpriv"]
    if user is not None:
        words += [f"--reuid={user}", f"--regid={user}", "--clear-groups"]
    if death_signal is not None:
        words += ["--pdeathsig", death_signal]
    return [*words, "--"] if len(words) > 1 else []


def stop(process: subprocess.Popen[bytes] | None, *, with_signal: int = signal.SIGTERM, seconds: float = 15) -> None:
    """Ask `process` to end, and kill it when it has not after `seconds`. A process that has ended already is
    fine.
    """
    if process is None:
        return
    if process.poll() is None:
        process.send_signal(with_signal)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        kill(process)


def kill(process: subprocess.Popen[bytes] | None) -> None:
    """SIGKILL `process` and wait for its end."""
    if process is None:
        return
    if process.poll() is None:
        process.send_signal(signal.SIGKILL)
    process.wait()


def wait_ready(process: subprocess.Popen[bytes], ready: Callable[[], bool], *, seconds: float, log: Path) -> None:
    """Return when `ready()` is true; raise ProcessFailed when `process` ends first or `seconds` pass."""
    deadline = time.monotonic() + seconds
    while not ready():
        if process.poll() is not None:
            raise ProcessFailed(f"ended with code {process.returncode} while starting, see {log}:\n{tail(log)}")
        if time.monotonic() > deadline:
            raise ProcessFailed(f"not ready after {seconds:.0f} seconds, see {log}:\n{tail(log)}")
        time.sleep(POLL_SECONDS)


def tail(log: Path, lines: int = 15) -> str:
    """The last `lines` of a log file, empty when there is none."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else ""


def running_as_root() -> bool:
    """Whether this process may change to another user."""
    return os.geteuid() == 0
