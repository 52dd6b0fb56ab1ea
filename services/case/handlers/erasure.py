"""Identity erased because a person asks, decided by somebody from outside; and held because an authority needs it.

Asked for in a case that has ended, by who works on it, after it was checked who asks. Decided by the inspectorate or
the director, never by the unit and never by who wrote the request. What is approved is erased in the same commit: the
key is destroyed, a tombstone is told (`case.erased`), and every count stays as it was. Nothing is erased while a legal
hold stands, nor by request where the case was put before an authority or says that a crime may have been done: there
the periods of retention are the hold."""

from datetime import datetime
from typing import Any, Final

from sqlmodel import Session, select

from contracts.case import CaseStatus, NoteKind, RecordingClass
from contracts.case.erasure import ErasureStatus
from kernel import audit
from kernel.errors import MoveRefused, refuse
from kernel.identity import Actor
from kernel.ids import new_id
from kernel.paging import Page, page
from services.case import model
from services.case.handlers.finding import found, must_handle_or_supervise
from services.case.handlers.identity import erase_identity
from services.case.handlers.reclassification import decides, known_to
from services.case.handlers.steps import keep_text
from services.case.reach import Sight, sight
from services.case.refusals import (
    ErasureNotFound,
    FromOutside,
    HoldNotFound,
    NeededByAuthority,
    OnHold,
    OwnAct,
)
from services.case.sealing import is_erased
from services.case.tables import CaseRecord, Erasure, LegalHold

ERASABLE: Final = model.ENDED - {CaseStatus.TRANSFERRING}
"""Not while it is released and not taken in: it may have to be released again."""


def request_erasure(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> dict[str, Any]:
    """Write a request down. Raises `MoveRefused` for a case that is open or erased, `OnHold`, `NeededByAuthority`."""
    case = _locked(session, values, by=by)
    must_handle_or_supervise(case, by)
    _check_erasable(session, case)
    if _waiting(session, case) is not None:
        raise MoveRefused("A request for this case waits already.", current=ErasureStatus.REQUESTED.value)
    keep_text(session, case, NoteKind.ERASURE, values["text"], by=by, now=now)
    row = Erasure(
        id=new_id(),
        version=1,
        case_id=case.id,
        status=ErasureStatus.REQUESTED,
        asked_by=values["asked_by"],
        alone=values["alone"],
        pressure=values["pressure"],
        requested_by=by.id,
        requested_at=now,
    )
    session.add(row)
    return _noted(session, row, case, "request_erasure", by=by, now=now)


def approve_erasure(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> dict[str, Any]:
    """Erase it now. Raises `OwnAct`, `FromOutside`, and what `request_erasure` raises."""
    row, case = _to_decide(session, values, by=by)
    _check_erasable(session, case)
    _decided(row, ErasureStatus.APPROVED, by=by, now=now)
    session.add(row)
    erase_identity(session, case, by=by, reason=f"request {row.id}", now=now)
    return shown(row, case)


def refuse_erasure(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> dict[str, Any]:
    """Leave it as it is."""
    row, case = _to_decide(session, values, by=by)
    row.refusal = values["refusal"]
    _decided(row, ErasureStatus.REFUSED, by=by, now=now)
    session.add(row)
    return _noted(session, row, case, "refuse_erasure", by=by, now=now)


def list_erasures(session: Session, values: dict[str, Any], *, by: Actor) -> Page[Any]:
    """Requests in cases that `by` works on or may decide of."""
    statement = select(Erasure).join(CaseRecord).where(known_to(by))
    if values["status"] is not None:
        statement = statement.where(Erasure.status == values["status"])
    here = page(session, statement, key=Erasure.id, limit=values["limit"], after=values["after"])
    return Page([shown(row, session.get_one(CaseRecord, row.case_id)) for row in here.items], here.next)


def place_hold(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> LegalHold:
    """Keep identity until the hold is lifted. Raises `FromOutside`, `IdentityErased`."""
    session.get(CaseRecord, values["case_id"], with_for_update=True)
    case = session.get(CaseRecord, values["case_id"])
    if case is None or not decides(by, case):
        case = found(session, values["case_id"], by=by)
        refuse(FromOutside)
    model.check_version(case.version, values.get("version"))
    keep_text(session, case, NoteKind.LEGAL_HOLD, values["text"], by=by, now=now)
    row = LegalHold(id=new_id(), version=1, case_id=case.id, placed_by=by.id, placed_at=now)
    session.add(row)
    audit.record(session, actor=by, action="place_hold", subject=case.id, outcome="allowed", reason=None, at=now)
    return row


def lift_hold(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> LegalHold:
    """It is needed no longer. Raises `OwnAct` for who placed it, `MoveRefused` for one that is lifted."""
    row = session.get(LegalHold, values["hold_id"])
    case = session.get(CaseRecord, row.case_id, with_for_update=True) if row is not None else None
    if row is None or case is None or not decides(by, case):
        refuse(HoldNotFound, subject=values["hold_id"])
    session.refresh(row, with_for_update=True)
    model.check_version(row.version, values["version"])
    if row.lifted_at is not None:
        raise MoveRefused("This hold is lifted already.", current="lifted")
    if row.placed_by == by.id:
        refuse(OwnAct)
    row.version += 1
    row.lifted_by, row.lifted_at = by.id, now
    session.add(row)
    audit.record(session, actor=by, action="lift_hold", subject=case.id, outcome="allowed", reason=None, at=now)
    return row


def shown(row: Erasure, case: CaseRecord) -> dict[str, Any]:
    """A request with the number of its case."""
    return {**{name: getattr(row, name) for name in Erasure.model_fields}, "case_number": case.number}


def _locked(session: Session, values: dict[str, Any], *, by: Actor) -> CaseRecord:
    """The case, also one that was given away: the sender keeps a copy of who is in it."""
    session.get(CaseRecord, values["case_id"], with_for_update=True)
    case = found(session, values["case_id"], by=by)
    model.check_version(case.version, values["version"])
    return case


def _check_erasable(session: Session, case: CaseRecord) -> None:
    if case.status not in ERASABLE:
        raise MoveRefused(
            f"The case is {case.status.value}; identity is erased after its end.", current=case.status.value
        )
    if is_erased(session, case.id):
        raise MoveRefused("Identity in this case is erased already.", current="erased")
    if held(session, case.id):
        refuse(OnHold)
    crime = RecordingClass.CRIME_INDICATED in (case.recording_class, case.current_class)
    if crime or case.walled or case.outcome in model.FORMAL:
        refuse(NeededByAuthority)


def held(session: Session, case_id: str) -> bool:
    """Whether a legal hold stands."""
    statement = select(LegalHold.id).where(LegalHold.case_id == case_id, LegalHold.lifted_at.is_(None))
    return session.exec(statement.limit(1)).first() is not None


def _waiting(session: Session, case: CaseRecord) -> Erasure | None:
    statement = select(Erasure).where(Erasure.case_id == case.id, Erasure.status == ErasureStatus.REQUESTED)
    return session.exec(statement).first()


def _to_decide(session: Session, values: dict[str, Any], *, by: Actor) -> tuple[Erasure, CaseRecord]:
    row = session.get(Erasure, values["erasure_id"])
    case = session.get(CaseRecord, row.case_id, with_for_update=True) if row is not None else None
    if row is None or case is None or (not decides(by, case) and sight(by, case) is Sight.NOTHING):
        refuse(ErasureNotFound, subject=values["erasure_id"])
    session.refresh(row, with_for_update=True)
    model.check_version(row.version, values["version"])
    if row.status is not ErasureStatus.REQUESTED:
        raise MoveRefused(f"This request is {row.status.value} already.", current=row.status.value)
    if by.id in {row.requested_by, case.handler_id, case.proposed_by, *case.handlers}:
        refuse(OwnAct)
    if not decides(by, case) or by.unit in {case.unit, *case.units}:
        refuse(FromOutside)
    return row, case


def _decided(row: Erasure, status: ErasureStatus, *, by: Actor, now: datetime) -> None:
    row.status, row.decided_by, row.decided_at = status, by.id, now
    row.version += 1


def _noted(
    session: Session, row: Erasure, case: CaseRecord, action: str, *, by: Actor, now: datetime
) -> dict[str, Any]:
    audit.record(session, actor=by, action=action, subject=case.id, outcome="allowed", reason=row.id, at=now)
    return shown(row, case)
