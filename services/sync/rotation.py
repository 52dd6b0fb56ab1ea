"""Changing the signing key of a node: an entry of its journal, valid by number. Pure; `own_keys.py` has the files.

    key.rotated.v1 at number n, carried by the former key, signed by it and by the new one
    entries up to n  ──  the former key          entries after n  ──  the new key

A receiver begins with the key that it was given, and follows the entries it holds. It needs no clock and nobody's word
but the journal's: whoever holds n knows the new key, whoever does not gets n by the former one. Old batches verify for
ever as what they are, repeats. After n the former key can neither carry a later entry nor say anything else.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from struct import Struct
from typing import Annotated

import msgspec
from sqlmodel import Session, select

from contracts.replication import KeyFact
from kernel.crypto import SigningKey, VerifyKey
from kernel.fact import Fact, compose
from kernel.ids import new_id
from kernel.log import get_logger
from services.sync.message import KnownKey, Ring
from services.sync.tables import Record

log = get_logger("rotation")

TYPE = "key.rotated.v"
KIND = KeyFact.kind

_u32 = Struct(">I").pack

Unheeded = Callable[[str, int], None]  # origin and number of an entry that should change a key and cannot be believed


class _Stated(msgspec.Struct):
    former: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{16}\Z")]
    key: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
    by_former: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{128}\Z")]
    by_itself: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{128}\Z")]


@dataclass(frozen=True)
class Rotation:
    """What entry `number` of an origin says of its keys."""

    number: int
    former: str
    key: VerifyKey
    by_former: bytes
    by_itself: bytes

    def is_signed(self, origin: str, former: VerifyKey) -> bool:
        """Whether both keys signed that one follows the other."""
        said = words(origin, former, self.key)
        return former.verify(said, self.by_former) and self.key.verify(said, self.by_itself)


def words(origin: str, former: VerifyKey, key: VerifyKey) -> bytes:
    """What both keys sign."""
    name = origin.encode()
    return b"".join((b"jisr key/1", _u32(len(name)), name, former.raw, key.raw))


def rotated(origin: str, former: SigningKey, key: SigningKey, *, at: datetime) -> Fact:
    """The fact by which `origin` goes over from one key to the next."""
    said = words(origin, former.verify_key, key.verify_key)
    values = {
        "former": former.key_id,
        "key": key.verify_key.raw.hex(),
        "by_former": former.sign(said).hex(),
        "by_itself": key.sign(said).hex(),
    }
    return compose(KeyFact, "rotated", id=new_id(), subject=key.key_id, version=1, values=values, at=at)


def follow(origin: str, begun: Iterable[KnownKey], rotations: Sequence[Rotation]) -> list[KnownKey]:
    """The keys of `origin` with the numbers they are valid for: those believed at first, and what follows from them.

    A rotation by a key that is not believed, was changed before, or signed wrongly, changes nothing.
    """
    known = {each.key.key_id: each for each in begun}
    for each in sorted(rotations, key=lambda one: one.number):
        former = known.get(each.former)
        if former is None or former.until is not None or each.key.key_id in known or each.number <= former.after:
            continue
        if each.is_signed(origin, former.key):
            known[each.former] = replace(former, until=each.number)
            known[each.key.key_id] = KnownKey(origin, each.key, after=each.number)
    return list(known.values())


def read(session: Session, origins: Iterable[str], unheeded: Unheeded) -> dict[str, list[Rotation]]:
    """What is held of the rotations of `origins`, this node itself among them if it is named.

    A chain goes on with whatever its origin wrote; an entry that cannot be read changes no key, and `unheeded` is told.
    """
    rows = session.exec(select(Record).where(Record.origin.in_(sorted(origins)), Record.kind == KIND))  # type: ignore[attr-defined]
    found: dict[str, list[Rotation]] = {}
    for row in rows:
        try:
            stated = msgspec.convert(_as_object(row.statistical), _Stated)
        except msgspec.MsgspecError:
            unheeded(row.origin, row.number)
            continue
        found.setdefault(row.origin, []).append(
            Rotation(
                row.number,
                stated.former,
                VerifyKey(bytes.fromhex(stated.key)),
                bytes.fromhex(stated.by_former),
                bytes.fromhex(stated.by_itself),
            )
        )
    return found


def _as_object(part: object) -> object:
    return msgspec.json.decode(part) if isinstance(part, str | bytes) else part


def tell(origin: str, number: int) -> None:
    """Say in the log that an entry which should change a key of `origin` changes none."""
    log.warning("rotation.unheeded", origin=origin, number=number)


def followed(session: Session, begun: Ring, unheeded: Unheeded) -> Ring:
    """`begun` with the keys that follow from what is held here; `unheeded`: what cannot be read or is not signed."""
    keys: dict[str, list[KnownKey]] = {}
    for known in begun.values():
        keys.setdefault(known.node, []).append(known)
    rotations = read(session, keys, unheeded)
    if not rotations:
        return begun
    ring = {
        known.key.key_id: known
        for node, given in keys.items()
        for known in follow(node, given, rotations.get(node, ()))
    }
    for node, each in ((node, each) for node, found in rotations.items() for each in found):
        if each.former in ring and not each.is_signed(node, ring[each.former].key):
            unheeded(node, each.number)
    return ring


def changes_key(type_: str) -> bool:
    """Whether an entry of this type changes a key."""
    return type_.startswith(TYPE)
