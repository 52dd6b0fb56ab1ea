"""From the gateway's 201 to the record at the directorate, at a steady rate, through every process there is.

Gateway, case service and engine of a governorate and the engine of a directorate run on one machine, on SQLite. A case
is *visible* when its record can be read from the directorate's database; a reader looks every two milliseconds.
"""

import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from sqlmodel import select

from contracts.roles import Role
from kernel.database import Database
from services.sync.journal import fact_of
from services.sync.tables import JournalEntry, Record
from tests.doors.api import OPENING, Town, give_databases
from tests.kit import wait
from tests.kit.databases import SqliteDatabases
from tests.kit.nodes import Country
from tests.kit.rabbitmq import new_vhost, private_rabbitmq

BAGHDAD = "directorate-baghdad"
CLIENTS = 8
WARM_UP = 100
LAST_SECONDS = 30.0
UNHURRIED = {  # the protocol's own times, not the shortened ones of the tests
    "hello_seconds": 30.0,
    "held_coalesce_seconds": 0.2,
    "no_progress_seconds": 60.0,
    "backoff_first_seconds": 1.0,
    "backoff_max_seconds": 5.0,
    "stale_seconds": 90.0,
}


class _Watch:
    """When each case became visible."""

    def __init__(self, database: Database) -> None:
        self.seen: dict[str, float] = {}
        self._database = database
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        last = 0
        while not self._ending.wait(0.002):
            with self._database.read() as session:
                statement = select(Record.subject, Record.number).where(Record.kind == "case", Record.number > last)
                rows = session.exec(statement).all()
            moment = time.time()
            for subject, number in rows:
                self.seen.setdefault(subject, moment)
                last = max(last, number)

    def stop(self) -> None:
        self._ending.set()
        self._thread.join()


def latency(rate: int, seconds: int) -> dict[str, Any]:
    """Open `rate` cases a second for so many seconds; milliseconds from 201 to visible."""
    with _two_nodes() as (ninewa, database):
        intake = ninewa.person("intake", Role.INTAKE_OFFICER, unit="mosul-left")
        watch = _Watch(database)
        headers = {"Authorization": f"Bearer {intake.token}"}
        _post(intake.url, headers, WARM_UP, rate)
        began = time.time()
        answered = _post(intake.url, headers, rate * seconds, rate)
        spent = time.time() - began
        wait.until(lambda: watch.seen.keys() >= answered.keys(), seconds=LAST_SECONDS, what="all are visible")
        watch.stop()
        waits = sorted((watch.seen[case] - at) * 1000 for case, (at, _) in answered.items() if case in watch.seen)
        stages = _stages(ninewa, database, answered, watch.seen)
        api = sorted(took * 1000 for _, took in answered.values())
    return {
        "rate": rate,
        "opened": len(answered),
        "per_second": round(len(answered) / spent, 1),
        "visible": len(waits),
        "visible_ms": _spread(waits),
        "stages_p50_ms": stages,
        "api_ms": _spread(api),
    }


def _stages(
    ninewa: Town, held: Database, answered: dict[str, tuple[float, float]], seen: dict[str, float]
) -> dict[str, float]:
    """Where the time goes, by the clock of the one machine: until the recorder and the replica began to write."""
    journal = Database(ninewa.node.settings.database_url_of("sync"), service="sync")
    with journal.read() as session:
        entries = session.exec(select(JournalEntry)).all()
        recorded = {fact_of(entry).subject: entry.recorded_at.timestamp() for entry in entries}
    journal.close()
    with held.read() as session:
        rows = session.exec(select(Record.subject, Record.updated_at)).all()
        applied = {subject: at.timestamp() for subject, at in rows}
    cases = [case for case in answered if case in seen and case in recorded and case in applied]
    steps = {
        "answer_to_recorder": [recorded[case] - answered[case][0] for case in cases],
        "recorder_to_replica": [applied[case] - recorded[case] for case in cases],
        "replica_to_reader": [seen[case] - applied[case] for case in cases],
    }
    return {name: round(statistics.median(values) * 1000, 1) for name, values in steps.items()}


def _spread(values: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return {"p50": round(cuts[49], 1), "p99": round(cuts[98], 1), "max": round(values[-1], 1)}


def _post(url: str, headers: dict[str, str], count: int, rate: int) -> dict[str, tuple[float, float]]:
    """Open cases on a clock, whatever the answers take; when each was answered, and how long that took."""
    local, clock = threading.local(), threading.Event()
    answered: dict[str, tuple[float, float]] = {}
    began = time.time()

    def one(at: int) -> None:
        session = getattr(local, "session", None) or requests.Session()
        local.session = session
        clock.wait(max(0.0, began + at / rate - time.time()))
        started = time.time()
        answer = session.post(f"{url}/cases", json=OPENING, headers=headers, timeout=30)
        moment = time.time()
        if answer.status_code == 201:
            answered[answer.json()["id"]] = (moment, moment - started)

    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(one, range(count)))
    return answered


@contextmanager
def _two_nodes() -> Iterator[tuple[Town, Database]]:
    with (
        tempfile.TemporaryDirectory(prefix="jisr-bench-", ignore_cleanup_errors=True) as home,
        private_rabbitmq() as broker,
    ):
        made = Country(Path(home) / "nodes", lambda: new_vhost(broker))
        (Path(home) / "databases").mkdir()
        databases = SqliteDatabases(Path(home) / "databases")
        baghdad = made.add(BAGHDAD, replication=UNHURRIED)
        ninewa = made.add("ninewa", links=[baghdad], replication=UNHURRIED)
        for node in (baghdad, ninewa):
            give_databases(node, databases)
        database = Database(baghdad.settings.database_url_of("sync"), service="sync")
        try:
            baghdad.start("engine")
            ninewa.start("case", "engine", "gateway")
            yield Town(ninewa), database
        finally:
            database.close()
            made.kill()
