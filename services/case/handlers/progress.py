"""The moves of a case: found and locked, allowed, moved, told. Each changes one row and makes one fact.

The intake class is read here and never written; texts go to `case_note`.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlmodel import Session, select

from contracts.case import NoteKind, Outcome
from kernel.identity import Actor
from services.case import model, sealing
from services.case.handlers.facts import tell_case
from services.case.handlers.finding import must_handle, must_supervise, to_change
from services.case.handlers.times import check_not_before_report, check_not_later, check_to_come
from services.case.model import Move
from services.case.reach import directs
from services.case.tables import CaseNote, CaseRecord, Referral


def triage(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> CaseRecord:
    """Set the risk. That conflict of interest and scope were checked is part of the request's shape."""
    case = to_change(session, values, by=by)
    must_supervise(case, by)
    case.status = model.moved(case.status, Move.TRIAGE)
    case.risk = values["risk"]
    case.triaged_by, case.triaged_at = by.id, now
    return _told(session, case, Move.TRIAGE, now)


def assign(
    session: Session, values: dict[str, Any], *, by: Actor, now: datetime, hashed: Callable[[str], str]
) -> CaseRecord:
    """Give the case to a handler. `hashed`: an account's id under the node's hash key, for the fact.

    Raises `PreferenceNotMet`. Whether the account exists is the gateway's knowledge, not ours: a case
    assigned to nobody's account stays in the unit's list and can be assigned again."""
    case = to_change(session, values, by=by)
    must_supervise(case, by)
    status = model.moved(case.status, Move.ASSIGN)
    model.check_preference(case.handler_preference, fits=values["fits_preference"])
    case.status = status
    case.handler_id = values["handler_id"]
    case.handler_hash = hashed(values["handler_id"])
    case.handlers = sorted({*case.handlers, values["handler_id"]})
    case.review_on = None
    return _told(session, case, Move.ASSIGN, now)


def start(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> CaseRecord:
    """Record the first contact. A second handler's start leaves the first contact as it was."""
    case = to_change(session, values, by=by)
    must_handle(case, by)
    case.status = model.moved(case.status, Move.START)
    contact = values["first_contact_at"] or now
    check_not_later("first_contact_at", contact, now)
    check_not_before_report("first_contact_at", contact, case.reported_at)
    case.first_contact_at = case.first_contact_at or contact
    return _told(session, case, Move.START, now)


def hold(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> CaseRecord:
    """Wait, and look again on a day that is set."""
    case = to_change(session, values, by=by)
    must_handle(case, by)
    case.status = model.moved(case.status, Move.HOLD)
    check_to_come("review_on", values["review_on"], now)
    case.review_on = values["review_on"]
    write_note(session, case, NoteKind.HOLD, values["reason"], by=by, now=now)
    return _told(session, case, Move.HOLD, now)


def resume(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> CaseRecord:
    """Go on with a case that waited, or take a proposal back."""
    case = to_change(session, values, by=by)
    must_handle(case, by)
    case.status = model.moved(case.status, Move.RESUME)
    case.review_on = case.outcome = case.proposed_by = None
    return _told(session, case, Move.RESUME, now)


def propose_resolution(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> CaseRecord:
    """Say how the case ended. Raises `ReferralsOpen` when one is open and no reason is given."""
    case = to_change(session, values, by=by)
    must_handle(case, by)
    status = model.moved(case.status, Move.PROPOSE)
    reason = values["open_referrals_reason"]
    model.check_referrals(_open_referrals(session, case), reason=reason)
    case.status, case.outcome, case.proposed_by = status, values["outcome"], by.id
    write_note(session, case, NoteKind.PROPOSAL, values["text"], by=by, now=now)
    if reason is not None:
        write_note(session, case, NoteKind.OPEN_REFERRALS, reason, by=by, now=now)
    return _told(session, case, Move.PROPOSE, now)


def close(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> CaseRecord:
    """Approve the end. Raises `OwnAct`, `OutsideApprovalNeeded`."""
    case = to_change(session, values, by=by)
    if not directs(by, case):
        must_supervise(case, by)
    status = model.moved(case.status, Move.CLOSE)
    outside = model.needs_outside_approval(case.outcome, case.recording_class, case.current_class)
    involved = [*case.handlers, case.handler_id, case.proposed_by]
    model.check_approver(approver=by.id, approver_unit=by.unit, unit=case.unit, involved=involved, outside=outside)
    case.status, case.closed_by, case.closed_at = status, by.id, now
    case.informed = values["informed"]
    write_note(session, case, NoteKind.CLOSING, values["text"], by=by, now=now)
    return _told(session, case, Move.CLOSE, now)


def withdraw(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> CaseRecord:
    """End the case because the person asked. While it has no handler, its unit's supervisor does it."""
    case = to_change(session, values, by=by)
    if case.handler_id is None:
        must_supervise(case, by)
    else:
        must_handle(case, by)
    case.status = model.moved(case.status, Move.WITHDRAW)
    case.outcome, case.closed_at, case.review_on = Outcome.WITHDRAWN, now, None
    case.withdrawal_asked_by = values["asked_by"]
    case.withdrawal_alone, case.withdrawal_pressure = values["alone"], values["pressure"]
    if values["text"] is not None:
        write_note(session, case, NoteKind.WITHDRAWAL, values["text"], by=by, now=now)
    return _told(session, case, Move.WITHDRAW, now)


def add_note(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> CaseNote:
    """Write a text while the case is open. That there is one more is told; what it says is not."""
    case = to_change(session, values, by=by)
    must_handle(case, by)
    model.check_open(case.status, what="note")
    note = write_note(session, case, NoteKind.NOTE, values["text"], by=by, now=now)
    _tell(session, case, "noted", now)
    return note


def write_note(session: Session, case: CaseRecord, kind: NoteKind, text: str, *, by: Actor, now: datetime) -> CaseNote:
    """Keep a text of the case, and count it."""
    note = sealing.sealed_note(session, case.id, kind, text, author_id=by.id, now=now)
    case.notes += 1
    return note


def _open_referrals(session: Session, case: CaseRecord) -> list[str]:
    statement = select(Referral.number).where(Referral.case_id == case.id)
    return list(session.exec(statement.where(Referral.status.in_(model.REFERRAL_OPEN))).all())


def _told(session: Session, case: CaseRecord, move: Move, now: datetime) -> CaseRecord:
    _tell(session, case, move.value, now)
    return case


def _tell(session: Session, case: CaseRecord, event: str, now: datetime) -> None:
    case.version += 1
    session.add(case)
    tell_case(session, case, event, at=now)
