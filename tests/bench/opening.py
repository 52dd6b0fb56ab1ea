"""Opening a case over HTTP: 20 clients at once, through gateway and case service, on SQLite and on PostgreSQL.

    python -m tests.bench.opening [--seconds 20] [--clients 20] [--json]

Each case has two parties, a narrative and a place, so that what is sealed and indexed is that of a real one. Every 201
is a commit on disk. The broker runs: the relay takes its share of the same machine."""

import argparse
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import requests

from contracts.roles import Role
from tests.doors.api import NO_TO_ALL, Town
from tests.kit.databases import node_databases
from tests.kit.nodes import Country
from tests.kit.postgres import private_postgres
from tests.kit.rabbitmq import new_vhost, private_rabbitmq

CASE: Final = {
    "answers": NO_TO_ALL,
    "category": "neighbour_dispute",
    "channel": "walk_in",
    "district": "mosul",
    "narrative": "They quarrel about the wall between their yards, and about the water. " * 20,
    "place": "the third house behind the mill",
    "parties": [
        {"role": "affected", "name": "زينب علي المختار", "sex": "female", "age": 34, "phone": "0770 123 4567"},
        {"role": "respondent", "name": "كريم حسن العبيدي", "sex": "male", "age": 41, "phone": "0771 765 4321"},
    ],
}


def measure(database_url: Callable[[str], str] | None, *, clients: int, seconds: float) -> dict[str, Any]:
    """Requests a second and their times, after a second of warming up."""
    with ExitStack() as stack:
        broker = stack.enter_context(private_rabbitmq())
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        country = Country(home, lambda: new_vhost(broker), database_url)
        stack.callback(country.kill)
        node = country.add("ninewa")
        node.migrate()
        node.start("services", "gateway")
        town = Town(node)
        stack.callback(town.close)
        officer = town.person("opening", Role.INTAKE_OFFICER, unit="ninewa-1")
        begin = time.perf_counter() + 1.0
        taken: list[float] = []
        refused: list[int] = []

        def ask() -> None:
            with requests.Session() as session:
                session.headers["Authorization"] = f"Bearer {officer.token}"
                while (started := time.perf_counter()) < begin + seconds:
                    answer = session.post(f"{officer.url}/cases", json=CASE, timeout=60)
                    if started >= begin and answer.status_code == 201:
                        taken.append(1000 * (time.perf_counter() - started))
                    elif answer.status_code != 201:
                        refused.append(answer.status_code)

        threads = [threading.Thread(target=ask) for _ in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    cuts = statistics.quantiles(taken, n=100)
    return {
        "requests_a_second": round(len(taken) / seconds, 1),
        "p50_ms": round(cuts[49]),
        "p99_ms": round(cuts[98]),
        "refused": len(refused),
    }


def on_each_backend(*, clients: int, seconds: float) -> Iterator[tuple[str, dict[str, Any]]]:
    """SQLite, then PostgreSQL."""
    yield "sqlite", measure(None, clients=clients, seconds=seconds)
    with private_postgres(durable=True) as server:
        yield "postgresql", measure(node_databases(server), clients=clients, seconds=seconds)


def main() -> None:
    """Read the command line, measure, say."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.opening", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    for backend, figures in on_each_backend(clients=chosen.clients, seconds=chosen.seconds):
        told = {"backend": backend, **figures}
        line = json.dumps(told) if chosen.json else "  ".join(f"{name} {value}" for name, value in told.items())
        print(line, flush=True)


if __name__ == "__main__":
    main()
