"""Arrivals: facts of other origins that are meant for this node, numbered in the order in which they were taken.

They are stored with the entries, in one commit, and announced on the local broker afterwards. The announcement may be
lost; a service that reads by number (`facts_from`) misses nothing. A fact that comes twice, by two directorates, is
one arrival: the first.

A fact that names this node arrives in the form that the link may show. An acknowledgement for a directorate that is not
its origin's home comes as `statistical`, without its operational part.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Table, insert, select
from sqlmodel import Session

from kernel.fact import Fact, pack
from kernel.outbox import Slice
from services.sync.entry import Full, Shown, Statistical
from services.sync.records import decode_head, is_name
from services.sync.tables import Arrival, ArrivalState

STREAM = "arrivals"
IDS_AT_ONCE = 500

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


def store(
    session: Session, origin: str, found: Sequence[tuple[int, Full | Statistical]], now: datetime
) -> list[tuple[str, bytes]]:
    """Keep numbered entries that are meant for this node; return type and message of each that is new.

    Numbers are taken from a locked row, so that they commit in order and a reader by number loses none.
    """
    if not found:
        return []
    state = session.get(ArrivalState, 1, with_for_update=True)
    if state is None:
        state = ArrivalState(id=1, number=0)
        session.add(state)
    rows: dict[str, dict[str, Any]] = {}
    known = _known(session, [decode_head(one.head).id for _, one in found])
    for entry_number, one in found:
        head = decode_head(one.head)
        if head.id in known or head.id in rows:
            continue
        state.number += 1
        rows[head.id] = {
            "number": state.number,
            "origin": origin,
            "entry_number": entry_number,
            "fact_id": head.id,
            "type": head.type,
            "envelope": pack(_fact(one)),
            "at": now,
        }
    if rows:
        session.execute(insert(arrivals), list(rows.values()))
    return [(row["type"], message(row)) for row in rows.values()]


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
    """Up to `limit` arrivals after number `after`, and the number of the last there is."""
    state = session.get(ArrivalState, 1)
    statement = select(Arrival).where(arrivals.c.number > after).order_by(arrivals.c.number).limit(limit)
    return {
        "head": state.number if state else 0,
        "items": [
            {"number": row.number, "origin": row.origin, "envelope": bytes(row.envelope).decode()}
            for row in session.scalars(statement)
        ],
    }
