"""Many entries at once: their leaves, and the bytes in which they are kept.

Nearly all entries are full and have a statistical and an operational part. Of those each part is a column here, and
what entry.py says of one entry is said of columns, so that catching up executes no line of Python for each of them.
The others go the way of entry.py.
"""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import chain, groupby, repeat
from operator import attrgetter, itemgetter, methodcaller
from struct import Struct
from typing import NamedTuple

from services.sync.entry import (
    MAX_PART_BYTES,
    SALT_BYTES,
    Columns,
    Full,
    Shown,
    Wire,
    WireFull,
    encode,
    from_wire,
    full_on_wire,
)

_parts = attrgetter("head", "statistical", "salt", "operational", "sealed")
_first = itemgetter(0)
_digest = methodcaller("digest")
_u32 = Struct(">I").pack


class Several(NamedTuple):
    """Entries, the leaf of each, and the bytes in which it is kept: those of `encode` for it alone."""

    shown: list[Shown]
    leaves: list[bytes]
    kept: list[bytes]

    def without(self, count: int) -> "Several":
        """The same but the first `count`."""
        return Several(self.shown[count:], self.leaves[count:], self.kept[count:])


def several(wire: Sequence[Wire]) -> Several:
    """Entries as they stand in a batch, read. Raises `BadEntry` as `from_wire` does."""
    if (columns := _usual(wire)) is not None:
        return _of_columns(columns)
    found = Several([], [], [])
    for usual, run in groupby(wire, lambda one: _usual([one]) is not None):
        some = list(run)
        more = _of_columns(_columns(some)) if usual else _one_by_one(some)
        found.shown.extend(more.shown)
        found.leaves.extend(more.leaves)
        found.kept.extend(more.kept)
    return found


def _usual(wire: Sequence[Wire]) -> Columns | None:
    """The columns of entries of which each is full and has every JSON part, with nothing about them to refuse."""
    if set(map(type, wire)) != {WireFull}:
        return None
    heads, statistical, salts, operational, sealed = columns = _columns(wire)
    firsts = set(map(_first, chain(heads, statistical, operational)))
    longest = max(map(len, chain(heads, statistical, operational, sealed)))
    usual = firsts == {ord("{")} and longest <= MAX_PART_BYTES and set(map(len, salts)) == {SALT_BYTES}
    return columns if usual else None


def _columns(wire: Sequence[Wire]) -> Columns:
    heads, statistical, salts, operational, sealed = zip(*map(_parts, wire), strict=True)
    return list(map(bytes, heads)), list(map(bytes, statistical)), salts, list(map(bytes, operational)), sealed


def _of_columns(columns: Columns) -> Several:
    kept = full_on_wire(columns, b"[", b"]")
    return Several(list(map(Full, *columns)), list(_leaves(*columns)), list(kept))


def _leaves(
    heads: Sequence[bytes],
    statistical: Sequence[bytes],
    salts: Sequence[bytes],
    operational: Sequence[bytes],
    sealed: Sequence[bytes],
) -> Iterator[bytes]:
    """`Full.leaf` of entries that hide something."""
    hidden = zip(salts, _lengths(operational), operational, _lengths(sealed), sealed, strict=True)
    committed = map(_digest, map(sha256, map(b"".join, hidden)))
    public = zip(repeat(b"leaf/1"), _lengths(heads), heads, _lengths(statistical), statistical, committed, strict=False)
    return map(_digest, map(sha256, map(b"".join, public)))


def _lengths(column: Sequence[bytes]) -> Iterator[bytes]:
    return map(_u32, map(len, column))


def _one_by_one(wire: Sequence[Wire]) -> Several:
    shown = list(map(from_wire, wire))
    return Several(shown, [one.leaf for one in shown], [encode([one]) for one in shown])
