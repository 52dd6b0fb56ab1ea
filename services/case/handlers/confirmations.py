"""The interview after a closing: drawn up by itself for a unit that did not handle the case, held by somebody who had
no part in it, and what comes of it.

The person is asked whether the case really ended so. `contested` opens it again; silence is `unconfirmed`, which is not
confirmed: both are counted."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, or_, true
from sqlmodel import Session, select

from contracts import roles
from contracts.case import CaseStatus, Informed, NoteKind
from contracts.case.endings import ConfirmationAnswer, ConfirmationFact, RestrictedConfirmationFact, Unasked
from contracts.case.parties import Means, Purpose
from contracts.roles import Role
from contracts.rules import CaseRules
from kernel import audit
from kernel.errors import MoveRefused, refuse
from kernel.identity import Actor
from kernel.ids import new_id
from kernel.paging import Page, page
from services.case import model, sealing, wall
from services.case.handlers.consents import is_given, standing
from services.case.handlers.endings import take_up
from services.case.handlers.facts import tell_beside
from services.case.handlers.parties import contact_plan
from services.case.handlers.steps import keep_text, told
from services.case.model import Move
from services.case.refusals import ConfirmationNotFound, OwnAct
from services.case.tables import CaseNote, CaseRecord, Confirmation

SHAPES = (ConfirmationFact, RestrictedConfirmationFact)
READ = "read_contact_plan"
MOVES = {
    ConfirmationAnswer.CONFIRMED: Move.CONFIRM,
    ConfirmationAnswer.UNCONFIRMED: Move.LEAVE_UNCONFIRMED,
}


def draw_confirmations(session: Session, *, now: datetime, rules: CaseRules, limit: int = 100) -> int:
    """Draw up the interviews of cases that were closed long enough ago; return how many, `limit` at most."""
    case: Any = CaseRecord
    drawn = select(Confirmation.id).where(Confirmation.case_id == case.id, Confirmation.closing == case.closings)
    ripe = session.exec(
        select(CaseRecord)
        .where(case.status == CaseStatus.CLOSED, case.closed_at <= now - timedelta(days=rules.confirmation_from_days))
        .where(~drawn.exists())
        .order_by(case.closed_at, case.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for each in ripe:
        _draw(session, each, now=now, rules=rules)
    return len(ripe)


def lapse_confirmations(session: Session, *, now: datetime, rules: CaseRules, limit: int = 100) -> int:
    """Leave unconfirmed what nobody was asked about in time; return how many, `limit` at most."""
    late = session.exec(
        select(Confirmation)
        .where(Confirmation.answer.is_(None), Confirmation.until_at <= now)
        .order_by(Confirmation.until_at, Confirmation.id)
        .limit(limit)
    ).all()
    for row in late:
        case = session.get_one(CaseRecord, row.case_id, with_for_update=True)
        session.refresh(row, with_for_update=True)
        if row.answer is None:
            _leave_unconfirmed(session, row, case, Unasked.LAPSED, now=now, rules=rules)
    return len(late)


def list_confirmations(session: Session, values: dict[str, Any], *, by: Actor) -> Page[Any]:
    """The interviews that `by` may hold, oldest first."""
    if by.has(*roles.CASE_BARRED):
        return Page([], None)
    statement = select(Confirmation).join(CaseRecord).where(wall.in_sight_of(by), _for_unit(by))
    if values["open_only"]:
        statement = statement.where(
            Confirmation.answer.is_(None),
            CaseRecord.status == CaseStatus.CLOSED,
            CaseRecord.closings == Confirmation.closing,
        )
    found = page(session, statement, key=Confirmation.id, limit=values["limit"], after=values["after"])
    pairs = [(row, session.get_one(CaseRecord, row.case_id)) for row in found.items]
    return Page([shown(row, case) for row, case in pairs if _holds(by, row, case)], found.next)


def get_confirmation(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> dict[str, Any]:
    """What is needed to hold an interview, and nothing of what the case is about. In the audit log."""
    row, case = _found(session, values["confirmation_id"], by)
    audit.record(session, actor=by, action=READ, subject=case.id, outcome="allowed", reason=None, at=now)
    erased = sealing.is_erased(session, case.id)
    asked = {name: getattr(case, name) for name in ("outcome", "language", "interpreter", "handler_preference")}
    plan = None if erased else contact_plan(session, case.id)
    return {**shown(row, case), **asked, "contact_plan": plan, "caution": None if erased else _caution(session, case)}


def record_confirmation(
    session: Session, values: dict[str, Any], *, by: Actor, now: datetime, rules: CaseRules
) -> dict[str, Any]:
    """What came of the interview. Raises `OwnAct` for whoever had a part in the case."""
    _found(session, values["confirmation_id"], by)
    row = session.get_one(Confirmation, values["confirmation_id"])
    case = session.get_one(CaseRecord, row.case_id, with_for_update=True)
    session.refresh(row, with_for_update=True)
    model.check_version(row.version, values.get("version"))
    if row.answer is not None or case.status is not CaseStatus.CLOSED or case.closings != row.closing:
        raise MoveRefused("This interview is answered, or its case is open again.", current=case.status.value)
    if by.id in {case.opened_by, case.triaged_by, case.handler_id, case.proposed_by, case.closed_by, *case.handlers}:
        refuse(OwnAct)
    if values["text"] is not None:
        keep_text(session, case, NoteKind.CONFIRMATION, values["text"], by=by, now=now)
    row.answered_by = by.id
    _answer(session, row, case, values["answer"], values["unasked"], now=now)
    if values["answer"] is ConfirmationAnswer.CONTESTED:
        take_up(session, case, Move.CONTEST, None, by=by, now=now, rules=rules)
    else:
        _end(session, case, values["answer"], now=now, rules=rules)
    return shown(row, case)


def shown(row: Confirmation, case: CaseRecord) -> dict[str, Any]:
    """An interview with the number of its case."""
    return {**{name: getattr(row, name) for name in Confirmation.model_fields}, "case_number": case.number}


def _draw(session: Session, case: CaseRecord, *, now: datetime, rules: CaseRules) -> None:
    closed_at = case.closed_at or now
    row = Confirmation(
        id=new_id(),
        version=1,
        case_id=case.id,
        closing=case.closings,
        closed_at=closed_at,
        closed_by=case.closed_by or "",
        unit=None if case.walled else _other_unit(session, case),
        from_at=now,
        until_at=closed_at + timedelta(days=rules.confirmation_until_days),
    )
    session.add(row)
    unasked = _why_not_to_ask(session, case)
    _tell(session, row, case, "drawn", now, unasked=unasked)  # nobody is to be told of one that is not held
    if unasked is not None:
        _leave_unconfirmed(session, row, case, unasked, now=now, rules=rules)


def _other_unit(session: Session, case: CaseRecord) -> str | None:
    """Of the units that have cases here and had no part in this one, the one with the fewest interviews to hold."""
    units = set(session.exec(select(CaseRecord.unit).distinct()).all()) - {case.unit, *case.units}
    waiting = Counter(session.exec(select(Confirmation.unit).where(Confirmation.answer.is_(None))).all())
    return min(units, key=lambda unit: (waiting[unit], unit), default=None)


def _why_not_to_ask(session: Session, case: CaseRecord) -> Unasked | None:
    if case.informed is Informed.NO_PERSON or sealing.is_erased(session, case.id):
        return Unasked.NO_PERSON
    said = standing(session, case.id, Purpose.FOLLOW_UP)
    if said and not any(is_given(consent) for consent in said.values()):
        return Unasked.NO_CONSENT
    plan = contact_plan(session, case.id)
    unsafe = case.informed is Informed.UNSAFE_TO_CONTACT or (plan is not None and plan["means"] == Means.NONE)
    return Unasked.UNSAFE_TO_CONTACT if unsafe else None


def _leave_unconfirmed(
    session: Session, row: Confirmation, case: CaseRecord, unasked: Unasked, *, now: datetime, rules: CaseRules
) -> None:
    _answer(session, row, case, ConfirmationAnswer.UNCONFIRMED, unasked, now=now)
    if case.status is CaseStatus.CLOSED and case.closings == row.closing:
        _end(session, case, ConfirmationAnswer.UNCONFIRMED, now=now, rules=rules)


def _answer(
    session: Session,
    row: Confirmation,
    case: CaseRecord,
    answer: ConfirmationAnswer,
    unasked: Unasked | None,
    *,
    now: datetime,
) -> None:
    row.answer, row.unasked, row.answered_at = answer, unasked, now
    row.version += 1
    session.add(row)
    _tell(session, row, case, "answered", now)


def _end(session: Session, case: CaseRecord, answer: ConfirmationAnswer, *, now: datetime, rules: CaseRules) -> None:
    move = MOVES[answer]
    case.status = model.moved(case.status, move)
    told(session, case, move.value, now=now, rules=rules)


def _found(session: Session, confirmation_id: str, by: Actor) -> tuple[Confirmation, CaseRecord]:
    row = session.get(Confirmation, confirmation_id)
    case = session.get(CaseRecord, row.case_id) if row else None
    if row is None or case is None or not _holds(by, row, case):
        refuse(ConfirmationNotFound, subject=confirmation_id)
    return row, case


def _holds(actor: Actor, row: Confirmation, case: CaseRecord) -> bool:
    """Whether `actor` may hold this interview: of the unit that it is drawn up for or of none, never of one that
    handled the case."""
    if actor.has(*roles.CASE_BARRED) or not actor.has(Role.CONFIRMATION_INTERVIEWER) or wall.walled_off(actor, case):
        return False
    if actor.unit is None:
        return True
    return actor.unit not in {case.unit, *case.units} and row.unit in (None, actor.unit) and not case.walled


def _for_unit(actor: Actor) -> Any:
    """What of `_holds` a query can say."""
    if actor.unit is None:
        return true()
    return and_(or_(Confirmation.unit.is_(None), Confirmation.unit == actor.unit), CaseRecord.unit != actor.unit)


def _caution(session: Session, case: CaseRecord) -> str | None:
    notes = select(CaseNote).where(CaseNote.case_id == case.id, CaseNote.kind == NoteKind.CONTACT)
    row = session.exec(notes.order_by(CaseNote.written_at.desc(), CaseNote.id.desc()).limit(1)).first()
    return sealing.note(session, row).text if row else None


def _tell(
    session: Session, row: Confirmation, case: CaseRecord, event: str, now: datetime, *, unasked: Unasked | None = None
) -> None:
    more = {"unit": case.unit, "interviewing_unit": row.unit, "unasked": unasked or row.unasked}
    tell_beside(session, SHAPES, row, case, event, at=now, since=row.closed_at, **more)
