"""The command behind `bash deploy/demo.sh`."""

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
from filelock import FileLock, Timeout
from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from deploy.children import ProcessFailed
from deploy.demo import brokers, layout, loading
from deploy.demo.check import CUT_FROM, SECOND, Check, Failed
from deploy.demo.client import ApiError
from deploy.demo.country import SHARED_FROM, Country, NotInTime
from deploy.demo.memory import available, proportional_set
from deploy.demo.table import Links, front, live
from deploy.rabbitmq import RabbitMQMissing
from kernel.clock import now
from kernel.errors import JisrError

DEFAULT_NODES = "ninewa,anbar,duhok"
CHECK_SIZE = 0.5
DRAW_SECONDS = 2.0
NODE_BYTES, SHARED_NODE_BYTES, BROKER_BYTES = 280 * 2**20, 200 * 2**20, 300 * 2**20
"""Measured; docs/demo.md says where."""
EXPLAINED = (
    JisrError,
    ProcessFailed,
    RabbitMQMissing,
    brokers.BrokerUnusable,
    loading.OtherSample,
    NotInTime,
    ApiError,
    Failed,
)
HELP = """A country of Jisr on this machine: governorates, both directorates, sample data, a live table of
links.

\b
Examples:
  bash deploy/demo.sh                          Ninewa, Anbar, Duhok and both directorates, until Ctrl-C
  bash deploy/demo.sh --nodes ninewa,basra     other governorates
  bash deploy/demo.sh --nodes all              all 19; says first how much memory that takes
  bash deploy/demo.sh --check --seed 7         prove the main job; the last line is JSON, exit 0 or 1
  bash deploy/demo.sh --json                   no table: a line of JSON when ready, then one a look

\b
Environment:
  JISR_HOME           the directory of all files (.jisr)
  JISR_RABBITMQ_URL   a RabbitMQ of yours instead of a private one; see docs/demo.md
"""
errors = Console(stderr=True)


class Stopped(Exception):
    """Somebody asked us to end."""


@dataclass
class Wishes:
    """What was asked for on the command line."""

    nodes: list[str]
    seed: int
    size: float
    as_json: bool
    home: Path
    began: float = field(default_factory=time.monotonic)
    news: list[str] | None = None

    def say(self, what: str) -> None:
        """A line for people, with the seconds since the start; below the table once that is drawn."""
        if self.news is not None:
            self.news.append(f"{now():%H:%M:%S}  {what}")
            return
        errors.print(f"{time.monotonic() - self.began:6.1f} s  {what}", highlight=False, markup=False, soft_wrap=True)


def main(
    nodes: Annotated[str, typer.Option(help="Governorates by id with commas, or `all`.")] = DEFAULT_NODES,
    seed: Annotated[int, typer.Option(help="The same seed gives the same sample.")] = 1,
    size: Annotated[
        float | None, typer.Option(min=0.05, max=5, help="How large the sample is.  [default: 1; with --check 0.5]")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Prove the main job and exit.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines instead of a table.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget what an earlier demo left.")] = False,
) -> None:
    root = Path(os.environ.get("JISR_HOME") or ".jisr").resolve()
    with _explained(as_json=as_json, check=check, seed=seed):
        size = size or (CHECK_SIZE if check else 1.0)
        wishes = Wishes(layout.choose_nodes(nodes), seed, size, as_json, root / ("check" if check else "demo"))
        with _alone(wishes.home, fresh=fresh or check):
            if check:
                raise typer.Exit(_check(wishes))
            _show(wishes)


# -- the two ways to run it
# ----------------------------------------------------------------------------------------


def _show(wishes: Wishes) -> None:
    """Start, load, and show the links until somebody stops it."""
    _say_memory(wishes)
    with (
        _signals(),
        Country(wishes.home, wishes.nodes, brokers.choose(wishes.home / "broker"), say=wishes.say) as country,
    ):
        _ready(country, wishes)
        links = Links(country)
        if wishes.as_json:
            _print({"event": "ready", **_front_values(country)})
            _forever(country, lambda: _print({"event": "links", "links": links.all()}))
        console = Console()
        console.print(front(country))
        wishes.news = []
        draw = live(links, wishes.news, console)
        try:
            with Live(draw(), console=console, auto_refresh=False) as screen:
                _forever(country, lambda: screen.update(draw(), refresh=True))
        finally:
            wishes.news = None
            wishes.say("stopping")


def _check(wishes: Wishes) -> int:
    """Prove the main job. The report is the last line of standard output, whatever happens."""
    for node in (CUT_FROM, SECOND):
        if node not in wishes.nodes:
            raise Failed(f"--check works with {CUT_FROM} and {SECOND}; {node} is not among --nodes")
    report: dict[str, Any] = {"ok": False, "seed": wishes.seed, "nodes": wishes.nodes}
    check: Check | None = None
    try:
        chosen = brokers.choose(wishes.home / "broker")
        with _signals(), Country(wishes.home, wishes.nodes, chosen, say=wishes.say) as country:
            _ready(country, wishes)
            report["memory_mb"] = _memory(country) // 2**20
            report["broker_files"] = "searched" if chosen.files else "not ours to read"
            check = Check(country, wishes.seed, wishes.say)
            check.run()
        report["ok"] = True
    except (Stopped, *EXPLAINED) as error:
        report["problem"] = str(error) or "stopped"
        wishes.say(f"FAILED: {report['problem']}")
    if check is not None:
        report |= {"counts": check.counts, "steps": check.seconds}
    report["seconds"] = round(time.monotonic() - wishes.began, 1)
    wishes.say("the main job is proven" if report["ok"] else f"what was left behind is in {wishes.home}")
    _print(report)
    return 0 if report["ok"] else 1


def _ready(country: Country, wishes: Wishes) -> None:
    """Start the country and load its sample."""
    sample = loading.remembered(country, seed=wishes.seed, size=wishes.size)
    country.start()
    wishes.say(f"ready: {len(country.places)} nodes, {_memory(country) // 2**20} MiB of memory")
    with _progress(wishes) as progress:
        loaded = loading.load(country, sample, progress=progress)
    wishes.say(f"loaded {sum(loaded.values())} requests of sample data" if loaded else "the sample was loaded before")


def _forever(country: Country, draw: Callable[[], None]) -> None:
    """Look and draw until a signal comes."""
    while True:
        country.watch()
        draw()
        time.sleep(DRAW_SECONDS)


# -- what surrounds them
# -------------------------------------------------------------------------------------------


@contextmanager
def _signals() -> Iterator[None]:
    """Ctrl-C, SIGTERM and a closed terminal end the country in order; once it is ending they are not listened
    to."""

    def stop(_number: int, _frame: object) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        raise Stopped

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    yield


@contextmanager
def _explained(*, as_json: bool, check: bool, seed: int) -> Iterator[None]:
    """One sentence instead of a traceback, for what a person can do something about."""
    try:
        yield
    except Stopped:
        errors.print("stopped; nothing of it runs any more", highlight=False)
        raise typer.Exit(0) from None
    except EXPLAINED as error:
        errors.print(str(error), style="red", highlight=False, markup=False, soft_wrap=True)
        if check or as_json:
            _print({"ok": False, "seed": seed, "problem": str(error)})
        raise typer.Exit(1) from None


@contextmanager
def _alone(home: Path, *, fresh: bool) -> Iterator[None]:
    """The home, for this run only: two demos in one home would be two machines with one identity."""
    home.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(f"{home}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise Failed(f"another demo runs in {home}; set JISR_HOME to another directory for a second one") from None
    with lock:
        if fresh:
            shutil.rmtree(home, ignore_errors=True)
        home.mkdir(mode=0o700, exist_ok=True)
        yield


@contextmanager
def _progress(wishes: Wishes) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal, a line for each tenth elsewhere."""
    if not errors.is_terminal:
        yield _Tenths(wishes.say)
        return
    columns = (TextColumn("loading sample data"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=errors) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


class _Tenths:
    """Says how far it is each time another tenth is done."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._said = 0

    def __call__(self, done: int, total: int) -> None:
        tenths = 10 * done // total if total else 0
        if tenths > self._said:
            self._said = tenths
            self._say(f"loading sample data: {done} of {total} requests")


def _say_memory(wishes: Wishes) -> None:
    """What it will take, before it takes it; a warning where there is less."""
    each = SHARED_NODE_BYTES if len(wishes.nodes) > SHARED_FROM else NODE_BYTES
    needed = len(wishes.nodes) * each + BROKER_BYTES
    free = available()
    wishes.say(f"{len(wishes.nodes)} nodes need about {needed // 2**20} MiB of memory; {free // 2**20} MiB are free")
    if needed > free:
        wishes.say("that is more than there is: choose fewer with --nodes")


def _memory(country: Country) -> int:
    """Bytes of RAM that everything we started takes, the broker and ourselves included."""
    return proportional_set({os.getpid(), *country.pids()})


def _front_values(country: Country) -> dict[str, Any]:
    return {
        "nodes": {
            node: {"address": place.address, "accounts": country.logins_of(node)}
            for node, place in country.places.items()
        },
        "password": country.password,
    }


def _print(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command(help=HELP)(main)
    app(prog_name="bash deploy/demo.sh")
