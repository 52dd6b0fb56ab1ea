"""The moves of a case: found and locked, allowed, moved, told. Each changes one row and makes one fact.

The intake class is read here and never written; texts go to `case_note`.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlmodel import Session, select

from contracts.case import NoteKind, Outcome, PartyRole
from contracts.case.parties import Purpose
from contracts.rules import CaseRules
from kernel.errors import refuse
from kernel.identity import Actor
from services.case import model
from services.case.handlers.consents import is_given, parties_of, standing
from services.case.handlers.finding import must_handle, must_supervise, to_change
from services.case.handlers.handler_requests import is_asked
from services.case.handlers.responses import check_mediated
from services.case.handlers.steps import told, write_note
from services.case.handlers.times import check_not_before_report, check_not_later, check_to_come
from services.case.model import Move
from services.case.reach import directs
from services.case.referral import REFERRAL_OPEN
from services.case.refusals import ConflictOfInterest, HandlingRefused
from services.case.tables import CaseNote, CaseRecord, Referral
from services.case.wall import is_named


def triage(session: Session, values: dict[str, Any], *, by: Actor, now: datetime, rules: CaseRules) -> CaseRecord:
    """Set the risk. That conflict of interest and scope were checked is part of the request's shape."""
    case = to_change(session, values, by=by)
    must_supervise(case, by)
    case.status = model.moved(case.status, Move.TRIAGE)
    case.risk = values["risk"]
    case.triaged_by, case.triaged_at = by.id, now
    return told(session, case, Move.TRIAGE.value, now=now, rules=rules)


def assign(
    session: Session,
    values: dict[str, Any],
    *,
    by: Actor,
    now: datetime,
    rules: CaseRules,
    hashed: Callable[[str], str],
) -> CaseRecord:
    """Give the case to a handler. `hashed`: an account's id under the node's hash key, for the fact.

    Raises `PreferenceNotMet`, `ConflictOfInterest`. Whether the account exists is the gateway's knowledge, not
    ours: a case assigned to nobody's account stays in the unit's list and can be assigned again."""
    case = to_change(session, values, by=by)
    must_supervise(case, by)
    status = model.moved(case.status, Move.ASSIGN)
    fits = values["fits_preference"] or is_asked(session, case.id)  # somebody who fits is asked for elsewhere
    model.check_preference(case.handler_preference, fits=fits)
    if is_named(values["handler_id"], case):
        refuse(ConflictOfInterest)
    case.status = status
    case.handler_id = values["handler_id"]
    case.handler_hash = hashed(values["handler_id"])
    case.handlers = sorted({*case.handlers, values["handler_id"]})
    case.review_on = None
    return told(session, case, Move.ASSIGN.value, now=now, rules=rules)


def start(session: Session, values: dict[str, Any], *, by: Actor, now: datetime, rules: CaseRules) -> CaseRecord:
    """Record the first contact. A second handler's start leaves the first contact as it was.

    Raises `HandlingRefused` when the affected person does not agree and no reason is given."""
    case = to_change(session, values, by=by)
    must_handle(case, by)
    case.status = model.moved(case.status, Move.START)
    contact = values["first_contact_at"] or now
    check_not_later("first_contact_at", contact, now)
    check_not_before_report("first_contact_at", contact, case.reported_at)
    case.first_contact_at = case.first_contact_at or contact
    case.units = sorted({*case.units, *([by.unit] if by.unit else [])})
    _check_handling(session, case, values["without_consent_reason"], by=by, now=now)
    return told(session, case, Move.START.value, now=now, rules=rules)


def hold(session: Session, values: dict[str, Any], *, by: Actor, now: datetime, rules: CaseRules) -> CaseRecord:
    """Wait, and look again on a day that is set."""
    case = to_change(session, values, by=by)
    must_handle(case, by)
    case.status = model.moved(case.status, Move.HOLD)
    check_to_come("review_on", values["review_on"], now)
    case.review_on = values["review_on"]
    write_note(session, case, NoteKind.HOLD, values["reason"], by=by, now=now)
    return told(session, case, Move.HOLD.value, now=now, rules=rules)


def resume(session: Session, values: dict[str, Any], *, by: Actor, now: datetime, rules: CaseRules) -> CaseRecord:
    """Go on with a case that waited, or take a proposal back."""
    case = to_change(session, values, by=by)
    must_handle(case, by)
    case.status = model.moved(case.status, Move.RESUME)
    case.review_on = case.outcome = case.proposed_by = None
    return told(session, case, Move.RESUME.value, now=now, rules=rules)


def propose_resolution(
    session: Session, values: dict[str, Any], *, by: Actor, now: datetime, rules: CaseRules
) -> CaseRecord:
    """Say how the case ended. Raises `ReferralsOpen` when one is open and no reason is given, `NoAgreement` and
    `NotTheOnlyResponse` for a mediated agreement that cannot be one."""
    case = to_change(session, values, by=by)
    must_handle(case, by)
    status = model.moved(case.status, Move.PROPOSE)
    reason = values["open_referrals_reason"]
    model.check_referrals(_open_referrals(session, case), reason=reason)
    if values["outcome"] is Outcome.MEDIATED_AGREEMENT:
        check_mediated(session, case)
    case.status, case.outcome, case.proposed_by = status, values["outcome"], by.id
    write_note(session, case, NoteKind.PROPOSAL, values["text"], by=by, now=now)
    if reason is not None:
        write_note(session, case, NoteKind.OPEN_REFERRALS, reason, by=by, now=now)
    return told(session, case, Move.PROPOSE.value, now=now, rules=rules)


def close(session: Session, values: dict[str, Any], *, by: Actor, now: datetime, rules: CaseRules) -> CaseRecord:
    """Approve the end. Raises `OwnAct`, `OutsideApprovalNeeded`."""
    case = to_change(session, values, by=by)
    if not directs(by, case):
        must_supervise(case, by)
    status = model.moved(case.status, Move.CLOSE)
    outside = model.needs_outside_approval(case.outcome, case.recording_class, case.current_class)
    involved = [*case.handlers, case.handler_id, case.proposed_by]
    unit = by.unit if by.unit in case.units else case.unit
    model.check_approver(approver=by.id, approver_unit=by.unit, unit=unit, involved=involved, outside=outside)
    case.status, case.closed_by, case.closed_at = status, by.id, now
    case.closings += 1
    case.informed = values["informed"]
    write_note(session, case, NoteKind.CLOSING, values["text"], by=by, now=now)
    return told(session, case, Move.CLOSE.value, now=now, rules=rules)


def withdraw(session: Session, values: dict[str, Any], *, by: Actor, now: datetime, rules: CaseRules) -> CaseRecord:
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
    return told(session, case, Move.WITHDRAW.value, now=now, rules=rules)


def add_note(session: Session, values: dict[str, Any], *, by: Actor, now: datetime, rules: CaseRules) -> CaseNote:
    """Write a text while the case is open. That there is one more is told; what it says is not."""
    case = to_change(session, values, by=by)
    must_handle(case, by)
    model.check_open(case.status, what="note")
    note = write_note(session, case, NoteKind.NOTE, values["text"], by=by, now=now)
    told(session, case, "noted", now=now, rules=rules)
    return note


def _open_referrals(session: Session, case: CaseRecord) -> list[str]:
    statement = select(Referral.number).where(Referral.case_id == case.id)
    return list(session.exec(statement.where(Referral.status.in_(REFERRAL_OPEN))).all())


def _check_handling(session: Session, case: CaseRecord, reason: str | None, *, by: Actor, now: datetime) -> None:
    """Refuse to handle what the affected person does not want handled, unless there is a reason; it is kept."""
    refused = {party for party, said in standing(session, case.id, Purpose.HANDLING).items() if not is_given(said)}
    against = refused & set(parties_of(session, case.id, PartyRole.AFFECTED))
    if against and reason is None:
        refuse(HandlingRefused)
    if against and reason is not None:
        write_note(session, case, NoteKind.WITHOUT_CONSENT, reason, by=by, now=now)
