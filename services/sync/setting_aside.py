"""Setting aside: a replica gives up entries that its origin's present life does not have.

Only by a person's word, only from a replica that has diverged, and nothing is thrown away: the entries stay in a table
of their own with their digests. What they told comes again under new numbers.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Table, delete, func, literal, select
from sqlmodel import Session

from contracts.sync import Operation, ReplicaState
from kernel.errors import BadInput, Conflict, refuse
from kernel.identity import Actor
from services.sync import folding, operations
from services.sync.disclosure import Disclosure
from services.sync.position import start
from services.sync.records import insert_for
from services.sync.tables import Parked, Replica, ReplicaEntry, SetAside
from services.sync.verify import verify_replica

entries: Table = ReplicaEntry.__table__
kept: Table = SetAside.__table__
parked: Table = Parked.__table__
KEPT_COLUMNS = ("origin", "digest", "number", "disclosure", "parts", "at")


class NotDiverged(Conflict):
    """The replica of {origin} is {state}; only what a diverged replica holds can be set aside."""

    code = "not_diverged"


def set_aside(
    session: Session, origin: str, after: int, *, reason: str, by: Actor, now: datetime, audience: Sequence[str]
) -> int:
    """Set aside the entries after number `after`; return how many. The replica listens again.

    Raises `NotDiverged`, `BadInput` for a number that is not below what is held.
    """
    row = session.get(Replica, origin, with_for_update=True)
    if row is None or row.state != ReplicaState.DIVERGED:
        refuse(NotDiverged, origin=origin, state=row.state if row else "not here")
    if not 0 <= after < row.number:
        raise BadInput(f"{row.number} is held of {origin}; name a number below that.")
    where = (entries.c.origin == origin, entries.c.number > after)
    chosen = select(*(entries.c[name] for name in KEPT_COLUMNS[:-1]), literal(now, type_=kept.c.at.type)).where(*where)
    session.connection().execute(insert_for(session, kept).from_select(KEPT_COLUMNS, chosen).on_conflict_do_nothing())
    count = row.number - after
    session.execute(delete(ReplicaEntry).where(*where))
    session.execute(delete(Parked).where(parked.c.origin == origin, parked.c.number > after))
    row.number, row.digest = after, _digest(session, row, after)
    folding.take_back(session, origin, after)
    row.state, row.reason, row.session, row.boot = ReplicaState.SILENT, None, 0, None
    row.withheld = _withheld(session, origin)
    session.flush()
    verify_replica(session, origin, repair=True)  # records fold from what is left
    operations.note(session, Operation.SET_ASIDE, origin, by=by, now=now, audience=audience, reason=reason, count=count)
    return count


def _digest(session: Session, row: Replica, number: int) -> bytes:
    if number == 0:
        return start(row.origin, row.begun).digest
    where = (entries.c.origin == row.origin, entries.c.number == number)
    digest: bytes = session.execute(select(entries.c.digest).where(*where)).scalar_one()
    return digest


def _withheld(session: Session, origin: str) -> int:
    where = (entries.c.origin == origin, entries.c.disclosure == Disclosure.WITHHELD.value)
    count: int = session.execute(select(func.count()).select_from(entries).where(*where)).scalar_one()
    return count
