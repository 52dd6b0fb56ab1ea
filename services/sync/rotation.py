"""Changing the signing key of a node: an entry of its journal, valid by number. Pure; `own_keys.py` has the files.

    key.rotated.v1 at number n, carried by the former key, signed by it and by the new one
    entries up to n  ──  the former key          entries after n  ──  the new key

A receiver begins with the key that it was given, and follows the entries it holds. It needs no clock and nobody's word
but the journal's: whoever holds n knows the new key, whoever does not gets n by the former one. Old batches verify for
ever as what they are, repeats. After n the former key can neither carry a later entry nor say anything else.
"""

from collections.abc import Iterable, Sequence
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
from services.sync.entry import Full, Shown, Statistical
from services.sync.message import KnownKey, Ring
from services.sync.tables import Record

TYPE = b'"key.rotated.v'
KIND = KeyFact.kind

_u32 = Struct(">I").pack


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
        said = words(origin, former.key, each.key)
        if former.key.verify(said, each.by_former) and each.key.verify(said, each.by_itself):
            known[each.former] = replace(former, until=each.number)
            known[each.key.key_id] = KnownKey(origin, each.key, after=each.number)
    return list(known.values())


def read(session: Session, origins: Iterable[str]) -> dict[str, list[Rotation]]:
    """What is held of the rotations of `origins`, this node itself among them if it is named."""
    rows = session.exec(select(Record).where(Record.origin.in_(sorted(origins)), Record.kind == KIND))  # type: ignore[attr-defined]
    found: dict[str, list[Rotation]] = {}
    for row in rows:
        try:
            stated = msgspec.convert(_as_object(row.statistical), _Stated)
        except msgspec.MsgspecError:
            continue  # a chain goes on with whatever its origin wrote; it only changes no key
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


def followed(session: Session, begun: Ring) -> Ring:
    """`begun` with the keys that follow from what is held here."""
    keys: dict[str, list[KnownKey]] = {}
    for known in begun.values():
        keys.setdefault(known.node, []).append(known)
    rotations = read(session, keys)
    if not rotations:
        return begun
    return {
        known.key.key_id: known
        for node, given in keys.items()
        for known in follow(node, given, rotations.get(node, ()))
    }


def is_among(shown: Iterable[Shown]) -> bool:
    """Whether one of these entries changes a key."""
    return any(isinstance(one, Full | Statistical) and TYPE in one.head for one in shown)


def goes_on(shown: Sequence[Shown]) -> bool:
    """Whether something follows an entry that changes a key: then the former key carries what it may not."""
    return is_among(shown[:-1])
