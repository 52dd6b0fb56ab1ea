"""What is still to be relayed, at rest: noted in the commit that brings an entry, done in the commit that writes the
journal, so that a node which dies in between does it once, later.

    directorate   an entry of X names governorate Y   → at once if it is X's home, else after a wait: `relayed.v1`,
                                                         unless Y's journal says by then that the fact arrived
    governorate   a `relayed.v1` brought an arrival   → `arrived.v1`

Whether Y has it is read from Y's own journal, which both directorates hold: neither needs to hear from the other. A
word that comes too late, or not at all, costs a repetition, which Y passes over by the fact's id.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec
from sqlalchemy import ColumnElement, Table, func, select
from sqlmodel import Session

from contracts.topology import NodeKind, Topology
from kernel.fact import Fact
from services.sync import journal, relay
from services.sync.entry import Full, decode
from services.sync.position import Position, start
from services.sync.records import Readable, decode_head, insert_for, is_name
from services.sync.tables import Record, Relay, Replica, ReplicaEntry

AT_ONCE = 16  # each may have half a MiB

table: Table = Relay.__table__
entries: Table = ReplicaEntry.__table__


class Task(StrEnum):
    """What is to be done about a fact for a governorate."""

    RELAY = "relay"
    ACKNOWLEDGE = "acknowledge"


class Result(StrEnum):
    """What was done about it."""

    RELAYED = "relayed"
    ARRIVED = "arrived"  # without our help: every destination has it
    UNUSABLE = "unusable"  # it cannot be carried
    ACKNOWLEDGED = "acknowledged"


@dataclass(frozen=True)
class Post:
    """What a node does with the facts of one origin that are for a governorate.

    `reached`: governorates to which this node carries them on, after `wait`. `opens`: it takes out of its wrapping
    what a directorate relayed.
    """

    reached: frozenset[str] = frozenset()
    wait: timedelta = timedelta(0)
    opens: bool = False


NO_POST = Post()


@dataclass
class Done:
    """What a pass did; `head` is the journal's new position, None when nothing was written."""

    head: Position | None = None
    results: Counter[str] = field(default_factory=Counter)


def post_of(topology: Topology, node: str, origin: str, *, wait_seconds: float) -> Post:
    """The home directorate of `origin` relays at once, another one after `wait_seconds`."""
    if topology.node(node).kind is NodeKind.GOVERNORATE:
        return Post(opens=True)
    reached = frozenset(link.destination for link in topology.links_from(node))
    is_home = topology.node(origin).home == node
    return Post(reached - {origin}, timedelta(seconds=0 if is_home else wait_seconds))


def note(session: Session, origin: str, post: Post, found: Iterable[Readable], now: datetime) -> None:
    """Keep in mind those of the new entries `found` that are to be relayed, in the transaction that stores them."""
    if not post.reached:
        return
    rows = [
        _row(fact_id, origin, each.number, Task.RELAY, now + post.wait)
        for each in found
        if isinstance(each.one, Full) and each.head.audience and (fact_id := _to_relay(each.one, origin, post))
    ]
    _add(session, rows)


def note_arrived(session: Session, arrived: Sequence[tuple[str, str, int]], now: datetime) -> None:
    """Keep in mind to acknowledge what a directorate relayed here: fact id, origin and number of each."""
    _add(session, [_row(fact_id, origin, number, Task.ACKNOWLEDGE, now) for fact_id, origin, number in arrived])


def _row(fact_id: str, origin: str, number: int, task: Task, due_at: datetime) -> dict[str, object]:
    return {"fact_id": fact_id, "origin": origin, "number": number, "task": task, "due_at": due_at}


def _add(session: Session, rows: list[dict[str, object]]) -> None:
    if rows:
        session.connection().execute(insert_for(session, table).on_conflict_do_nothing(), rows)


def _to_relay(one: Full, origin: str, post: Post) -> str | None:
    try:
        fact_id = decode_head(one.head).id
        return fact_id if is_name(fact_id) and relay.destinations(one.head, origin, post.reached) else None
    except (msgspec.MsgspecError, RecursionError):
        return None


def do_some(session: Session, node: str, reached: frozenset[str], now: datetime) -> Done:
    """Do some of what is due, in the caller's write transaction. `reached`: governorates at the end of a link."""
    done = Done()
    due = session.scalars(
        select(Relay).where(_is_waiting(), table.c.due_at <= now).order_by(table.c.due_at).limit(AT_ONCE)
    ).all()
    facts: list[Fact] = []
    for row in due:
        fact, result = _acknowledged(row, now) if row.task == Task.ACKNOWLEDGE else _relayed(session, row, reached, now)
        row.done_at, row.result = now, result
        done.results[result] += 1
        if fact is not None:
            facts.append(fact)
    if facts:
        done.head = journal.issue(session, facts, origin=node, now=now)
    return done


def _acknowledged(row: Relay, now: datetime) -> tuple[Fact, Result]:
    return relay.arrived(row.fact_id, at=now), Result.ACKNOWLEDGED


def _relayed(session: Session, row: Relay, reached: frozenset[str], now: datetime) -> tuple[Fact | None, Result]:
    original = _original(session, row)
    if original is None:
        return None, Result.UNUSABLE
    named = relay.destinations(original.entry.head, row.origin, reached)
    lacking = [node for node in named if not _has_arrived(session, node, row.fact_id)]
    if not lacking:
        return None, Result.ARRIVED
    try:
        return relay.issue(original, lacking, row.fact_id, at=now), Result.RELAYED
    except relay.CannotRelay:
        return None, Result.UNUSABLE


def _has_arrived(session: Session, node: str, fact_id: str) -> bool:
    return session.get(Record, (node, relay.RECEIPT_KIND, relay.receipt_of(fact_id))) is not None


def _original(session: Session, row: Relay) -> relay.Original | None:
    replica = session.get(Replica, row.origin)
    found = {
        number: (bytes(parts), bytes(digest))
        for number, parts, digest in session.execute(
            select(entries.c.number, entries.c.parts, entries.c.digest).where(
                entries.c.origin == row.origin, entries.c.number.in_((row.number - 1, row.number))
            )
        )
    }
    if replica is None or row.number not in found:
        return None
    parts, digest = found[row.number]
    (one,) = decode(parts)
    if not isinstance(one, Full):
        return None
    first = start(row.origin, replica.begun).digest
    before = found[row.number - 1][1] if row.number - 1 in found else first
    return relay.Original(row.origin, replica.epoch, row.number, before, digest, one)


def _is_waiting() -> ColumnElement[bool]:
    return table.c.done_at.is_(None)


def waiting(session: Session) -> int:
    """How many facts this node has still to relay or to acknowledge."""
    return session.connection().execute(select(func.count()).select_from(table).where(_is_waiting())).scalar_one()
