"""Positions in a journal: a number and a digest that together name a place and everything before it.

    digest[0] = SHA256("jisr/1" ‖ origin ‖ epoch)
    digest[n] = SHA256(digest[n-1] ‖ n ‖ leaf[n])

Numbers and epochs are unsigned 64-bit big-endian, the origin is UTF-8. The prefix and the width of the
epoch are fixed, so no two origins or epochs share a first digest. Whoever holds a position and folds the
same leaves comes to the same position, whatever form of the entries they were allowed to see.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from struct import Struct

DIGEST_BYTES = 32
PROTOCOL = b"jisr/1"

_u64 = Struct(">Q").pack


@dataclass(frozen=True, slots=True)
class Position:
    """After entry `number`, with `digest` over everything up to it. Number 0 is before the first entry."""

    number: int
    digest: bytes

    @property
    def hex(self) -> str:
        """The digest as 64 lower-case hexadecimal characters, as it stands in message headers and tables."""
        return self.digest.hex()


def start(origin: str, epoch: int) -> Position:
    """Where the journal of `origin` begins in its life number `epoch`: position 0."""
    return Position(0, sha256(PROTOCOL + origin.encode() + _u64(epoch)).digest())


def advance(position: Position, leaf: bytes) -> Position:
    """The position after one more entry with this leaf."""
    number = position.number + 1
    return Position(number, sha256(position.digest + _u64(number) + leaf).digest())


def digests(position: Position, leaves: Iterable[bytes]) -> list[bytes]:
    """The digest after each of `leaves` in turn, the first being entry `position.number + 1`.

    The same as `advance` repeated, without an object for every entry: this is the inner loop of every
    catch-up.
    """
    digest = position.digest
    found = []
    for number, leaf in enumerate(leaves, position.number + 1):
        digest = sha256(digest + _u64(number) + leaf).digest()
        found.append(digest)
    return found
