"""What a link asks the loop around it to do; see link.py."""

from dataclasses import dataclass

from services.sync.position import Position


@dataclass(frozen=True, slots=True)
class SayHello:
    """Publish a hello now."""


@dataclass(frozen=True, slots=True)
class Send:
    """Read up to `max_entries` after `after` and pack them into at most `max_bytes`, compressed at `level` of zstd."""

    after: Position
    max_bytes: int
    max_entries: int
    level: int


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do for so many seconds unless something happens."""

    seconds: float


Action = SayHello | Send | Wait
