"""Identity opened in an emergency, and erased for good."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, select

from contracts.case import BreakGlassFact
from kernel import audit, outbox
from kernel.errors import refuse
from kernel.fact import compose
from kernel.identity import Actor
from kernel.ids import new_id
from services.case import glass, sealing
from services.case.handlers.facts import tell_case
from services.case.refusals import CaseNotFound
from services.case.tables import BreakGlass, CaseRecord

BREAK_GLASS = "break_glass"
ERASE = "erase_identity"


def break_glass(
    session: Session, values: dict[str, Any], *, by: Actor, now: datetime, hashed: Callable[[str], str]
) -> dict[str, Any]:
    """Open a case's identity to the caller, announced. Raises `CaseNotFound`, also for one that they may not open."""
    statement = select(CaseRecord).where(CaseRecord.number == values["number"]).with_for_update()
    case = session.exec(statement).one_or_none()
    if case is None or not glass.may_break(by, case):
        refuse(CaseNotFound, subject=values["number"])
    opened = BreakGlass(id=new_id(), case_id=case.id, account_id=by.id, opened_at=now, expires_at=now + glass.OPEN_FOR)
    session.add(opened)
    session.flush()
    audit.record(
        session, actor=by, action=BREAK_GLASS, subject=case.id, outcome="allowed", reason=values["reason"], at=now
    )
    _announce(session, case, opened, by=hashed(by.id))
    return {"case_id": case.id, "number": case.number, "expires_at": opened.expires_at}


def _announce(session: Session, case: CaseRecord, opened: BreakGlass, *, by: str) -> None:
    times = session.exec(select(func.count()).where(BreakGlass.case_id == case.id)).one()
    told = {
        "case_number": case.number,
        "unit": case.unit,
        "handler": case.handler_hash,
        "by": by,
        "until": opened.expires_at,
    }
    fact = compose(
        BreakGlassFact,
        "opened",
        id=new_id(),
        subject=case.id,
        version=times,
        values=told,
        at=opened.opened_at,
        restricted=case.restricted,
    )
    outbox.append(session, fact)


def glass_is_broken(session: Session, case_id: str, *, by: Actor, now: datetime) -> bool:
    """Whether `by` has this case open at this moment."""
    statement = select(BreakGlass.id).where(
        BreakGlass.case_id == case_id, BreakGlass.account_id == by.id, BreakGlass.expires_at > now
    )
    return session.exec(statement.limit(1)).first() is not None


def erase_identity(session: Session, case: CaseRecord, *, by: Actor, reason: str, now: datetime) -> bool:
    """Destroy the key of a case; what remains is that it was, what it counts as, and a tombstone in the journal.

    False if that was done before."""
    if not sealing.destroy(session, case.id, now=now):
        return False
    audit.record(session, actor=by, action=ERASE, subject=case.id, outcome="allowed", reason=reason, at=now)
    case.version += 1
    session.add(case)
    tell_case(session, case, "erased", at=now)
    return True
