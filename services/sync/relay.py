"""Carrying a fact of one governorate to another, which has no link to it: what a directorate writes, and what the
receiver makes of it. Pure; `relays.py` keeps what is to be done, `relayer.py` does it.

    relayed.v1   in a directorate's journal, addressed to the destinations: the original entry, part by part, with its
                 origin, epoch, number and the digests before and after it
    arrived.v1   in a destination's journal: a receipt, SHA256("arrived/1" ‖ id of the original fact)

Promise: what arrives is what the origin committed. The receiver computes the leaf from the parts and the digest from
`before`, number and leaf; a directorate can invent an entry, but it cannot alter one and keep its digest, and what two
directorates relay is compared. The receipt names the fact to whoever knows its id and to nobody else, so a directorate
from which the fact was withheld learns nothing from it.

Ids are computed, not drawn: a directorate that was restored writes the same fact again and it is taken once.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Annotated

import msgspec

from contracts.replication import ArrivedFact, RelayedFact
from kernel.errors import JisrError
from kernel.fact import FACT_SCHEMAS, Fact, compose
from services.sync.entry import BadEntry, Full, audience, record
from services.sync.position import Position, advance
from services.sync.records import decode_head, is_name, known_types

TYPE = "relayed.v1"
RECEIPT_KIND = ArrivedFact.kind
ID_CHARACTERS = 32
MAX_TYPE = 128

Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]


class CannotRelay(JisrError):
    """This entry cannot be relayed: {reason}."""

    code = "cannot_relay"


class NotRelayed(JisrError):
    """What a directorate relayed is not what the origin committed: {reason}."""

    code = "not_relayed"


@dataclass(frozen=True)
class Original:
    """An entry as it stands in the journal of its origin, and the digests around it."""

    origin: str
    epoch: int
    number: int
    before: bytes
    digest: bytes
    entry: Full


def destinations(head: bytes, origin: str, reached: Collection[str]) -> list[str]:
    """Those of the nodes `reached` to which a fact of `origin` is to be relayed. Raises msgspec.MsgspecError."""
    return sorted((set(audience(head)) & set(reached)) - {origin})


def receipt_of(fact_id: str) -> str:
    """What the destination's journal says of a fact that arrived, 64 hexadecimal digits."""
    return sha256(b"arrived/1" + fact_id.encode()).hexdigest()


def issue(original: Original, to: Collection[str], fact_id: str, *, at: datetime) -> Fact:
    """The fact by which a directorate carries `original` on. Raises `CannotRelay`."""
    entry = original.entry
    values = {
        "origin": original.origin,
        "epoch": original.epoch,
        "number": original.number,
        "before": original.before.hex(),
        "digest": original.digest.hex(),
        "head": entry.head.decode(),
        "statistical_part": entry.statistical.decode(),
        "operational_part": entry.operational.decode(),
        "salt": entry.salt.hex(),
    }
    fact = compose(
        RelayedFact,
        "",
        id=sha256(b"relayed/1" + fact_id.encode()).hexdigest()[:ID_CHARACTERS],
        subject=fact_id,
        version=1,
        values=values,
        at=at,
        audience=sorted(to),
        sealed=entry.sealed,
    )
    try:
        record(0, fact, bytes(16))
    except BadEntry as error:
        raise CannotRelay(reason=error.message) from error
    return fact


class _Carried(msgspec.Struct):
    origin: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{0,62}\Z")]
    epoch: Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
    number: Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
    before: Digest
    digest: Digest
    head: str
    statistical_part: str
    operational_part: str
    salt: Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{32})?\Z")]


_decode = msgspec.json.Decoder(_Carried).decode


def take_out(one: Full) -> Original:
    """The original in a `relayed.v1`, checked against the digest that was committed. Raises `NotRelayed`."""
    try:
        carried = _decode(one.operational)
        entry = Full(
            carried.head.encode(),
            carried.statistical_part.encode(),
            bytes.fromhex(carried.salt),
            carried.operational_part.encode(),
            one.sealed,
        )
        fact = Fact(entry.head, entry.statistical, entry.operational, entry.sealed)
        checked = record(carried.number, fact, entry.salt)
        head = decode_head(entry.head)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, BadEntry) as error:
        raise NotRelayed(reason=f"it cannot be read ({type(error).__name__})") from error
    before, digest = bytes.fromhex(carried.before), bytes.fromhex(carried.digest)
    if checked.salt != entry.salt:
        raise NotRelayed(reason="its salt commits to nothing")
    if advance(Position(carried.number - 1, before), checked.leaf).digest != digest:
        raise NotRelayed(reason="its parts do not lead to its digest")
    if not (is_name(head.id) and len(head.type) <= MAX_TYPE):
        raise NotRelayed(reason="its head has an unusable id or type")
    if not may_be_relayed(head.type):
        raise NotRelayed(reason=f"no governorate tells another a {head.type}")
    if not set(audience(one.head)) <= set(head.audience):
        raise NotRelayed(reason="it is addressed to others than the original")
    return Original(carried.origin, carried.epoch, carried.number, before, digest, entry)


def may_be_relayed(type_: str) -> bool:
    """Whether a governorate may tell another this: a directive, for one, is believed because it comes by a link.

    A kind that this release does not know has nobody here who would believe it; it waits for a release that does.
    """
    kind, _, rest = type_.partition(".")
    name = f"{kind}.{rest.rpartition('.')[2]}"
    return name not in known_types() or FACT_SCHEMAS[name].between_governorates


def arrived(fact_id: str, *, at: datetime) -> Fact:
    """What the destination says when a relayed fact has arrived."""
    receipt = receipt_of(fact_id)
    return compose(
        ArrivedFact,
        "",
        id=receipt[:ID_CHARACTERS],
        subject=receipt,
        version=1,
        values={"receipt": receipt},
        at=at,
    )
