"""What happens to a referral because nobody answers: three steps, each told once, then it expires.

One pass takes what is due, the longest waiting first, one step for each referral. A referral is locked while its step
is taken, so that an answer that comes in the same moment is either before the step or after it, never lost."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, select

from contracts.case import Category, HandlerPreference, Language, SilenceFact
from contracts.rules import CaseRules
from kernel import outbox
from kernel.fact import compose
from kernel.identity import Actor
from kernel.ids import new_id
from services.case import referral as model
from services.case import telling
from services.case.handlers.finding import is_owned, must_handle_or_supervise, referral_to_answer
from services.case.handlers.partners import performances, suggestions
from services.case.handlers.referrals import told
from services.case.partners import Need, Performance
from services.case.referral import UNANSWERED, Escalation, ReferralMove
from services.case.tables import CaseRecord, Partner, Referral


def break_silence(session: Session, *, now: datetime, rules: CaseRules, home: Sequence[str], limit: int = 100) -> int:
    """Take the next step of up to `limit` referrals that are due one; return how many.

    `home`: the directorate that is told of the third step, none at a directorate itself.
    """
    due = session.exec(
        select(Referral)
        .join(CaseRecord)
        .where(Referral.status.in_(UNANSWERED), Referral.next_step_at <= now, is_owned())
        .order_by(Referral.next_step_at, Referral.id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=Referral)
    ).all()
    for referral in due:
        _take_step(session, referral, session.get_one(CaseRecord, referral.case_id), now, rules, home)
    return len(due)


def _take_step(
    session: Session, referral: Referral, case: CaseRecord, now: datetime, rules: CaseRules, home: Sequence[str]
) -> None:
    silence = model.after_silence(Escalation(referral.escalation))
    if silence.step is None:
        _expire(session, referral, case, now)
        return
    referral.escalation = silence.step
    referral.overdue_at = referral.overdue_at or now
    allowed = referral.due_at - referral.sent_at if referral.due_at and referral.sent_at else timedelta()
    referral.next_step_at = model.next_step_at(silence.step, now, allowed=allowed, rules=rules)
    told(session, referral, case, silence.event, now)
    if silence.step is Escalation.DIRECTORATE and home:
        _report(session, referral, case, now, home)


def _expire(session: Session, referral: Referral, case: CaseRecord, now: datetime) -> None:
    referral.status = model.referral_moved(referral.status, ReferralMove.EXPIRE)
    referral.next_step_at = None
    others = suggestions(session, need_of(referral, case), now=now, without=(referral.partner,))
    referral.suggested = others[0] if others else None
    told(session, referral, case, ReferralMove.EXPIRE.value, now)


def need_of(referral: Referral, case: CaseRecord) -> Need:
    """What this referral needs of a partner."""
    return Need(
        referral.destination,
        Category(case.category),
        case.district,
        HandlerPreference(case.handler_preference),
        Language(case.language),
    )


def suggest_partners(
    session: Session, values: dict[str, Any], *, by: Actor, now: datetime
) -> list[tuple[Partner, Performance]]:
    """Whom to ask instead of the partner of a referral, best first, with what came of asking each."""
    referral, case = referral_to_answer(session, {**values, "version": None}, by=by)
    must_handle_or_supervise(case, by)
    ids = suggestions(session, need_of(referral, case), now=now, without=(referral.partner,))
    past = performances(session, ids, now=now)
    return [(session.get_one(Partner, each), past[each]) for each in ids]


def _report(session: Session, referral: Referral, case: CaseRecord, now: datetime, home: Sequence[str]) -> None:
    """Tell the home directorate, and nobody else, that a referral is without an answer."""
    values = {
        "month": telling.month(referral.created_at),
        "referral": referral.id,
        "referral_number": referral.number,
        "unit": case.unit,
        "urgency": referral.urgency,
        "due_at": referral.due_at,
    }
    fact = compose(
        SilenceFact,
        "reported",
        id=new_id(),
        subject=new_id(),
        version=1,
        values=values,
        at=now,
        audience=home,
        restricted=case.restricted,
    )
    outbox.append(session, fact)
