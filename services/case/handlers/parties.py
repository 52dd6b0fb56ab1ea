"""Steps about the persons in a case: what they agree to, how they may be reached, and staff whom the case names."""

from datetime import datetime
from typing import Any

from sqlmodel import Session, select

from contracts.case import CaseStatus, NoteKind
from contracts.case.parties import Means
from contracts.rules import CaseRules
from kernel.errors import refuse
from kernel.identity import Actor
from kernel.ids import new_id
from services.case import model, sealing, wall
from services.case.handlers.consents import keep_consents
from services.case.handlers.finding import must_handle, must_handle_or_supervise, to_change
from services.case.handlers.steps import told, write_note
from services.case.refusals import PartyNotFound
from services.case.tables import CaseContactPlan, CaseParty, CaseRecord, CaseStaff

PLAN = ("means", "contact", "from_hour", "until_hour")


def record_consent(
    session: Session, values: dict[str, Any], *, by: Actor, now: datetime, rules: CaseRules
) -> CaseRecord:
    """Write down what a party says now about one purpose. Raises `PartyNotFound`, `GuardianNeeded`."""
    case = to_change(session, values, by=by)
    must_handle(case, by)
    party = session.get(CaseParty, values["party_id"])
    if party is None or party.case_id != case.id:
        refuse(PartyNotFound, subject=values["party_id"])
    keep_consents(session, case, party, [values], by=by, now=now, rules=rules)
    return told(session, case, "consented", now=now, rules=rules)


def change_contact_plan(
    session: Session, values: dict[str, Any], *, by: Actor, now: datetime, rules: CaseRules
) -> CaseRecord:
    """How the affected person may be reached from now on."""
    case = to_change(session, values, by=by)
    must_handle(case, by)
    keep_contact_plan(session, case, values, by=by, now=now)
    return told(session, case, "contact_changed", now=now, rules=rules)


def name_staff(session: Session, values: dict[str, Any], *, by: Actor, now: datetime, rules: CaseRules) -> CaseRecord:
    """The case names somebody of the staff: from now on it stands behind the wall, whoever may have known of it.

    A handler who is named handles it no longer: an open case is to be assigned anew."""
    case = to_change(session, values, by=by)
    must_handle_or_supervise(case, by)
    keep_staff(session, case, [values], by=by, now=now)
    if case.handler_id is not None and wall.is_named(case.handler_id, case):
        case.handler_id = case.handler_hash = None
        if case.status in model.OPEN:
            case.status, case.outcome, case.proposed_by, case.review_on = CaseStatus.TRIAGED, None, None, None
    return told(session, case, "staff_named", now=now, rules=rules)


def keep_contact_plan(session: Session, case: CaseRecord, plan: dict[str, Any], *, by: Actor, now: datetime) -> None:
    """Write a plan down; it holds from now on."""
    plan_id = new_id()
    hidden = {name: plan[name] for name in PLAN}
    sealed = sealing.seal(session, case.id, f"contact_plan/{plan_id}", hidden)
    session.add(CaseContactPlan(id=plan_id, case_id=case.id, sealed=sealed, recorded_by=by.id, recorded_at=now))
    if plan["caution"] is not None:
        write_note(session, case, NoteKind.CONTACT, plan["caution"], by=by, now=now)


def contact_plan(session: Session, case_id: str) -> dict[str, Any] | None:
    """How the affected person may be reached now; None when nobody asked."""
    plans = select(CaseContactPlan).where(CaseContactPlan.case_id == case_id)
    row = session.exec(plans.order_by(CaseContactPlan.recorded_at.desc(), CaseContactPlan.id.desc()).limit(1)).first()
    if row is None:
        return None
    hidden: dict[str, Any] = sealing.unseal(session, case_id, f"contact_plan/{row.id}", row.sealed or b"")
    return {**hidden, "means": Means(hidden["means"]), "recorded_at": row.recorded_at}


def keep_staff(session: Session, case: CaseRecord, staff: list[dict[str, Any]], *, by: Actor, now: datetime) -> None:
    """Write down whom the case names, and put it behind the wall."""
    for each in staff:
        account, unit = each["staff_account"], each["staff_unit"]
        session.add(
            CaseStaff(
                id=new_id(),
                case_id=case.id,
                staff_account=account,
                staff_unit=unit,
                post=each["post"],
                named_by=by.id,
                named_at=now,
            )
        )
        if each["staff_name"] is not None:
            write_note(session, case, NoteKind.STAFF, each["staff_name"], by=by, now=now)
        case.walled_from += wall.named(account, unit)
        case.upstream = case.upstream or each["post"] in wall.UPSTREAM
        case.walled = True


def staff_of(session: Session, case_id: str) -> list[CaseStaff]:
    """Whom the case names."""
    return list(session.exec(select(CaseStaff).where(CaseStaff.case_id == case_id).order_by(CaseStaff.id)).all())
