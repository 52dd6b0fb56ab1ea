"""What was put aside and waits for an operator: messages in quarantine, and entries that could not become a record.

Both lie beside the chain and hold it up nowhere. A message in quarantine is evidence: it can be looked at and thrown
away, never applied, because what is good in it the origin sends again. A parked entry is held and verified: it can be
folded again, or skipped with a reason, and what was skipped can still be folded later. Each is audited and is a fact.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import defer
from sqlmodel import Session

from contracts.sync import Operation
from kernel.errors import NotFound
from kernel.identity import Actor
from kernel.paging import Page, page
from services.sync import operations, records
from services.sync.tables import Parked, Quarantine
from services.sync.verify import entries_at

AT_ONCE = 500
MOST_LISTED = 1000

Shown = dict[str, Any]


class NotInQuarantine(NotFound):
    """There is no message {numbers} in quarantine here."""

    code = "not_in_quarantine"


class NotParked(NotFound):
    """No entry {numbers} of {origin} is parked here."""

    code = "not_parked"


# --- quarantine


def quarantined_counts(session: Session) -> dict[str, int]:
    """How many messages are in quarantine, by the queue that they came by."""
    statement = select(Quarantine.queue, func.count()).group_by(Quarantine.queue)
    return dict(map(tuple, session.execute(statement)))


def quarantined(session: Session, origin: str | None = None) -> list[Shown]:
    """The newest thousand messages in quarantine, newest first, without what they hold."""
    size = func.length(Quarantine.body).label("kept_bytes")
    columns = (Quarantine.id, Quarantine.at, Quarantine.queue, Quarantine.origin, Quarantine.reason, size)
    statement = select(*columns).order_by(Quarantine.id.desc()).limit(MOST_LISTED)
    if origin is not None:
        statement = statement.where(Quarantine.origin == origin)
    return [dict(row._mapping) for row in session.execute(statement)]


def quarantine_page(session: Session, origin: str | None, *, limit: int, after: str | None) -> Page[Quarantine]:
    """Messages in quarantine, newest first, a page at a time."""
    statement = select(Quarantine).options(defer(Quarantine.body), defer(Quarantine.header))
    if origin is not None:
        statement = statement.where(Quarantine.origin == origin)
    return page(session, statement, key=Quarantine.id, limit=limit, after=after, descending=True)


def quarantined_message(session: Session, number: int) -> Shown:
    """One message: what was legible of its header, and its body as it was kept. Raises `NotInQuarantine`."""
    row = session.get(Quarantine, number)
    if row is None:
        raise NotInQuarantine(numbers=number)
    return {**row.model_dump(), "kept_bytes": len(row.body)}


def discard(
    session: Session, numbers: Sequence[int] | None, *, by: Actor, now: datetime, audience: Sequence[str], reason: str
) -> int:
    """Throw messages away, or all of them; how many. Raises `NotInQuarantine` naming those that are not there."""
    found: dict[int, str] = dict(map(tuple, session.execute(select(Quarantine.id, Quarantine.origin))))
    chosen = sorted(found) if numbers is None else sorted(set(numbers))
    missing = [number for number in chosen if number not in found]
    if missing:
        raise NotInQuarantine(numbers=", ".join(map(str, missing)))
    for at in range(0, len(chosen), AT_ONCE):
        session.execute(delete(Quarantine).where(Quarantine.id.in_(chosen[at : at + AT_ONCE])))
    for origin in sorted({found[number] for number in chosen}):
        count = sum(found[number] == origin for number in chosen)
        operations.note(
            session,
            Operation.DISCARD_QUARANTINED,
            origin,
            by=by,
            now=now,
            audience=audience,
            reason=reason,
            count=count,
        )
    return len(chosen)


# --- parked


def parked(session: Session, origin: str | None = None) -> list[Shown]:
    """The first thousand parked entries with their causes, and those that were skipped with the reasons."""
    statement = select(Parked).order_by(Parked.origin, Parked.number).limit(MOST_LISTED)
    if origin is not None:
        statement = statement.where(Parked.origin == origin)
    return [row.model_dump() for row in session.scalars(statement)]


def parked_page(session: Session, origin: str, *, limit: int, after: str | None) -> Page[Parked]:
    """Parked entries of one origin in their order, a page at a time."""
    statement = select(Parked).where(Parked.origin == origin)
    return page(session, statement, key=Parked.number, limit=limit, after=after)


def waiting(session: Session, origin: str) -> list[int]:
    """The numbers of the entries of `origin` that are parked and were not skipped."""
    statement = select(Parked.number).where(Parked.origin == origin, Parked.skipped_at.is_(None))
    return list(session.scalars(statement.order_by(Parked.number)))


def retry(
    session: Session,
    origin: str,
    numbers: Sequence[int],
    *,
    own: bool,
    by: Actor,
    now: datetime,
    audience: Sequence[str],
) -> int:
    """Fold up to 500 parked entries again; how many became records, or had been overtaken by newer ones.

    `own`: `origin` is this node. What cannot be folded is parked again with the cause of today. Raises `NotParked`.
    """
    _check(session, origin, numbers)
    session.execute(delete(Parked).where(Parked.origin == origin, Parked.number.in_(numbers)))
    shown = entries_at(session, origin, "journal" if own else "replica", numbers)
    records.fold(session, origin, shown, now)
    left = select(func.count()).select_from(Parked).where(Parked.origin == origin, Parked.number.in_(numbers))
    folded = len(numbers) - session.execute(left).scalar_one()
    operations.note(session, Operation.RETRY_PARKED, origin, by=by, now=now, audience=audience, count=folded)
    return folded


def skip(
    session: Session,
    origin: str,
    numbers: Sequence[int],
    *,
    reason: str,
    by: Actor,
    now: datetime,
    audience: Sequence[str],
) -> int:
    """Decide that parked entries are not waited for any more; how many. Raises `NotParked`.

    They stay in the chain and in the list, with the reason; they are not counted and not tried at the next start.
    """
    _check(session, origin, numbers)
    chosen = (Parked.origin == origin, Parked.number.in_(numbers))
    session.execute(update(Parked).where(*chosen).values(skipped_at=now, skipped_reason=reason))
    operations.note(
        session, Operation.SKIP_PARKED, origin, by=by, now=now, audience=audience, reason=reason, count=len(numbers)
    )
    return len(numbers)


def _check(session: Session, origin: str, numbers: Sequence[int]) -> None:
    there = set(session.scalars(select(Parked.number).where(Parked.origin == origin, Parked.number.in_(numbers))))
    missing = [number for number in numbers if number not in there]
    if missing:
        raise NotParked(numbers=", ".join(map(str, missing)), origin=origin)
