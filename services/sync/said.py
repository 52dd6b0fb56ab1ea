"""What two sync engines say to each other, as values, and how a payload is compressed and opened.

The bytes on the wire, and whose are believed, are in message.py.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

import zstandard

from kernel.errors import BadInput
from services.sync.entry import BadEntry, Shown, Wire, from_wire, leaves, read_wire
from services.sync.position import Position

MAX_PAYLOAD = 16 * 1024 * 1024  # opened; facts compress six to ten times, the largest batch is 1 MiB
ZSTD = "zstd"  # the one encoding of version 1: the JSON array as one zstd frame that states its content size
LEVEL = (
    1  # of zstd, where nothing is known of the line: facts come out as small as at level 3 in two fifths of the time
)


class BadMessage(BadInput):
    """This message between nodes was refused."""

    code = "bad_message"

    @property
    def signer(self) -> str | None:
        """The node that signed it; None when nobody can be held to it."""
        return self.details.get("signer")


class NotSigned(BadMessage):
    """This message carries no signature of a node known here."""

    code = "not_signed"


class NewerProtocol(BadMessage):
    """This message speaks {theirs}; version {ours} is spoken here. Upgrade this node."""

    code = "newer_protocol"


class UnknownKind(BadMessage):
    """This message is of kind {kind}, which this version does not know; it was passed over."""

    code = "unknown_kind"


class FormerKey(UnknownKind):
    """This message is signed with a key that {node} changed at entry {number}; it was passed over."""

    code = "former_key"


@dataclass(frozen=True, slots=True)
class Hello:
    """A sender on connecting and every 30 s. `session` grows with each start of the engine, `boot` is new.

    `parent`: where this epoch left the one before it; `begun`: the epoch in which the chain began. `told`: a later
    session than this one, of which the receiver told; then two machines speak. `disowned`: a position that the receiver
    said it holds and this journal does not have.
    """

    kind: ClassVar[str] = "hello"
    origin: str
    epoch: int
    session: int
    boot: str
    head: Position
    software: str
    parent: Position | None = None
    begun: int = 1
    told: int = 0
    disowned: Position | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """A receiver after a commit, on `hello` and every 30 s: where its replica of `origin` stands.

    `window`: bytes it takes ahead of `held`. `state`: ok, silent, rolled_back, diverged, duplicate, refused.
    `reason`: "gap" when a batch began after `held`; otherwise a sentence for people. `session`, `boot`: of the latest
    start of the origin's engine that was heard; 0 and empty where none was.
    """

    kind: ClassVar[str] = "held"
    origin: str
    epoch: int
    held: Position
    window: int
    state: str
    reason: str
    session: int = 0
    boot: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """The shown entries `start.number + 1` to `end.number`, in order; positions of the origin's own chain."""

    kind: ClassVar[str] = "batch"
    origin: str
    epoch: int
    start: Position
    end: Position
    count: int
    encoding: str
    payload: bytes

    def entries(self) -> list[Shown]:
        """Open the payload. Raises `BadMessage`, the origin as signer, for anything but `count` entries."""
        return _entries(self.payload, self.count, self.origin)

    def opened(self) -> list[Wire]:
        """As `entries`, their parts unread."""
        with _signed_by(self.origin):
            return _opened(self.payload, self.count)

    def leaves(self, some: Sequence[Wire]) -> list[bytes]:
        """The leaves of some of the entries `opened`. Raises `BadMessage`, the origin as signer."""
        with _signed_by(self.origin):
            return leaves(some)


@dataclass(frozen=True, slots=True)
class Witness:
    """What `node` holds of each origin, or, if it `asks`, what it wants compared; see `witness.py` for the payload.

    `question` is a number that the asker chose and the answer repeats.
    """

    kind: ClassVar[str] = "witness"
    node: str
    asks: bool
    question: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Recall:
    """An origin asks for its own journal: what is held of it, and up to `most` bytes of the entries after `after`."""

    kind: ClassVar[str] = "recall"
    origin: str
    question: int
    after: int
    most: int


@dataclass(frozen=True, slots=True)
class Recalled:
    """The answer of `node`: its replica stands at `held`; `start` is the position asked about, or `held` if that is
    less; the entries up to `end` in the form in which it holds them. `session`: the latest that it heard of.
    """

    kind: ClassVar[str] = "recalled"
    node: str
    question: int
    origin: str
    epoch: int
    session: int
    held: Position
    start: Position
    end: Position
    payload: bytes

    def entries(self) -> list[Shown]:
        """Open the payload. Raises `BadMessage`, `node` as signer, for anything but the entries up to `end`."""
        count = self.end.number - self.start.number
        return _entries(self.payload, count, self.node) if count else []


Message = Hello | Held | Batch | Witness | Recall | Recalled


def _entries(payload: bytes, count: int, signer: str) -> list[Shown]:
    with _signed_by(signer):
        return [from_wire(one) for one in _opened(payload, count)]


def _opened(payload: bytes, count: int) -> list[Wire]:
    wire = read_wire(_decompress(payload))
    if len(wire) != count:
        raise BadEntry(reason=f"a list of {count} holds {len(wire)}")
    return wire


@contextmanager
def _signed_by(signer: str) -> Iterator[None]:
    """What is wrong with a payload is its signer's doing."""
    try:
        yield
    except (BadEntry, zstandard.ZstdError) as error:
        raise BadMessage(f"The payload of a batch cannot be opened: {error}", signer=signer) from error


def compress(opened: bytes, level: int = LEVEL) -> bytes:
    """One zstd frame that states its content size."""
    return zstandard.ZstdCompressor(level=level).compress(opened)


def _decompress(payload: bytes) -> bytes:
    """What one zstd frame of known, bounded size holds, nothing after it. Raises ZstdError or BadEntry."""
    size = zstandard.frame_content_size(payload)
    if not 0 < size <= MAX_PAYLOAD:
        raise BadEntry(reason=f"the frame must state a size of at most {MAX_PAYLOAD} bytes")
    return zstandard.ZstdDecompressor().decompress(payload, max_output_size=size, allow_extra_data=False)
