import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy import children
from deploy.children import ProcessFailed
from deploy.demo.nursery import Nursery, Nursling
from deploy.demo.processes import DEATHS, Processes
from tests.kit import wait

FOREVER = [sys.executable, "-c", "import signal; signal.pause()"]
AT_ONCE = [sys.executable, "-c", "raise SystemExit(3)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal; signal.signal(15, signal.SIG_IGN); print('up', flush=True); signal.pause()",
]


class Begun(Processes):
    """Processes that are begun by a command, each with a log of its own."""

    def __init__(self, home: Path) -> None:
        super().__init__()
        self.home = home

    def begin(self, name: str, command: list[str]) -> None:
        log = self.home / f"{name}.log"
        self.start(name, lambda: children.start(command, log=log), log=log)


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Begun]:
    running = Begun(tmp_path)
    yield running
    running.stop()


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def test_a_killed_process_is_started_again_and_counted(processes: Begun) -> None:
    processes.begin("ninewa engine", FOREVER)
    assert processes.watch() == []
    before = processes.kill("ninewa engine")
    assert processes.watch() == ["ninewa engine"]
    assert processes.restarts("ninewa engine") == 1
    assert processes.pids()["ninewa engine"] != before


def test_a_process_that_cannot_live_is_not_started_for_ever(processes: Begun) -> None:
    processes.begin("broken", AT_ONCE)
    seen = []

    def gives_up() -> str:
        try:
            seen.extend(processes.watch())
        except ProcessFailed as failed:
            return str(failed)
        return ""

    text = wait.until(gives_up, seconds=60, what="the broken process is given up")
    assert "broken" in text
    assert "see" in text
    assert len(seen) == DEATHS - 1


def test_nothing_runs_after_a_stop_however_stubborn(processes: Begun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.demo.processes.STOP_SECONDS", 1)
    processes.begin("willing", FOREVER)
    processes.begin("stubborn", STUBBORN)
    pids = processes.pids().values()
    processes.stop()
    assert not any(alive(pid) for pid in pids)


def test_a_grandchild_is_seen_to_end_though_its_exit_code_is_not_ours() -> None:
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import subprocess, sys; p = subprocess.Popen(['sleep', '1000']); print(p.pid, flush=True); p.wait()",
        ],
        stdout=subprocess.PIPE,
    )
    assert parent.stdout is not None
    grandchild = Nursling(int(parent.stdout.readline()))
    assert grandchild.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        grandchild.wait(0.05)
    grandchild.send_signal(9)
    assert grandchild.wait(10) == grandchild.poll() == -1
    grandchild.send_signal(9)
    parent.wait()
    parent.stdout.close()


def test_a_nursery_answers_for_each_child_and_takes_them_with_it(tmp_path: Path) -> None:
    """The real nursery, its children refused by a settings file that is not there: each says so in its own
    log."""
    nursery = Nursery(
        [sys.executable, "-m", "deploy.demo.nursery", "engine"], log=tmp_path / "nursery.log", environment={}
    )
    try:
        for name in ("one", "two"):
            child = nursery.bear(tmp_path / "absent.toml", tmp_path / f"{name}.log")
            assert child.wait(60) == -1
            assert "absent.toml" in (tmp_path / f"{name}.log").read_text()
    finally:
        nursery.stop()
    assert not alive(nursery.pid)
