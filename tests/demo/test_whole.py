"""The demo as its user meets it: the command, its output, its exit code, and what is left when it has gone."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.demo.brokers import BrokerUnusable, GivenBrokers
from deploy.demo.memory import descendants
from deploy.rabbitmq import PrivateRabbitMQ
from tests.kit import wait

ROOT = Path(__file__).parents[2]
PATIENCE = 240


class Demo:
    """One run of the command, with a home of its own."""

    def __init__(self, home: Path, *options: str) -> None:
        self.errors = home / "errors.txt"
        with self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "deploy.demo", *options],
                cwd=ROOT,
                env={**os.environ, "JISR_HOME": str(home)},
                stdout=subprocess.PIPE,
                stderr=errors,
            )

    def line(self) -> dict[str, Any]:
        """The next line of JSON."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.errors.read_text()[-2000:]
        value: dict[str, Any] = json.loads(line)
        return value

    def everything(self) -> set[int]:
        """The demo and all that it started."""
        return descendants({self.process.pid})

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def demo(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Demo]:
    running = Demo(tmp_path, *request.param)
    yield running
    running.end()


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "demo", [("--check", "--nodes", "ninewa,duhok", "--size", "0.1", "--seed", "5")], indirect=True
)
def test_the_check_proves_the_main_job_and_ends_with_its_report(demo: Demo) -> None:
    report = demo.line()
    assert demo.process.wait(60) == 0, report
    assert report["ok"], report
    assert report["seed"] == 5
    assert report["counts"]["records_withheld"] > 0
    assert report["counts"]["markers"] > 50
    assert not list(Path("/proc").glob(f"{demo.process.pid}/task/*/children"))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("demo", [("--json", "--nodes", "muthanna", "--size", "0.2")], indirect=True)
def test_the_demo_shows_its_links_and_ends_with_everything_that_it_started(demo: Demo) -> None:
    ready = demo.line()
    assert ready["event"] == "ready"
    assert set(ready["nodes"]) == {"muthanna", "directorate-baghdad", "directorate-erbil"}
    links = demo.line()["links"]
    assert {(link["origin"], link["destination"]) for link in links} >= {("muthanna", "directorate-erbil")}
    started = demo.everything()
    assert len(started) > 9
    demo.process.send_signal(signal.SIGTERM)
    assert demo.process.wait(60) == 0
    wait.until(lambda: not running(started), seconds=60, what="everything that was started has ended")


@pytest.mark.timeout(600)
@pytest.mark.parametrize("demo", [("--json", "--nodes", "muthanna", "--size", "0.2")], indirect=True)
def test_nothing_outlives_a_demo_that_is_killed(demo: Demo) -> None:
    started = wait.until(
        lambda: demo.everything() if len(demo.everything()) > 9 else set(), seconds=PATIENCE, what="processes run"
    )
    demo.process.kill()
    wait.until(lambda: not running(started), seconds=60, what="everything that was started has ended")


def running(pids: set[int]) -> set[int]:
    """Those that still run; a zombie waiting for its parent does not."""
    return {pid for pid in pids if _state(pid) not in ("", "Z", "X")}


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return ""


def test_ready_made_virtual_hosts_of_a_given_broker_are_used_and_a_missing_one_named(
    rabbitmq: PrivateRabbitMQ,
) -> None:
    rabbitmq.add_vhost("given-ninewa")
    url = rabbitmq.url("given-{node}").replace("%7B", "{").replace("%7D", "}")
    try:
        given = GivenBrokers(url)
        given.arrange(["ninewa"], [])
        given.start()
        assert given.url("ninewa") == rabbitmq.url("given-ninewa")
        given.arrange(["ninewa", "anbar"], [])
        with pytest.raises(BrokerUnusable, match="given-anbar"):
            given.start()
    finally:
        rabbitmq.delete_vhost("given-ninewa")
