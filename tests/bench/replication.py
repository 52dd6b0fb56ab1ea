"""`python -m tests.bench.replication [--json]`: latency, catch-up, bytes on the wire, memory of the engines."""

import argparse
import json
import os
import platform
from pathlib import Path
from typing import Any

from tests.bench.catch_up import catch_up
from tests.bench.latency import latency


def main() -> None:
    """Measure what is asked for and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.add_argument("--facts", type=int, default=50_000, help="entries to catch up on")
    parser.add_argument("--rate", type=int, default=50, help="cases opened a second")
    parser.add_argument("--seconds", type=int, default=30, help="for so long")
    parser.add_argument("--only", choices=("sqlite", "postgresql", "latency"), help="measure one of them")
    chosen = parser.parse_args()
    found: dict[str, Any] = {"machine": machine()}
    if chosen.only in (None, "latency"):
        found["latency"] = latency(chosen.rate, chosen.seconds)
    for backend in ("sqlite", "postgresql"):
        if chosen.only in (None, backend):
            found[backend] = catch_up(backend, chosen.facts)
    print(json.dumps(found, indent=None if chosen.json else 2))


def machine() -> dict[str, Any]:
    """What it was measured on, and how busy that was before."""
    model = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), ""
    )
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
    }


def _lines(path: str) -> list[str]:
    return Path(path).read_text("utf-8").splitlines() if Path(path).exists() else []


if __name__ == "__main__":
    main()
