"""Changing the present class of a case. The class given at intake is not touched by anybody.

Proposed by who works on the case, decided by somebody from outside every unit that handled it, who had no part in it.
The database itself gives a case no other present class than the last approved reclassification says."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_
from sqlmodel import Session, select

from contracts import roles
from contracts.case import NoteKind
from contracts.case.reclassification import (
    ReclassificationFact,
    ReclassificationStatus,
    RestrictedReclassificationFact,
)
from contracts.roles import Role
from contracts.rules import CaseRules
from kernel import audit
from kernel.errors import MoveRefused, refuse
from kernel.identity import Actor
from kernel.ids import new_id
from kernel.paging import Page, page
from services.case import model, sealing, wall
from services.case.handlers.facts import tell_beside
from services.case.handlers.finding import must_handle_or_supervise, must_own, to_change
from services.case.handlers.steps import keep_text, told
from services.case.reach import Sight, inspects, reached, sight, supervises
from services.case.refusals import (
    AlreadyProposed,
    ClassMovedOn,
    FromOutside,
    OwnAct,
    ReclassificationNotFound,
    SameClass,
)
from services.case.tables import CaseNote, CaseRecord, Reclassification

SHAPES = (ReclassificationFact, RestrictedReclassificationFact)
READ = "read_reclassification"


def propose_reclassification(
    session: Session, values: dict[str, Any], *, by: Actor, now: datetime, hashed: Callable[[str], str]
) -> dict[str, Any]:
    """Propose another present class. Raises `SameClass`, `AlreadyProposed`."""
    case = to_change(session, values, by=by)
    must_handle_or_supervise(case, by)
    if case.current_class is values["to_class"]:
        refuse(SameClass, current=case.current_class.value)
    if _waiting(session, case) is not None:
        refuse(AlreadyProposed)
    note = keep_text(session, case, NoteKind.RECLASSIFICATION, values["text"], by=by, now=now)
    row = Reclassification(
        id=new_id(),
        version=1,
        case_id=case.id,
        place=_next_place(session, case),
        from_class=case.current_class,
        to_class=values["to_class"],
        ground=values["ground"],
        status=ReclassificationStatus.PROPOSED,
        note_id=note.id,
        proposed_by=by.id,
        proposed_at=now,
    )
    session.add(row)
    _tell(session, row, case, "proposed", now, proposer=hashed(by.id))
    return shown(row, case)


def approve_reclassification(
    session: Session, values: dict[str, Any], *, by: Actor, now: datetime, rules: CaseRules
) -> dict[str, Any]:
    """Approve it: the present class changes, the one of intake does not. Raises `OwnAct`, `FromOutside`,
    `ClassMovedOn`."""
    row, case = _to_decide(session, values, by=by)
    if case.current_class is not row.from_class:
        refuse(ClassMovedOn, from_class=row.from_class.value)
    _decide(session, row, case, ReclassificationStatus.APPROVED, values["text"], by=by, now=now)
    session.flush()  # the database looks for it before it lets the class change
    case.current_class = row.to_class
    told(session, case, "reclassified", now=now, rules=rules)
    return shown(row, case)


def refuse_reclassification(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> dict[str, Any]:
    """Refuse it: nothing changes, and the proposal stays listed."""
    row, case = _to_decide(session, values, by=by)
    _decide(session, row, case, ReclassificationStatus.REFUSED, values["text"], by=by, now=now)
    return shown(row, case)


def list_reclassifications(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> Page[Any]:
    """Every reclassification that `by` may know of, each with its reason; that it was read is in the audit log."""
    statement = select(Reclassification).join(CaseRecord).where(known_to(by))
    if values["status"] is not None:
        statement = statement.where(Reclassification.status == values["status"])
    if values["of_case_id"] is not None:
        statement = statement.where(Reclassification.case_id == values["of_case_id"])
    found = page(session, statement, key=Reclassification.id, limit=values["limit"], after=values["after"])
    lines = []
    for row in found.items:
        case = session.get_one(CaseRecord, row.case_id)
        audit.record(session, actor=by, action=READ, subject=case.id, outcome="allowed", reason=None, at=now)
        lines.append({**shown(row, case), "text": _reason(session, row)})
    return Page(lines, found.next)


def shown(row: Reclassification, case: CaseRecord) -> dict[str, Any]:
    """A reclassification with what its case says of itself."""
    own = {name: getattr(row, name) for name in Reclassification.model_fields}
    return {
        **own,
        "case_number": case.number,
        "category": case.category,
        "recording_class": case.recording_class,
    }


def decides(actor: Actor, case: CaseRecord) -> bool:
    """Whether `actor` may know of a reclassification of this case as one who decides: the inspectorate and the
    director, each on this side of the wall only."""
    if actor.has(*roles.CASE_BARRED) or wall.walled_off(actor, case):
        return False
    if case.walled:
        return supervises(actor, case)
    return inspects(actor) or actor.has(Role.PROVINCIAL_DIRECTOR)


def known_to(actor: Actor) -> Any:
    """The condition that a case is one that `actor` works on, or may decide of, for a query."""
    if inspects(actor) and not actor.has(*roles.CASE_BARRED):
        return or_(~wall.behind(), reached(actor))
    return reached(actor)


def _reason(session: Session, row: Reclassification) -> str:
    if sealing.is_erased(session, row.case_id):
        return ""
    return sealing.note(session, session.get_one(CaseNote, row.note_id)).text


def _to_decide(session: Session, values: dict[str, Any], *, by: Actor) -> tuple[Reclassification, CaseRecord]:
    row = session.get(Reclassification, values["reclassification_id"])
    if row is None:
        refuse(ReclassificationNotFound, subject=values["reclassification_id"])
    case = session.get_one(CaseRecord, row.case_id, with_for_update=True)
    session.refresh(row, with_for_update=True)
    if not decides(by, case) and sight(by, case) is Sight.NOTHING:
        refuse(ReclassificationNotFound, subject=row.id)
    must_own(case)
    model.check_version(row.version, values.get("version"))
    if row.status is not ReclassificationStatus.PROPOSED:
        raise MoveRefused(f"This reclassification is {row.status.value} already.", current=row.status.value)
    _check_outside(case, row, by)
    return row, case


def _check_outside(case: CaseRecord, row: Reclassification, by: Actor) -> None:
    if by.id in {row.proposed_by, case.handler_id, case.proposed_by, *case.handlers}:
        refuse(OwnAct)
    if not decides(by, case) or by.unit in {case.unit, *case.units}:
        refuse(FromOutside)


def _decide(
    session: Session,
    row: Reclassification,
    case: CaseRecord,
    status: ReclassificationStatus,
    text: str,
    *,
    by: Actor,
    now: datetime,
) -> None:
    keep_text(session, case, NoteKind.RECLASSIFICATION, text, by=by, now=now)
    row.status, row.decided_by, row.decided_at = status, by.id, now
    row.version += 1
    session.add(row)
    _tell(session, row, case, status.value, now)


def _waiting(session: Session, case: CaseRecord) -> Reclassification | None:
    statement = select(Reclassification).where(
        Reclassification.case_id == case.id, Reclassification.status == ReclassificationStatus.PROPOSED
    )
    return session.exec(statement).first()


def _next_place(session: Session, case: CaseRecord) -> int:
    last = session.exec(select(func.max(Reclassification.place)).where(Reclassification.case_id == case.id)).one()
    return int(last or 0) + 1


def _tell(
    session: Session,
    row: Reclassification,
    case: CaseRecord,
    event: str,
    now: datetime,
    *,
    proposer: str | None = None,
) -> None:
    named = {"handler": case.handler_hash, "proposer": proposer}
    tell_beside(session, SHAPES, row, case, event, at=now, since=row.proposed_at, **named)
