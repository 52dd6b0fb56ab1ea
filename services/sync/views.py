"""What the doors show of links, replicas, records and the journal.

`behind` follows one rule: without fresh word from the other side it is unknown, whatever the last numbers were.
"""

import base64
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import func, select, tuple_
from sqlmodel import Session

from contracts.sync import LinkState, ReplicaState
from contracts.topology import LinkSpec
from kernel.errors import BadInput
from services.sync import journal
from services.sync.position import Position, start
from services.sync.records import parked_counts
from services.sync.tables import Folded, JournalState, Life, Link, Record, Replica, SetAside, Witnessed

Shown = dict[str, Any]
UNKNOWN: Shown = {"known": False, "entries": None, "seconds": None}


def position(place: Position) -> Shown:
    return {"number": place.number, "digest": place.hex}


def behind(
    held: int | None,
    head: int | None,
    heard_at: datetime | None,
    since: datetime | None,
    *,
    now: datetime,
    stale: float,
) -> Shown:
    """How far a holder is behind: entries, and seconds since it last held everything known."""
    if held is None or head is None or heard_at is None or now - heard_at > timedelta(seconds=stale):
        return dict(UNKNOWN)
    entries = max(0, head - held)
    seconds = (now - since).total_seconds() if entries and since else 0.0
    return {"known": True, "entries": entries, "seconds": max(0.0, seconds)}


def journal_status(session: Session, origin: str) -> Shown:
    """This node's own journal."""
    state = session.get(JournalState, 1)
    return {
        "origin": origin,
        "epoch": state.epoch if state else journal.FIRST_EPOCH,
        "head": position(journal.head(session, origin)),
        "recorded_at": state.recorded_at if state else None,
        "parent": _position(journal.parent_of(state)) if state else None,
        "doubt": LinkState(state.doubt) if state and state.doubt else None,
        "doubt_reason": state.doubt_reason if state else None,
    }


def _position(place: Position | None) -> Shown | None:
    return position(place) if place else None


def links(session: Session, specs: Sequence[LinkSpec], *, now: datetime, stale: float) -> list[Shown]:
    """Every link of the topology out of this node, in the order of their destinations."""
    rows = {row.destination: row for row in session.scalars(select(Link))}
    ordered = sorted(specs, key=lambda spec: spec.destination)
    return [link(session, spec, rows.get(spec.destination), now=now, stale=stale) for spec in ordered]


def link(session: Session, spec: LinkSpec, row: Link | None, *, now: datetime, stale: float) -> Shown:
    """One link; a row is there once the engine has run."""
    row = row or Link(destination=spec.destination, clearance=spec.clearance, state=LinkState.CONNECTING)
    head = journal.head(session, spec.origin)
    held = None
    if row.held_number is not None and row.held_digest is not None:
        held = position(Position(row.held_number, row.held_digest))
    return {
        "origin": spec.origin,
        "destination": spec.destination,
        "clearance": spec.clearance.value,
        "state": _link_state(row),
        "reason": row.reason,
        "paused": row.paused,
        "head": position(head),
        "held": held,
        "behind": behind(row.held_number, head.number, row.last_heard_at, row.behind_since, now=now, stale=stale),
        "last_heard_at": row.last_heard_at,
    }


def _link_state(row: Link) -> LinkState:
    """The engine follows an operator within a second; until then his word is shown, not the engine's last."""
    if row.paused:
        return LinkState.PAUSED
    return LinkState.CONNECTING if row.state == LinkState.PAUSED else LinkState(row.state)


def replicas(session: Session, origins: Sequence[str], *, now: datetime, stale: float) -> list[Shown]:
    """The replica of every origin that links to this node, also of those never heard."""
    rows = {row.origin: row for row in session.scalars(select(Replica))}
    parked, folded = parked_counts(session), {row.origin: row.number for row in session.scalars(select(Folded))}
    shown = [
        _replica(
            rows.get(origin) or _silent(origin), folded.get(origin, 0), parked.get(origin, 0), now=now, stale=stale
        )
        for origin in sorted({*origins, *rows})
    ]
    told = list(session.scalars(select(Witnessed).order_by(Witnessed.witness)))
    lives = {(row.origin, row.epoch): row for row in session.scalars(select(Life))}
    counted = session.execute(select(SetAside.origin, func.count()).group_by(SetAside.origin))
    aside: dict[str, int] = dict(map(tuple, counted))
    for each in shown:
        life = lives.get((each["origin"], each["epoch"]))
        each["parent"] = position(Position(life.parent_number, life.parent_digest)) if life else None
        each["set_aside"] = aside.get(each["origin"], 0)
        each["witnesses"] = [row.model_dump() for row in told if row.origin == each["origin"]]
    return shown


def _silent(origin: str) -> Replica:
    zero = start(origin, journal.FIRST_EPOCH)
    return Replica(origin=origin, epoch=journal.FIRST_EPOCH, number=0, digest=zero.digest, state=ReplicaState.SILENT)


def _replica(row: Replica, folded: int, parked: int, *, now: datetime, stale: float) -> Shown:
    head = None
    if row.head_number is not None and row.head_digest is not None:
        head = position(Position(row.head_number, row.head_digest))
    return {
        "origin": row.origin,
        "epoch": row.epoch,
        "state": ReplicaState(row.state),
        "reason": row.reason,
        "held": position(Position(row.number, row.digest)),
        "folded": folded,
        "head": head,
        "behind": behind(row.number, row.head_number, row.last_heard_at, row.behind_since, now=now, stale=stale),
        "last_heard_at": row.last_heard_at,
        "withheld": row.withheld,
        "parked": parked,
    }


def records(session: Session, values: Shown) -> Shown:
    """One page of records, in the order of origin, kind and subject."""
    statement = select(Record)
    if values["kind"]:
        statement = statement.where(Record.kind == values["kind"])
    if values["origin"]:
        statement = statement.where(Record.origin == values["origin"])
    if values["since"]:
        statement = statement.where(Record.updated_at >= values["since"])
    key = tuple_(Record.origin, Record.kind, Record.subject)
    if values["after"]:
        statement = statement.where(key > tuple_(*_place(values["after"])))
    limit = values["limit"]
    rows = session.scalars(statement.order_by(Record.origin, Record.kind, Record.subject).limit(limit + 1)).all()
    last = rows[limit - 1] if len(rows) > limit else None
    return {
        "items": [row.model_dump() for row in rows[:limit]],
        "next": _cursor(last.origin, last.kind, last.subject) if last else None,
    }


def _cursor(*place: str) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def _place(cursor: str) -> tuple[str, str, str]:
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        return msgspec.json.decode(raw, type=tuple[str, str, str])
    except (ValueError, msgspec.MsgspecError) as error:
        raise BadInput("The cursor in `after` is not one that this list gave.", where={"after": cursor}) from error
