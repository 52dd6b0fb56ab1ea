"""Referrals: prepared, agreed to, sent, answered, done, confirmed by the person. Each step makes one fact.

The text of a request or a refusal is a note of the case; it is not counted as one of the case's own steps,
because no fact of the case is made for it. What happens because nobody answers is in `silence.py`."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlmodel import Session

from contracts.case import CaseStatus, ConsentStep, NoteKind, ReferralConsent, ReferralStatus
from contracts.numbers import next_number
from contracts.rules import CaseRules
from kernel.errors import MoveRefused, refuse
from kernel.identity import Actor
from kernel.ids import new_id
from services.case import referral as model
from services.case import sealing, wall
from services.case.handlers.facts import tell_referral
from services.case.handlers.finding import must_handle_or_supervise, must_own, referral_to_answer, to_change
from services.case.handlers.partners import asked_partner
from services.case.reach import supervises
from services.case.referral import Escalation, ReferralMove
from services.case.refusals import NotTheSupervisor, OwnAct
from services.case.tables import CaseNote, CaseRecord, NumberSequence, Partner, Referral

PREFIX = "R"
REFERRABLE = frozenset({CaseStatus.ASSIGNED, CaseStatus.IN_PROGRESS, CaseStatus.ON_HOLD})
_BEGUN_AS = {
    ConsentStep.NOT_ASKED: (ReferralStatus.DRAFT, "drafted"),
    ConsentStep.ASKED: (ReferralStatus.CONSENT_PENDING, ReferralMove.ASK.value),
    ConsentStep.GIVEN: (ReferralStatus.SENT, ReferralMove.SEND.value),
}


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
    """Prepare a referral, and send it when the person has agreed. Only while the case is worked on: a proposal to
    end it stands on what was known then. Raises what `asked_partner` raises."""
    case = to_change(session, values, by=by)
    must_handle_or_supervise(case, by)
    if case.status not in REFERRABLE:
        current = case.status.value
        raise MoveRefused(f"The case is {current}; nothing can be referred from it.", current=current)
    partner = asked_partner(session, values["partner"], values["destination"], case, now=now)
    status, event = _BEGUN_AS[values["consent"]]
    referral = _row(values, case, partner, by=by, now=now, hashed=hashed)
    referral.number = next_number(session, NumberSequence, iso=iso, at=now, prefix=wall.prefix(case, PREFIX))
    referral.status = status
    if status is ReferralStatus.SENT:
        _sent(referral, ReferralConsent.GIVEN, now=now, rules=rules)
    note = write_text(session, case, values["text"], by=by, now=now)
    session.flush()  # the referral refers to it
    referral.note_id = note.id
    session.add(referral)
    tell_referral(session, referral, case, event, at=now)
    return referral


def _row(
    values: dict[str, Any],
    case: CaseRecord,
    partner: Partner | None,
    *,
    by: Actor,
    now: datetime,
    hashed: Callable[[str], str],
) -> Referral:
    names = partner.names if partner else {}
    head = partner.head_account_id if partner else None
    return Referral(
        id=new_id(),
        version=1,
        case_id=case.id,
        destination=values["destination"],
        partner=values["partner"],
        office=values["office"] or names.get(by.language) or next(iter(names.values())),
        partner_id=values["partner_id"] or (partner.account_id if partner else None),
        head_hash=hashed(head) if head else None,
        urgency=values["urgency"],
        withhold=sorted(field.value for field in set(values["withhold"])),
        created_at=now,
        sent_by=by.id,
        sender_hash=hashed(by.id),
    )


def ask_consent(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> Referral:
    """The person was asked."""
    referral, case = to_steer(session, values, by=by)
    return moved(session, referral, case, ReferralMove.ASK, now)


def dispatch_referral(
    session: Session, values: dict[str, Any], *, by: Actor, now: datetime, rules: CaseRules
) -> Referral:
    """Send what was prepared. Without consent only a supervisor who did not prepare it may, with the reason.

    Raises `NotTheSupervisor`, `OwnAct`, and what `asked_partner` raises: a vetting may have ended meanwhile.
    """
    referral, case = to_steer(session, values, by=by)
    status = model.referral_moved(referral.status, ReferralMove.SEND)
    asked_partner(session, referral.partner, referral.destination, case, now=now)
    if values["consent"] is ReferralConsent.OVERRIDDEN:
        _check_override(referral, case, by)
        referral.overridden_by = by.id
        write_text(session, case, values["override_reason"], by=by, now=now)
    if values["withhold"] is not None:
        referral.withhold = sorted(field.value for field in set(values["withhold"]))
    referral.status = status
    _sent(referral, values["consent"], now=now, rules=rules)
    return told(session, referral, case, ReferralMove.SEND.value, now)


def _check_override(referral: Referral, case: CaseRecord, by: Actor) -> None:
    if not supervises(by, case):
        refuse(NotTheSupervisor, unit=case.unit)
    if by.id in (referral.sent_by, case.handler_id):
        refuse(OwnAct)


def _sent(referral: Referral, consent: ReferralConsent, *, now: datetime, rules: CaseRules) -> None:
    referral.consent, referral.sent_at = consent, now
    referral.due_at = referral.next_step_at = model.due_at(now, referral.urgency, rules)
    referral.escalation = Escalation.NOBODY


def deliver_referral(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> Referral:
    """The office has it in hand. Its answer is due as before."""
    referral, case = referral_to_answer(session, values, by=by)
    return delivered(session, referral, case, now)


def delivered(session: Session, referral: Referral, case: CaseRecord, now: datetime) -> Referral:
    """Note that the office has seen it."""
    referral.delivered_at = now
    return moved(session, referral, case, ReferralMove.DELIVER, now)


def accept_referral(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> Referral:
    """The office takes it."""
    referral, case = referral_to_answer(session, values, by=by)
    return answered(session, referral, case, ReferralMove.ACCEPT, values, by=by, now=now)


def reject_referral(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> Referral:
    """The office does not take it."""
    referral, case = referral_to_answer(session, values, by=by)
    why = {"reject_reason": values["reason"], "text": values["text"]}
    return answered(session, referral, case, ReferralMove.REJECT, why, by=by, now=now)


def begin_referral(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> Referral:
    """The office has begun."""
    referral, case = referral_to_answer(session, values, by=by)
    return answered(session, referral, case, ReferralMove.BEGIN, values, by=by, now=now)


def complete_referral(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> Referral:
    """What was asked for has been done, says the office."""
    referral, case = referral_to_answer(session, values, by=by)
    return answered(session, referral, case, ReferralMove.COMPLETE, values, by=by, now=now)


def not_complete_referral(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> Referral:
    """The office could not finish."""
    referral, case = referral_to_answer(session, values, by=by)
    why = {"not_completed_reason": values["reason"], "text": values["text"]}
    return answered(session, referral, case, ReferralMove.NOT_COMPLETE, why, by=by, now=now)


def answered(
    session: Session,
    referral: Referral,
    case: CaseRecord,
    move: ReferralMove,
    values: dict[str, Any],
    *,
    by: Actor,
    now: datetime,
) -> Referral:
    """What an office says, whichever way it came: by an account, by telephone, by code."""
    referral.status = model.referral_moved(referral.status, move)
    if move in (ReferralMove.ACCEPT, ReferralMove.REJECT):
        referral.answered_at, referral.next_step_at = now, None
    if move is ReferralMove.BEGIN:
        referral.begun_at = now
    if move in (ReferralMove.COMPLETE, ReferralMove.NOT_COMPLETE):
        referral.completed_at = now
    referral.reject_reason = values.get("reject_reason") or referral.reject_reason
    referral.not_completed_reason = values.get("not_completed_reason") or referral.not_completed_reason
    if values.get("text") is not None:
        write_text(session, case, values["text"], by=by, now=now)
    return told(session, referral, case, move.value, now)


def confirm_referral(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> Referral:
    """What the person says came of it, written down by who handles the case: never by the office itself."""
    referral, case = to_steer(session, values, by=by)
    status = model.referral_moved(referral.status, ReferralMove.CONFIRM)
    referral.status, referral.confirmed_at = status, now
    referral.person_says, referral.said_by = values["person_says"], values["said_by"]
    if values["text"] is not None:
        write_text(session, case, values["text"], by=by, now=now)
    return told(session, referral, case, ReferralMove.CONFIRM.value, now)


def revoke_referral(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> Referral:
    """Take it back, before it is completed. Its sheet is closed and its code void."""
    referral, case = to_steer(session, values, by=by)
    referral.status = model.referral_moved(referral.status, ReferralMove.REVOKE)
    referral.revoke_reason, referral.next_step_at = values["reason"], None
    return told(session, referral, case, ReferralMove.REVOKE.value, now)


def to_steer(session: Session, values: dict[str, Any], *, by: Actor) -> tuple[Referral, CaseRecord]:
    """The referral of `values`, locked, and its case: for the handler and the supervisors of the case only."""
    referral, case = referral_to_answer(session, values, by=by)
    must_handle_or_supervise(case, by)
    must_own(case)
    return referral, case


def moved(session: Session, referral: Referral, case: CaseRecord, move: ReferralMove, now: datetime) -> Referral:
    """Move and tell."""
    referral.status = model.referral_moved(referral.status, move)
    return told(session, referral, case, move.value, now)


def told(session: Session, referral: Referral, case: CaseRecord, event: str, now: datetime) -> Referral:
    """Count the change and tell of it. Raises `MoveRefused` where the case was given away."""
    must_own(case)
    referral.version += 1
    session.add(referral)
    tell_referral(session, referral, case, event, at=now)
    return referral


def write_text(session: Session, case: CaseRecord, text: str, *, by: Actor, now: datetime) -> CaseNote:
    """Keep a text of a referral among the notes of its case."""
    return sealing.sealed_note(session, case.id, NoteKind.REFERRAL, text, author_id=by.id, now=now)
