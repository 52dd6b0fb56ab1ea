"""How much memory the country takes, from /proc: proportional shares, so that shared pages count once."""

import os
from collections.abc import Iterable
from pathlib import Path


def proportional_set(pids: Iterable[int]) -> int:
    """Bytes of RAM that these processes and their descendants take together. A process that is gone counts
    nothing."""
    return sum(_pss(pid) for pid in descendants(set(pids)))


def available() -> int:
    """Bytes that could be taken without swapping."""
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _pss(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("Pss:"))


def descendants(pids: set[int]) -> set[int]:
    """These processes and all that they started, as far as those still have their parents."""
    pids = set(pids)
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text(encoding="utf-8").rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            continue
    grown = True
    while grown:
        children = {pid for pid, parent in parents.items() if parent in pids} - pids
        pids |= children
        grown = bool(children)
    return pids
