"""Recovery, decided: which history this node's journal shall follow, what is fetched from whom, what gets new numbers.

Everybody who holds a copy says where it stands, and up to which number it is the same as this journal. The copy that
holds most is followed: its chain is kept entry by entry, so nothing that it holds is overwritten. What this node
recorded since the restore, and what another copy holds and the followed one does not, comes after it under new numbers.
A copy that holds something else than the followed chain cannot be changed from here; its node sets that aside, by hand.

Pure: the caller asks, fetches and writes (rewriting.py).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from contracts.topology import Clearance
from services.sync.position import Position

DigestAt = Callable[[int], bytes | None]


@dataclass(frozen=True)
class Copy:
    """What `source` holds of this journal; it is the same as ours up to number `common`."""

    source: str
    clearance: Clearance
    epoch: int
    session: int
    held: Position
    common: int


@dataclass(frozen=True)
class Fork:
    """A copy that leaves the followed chain after number `after`; `unknown_after`: what follows is nowhere else."""

    source: str
    after: int
    held: int
    unknown_after: int


@dataclass(frozen=True)
class Fetch:
    """Entries `after` + 1 to `until` are fetched from `source`; up to `agrees` they are those of the followed chain."""

    source: str
    after: int
    until: int
    agrees: int

    @property
    def count(self) -> int:
        return self.until - self.after


@dataclass(frozen=True)
class Plan:
    """The journal keeps its entries up to `after`, then has those of `source` up to `until`, then all others."""

    source: str
    after: int
    until: Position
    head: int
    epoch: int
    session: int
    fetches: tuple[Fetch, ...]
    forks: tuple[Fork, ...]
    doubted: bool

    @property
    def needed(self) -> bool:
        """Whether this journal has to change; if not, only what forked copies hold has to be set aside there."""
        return self.doubted or self.lost > 0 or any(fork.unknown_after < fork.held for fork in self.forks)

    @property
    def lost(self) -> int:
        """How many entries come back under their own numbers."""
        return self.until.number - self.after

    @property
    def renumbered(self) -> int:
        """How many entries of this node get new numbers, or are among those that come back."""
        return self.head - self.after if self.lost or self.forks else 0


def last_common(ours: DigestAt, theirs: Callable[[int], bytes], low: int, high: int) -> int:
    """The last number where both digests are the same, known to be so at `low` and not at `high`."""
    while high - low > 1:
        middle = (low + high) // 2
        if ours(middle) == theirs(middle):
            low = middle
        else:
            high = middle
    return low


def followed(copies: Sequence[Copy]) -> Copy:
    """The copy that holds most; of equal ones that which may see most."""
    return max(copies, key=lambda copy: (copy.held.number, copy.clearance is Clearance.OPERATIONAL, copy.source))


def plan(copies: Sequence[Copy], agree: Callable[[Copy, Copy], int], head: int, *, doubted: bool) -> Plan | None:
    """What to do; None when every copy is a part of this journal and nothing is in doubt.

    `agree(a, b)`: the last number where two copies hold the same.
    """
    if not doubted and all(copy.held.number == copy.common for copy in copies):
        return None
    chosen = followed(copies)
    after = chosen.common
    fetches, forks = [], []
    for copy in copies:
        same = copy.held.number if copy is chosen else agree(chosen, copy)
        unknown = max(same, copy.common)
        if same < copy.held.number:
            forks.append(Fork(copy.source, same, copy.held.number, unknown))
        first = min(after, unknown) if unknown < copy.held.number else after
        until = copy.held.number if unknown < copy.held.number else same
        if first < until:
            fetches.append(Fetch(copy.source, first, until, same))
    epoch, session = max(copy.epoch for copy in copies), max(copy.session for copy in copies)
    return Plan(chosen.source, after, chosen.held, head, epoch, session, tuple(fetches), tuple(forks), doubted)
