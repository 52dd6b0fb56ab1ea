"""A bundle: the signed batches of one link in a file, for a node whose line is dead for weeks.

    file  = "jisr-bundle/1\\n" ‖ u32 length ‖ header (JSON) ‖ frame … ‖ u32 zero
    frame = u32 length of body ‖ id of the key (16 characters) ‖ signature (64 bytes) ‖ body

A body is exactly what the line would carry. The header is for people and against mistakes (a stick in the wrong
machine); nothing in it is signed and nothing of it is believed. What a frame says is checked as on the line, so a
bundle may be carried by anybody, cut off, given twice or in the wrong order: it changes when a replica grows, never
what it holds. The zero at the end tells a whole file from one that was cut between two frames.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct
from typing import BinaryIO

import msgspec

from kernel.errors import BadInput
from services.sync.message import KEY_HEADER, MAX_BODY, MAX_HEADER, SIGNATURE_HEADER

MAGIC = b"jisr-bundle/1\n"
KEY_BYTES, SIGNATURE_BYTES = 16, 64

_u32 = Struct(">I")


class NotABundle(BadInput):
    """This file is not a bundle: {reason}."""

    code = "not_a_bundle"


class BundleCut(BadInput):
    """This bundle ends before its end; what is whole in it can be used. Copy it again."""

    code = "bundle_cut"


class Header(msgspec.Struct, frozen=True):
    """What a bundle says it is: entries `after` + 1 to `until` of the journal of `origin`, for `destination`."""

    origin: str
    destination: str
    clearance: str
    epoch: int
    after: int
    until: int
    made_at: str
    software: str


@dataclass(frozen=True)
class Frame:
    """One message with what vouches for it, and where in the file the next one begins."""

    body: bytes
    headers: dict[str, str]
    ends_at: int


_decode_header = msgspec.json.Decoder(Header).decode


def write_header(file: BinaryIO, header: Header) -> None:
    """Begin a bundle."""
    raw = msgspec.json.encode(header)
    file.write(MAGIC + _u32.pack(len(raw)) + raw)


def write_frame(file: BinaryIO, body: bytes, headers: dict[str, str]) -> None:
    """Add a message as `message.sign` made it."""
    file.write(_u32.pack(len(body)) + headers[KEY_HEADER].encode() + bytes.fromhex(headers[SIGNATURE_HEADER]) + body)


def write_end(file: BinaryIO) -> None:
    """Say that nothing is missing."""
    file.write(_u32.pack(0))


def read_header(file: BinaryIO) -> Header:
    """The header of a bundle. Raises `NotABundle`."""
    if file.read(len(MAGIC)) != MAGIC:
        raise NotABundle(reason="it begins otherwise")
    size = file.read(_u32.size)
    if len(size) < _u32.size or not 0 < _u32.unpack(size)[0] <= MAX_HEADER:
        raise NotABundle(reason="it has no header")
    try:
        return _decode_header(file.read(_u32.unpack(size)[0]))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise NotABundle(reason="its header cannot be read") from error


def frames(file: BinaryIO) -> Iterator[Frame]:
    """The messages after the header, one in memory at a time. Raises `BundleCut` where the file ends too early."""
    while True:
        (length,) = _u32.unpack(_exactly(file, _u32.size))
        if length == 0:
            return
        if length > MAX_BODY:
            raise NotABundle(reason=f"a message of {length} bytes cannot be")
        key = _exactly(file, KEY_BYTES).decode("ascii", "replace")
        signature = _exactly(file, SIGNATURE_BYTES).hex()
        body = _exactly(file, length)
        yield Frame(body, {KEY_HEADER: key, SIGNATURE_HEADER: signature}, file.tell())


def _exactly(file: BinaryIO, count: int) -> bytes:
    found = file.read(count)
    if len(found) < count:
        raise BundleCut()
    return found
