"""The only place that reads the wall clock. Times are UTC instants; order never comes from them.

`JISR_CLOCK_SHIFT=<file>` names a file that holds seconds to add, for the fault tests: they let the clocks of one node
jump, all its processes at once and while they run, and never touch the machine's. Not set, it costs one look-up.
"""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path


def now() -> datetime:
    """The present instant, aware, in UTC."""
    instant = datetime.now(UTC)
    shift = os.environ.get("JISR_CLOCK_SHIFT")
    return instant + _read(shift) if shift else instant


def _read(file: str) -> timedelta:
    try:
        return timedelta(seconds=float(Path(file).read_text()))
    except (OSError, ValueError):
        return timedelta()


def iso(instant: datetime) -> str:
    """`instant` as RFC 3339 text in UTC with microseconds and a trailing Z."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def parse(text: str) -> datetime:
    """The aware instant that `iso` wrote. Raises ValueError for text without a zone."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} names no time zone; write it as 2026-11-20T09:30:00Z")
    return instant.astimezone(UTC)
