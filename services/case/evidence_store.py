"""Where the parts of evidence lie: sealed files below the node's home, named by the SHA-256 of their own bytes.

The address is that of the ciphertext. So a file can be checked without any key, two cases never share one, and nobody
can ask by its hash whether a picture that they know is kept here. A file is on disk before the row that names it is
committed; one that no row names is swept away a day later."""

import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from sqlmodel import Session, select

from contracts.case.evidence import MediaType
from kernel.errors import NotFound
from services.case.tables import EvidencePart

SWEPT_AFTER_SECONDS = 24 * 3600
AT_ONCE = 500

_MAGIC: dict[MediaType, tuple[tuple[int, bytes], ...]] = {
    MediaType.JPEG: ((0, b"\xff\xd8\xff"),),
    MediaType.PNG: ((0, b"\x89PNG\r\n\x1a\n"),),
    MediaType.WEBP: ((0, b"RIFF"), (8, b"WEBP")),
    MediaType.PDF: ((0, b"%PDF-"),),
    MediaType.OGG: ((0, b"OggS"),),
    MediaType.AMR: ((0, b"#!AMR"),),
    MediaType.WAV: ((0, b"RIFF"), (8, b"WAVE")),
}
_BRANDS: dict[MediaType, tuple[bytes, ...]] = {
    MediaType.MP4: (b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"MSNV", b"dash"),
    MediaType.THREE_GP: (b"3gp", b"3g2"),
    MediaType.M4A: (b"M4A ", b"M4B ", b"mp41", b"mp42", b"isom", b"iso2"),
}


class EvidenceGone(NotFound):
    """A part of this evidence is missing or was altered on disk."""

    code = "evidence_gone"


def is_what_it_says(said: MediaType, beginning: bytes) -> bool:
    """Whether a file that begins so can be of this type."""
    if said in _BRANDS:  # ISO base media: a box `ftyp`, then the brand
        return beginning[4:8] == b"ftyp" and beginning[8:12].startswith(_BRANDS[said])
    if said is MediaType.MP3:
        frame = len(beginning) > 1 and beginning[0] == 0xFF and beginning[1] & 0xE6 == 0xE2  # MPEG audio, layer III
        return frame or beginning.startswith(b"ID3")
    return all(beginning[at : at + len(magic)] == magic for at, magic in _MAGIC[said])


def put(directory: Path, sealed: bytes) -> str:
    """Write a sealed part, on disk when this returns; its address."""
    address = hashlib.sha256(sealed).hexdigest()
    place = _place(directory, address)
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    writing = place.with_name(f"{address}.{os.getpid()}.writing")
    descriptor = os.open(writing, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(sealed)
        file.flush()
        os.fsync(file.fileno())
    os.replace(writing, place)
    return address


def get(directory: Path, address: str) -> bytes:
    """The sealed part at this address. Raises `EvidenceGone` for one that is not, or not what it was."""
    try:
        sealed = _place(directory, address).read_bytes()
    except OSError as error:
        raise EvidenceGone from error
    if hashlib.sha256(sealed).hexdigest() != address:
        raise EvidenceGone
    return sealed


def sweep(session: Session, directory: Path, *, now: float | None = None) -> int:
    """Delete files that no row names, a day after they were written; how many."""
    before = (time.time() if now is None else now) - SWEPT_AFTER_SECONDS
    old = [path for path in directory.glob("*/*") if path.stat().st_mtime < before]
    swept = 0
    for at in range(0, len(old), AT_ONCE):
        some = {path.name: path for path in old[at : at + AT_ONCE]}
        named = set(session.exec(select(EvidencePart.address).where(EvidencePart.address.in_(list(some)))).all())
        for name in some.keys() - named:
            some[name].unlink(missing_ok=True)
            swept += 1
    return swept


def damaged(session: Session, directory: Path) -> Iterator[tuple[str, int]]:
    """Each (evidence, part) whose file is missing or altered."""
    for row in session.exec(select(EvidencePart)).yield_per(AT_ONCE):
        try:
            get(directory, row.address)
        except EvidenceGone:
            yield row.evidence_id, row.part


def _place(directory: Path, address: str) -> Path:
    return directory / address[:2] / address
