"""Entries of a journal and the forms in which they are shown.

    commitment = 32 zero bytes                                   if operational and sealed are both empty
               = SHA256(salt ‖ len ‖ operational ‖ len ‖ sealed)  otherwise
    leaf       = SHA256("leaf/1" ‖ len ‖ head ‖ len ‖ statistical ‖ commitment)

Lengths are unsigned 32-bit big-endian. The parts are the exact bytes that the origin wrote once: JSON
objects without space around them, or nothing at all; `sealed` is ciphertext. On the wire a JSON part stands
as it is inside the array of entries (`msgspec.Raw`), an absent one as `null`, binary values as base64.

A salt exists exactly where there is something to hide: it keeps a short operational part from being guessed
out of the commitment, and a salt that commits to nothing could be changed without anyone noticing, so it is
refused.

The chain looks at bytes, not at meaning. A receiver with `statistical` clearance cannot see the operational
part, so a rule about what stands in it (a repeated key, an unknown field) must not decide whether an entry
is accepted: two honest receivers would hold different prefixes. Such rules belong to folding records, where
they park one subject.
"""

from binascii import b2a_base64
from collections.abc import Sequence
from hashlib import sha256
from struct import Struct
from typing import Protocol, overload

import msgspec

from kernel.errors import BadInput
from kernel.fact import MAX_DEPTH, is_deep

SALT_BYTES = 16
LEAF_BYTES = 32
NOTHING_COMMITTED = bytes(32)
MAX_PART_BYTES = 256 * 1024  # the kernel takes no fact that is larger than this in all
MAX_ENTRIES = 20_000  # in one batch: 1 MiB of withheld entries, some 45 bytes each, comes near it

_u32 = Struct(">I").pack
_NULL = b"null"
_ABSENT = msgspec.Raw(_NULL)
_OBJECTS = tuple(b"{{{")


class BadEntry(BadInput):
    """This is not an entry of a journal: {reason}."""

    code = "bad_entry"


class Parts(Protocol):
    """What an entry is made of; `kernel.fact.Fact` fits."""

    @property
    def head(self) -> bytes: ...
    @property
    def statistical(self) -> bytes: ...
    @property
    def operational(self) -> bytes: ...
    @property
    def sealed(self) -> bytes: ...
    @property
    def restricted(self) -> bool: ...


def commitment(salt: bytes, operational: bytes, sealed: bytes) -> bytes:
    """32 bytes that commit to what a statistical receiver may not see, and tell it nothing."""
    if not operational and not sealed:
        return NOTHING_COMMITTED
    return sha256(b"".join((salt, _u32(len(operational)), operational, _u32(len(sealed)), sealed))).digest()


def leaf(head: bytes, statistical: bytes, commitment: bytes) -> bytes:
    """32 bytes that commit to a whole entry; computable from its full and from its statistical form alike."""
    parts = (b"leaf/1", _u32(len(head)), head, _u32(len(statistical)), statistical, commitment)
    return sha256(b"".join(parts)).digest()


class Full(msgspec.Struct, frozen=True, gc=False):
    """An entry with nothing left out. `salt` is empty if and only if `operational` and `sealed` both are."""

    head: bytes
    statistical: bytes
    salt: bytes
    operational: bytes
    sealed: bytes

    @property
    def leaf(self) -> bytes:
        return leaf(self.head, self.statistical, commitment(self.salt, self.operational, self.sealed))


class Statistical(msgspec.Struct, frozen=True, gc=False):
    """An entry as a receiver with statistical clearance sees it: the rest is a commitment."""

    head: bytes
    statistical: bytes
    commitment: bytes

    @property
    def leaf(self) -> bytes:
        return leaf(self.head, self.statistical, self.commitment)


class Withheld(msgspec.Struct, frozen=True, gc=False):
    """An entry of which a receiver learns only that it is there."""

    leaf: bytes


Shown = Full | Statistical | Withheld


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One journal line as its origin keeps it. `restricted` never leaves the origin: it steers disclosure.

    `proof`: of a line that was recovered without its operational and sealed parts the commitment to them; of one of
    which not even the head came back (it is empty) the leaf.
    """

    number: int
    head: bytes
    statistical: bytes
    operational: bytes
    sealed: bytes
    salt: bytes
    restricted: bool = False
    proof: bytes | None = None

    @property
    def commitment(self) -> bytes:
        return commitment(self.salt, self.operational, self.sealed) if self.proof is None else self.proof

    @property
    def leaf(self) -> bytes:
        if self.proof is not None and not self.head:
            return self.proof
        return leaf(self.head, self.statistical, self.commitment)


def record(number: int, parts: Parts, salt: bytes) -> Entry:
    """The entry that `parts` become as line `number`. Raises `BadEntry` if they could not cross a link.

    `salt`: 16 random bytes from the caller; dropped where nothing is committed. What is not refused here is
    in the chain for ever and must pass every later check, so this is the strictest of them.
    """
    _check_json("head", parts.head)
    _check_json("statistical", parts.statistical)
    _check_json("operational", parts.operational)
    if not parts.head:
        raise BadEntry(reason="it has no head")
    _check_audience(parts.head)
    hides = bool(parts.operational or parts.sealed)
    if hides and len(salt) != SALT_BYTES:
        raise BadEntry(reason=f"a salt has {SALT_BYTES} bytes, not {len(salt)}")
    if len(parts.sealed) > MAX_PART_BYTES:
        raise BadEntry(reason=f"sealed is larger than {MAX_PART_BYTES} bytes")
    return Entry(
        number,
        parts.head,
        parts.statistical,
        parts.operational,
        parts.sealed,
        salt if hides else b"",
        parts.restricted,
    )


def _check_json(name: str, part: bytes) -> None:
    """One JSON object, nothing around it, or nothing at all."""
    if not part:
        return
    if len(part) > MAX_PART_BYTES:
        raise BadEntry(reason=f"{name} is larger than {MAX_PART_BYTES} bytes")
    try:
        part.decode()
        exact = len(_decode_raw(part)) == len(part)
        nested = is_deep(part)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadEntry(reason=f"{name} is not JSON ({type(error).__name__})") from error
    if not exact or part[:1] != b"{":
        raise BadEntry(reason=f"{name} is not one JSON object without space around it")
    if nested:
        raise BadEntry(reason=f"{name} is nested deeper than {MAX_DEPTH}")


def _check_audience(head: bytes) -> None:
    """What cannot be read when a link asks for it would stop every link for ever."""
    try:
        audience(head)
    except msgspec.MsgspecError as error:
        raise BadEntry(reason="head has an audience that is no list of nodes") from error


class _OnWire(msgspec.Struct, array_like=True, frozen=True, gc=False, forbid_unknown_fields=True):
    pass


class WireFull(_OnWire, tag="full", frozen=True):
    head: msgspec.Raw
    statistical: msgspec.Raw
    salt: bytes
    operational: msgspec.Raw
    sealed: bytes


class WireStatistical(_OnWire, tag="statistical", frozen=True):
    head: msgspec.Raw
    statistical: msgspec.Raw
    commitment: bytes


class WireWithheld(_OnWire, tag="withheld", frozen=True):
    leaf: bytes


Wire = WireFull | WireStatistical | WireWithheld
_encode = msgspec.json.Encoder().encode
_decode_wire = msgspec.json.Decoder(list[Wire]).decode
_decode_raw = msgspec.json.Decoder(msgspec.Raw).decode


def encode(shown: Sequence[Shown]) -> bytes:
    """A JSON array of the shown entries, every part byte for byte as it was recorded."""
    return b"".join((b"[", b",".join([encode_one(one) for one in shown]), b"]"))


def decode(payload: bytes) -> list[Shown]:
    """The shown entries that `encode` wrote. Raises `BadEntry` for anything else; never any other error.

    The caller bounds the size of `payload`; the number of entries and the size of each part are bounded here.
    """
    return [from_wire(one) for one in read_wire(payload)]


def read_wire(payload: bytes) -> list[Wire]:
    """The entries that `encode` wrote, as they stand there, their parts unread. Raises `BadEntry` as `decode` does."""
    try:
        if not payload.isascii():
            payload.decode()  # JSON is UTF-8; the codec does not look into strings that it passes over
        wire = _decode_wire(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadEntry(reason=f"the list cannot be read ({error})") from error
    if len(wire) > MAX_ENTRIES:
        raise BadEntry(reason=f"{len(wire)} in one list; {MAX_ENTRIES} are accepted")
    return wire


def leaves(wire: Sequence[Wire]) -> list[bytes]:
    """The leaf of each: the inner loop of every catch-up. Nearly all are full entries with a statistical and an
    operational part; for those `Full.leaf` stands here in its place. Raises `BadEntry`.
    """
    found = []
    for one in wire:
        if type(one) is not WireFull or len(one.salt) != SALT_BYTES:
            found.append(from_wire(one).leaf)
            continue
        head, statistical, operational, sealed = one.head, one.statistical, one.operational, one.sealed
        size = len(head)
        hidden = b"".join((one.salt, _u32(len(operational)), operational, _u32(len(sealed)), sealed))
        public = (b"leaf/1", _u32(size), head, _u32(len(statistical)), statistical, sha256(hidden).digest())
        joined = b"".join(public)
        firsts = (joined[10], joined[14 + size], hidden[20])  # the first byte of head, statistical and operational
        if firsts == _OBJECTS and len(joined) + len(hidden) <= MAX_PART_BYTES:
            found.append(sha256(joined).digest())
        else:
            found.append(from_wire(one).leaf)
    return found


def keep(one: Wire) -> bytes:
    """The bytes in which an entry is kept: those of `encode` for it alone."""
    return b"".join((b"[", _encode(one) if type(one) is not WireFull else _full_on_wire(one), b"]"))


def _to_wire(shown: Shown) -> Wire:
    raw = msgspec.Raw
    if isinstance(shown, Full):
        return WireFull(
            raw(shown.head),
            raw(shown.statistical) if shown.statistical else _ABSENT,
            shown.salt,
            raw(shown.operational) if shown.operational else _ABSENT,
            shown.sealed,
        )
    if isinstance(shown, Statistical):
        statistical = raw(shown.statistical) if shown.statistical else _ABSENT
        return WireStatistical(raw(shown.head), statistical, shown.commitment)
    return WireWithheld(shown.leaf)


@overload
def from_wire(wire: WireFull | WireStatistical) -> Full | Statistical: ...
@overload
def from_wire(wire: Wire) -> Shown: ...
def from_wire(wire: Wire) -> Shown:
    """An entry with its parts read. Raises `BadEntry`."""
    if isinstance(wire, WireFull):
        head, statistical, operational = bytes(wire.head), bytes(wire.statistical), bytes(wire.operational)
        size = len(head) + len(statistical) + len(operational) + len(wire.sealed)
        has_all = (head[0], statistical[0], operational[0]) == _OBJECTS and len(wire.salt) == SALT_BYTES
        if has_all and size <= MAX_PART_BYTES:  # as nearly all are
            return Full(head, statistical, wire.salt, operational, wire.sealed)
        operational = _part(wire.operational)
        if len(wire.salt) != (SALT_BYTES if operational or wire.sealed else 0):
            raise BadEntry(reason="the salt does not fit what it should hide")
        if len(wire.sealed) > MAX_PART_BYTES:
            raise BadEntry(reason=f"a part is larger than {MAX_PART_BYTES} bytes")
        return Full(_head(wire.head), _part(wire.statistical), wire.salt, operational, wire.sealed)
    if isinstance(wire, WireStatistical):
        if len(wire.commitment) != LEAF_BYTES:
            raise BadEntry(reason="a commitment has 32 bytes")
        return Statistical(_head(wire.head), _part(wire.statistical), wire.commitment)
    if len(wire.leaf) != LEAF_BYTES:
        raise BadEntry(reason="a leaf has 32 bytes")
    return Withheld(wire.leaf)


def _head(raw: msgspec.Raw) -> bytes:
    head = _part(raw)
    if not head:
        raise BadEntry(reason="it has no head")
    return head


def _part(raw: msgspec.Raw) -> bytes:
    part = bytes(raw)
    if part[:1] == b"{" and len(part) <= MAX_PART_BYTES:
        return part
    if part == b"null":
        return b""
    raise BadEntry(reason=f"a part is neither null nor a JSON object of {MAX_PART_BYTES} bytes at most")


def encode_one(shown: Shown) -> bytes:
    """One shown entry as it stands in `encode`'s array."""
    return _encode(_to_wire(shown)) if type(shown) is not Full else _full_on_wire(shown)


def _full_on_wire(one: Full | WireFull) -> bytes:
    """What the codec would write of a full entry, in a third to half of its time."""
    salt = b2a_base64(one.salt, newline=False)
    sealed = b2a_base64(one.sealed, newline=False) if one.sealed else b""
    statistical, operational = one.statistical or _NULL, one.operational or _NULL
    return b"".join((b'["full",', one.head, b",", statistical, b',"', salt, b'",', operational, b',"', sealed, b'"]'))


def decode_one(kept: bytes) -> Shown:
    """The shown entry that `encode_one` wrote. Raises `BadEntry` for anything else."""
    shown = decode(b"[" + kept + b"]")
    if len(shown) != 1:
        raise BadEntry(reason=f"{len(shown)} are kept in the place of one")
    return shown[0]


class _Addressed(msgspec.Struct):
    audience: list[str] = []


_decode_addressed = msgspec.json.Decoder(_Addressed).decode


def audience(head: bytes) -> list[str]:
    """The nodes a fact is for, from its head; empty means every node that its clearance allows, or no head is known."""
    return [] if not head else _decode_addressed(head).audience
