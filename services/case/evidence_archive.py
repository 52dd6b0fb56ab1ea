"""Evidence of a case that was released, in a file that is carried by hand, for the one node that the case went to.

    file    = "jisr-evidence/1\\n" ‖ record … ‖ u32 zero
    record  = u32 length ‖ bytes
    records = header (JSON), then each part of each file, in the order of the header

The header names the transfer, the two nodes, the files by id and number of parts, and holds a key made for this
archive, sealed to the receiver (HPKE). A part is sealed under that key (AES-256-GCM), bound to transfer, file and
place. Nothing is signed: which files belong to the case, and the SHA-256 of each, came with the case itself, sealed
and in the journal. So an archive may be carried by anybody, cut off, or given twice. The zero at the end tells a whole
one.
"""

from base64 import b64decode
from struct import Struct
from typing import BinaryIO, Final

import msgspec

from contracts.case.evidence import PART_BYTES
from kernel.crypto import context_of
from kernel.errors import BadInput

MAGIC: Final = b"jisr-evidence/1\n"
MOST_HEADER: Final = 256 * 1024
MOST_PART: Final = PART_BYTES + 64  # what sealing adds is 28 bytes

_u32 = Struct(">I")


class NotAnArchive(BadInput):
    """This file is not an archive of evidence: {reason}."""

    code = "not_an_archive"


class ArchiveCut(BadInput):
    """This archive ends before its end; whole files before that were taken. Copy it again."""

    code = "archive_cut"


class File(msgspec.Struct, frozen=True):
    """A file of the archive: the evidence's id, and of how many parts it is."""

    id: str
    parts: int


class Header(msgspec.Struct, frozen=True):
    """What an archive says it is. `key`: of the archive, sealed to the receiver, in base64."""

    transfer: str
    number: str
    sender: str
    receiver: str
    key: str
    files: list[File]

    def sealed_key(self) -> bytes:
        return b64decode(self.key)


def context(transfer: str, sender: str, receiver: str) -> bytes:
    """What the key of an archive is bound to."""
    return context_of(f"evidence/{transfer}", sender, receiver)


def place(header: Header, file: File, part: int) -> str:
    """What a part is bound to."""
    return f"evidence/{header.transfer}/{file.id}/{part}"


def write_header(out: BinaryIO, header: Header) -> None:
    """Begin an archive."""
    out.write(MAGIC)
    write_record(out, msgspec.json.encode(header))


def write_record(out: BinaryIO, record: bytes) -> None:
    """Add a record."""
    out.write(_u32.pack(len(record)) + record)


def write_end(out: BinaryIO) -> None:
    """Say that nothing is missing."""
    out.write(_u32.pack(0))


def read_header(source: BinaryIO) -> Header:
    """The header. Raises `NotAnArchive`, `ArchiveCut`."""
    if source.read(len(MAGIC)) != MAGIC:
        raise NotAnArchive(reason="it begins otherwise")
    try:
        header = msgspec.json.decode(_record(source, MOST_HEADER), type=Header)
        header.sealed_key()
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise NotAnArchive(reason="its header cannot be read") from error
    return header


def read_part(source: BinaryIO) -> bytes:
    """The next part, sealed. Raises `NotAnArchive`, `ArchiveCut`."""
    return _record(source, MOST_PART)


def read_end(source: BinaryIO) -> None:
    """Raises `ArchiveCut` if it does not end here."""
    if _u32.unpack(_exactly(source, _u32.size))[0] != 0:
        raise NotAnArchive(reason="it holds more than its header says")


def _record(source: BinaryIO, most: int) -> bytes:
    (length,) = _u32.unpack(_exactly(source, _u32.size))
    if not 0 < length <= most:
        raise NotAnArchive(reason=f"a part of {length} bytes cannot be")
    return _exactly(source, length)


def _exactly(source: BinaryIO, count: int) -> bytes:
    found = source.read(count)
    if len(found) < count:
        raise ArchiveCut()
    return found
