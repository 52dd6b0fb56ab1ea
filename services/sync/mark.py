"""The mark: the highest position and session that this node's journal ever had, kept outside its database.

A database that was put back from an older backup cannot know it. The mark is a small file in the node's home, replaced
as a whole and synced to the disk at the start of the engine and at most once a second after that, so recording never
waits for it; it may be a second behind the journal, never before it. Where the mark itself was put back with
everything else, the handshake finds out.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import msgspec

from kernel.log import get_logger
from services.sync.position import Position

FILE = "journal.mark"

log = get_logger("engine")


@dataclass(frozen=True)
class Mark:
    """What a journal had reached."""

    origin: str
    epoch: int
    session: int
    head: Position


class _OnDisk(msgspec.Struct):
    origin: str
    epoch: int
    session: int
    number: int
    digest: str


_decode = msgspec.json.Decoder(_OnDisk).decode


def read(home: Path, origin: str) -> Mark | None:
    """The mark of `origin`; None where there is none, or none that can be read."""
    try:
        found = _decode((home / FILE).read_bytes())
        head = Position(found.number, bytes.fromhex(found.digest))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        log.failure("mark.unreadable", error)
        return None
    return Mark(found.origin, found.epoch, found.session, head) if found.origin == origin else None


def write(home: Path, mark: Mark) -> None:
    """Replace the mark; when this returns it is on the disk. Raises OSError."""
    found = _OnDisk(mark.origin, mark.epoch, mark.session, mark.head.number, mark.head.hex)
    part = home / f"{FILE}.part"
    with part.open("wb") as file:
        file.write(msgspec.json.encode(found))
        file.flush()
        os.fsync(file.fileno())
    part.replace(home / FILE)
    directory = os.open(home, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
