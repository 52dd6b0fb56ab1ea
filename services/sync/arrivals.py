"""Arrivals: facts of other origins that are meant for this node, numbered in the order in which they were taken.

They are stored with the entries, in one commit, and announced on the local broker afterwards. The announcement may be
lost; a service that reads by number (`facts_from`) misses nothing. A fact that comes twice, by two directorates, is
one arrival: the first.

What another governorate addressed to this one comes inside a `relayed.v1` of a directorate. It is taken out, checked
(relay.py), and is an arrival of its true origin; the second directorate's copy is compared with what the first brought.

A fact that names this node arrives in the form that the link may show. An acknowledgement for a directorate that is not
its origin's home comes as `statistical`, without its operational part.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Table, insert, select
from sqlmodel import Session

from kernel import metrics
from kernel.fact import Fact, pack
from kernel.log import get_logger
from kernel.outbox import Slice
from services.sync import relay, relays
from services.sync.entry import Full, Shown, Statistical
from services.sync.records import decode_head, is_name
from services.sync.tables import Arrival, ArrivalState

log = get_logger("arrivals")

STREAM = "arrivals"
IDS_AT_ONCE = 500
MOST_BYTES = 4 * 1024 * 1024  # of facts in one answer over RPC

arrivals: Table = Arrival.__table__


def is_for(node: str, one: Shown, *, takes_unaddressed: bool) -> bool:
    """Whether an entry is meant for `node`: named in its audience, or sent down to everybody and shown in full."""
    if not isinstance(one, Full | Statistical):
        return False
    try:
        head = decode_head(one.head)
    except (msgspec.MsgspecError, RecursionError):
        return False
    usable = is_name(head.id) and len(head.type) <= 128
    to_everybody = takes_unaddressed and not head.audience and isinstance(one, Full)
    return usable and (node in head.audience or to_everybody)


@dataclass(frozen=True)
class _Arriving:
    origin: str
    number: int
    one: Full | Statistical
    relayed_by: str | None = None
    digest: bytes | None = None


def store(
    session: Session,
    origin: str,
    shown: Sequence[tuple[int, Full | Statistical]],
    now: datetime,
    *,
    opens: bool = False,
) -> list[tuple[str, bytes]]:
    """Keep numbered entries that are meant for this node; return type and message of each that is new.

    `opens`: `origin` is a directorate, which relays. Numbers are taken from a locked row, so that they commit in order
    and a reader by number loses none.
    """
    found = _arriving(origin, shown, opens)
    if not found:
        return []
    state = session.get(ArrivalState, 1, with_for_update=True)
    if state is None:
        state = ArrivalState(id=1, number=0)
        session.add(state)
    rows: dict[str, dict[str, Any]] = {}
    known = _known(session, [decode_head(each.one.head).id for each in found])
    for each in found:
        head = decode_head(each.one.head)
        if head.id in known or head.id in rows:
            _compare(session, each, head.id)
            continue
        state.number += 1
        rows[head.id] = {
            "number": state.number,
            "origin": each.origin,
            "entry_number": each.number,
            "fact_id": head.id,
            "type": head.type,
            "envelope": pack(_fact(each.one)),
            "at": now,
            "relayed_by": each.relayed_by,
            "digest": each.digest,
        }
    if rows:
        session.execute(insert(arrivals), list(rows.values()))
    relayed = [row for row in rows.values() if row["relayed_by"]]
    metrics.RELAYS.labels("taken").inc(len(relayed))
    relays.note_arrived(session, [(row["fact_id"], row["origin"], row["entry_number"]) for row in relayed], now)
    return [(row["type"], message(row)) for row in rows.values()]


def _arriving(origin: str, shown: Sequence[tuple[int, Full | Statistical]], opens: bool) -> list[_Arriving]:
    found = []
    for number, one in shown:
        if not opens or decode_head(one.head).type != relay.TYPE:
            found.append(_Arriving(origin, number, one))
            continue
        try:
            if not isinstance(one, Full):
                raise relay.NotRelayed(reason="the link does not show it in full")
            original = relay.take_out(one)
        except relay.NotRelayed as error:
            log.warning("arrivals.not_relayed", peer=origin, number=number, cause=error.details["reason"])
            metrics.RELAYS.labels("unusable").inc()
            continue
        found.append(_Arriving(original.origin, original.number, original.entry, origin, original.digest))
    return found


def _compare(session: Session, each: _Arriving, fact_id: str) -> None:
    """What the second directorate relays is the same; if not, one of the two, or the origin, told two stories."""
    if each.relayed_by is None:
        return
    row = session.scalars(select(Arrival).where(arrivals.c.fact_id == fact_id)).first()
    same = row is None or (row.origin, row.digest, bytes(row.envelope)) == (
        each.origin,
        each.digest,
        pack(_fact(each.one)),
    )
    metrics.RELAYS.labels("repeated" if same else "differs").inc()
    if not same:
        log.warning("arrivals.differs", peer=each.relayed_by, origin=each.origin, number=each.number)


def _fact(one: Full | Statistical) -> Fact:
    if isinstance(one, Full):
        return Fact(one.head, one.statistical, one.operational, one.sealed)
    return Fact(one.head, one.statistical)


def message(row: dict[str, Any]) -> bytes:
    """The announcement of one arrival: a slice of the stream `arrivals` of its origin."""
    return msgspec.json.encode(Slice(row["origin"], STREAM, row["number"], [msgspec.Raw(row["envelope"])]))


def _known(session: Session, ids: list[str]) -> set[str]:
    found: set[str] = set()
    for at in range(0, len(ids), IDS_AT_ONCE):
        found |= set(session.scalars(select(Arrival.fact_id).where(arrivals.c.fact_id.in_(ids[at : at + IDS_AT_ONCE]))))
    return found


def facts_from(session: Session, after: int, limit: int) -> dict[str, Any]:
    """Up to `limit` arrivals after number `after`, 4 MiB or a single one, and the number of the last there is."""
    state = session.get(ArrivalState, 1)
    statement = select(Arrival).where(arrivals.c.number > after).order_by(arrivals.c.number).limit(limit)
    items: list[dict[str, Any]] = []
    size = 0
    for row in session.scalars(statement.execution_options(yield_per=20)):
        size += len(row.envelope)
        if items and size > MOST_BYTES:
            break
        items.append({"number": row.number, "origin": row.origin, "envelope": bytes(row.envelope).decode()})
    return {"head": state.number if state else 0, "items": items}
