"""Watching a copy grow: how fast, and at what cost in processor time, bytes on the line and memory.

The clock of a rate runs from the moment at which the first rows are visible at the destination to that at which the
last are, and counts what became visible in between. Before, every system gathers itself in its own way (a worker is
started, an operator's word is looked for once a second), which says nothing about how fast it copies; `from_word` has
that too.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import psutil

from deploy.proxy import Proxy

LOOK_SECONDS = 0.05  # of a few seconds; looking costs processor time that those who are watched lack
PATIENCE_SECONDS = 120.0  # until the first row
MIB = 1024 * 1024


@dataclass(frozen=True)
class Run:
    """One catch-up. `cpu`: processor seconds by program of every process below this one."""

    facts: int
    seconds: float
    from_word: float
    carried: int  # between the first rows and the last
    copied: int  # in all, and the bytes that it took
    wire_bytes: int
    cpu: dict[str, float]
    peaks: dict[str, int] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        return self.facts / self.seconds

    @property
    def bytes_per_fact(self) -> float:
        return self.wire_bytes / self.copied

    def shown(self) -> dict[str, Any]:
        """For people."""
        total = sum(self.cpu.values())
        return {
            "facts": self.copied,
            "facts_per_second": round(self.rate),
            "seconds": round(self.seconds, 2),
            "seconds_from_word": round(self.from_word, 2),
            "cpu_seconds": {name: round(value, 2) for name, value in sorted(self.cpu.items())},
            "cpu_microseconds_per_fact": round(total / self.copied * 1e6, 1),
            "cores_used": round(total / self.from_word, 2),
            **({"wire_bytes_per_fact": round(self.bytes_per_fact, 1)} if self.wire_bytes else {}),
            **({"peak_rss_mb": self.peaks} if self.peaks else {}),
        }


class Watch:
    """Looks at `held()` until it says `goal`. `pids`: whose memory to watch as well."""

    def __init__(
        self, held: Callable[[], int], goal: int, line: Proxy | None, pids: Mapping[str, int] | None = None
    ) -> None:
        self._held, self._goal, self._line = held, goal, line
        self._processes = {name: psutil.Process(pid) for name, pid in (pids or {}).items()}
        self._peaks = dict.fromkeys(self._processes, 0)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._measure, daemon=True)

    def __enter__(self) -> Self:
        self._before = self._held()
        self._cpu = processor_seconds()
        self._bytes = self._carried()
        self._began = time.perf_counter()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()

    def run(self, seconds: float) -> Run:
        """What happened, until the goal or for so many seconds since the first rows were seen."""
        moment, held = self._next(self._before, time.perf_counter() + PATIENCE_SECONDS)
        if held == self._before:
            raise AssertionError("nothing moved")
        first, at_first, bytes_first = moment, held, self._carried()
        last, bytes_last = first, bytes_first
        while held < self._goal:
            moment, now_held = self._next(held, first + seconds)
            if now_held == held:
                break
            held, last, bytes_last = now_held, moment, self._carried()
        cpu = processor_seconds() - self._cpu
        return Run(
            held - at_first,
            max(last - first, LOOK_SECONDS),
            last - self._began,
            bytes_last - bytes_first,
            held - self._before,
            bytes_last - self._bytes,
            {name: value for name, value in cpu.items() if value >= 0.01},
            dict(self._peaks),
        )

    def _next(self, before: int, until: float) -> tuple[float, int]:
        """When there was more than `before`, and how much; the same number when time is up."""
        while True:
            held, moment = self._held(), time.perf_counter()
            if held > before or moment > until:
                return moment, held
            self._ending.wait(LOOK_SECONDS)

    def _carried(self) -> int:
        return self._line.bytes_up + self._line.bytes_down if self._line else 0

    def _measure(self) -> None:
        while not self._ending.wait(0.1):
            for name, process in self._processes.items():
                self._peaks[name] = max(self._peaks[name], process.memory_info().rss // MIB)


def processor_seconds() -> Counter[str]:
    """Processor time of every process below this one, by what it is."""
    spent: Any = Counter()
    for process in psutil.Process().children(recursive=True):
        try:
            times, name = process.cpu_times(), process.name()
        except psutil.NoSuchProcess:
            continue
        spent[name] += times.user + times.system
    return Counter(spent)
