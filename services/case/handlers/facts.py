"""Rows to facts: one per accepted request, written beside the row in its transaction.

A restricted case uses the restricted shapes, and its facts are marked so that links with `statistical`
clearance withhold them. There are exactly as many of them as of any other case."""

from datetime import datetime
from typing import Any

from sqlmodel import Session

from contracts.case import (
    GROUP,
    CaseFact,
    ReferralFact,
    RestrictedCaseFact,
    RestrictedReferralFact,
    Sex,
    Telling,
)
from kernel import outbox
from kernel.fact import Fact, FactSchema, compose, form_of
from kernel.ids import new_id
from services.case import telling
from services.case.tables import CaseRecord, Referral


def tell_case(session: Session, case: CaseRecord, event: str, *, at: datetime) -> None:
    """Append `case.<event>` with the case as it now stands."""
    outbox.append(session, case_fact(case, event, at=at))


def case_fact(case: CaseRecord, event: str, *, at: datetime) -> Fact:
    """`case.<event>` with the case as it now stands."""
    schema = RestrictedCaseFact if case.restricted else CaseFact
    values = {
        **_shared(case, case.reported_at),
        "district": case.district,
        "week": telling.week(case.reported_at),
        "recording_class": case.recording_class,
        "current_class": case.current_class,
        "status": case.status,
        "outcome": case.outcome,
        "age_band": case.age_band,
        "parties_told": case.parties_told,
        "handler": case.handler_hash,
        "risk": case.risk,
        "channel": case.channel,
        "reported_at": case.reported_at,
        "incident_from": case.incident_from,
        "incident_until": case.incident_until,
        "first_contact_at": case.first_contact_at,
        "review_on": case.review_on,
        "closed_at": case.closed_at,
        "notes": case.notes,
        "next_step": case.next_step,
        "due_at": case.due_at,
        "reopened": case.reopened,
        "duplicate_of": case.duplicate_of,
        "upstream": case.upstream,
        "counted": case.counted,
    }
    if case.parties_told is Telling.TOLD and case.parties_by_sex is not None:
        values["parties_by_sex"] = {Sex(sex): count for sex, count in case.parties_by_sex.items()}
    return _fact(schema, event, subject=case.id, version=case.version, values=values, at=at, case=case)


def tell_beside(
    session: Session,
    shapes: tuple[type[FactSchema], type[FactSchema]],
    row: Any,
    case: CaseRecord,
    event: str,
    *,
    at: datetime,
    since: datetime,
    **values: Any,
) -> None:
    """Append a fact of what stands beside a case. `shapes`: the open and the restricted one; the month is `since`'s.

    A field that `values` does not give is the row's attribute of that name."""
    schema = shapes[1] if case.restricted else shapes[0]
    own = {name: getattr(row, name) for name in schema().fields if hasattr(row, name)}
    whole = {**own, **_shared(case, since), "case": case.id, **values}
    fact = _fact(schema, event, subject=row.id, version=row.version, values=whole, at=at, case=case)
    outbox.append(session, fact)


def tell_referral(session: Session, referral: Referral, case: CaseRecord, event: str, *, at: datetime) -> None:
    """Append `referral.<event>` with the referral as it now stands."""
    schema = RestrictedReferralFact if case.restricted else ReferralFact
    values = {
        **_shared(case, referral.sent_at or referral.created_at),
        "status": referral.status,
        "urgency": referral.urgency,
        "overdue": referral.overdue_at is not None,
        "person_says": referral.person_says,
        "referral_number": referral.number,
        "case": case.id,
        "sender": referral.sender_hash,
        "destination": referral.destination,
        "partner": referral.partner,
        "head": referral.head_hash,
        "consent": referral.consent,
        "escalation": referral.escalation,
        "due_at": referral.due_at,
        "reject_reason": referral.reject_reason,
    }
    fact = _fact(schema, event, subject=referral.id, version=referral.version, values=values, at=at, case=case)
    outbox.append(session, fact)


def _shared(case: CaseRecord, at: datetime) -> dict[str, Any]:
    return {
        "month": telling.month(at),
        "category": case.category,
        "category_group": GROUP[case.category],
        "case_number": case.number,
        "unit": case.unit,
        "walled": case.walled,
        "quiet": bool(case.walled_from) or case.upstream,
    }


def _fact(schema: type[FactSchema], event: str, *, values: dict[str, Any], case: CaseRecord, **head: Any) -> Fact:
    """What the shape does not declare is left out here: a restricted shape declares less."""
    declared = form_of(schema).fields
    shown = {name: value for name, value in values.items() if name in declared}
    return compose(schema, event, id=new_id(), values=shown, restricted=case.restricted, **head)
