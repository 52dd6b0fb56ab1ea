"""The messages between two sync engines, and the order in which a stranger's bytes are trusted.

    body = u32 length of header ‖ header (JSON) ‖ payload

Two AMQP headers carry the id of the signing key and the Ed25519 signature over the exact body. Nothing else
of a delivery is believed. `open_message` checks size, then key and signature, then protocol version, then
header, then who may say this; nothing is parsed before it is known whose it is. What fails after the
signature is the signer's doing and carries `signer`; what fails before is nobody's, and must not be held
against the origin whose name it bears.

A payload is opened later still, by `Batch.entries`: a repeat is recognised by its header and costs no
decompression.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Annotated, Any, NoReturn, Protocol

import msgspec
from msgspec import UNSET, UnsetType

from kernel.crypto import VerifyKey
from services.sync.entry import MAX_ENTRIES, Shown, encode
from services.sync.position import Position
from services.sync.said import (
    LEVEL,
    MAX_PAYLOAD,
    ZSTD,
    BadMessage,
    Batch,
    FormerKey,
    Held,
    Hello,
    Message,
    NewerProtocol,
    NotSigned,
    Recall,
    Recalled,
    UnknownKind,
    Witness,
    compress,
)

MAJOR, MINOR = 1, 0
VERSION = f"jisr/{MAJOR}.{MINOR}"
KEY_HEADER = "jisr-key"
SIGNATURE_HEADER = "jisr-signature"

MAX_HEADER = 4096
MAX_BODY = 4 * 1024 * 1024  # four of the largest batches a sender aims at; far under RabbitMQ 4's 16 MiB
MAX_REASON = 400
HEADER_ROOM = 512  # what a batch's own header can need beside its payload


_u32 = Struct(">I")
_version = re.compile(r"jisr/(\d{1,4})\.(\d{1,4})\Z")
_signature = re.compile(r"[0-9a-f]{128}\Z")


class Signs(Protocol):
    """`kernel.crypto.SigningKey`, as far as it is needed here."""

    key_id: str

    def sign(self, body: bytes, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Opened:
    """A message and the node whose key signed it: of `held` the receiver, of the others the origin."""

    message: Message
    signer: str


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key of a node: believed for its entries after number `after`, up to number `until` where it was changed."""

    node: str
    key: VerifyKey
    after: int = 0
    until: int | None = None


Ring = Mapping[str, KnownKey]


def ring(keys: Mapping[str, VerifyKey | Iterable[VerifyKey]]) -> Ring:
    """Known keys by key id; a node may have several."""
    return {
        key.key_id: KnownKey(node, key)
        for node, held in keys.items()
        for key in ((held,) if isinstance(held, VerifyKey) else held)
    }


def pack(
    origin: str,
    epoch: int,
    start: Position,
    shown: Sequence[Shown],
    digests: Sequence[bytes],
    max_bytes: int,
    level: int = LEVEL,
) -> Batch:
    """The batch of as many leading entries as fit in `max_bytes` with their header; one entry at the least.

    `digests[i]` is the digest of the origin's chain after `shown[i]`; `level`: zstd's. Raises ValueError for nothing to
    pack.
    """
    if not shown:
        raise ValueError("a batch has one entry at the least")
    count = min(len(shown), MAX_ENTRIES)
    room = max(1, max_bytes - HEADER_ROOM)
    while True:
        opened = encode(shown[:count])
        payload = compress(opened, level)
        excess = max(len(payload) / room, len(opened) / MAX_PAYLOAD)
        if excess <= 1 or count == 1:
            break
        count = max(1, int(count / excess * 0.9))
    end = Position(start.number + count, digests[count - 1])
    return Batch(origin, epoch, start, end, count, ZSTD, payload)


_Number = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
_Epoch = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
_Bytes = Annotated[int, msgspec.Meta(ge=0, le=2**40)]
_Node = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{0,62}\Z")]
_Word = Annotated[str, msgspec.Meta(max_length=64)]
_Reason = Annotated[str, msgspec.Meta(max_length=MAX_REASON)]
_Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]


class _Place(msgspec.Struct):
    number: _Number
    digest: _Digest

    def position(self) -> Position:
        return Position(self.number, bytes.fromhex(self.digest))


class _Preamble(msgspec.Struct):
    protocol: _Word
    kind: _Word


class _HelloHeader(msgspec.Struct):
    origin: _Node
    epoch: _Epoch
    session: _Number
    boot: _Word
    head: _Place
    software: _Word
    parent: _Place | UnsetType = UNSET
    begun: _Epoch | UnsetType = UNSET
    told: _Number | UnsetType = UNSET
    disowned: _Place | UnsetType = UNSET
    protocol: str = VERSION
    kind: str = Hello.kind


class _HeldHeader(msgspec.Struct):
    origin: _Node
    epoch: _Epoch
    held: _Place
    window: _Bytes
    state: _Word
    reason: _Reason
    session: _Number | UnsetType = UNSET
    boot: _Word | UnsetType = UNSET
    protocol: str = VERSION
    kind: str = Held.kind


class _BatchHeader(msgspec.Struct):
    origin: _Node
    epoch: _Epoch
    start: _Place
    end: _Place
    count: Annotated[int, msgspec.Meta(ge=1, le=MAX_ENTRIES)]
    encoding: _Word
    protocol: str = VERSION
    kind: str = Batch.kind


class _WitnessHeader(msgspec.Struct):
    node: _Node
    asks: bool
    question: _Number
    protocol: str = VERSION
    kind: str = Witness.kind


class _RecallHeader(msgspec.Struct):
    origin: _Node
    question: _Number
    after: _Number
    most: _Bytes
    protocol: str = VERSION
    kind: str = Recall.kind


class _RecalledHeader(msgspec.Struct):
    node: _Node
    question: _Number
    origin: _Node
    epoch: _Epoch
    session: _Number
    held: _Place
    start: _Place
    end: _Place
    encoding: _Word
    protocol: str = VERSION
    kind: str = Recalled.kind


_encode = msgspec.json.Encoder().encode
_decode_preamble = msgspec.json.Decoder(_Preamble).decode
_decode_header: dict[str, msgspec.json.Decoder[Any]] = {
    "hello": msgspec.json.Decoder(_HelloHeader),
    "held": msgspec.json.Decoder(_HeldHeader),
    "batch": msgspec.json.Decoder(_BatchHeader),
    "witness": msgspec.json.Decoder(_WitnessHeader),
    "recall": msgspec.json.Decoder(_RecallHeader),
    "recalled": msgspec.json.Decoder(_RecalledHeader),
}


def sign(message: Message, key: Signs) -> tuple[bytes, dict[str, str]]:
    """The body of `message` and the two AMQP headers that vouch for it."""
    header = _encode(_header(message))
    payload = message.payload if isinstance(message, Batch | Witness | Recalled) else b""
    body = b"".join((_u32.pack(len(header)), header, payload))
    return body, {KEY_HEADER: key.key_id, SIGNATURE_HEADER: key.sign(body).hex()}


def _header(message: Message) -> msgspec.Struct:
    m = message
    if isinstance(m, Hello):
        return _hello_header(m)
    if isinstance(m, Held):
        header = _HeldHeader(m.origin, m.epoch, _place(m.held), m.window, m.state, m.reason[:MAX_REASON])
        if m.session:
            header.session, header.boot = m.session, m.boot
        return header
    if isinstance(m, Witness):
        return _WitnessHeader(m.node, m.asks, m.question)
    if isinstance(m, Recall):
        return _RecallHeader(m.origin, m.question, m.after, m.most)
    if isinstance(m, Recalled):
        places = (_place(m.held), _place(m.start), _place(m.end))
        return _RecalledHeader(m.node, m.question, m.origin, m.epoch, m.session, *places, ZSTD)
    return _BatchHeader(m.origin, m.epoch, _place(m.start), _place(m.end), m.count, m.encoding)


def _hello_header(m: Hello) -> _HelloHeader:
    """What a first life on one machine has no use for is left out."""
    header = _HelloHeader(m.origin, m.epoch, m.session, m.boot, _place(m.head), m.software)
    if m.parent is not None:
        header.parent, header.begun = _place(m.parent), m.begun
    if m.told:
        header.told = m.told
    if m.disowned is not None:
        header.disowned = _place(m.disowned)
    return header


def _place(position: Position) -> _Place:
    return _Place(position.number, position.hex)


def open_message(body: bytes, headers: Mapping[str, Any] | None, keys: Ring) -> Opened:
    """The message in `body` and its signer. Raises `BadMessage` or one of its kinds, and nothing else."""
    if len(body) > MAX_BODY:
        raise NotSigned(f"This message has {len(body)} bytes; {MAX_BODY} are accepted.")
    known = _signer(body, headers or {}, keys)
    signer = known.node
    try:
        header, payload = _split(body)
        message = _message(header, payload)
    except BadMessage as error:
        error.details["signer"] = signer
        raise
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadMessage(f"The header of this message cannot be read: {error}", signer=signer) from error
    speaker = message.node if isinstance(message, Witness | Recalled) else message.origin
    if message.kind != Held.kind and speaker != signer:
        raise BadMessage(f"{signer} signed a {message.kind} in the name of {speaker}.", signer=signer)
    _check_span(message, known)
    return Opened(message, signer)


def _check_span(message: Message, known: KnownKey) -> None:
    """A key carries the numbers it is valid for; one that was changed says nothing else any more."""
    if isinstance(message, Batch):
        until = message.end.number if known.until is None else known.until
        if message.start.number < known.after or message.end.number > until:
            raise NotSigned(f"A key of {known.node} carries entries that it is not valid for.")
    elif known.until is not None:
        raise FormerKey(node=known.node, number=known.until)


def _signer(body: bytes, headers: Mapping[str, Any], keys: Ring) -> KnownKey:
    key_id, signature = headers.get(KEY_HEADER), headers.get(SIGNATURE_HEADER)
    if not isinstance(key_id, str) or not isinstance(signature, str) or not _signature.match(signature):
        raise NotSigned("This message carries no signature.")
    if key_id not in keys:
        raise NotSigned("This message is signed with a key that is not known here.")
    known = keys[key_id]
    if not known.key.verify(body, bytes.fromhex(signature)):
        raise NotSigned(f"The signature on this message is not that of {known.node}.")
    return known


def _split(body: bytes) -> tuple[bytes, bytes]:
    if len(body) < _u32.size:
        _malformed("it ends before its header")
    (length,) = _u32.unpack_from(body)
    if length > MAX_HEADER or _u32.size + length > len(body):
        _malformed(f"a header of {length} bytes cannot be")
    return body[_u32.size : _u32.size + length], body[_u32.size + length :]


def _message(raw: bytes, payload: bytes) -> Message:
    preamble = _decode_preamble(raw)
    version = _version.match(preamble.protocol) or _malformed("it names no version of the protocol")
    if int(version[1]) > MAJOR:
        raise NewerProtocol(theirs=preamble.protocol, ours=VERSION)
    if int(version[1]) < MAJOR:
        _malformed(f"there never was a {preamble.protocol}")
    if preamble.kind not in _decode_header:
        raise UnknownKind(kind=preamble.kind)
    header = _decode_header[preamble.kind].decode(raw)
    if isinstance(header, _BatchHeader):
        return _batch(header, payload)
    if isinstance(header, _WitnessHeader):
        return Witness(header.node, header.asks, header.question, payload)
    if isinstance(header, _RecalledHeader):
        return _recalled(header, payload)
    if payload:
        _malformed("something follows its header")
    if isinstance(header, _HelloHeader):
        return _hello(header)
    if isinstance(header, _RecallHeader):
        return Recall(header.origin, header.question, header.after, header.most)
    held, session, boot = header.held.position(), header.session or 0, header.boot or ""
    return Held(header.origin, header.epoch, held, header.window, header.state, header.reason, session, boot)


def _hello(header: _HelloHeader) -> Hello:
    first = (header.origin, header.epoch, header.session, header.boot, header.head.position(), header.software)
    parent = header.parent.position() if header.parent else None
    disowned = header.disowned.position() if header.disowned else None
    return Hello(*first, parent, header.begun or 1, header.told or 0, disowned)


def _recalled(header: _RecalledHeader, payload: bytes) -> Recalled:
    held, start, end = header.held.position(), header.start.position(), header.end.position()
    if not (start.number <= end.number <= held.number and end.number - start.number <= MAX_ENTRIES):
        _malformed("what it brings is not between what was asked for and what is held")
    if header.encoding != ZSTD or (start.number == end.number) != (not payload):
        _malformed("its payload does not fit its positions")
    said = (header.node, header.question, header.origin, header.epoch, header.session)
    return Recalled(*said, held, start, end, payload)


def _batch(header: _BatchHeader, payload: bytes) -> Batch:
    start, end = header.start.position(), header.end.position()
    if end.number - start.number != header.count:
        _malformed(f"{header.count} entries do not lead from {start.number} to {end.number}")
    if header.encoding != ZSTD:
        _malformed(f"the encoding {header.encoding} is not known here")
    return Batch(header.origin, header.epoch, start, end, header.count, header.encoding, payload)


def _malformed(reason: str) -> NoReturn:
    raise BadMessage(f"This message is malformed: {reason}.")
