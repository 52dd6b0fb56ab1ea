"""Referrals: sent, answered, completed, or silent when an answer was due. Each step makes one fact.

The text of a request or a refusal is a note of the case; it is not counted as one of the case's own steps,
because no fact of the case is made for it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlmodel import Session, select

from contracts.case import CaseStatus, NoteKind, ReferralStatus
from contracts.numbers import next_number
from contracts.rules import CaseRules
from kernel.errors import MoveRefused
from kernel.identity import Actor
from kernel.ids import new_id
from services.case import model, sealing
from services.case.handlers.facts import tell_referral
from services.case.handlers.finding import must_handle_or_supervise, referral_to_answer, to_change
from services.case.model import ReferralMove
from services.case.tables import CaseRecord, NumberSequence, Referral

PREFIX = "R"
REFERRABLE = frozenset({CaseStatus.ASSIGNED, CaseStatus.IN_PROGRESS, CaseStatus.ON_HOLD})


def send_referral(
    session: Session,
    values: dict[str, Any],
    *,
    by: Actor,
    now: datetime,
    iso: str,
    rules: CaseRules,
    hashed: Callable[[str], str],
) -> Referral:
    """Ask another office. Only while the case is worked on: a proposal to end it stands on what was known
    then."""
    case = to_change(session, values, by=by)
    must_handle_or_supervise(case, by)
    if case.status not in REFERRABLE:
        current = case.status.value
        raise MoveRefused(f"The case is {current}; nothing can be referred from it.", current=current)
    referral = Referral(
        id=new_id(),
        number=next_number(session, NumberSequence, iso=iso, at=now, prefix=PREFIX),
        version=1,
        case_id=case.id,
        status=model.referral_moved(ReferralStatus.DRAFT, ReferralMove.SEND),
        destination=values["destination"],
        office=values["office"],
        partner_id=values["partner_id"],
        urgency=values["urgency"],
        sent_by=by.id,
        sender_hash=hashed(by.id),
        sent_at=now,
        due_at=model.due_at(now, values["urgency"], rules),
    )
    session.add(referral)
    _write_text(session, case, values["text"], by=by, now=now)
    tell_referral(session, referral, case, ReferralMove.SEND.value, at=now)
    return referral


def accept_referral(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> Referral:
    """The office takes it."""
    referral, case = referral_to_answer(session, values, by=by)
    referral.status = model.referral_moved(referral.status, ReferralMove.ACCEPT)
    referral.answered_at = now
    return _told(session, referral, case, ReferralMove.ACCEPT.value, now)


def reject_referral(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> Referral:
    """The office does not take it."""
    referral, case = referral_to_answer(session, values, by=by)
    referral.status = model.referral_moved(referral.status, ReferralMove.REJECT)
    referral.answered_at, referral.reject_reason = now, values["reason"]
    if values["text"] is not None:
        _write_text(session, case, values["text"], by=by, now=now)
    return _told(session, referral, case, ReferralMove.REJECT.value, now)


def complete_referral(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> Referral:
    """What was asked for has been done."""
    referral, case = referral_to_answer(session, values, by=by)
    referral.status = model.referral_moved(referral.status, ReferralMove.COMPLETE)
    referral.completed_at = now
    return _told(session, referral, case, ReferralMove.COMPLETE.value, now)


def tell_overdue(session: Session, *, now: datetime, limit: int = 100) -> int:
    """Tell once of each referral whose answer was due and has not come; return how many, `limit` at most."""
    silent = session.exec(
        select(Referral)
        .where(Referral.status == ReferralStatus.SENT, Referral.due_at <= now, Referral.overdue_at.is_(None))
        .order_by(Referral.due_at, Referral.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for referral in silent:
        referral.overdue_at = now
        _told(session, referral, session.get_one(CaseRecord, referral.case_id), "overdue", now)
    return len(silent)


def _write_text(session: Session, case: CaseRecord, text: str, *, by: Actor, now: datetime) -> None:
    sealing.sealed_note(session, case.id, NoteKind.REFERRAL, text, author_id=by.id, now=now)


def _told(session: Session, referral: Referral, case: CaseRecord, event: str, now: datetime) -> Referral:
    referral.version += 1
    session.add(referral)
    tell_referral(session, referral, case, event, at=now)
    return referral
