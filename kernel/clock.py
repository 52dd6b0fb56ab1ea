"""The only place that reads the wall clock. Times are UTC instants; order never comes from them."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)


def iso(instant: datetime) -> str:
    """`instant` as RFC 3339 text in UTC with microseconds and a trailing Z."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def parse(text: str) -> datetime:
    """The aware instant that `iso` wrote. Raises ValueError for text without a zone."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} names no time zone; write it as 2026-11-20T09:30:00Z")
    return instant.astimezone(UTC)
