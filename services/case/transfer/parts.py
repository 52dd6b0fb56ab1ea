"""A released case in parts, each small enough to be sealed into one fact. Pure.

    part   = head (JSON) ‖ 0x00 ‖ bytes of the whole
    head   = {"epoch", "part", "parts", "size", "digest"}

The whole is cut in order; `size` and `digest` (SHA-256) are those of the whole, so a part says to which whole it
belongs and nothing is opened before all of it is there. All of a part is sealed: outside it is one `released` among
others of the same transfer.
"""

import hashlib
from collections.abc import Mapping
from typing import Final

import msgspec

from kernel.crypto import MAX_CONTENT_BYTES
from kernel.errors import BadInput, TooLarge

HEAD_BYTES: Final = 512  # room for the head; it has about 150
PART_BYTES: Final = MAX_CONTENT_BYTES - HEAD_BYTES
MOST_PARTS: Final = 128  # 32 MiB compressed: some 100 MiB of text


class ReleaseRefused(BadInput):
    """What was sealed to this node is no release in any form known here."""

    code = "release_refused"


class Head(msgspec.Struct, frozen=True):
    """What stands before the bytes of a part."""

    epoch: int
    part: int
    parts: int
    size: int
    digest: str


def cut(epoch: int, whole: bytes, *, part_bytes: int = PART_BYTES) -> list[bytes]:
    """The parts of `whole`. Raises `TooLarge` above `MOST_PARTS` of them."""
    pieces = [whole[at : at + part_bytes] for at in range(0, len(whole), part_bytes)]
    if len(pieces) > MOST_PARTS:
        limit = MOST_PARTS * part_bytes
        raise TooLarge(f"This case has {len(whole)} bytes; {limit} can be released.", limit=limit)
    digest = hashlib.sha256(whole).hexdigest()
    heads = [Head(epoch, part, len(pieces), len(whole), digest) for part in range(1, len(pieces) + 1)]
    return [msgspec.json.encode(head) + b"\0" + piece for head, piece in zip(heads, pieces, strict=True)]


def read(part: bytes) -> tuple[Head, bytes]:
    """Head and bytes of a part. Raises `ReleaseRefused`."""
    raw, _, piece = part.partition(b"\0")
    try:
        head = msgspec.json.decode(raw, type=Head)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ReleaseRefused(cause=type(error).__name__) from error
    if not (1 <= head.part <= head.parts <= MOST_PARTS and head.epoch >= 1):
        raise ReleaseRefused(cause="head")
    return head, piece


def joined(head: Head, pieces: Mapping[int, bytes]) -> bytes | None:
    """The whole that `pieces`, by their number, make; None while one is missing. Raises `ReleaseRefused`."""
    if set(pieces) != set(range(1, head.parts + 1)):
        return None
    whole = b"".join(pieces[part] for part in sorted(pieces))
    if len(whole) != head.size or hashlib.sha256(whole).hexdigest() != head.digest:
        raise ReleaseRefused(cause="whole")
    return whole
