"""`python -m tests.bench.replication [--json]`: Jisr, PostgreSQL's logical replication and a plain nameko service.

Everything is measured in one run on one machine, with the same facts and with disks that are synced. The last line of
`--json` is one object; `--only` measures parts of it, `--quick` all of it with small numbers.
"""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench import comparison
from tests.bench.latency import latency

Found = dict[str, Any]
QUICK = {
    "facts": 20_000,
    "times": 1,
    "events": 500,
    "slow_seconds": 15,
    "growth_entries": 50_000,
    "memory_facts": 50_000,
    "seconds": 5,
}


def main() -> None:
    """Measure what is asked for and print it."""
    chosen = _arguments()
    found: Found = {"machine": machine()}
    parts = _parts(chosen)
    for name in chosen.only or parts:
        began = time.perf_counter()
        print(f"{name} …", end=" ", file=sys.stderr, flush=True)
        found |= parts[name]()
        print(f"{time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    print(json.dumps(found, indent=None if chosen.json else 2))


def _parts(chosen: argparse.Namespace) -> dict[str, Callable[[], Found]]:
    return {
        "catch_up": lambda: comparison.catch_up(chosen.facts, chosen.events, chosen.times),
        "several": lambda: comparison.several(chosen.facts, chosen.origins, chosen.several_on),
        "wire": lambda: comparison.wire(chosen.facts // 5),
        "slow_link": lambda: comparison.slow_line(chosen.facts, chosen.slow_seconds),
        "growth": lambda: comparison.growth(chosen.facts // 10, chosen.growth_entries, chosen.facts // 2),
        "memory": lambda: comparison.memory(chosen.memory_facts),
        "backends": lambda: comparison.backends(chosen.facts // 2),
        "latency": lambda: _latency(chosen.rate, chosen.seconds),
    }


def _latency(rate: int, seconds: int) -> Found:
    shown = latency(rate, seconds)
    visible = shown["visible_ms"]
    return {"latency_p50_ms": visible["p50"], "latency_p99_ms": visible["p99"], "latency": shown}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object, on one line, and nothing else")
    parser.add_argument(
        "--only", action="append", metavar="PART", help="measure this part; may be given more than once"
    )
    parser.add_argument("--quick", action="store_true", help="small numbers, to see that it works")
    parser.add_argument("--facts", type=int, default=100_000, help="entries to catch up on")
    parser.add_argument(
        "--times",
        type=int,
        choices=range(1, 100),
        default=3,
        metavar="N",
        help="compare `catch_up` so often; the middle counts",
    )
    parser.add_argument(
        "--origins", type=int, choices=range(1, 20), default=2, metavar="N", help="so many at once in `several`, to 19"
    )
    parser.add_argument("--several-on", choices=("postgresql", "sqlite"), default="postgresql", help="their databases")
    parser.add_argument("--events", type=int, default=3_000, help="events for the plain way")
    parser.add_argument("--slow-seconds", type=int, default=45, help="how long to watch the slow link")
    parser.add_argument("--growth-entries", type=int, default=1_000_000, help="entries already held")
    parser.add_argument("--memory-facts", type=int, default=350_000, help="the backlog in which memory is watched")
    parser.add_argument("--rate", type=int, default=50, help="cases opened a second, for latency")
    parser.add_argument("--seconds", type=int, default=30, help="for so long")
    chosen = parser.parse_args()
    if chosen.quick:
        vars(chosen).update(QUICK)
    unknown = set(chosen.only or ()) - set(_parts(chosen))
    if unknown:
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(_parts(chosen))}")
    return chosen


def machine() -> Found:
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
