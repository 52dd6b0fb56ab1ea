"""Mediation: screened first, agreed to by each party apart, held, followed up twice; a breach opens an ended case."""

from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, select

from contracts.case import Answer, CaseStatus, NoteKind
from contracts.case.mediation import FOLLOW_UPS, MediationFact, MediationStatus, RestrictedMediationFact
from contracts.case.parties import Purpose
from contracts.rules import CaseRules
from kernel.errors import MoveRefused, refuse
from kernel.identity import Actor
from kernel.ids import new_id
from kernel.paging import Page, page
from services.case import mediating, model, sealing
from services.case.handlers.consents import is_given, standing
from services.case.handlers.endings import take_up
from services.case.handlers.facts import tell_beside
from services.case.handlers.finding import (
    found,
    is_owned,
    must_handle,
    must_handle_or_supervise,
    must_own,
    must_supervise,
    to_change,
)
from services.case.handlers.responses import check_only_response, guarded
from services.case.handlers.steps import keep_text
from services.case.mediating import MediationMove
from services.case.model import Move
from services.case.reach import Sight, directs, reached, sight
from services.case.refusals import (
    ConsentMissing,
    FromOutside,
    MediationNotFound,
    OwnAct,
    PartyNotFound,
    TooEarly,
)
from services.case.tables import CaseParty, CaseRecord, Mediation
from services.case.telling import local_day

SHAPES = (MediationFact, RestrictedMediationFact)
AT_WORK = frozenset({CaseStatus.IN_PROGRESS, CaseStatus.ON_HOLD})


def propose_mediation(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> Mediation:
    """Say between whom. Raises `PartyNotFound`."""
    case = to_change(session, values, by=by)
    must_handle(case, by)
    if case.status not in AT_WORK:
        current = case.status.value
        raise MoveRefused(f"The case is {current}; nothing can be mediated in it.", current=current)
    for party_id in values["parties"]:
        party = session.get(CaseParty, party_id)
        if party is None or party.case_id != case.id:
            refuse(PartyNotFound, subject=party_id)
    row = Mediation(
        id=new_id(),
        version=0,
        case_id=case.id,
        status=MediationStatus.PROPOSED,
        mediator=values["mediator"],
        parties=values["parties"],
        guarded=guarded(session, case),
        proposed_by=by.id,
        proposed_at=now,
    )
    return _done(session, row, case, "proposed", values["text"], by=by, now=now)


def screen_mediation(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> Mediation:
    """The safety screen: whatever is not a clear no to every question is `unsafe`."""
    row, case = _to_change(session, values, by=by)
    must_handle(case, by)
    mediating.moved(row.status, MediationMove.SCREEN)
    row.status = mediating.screened(values["screen"])
    row.screen = sealing.seal(session, case.id, f"screen/{row.id}", values["screen"])
    row.screened_at = now
    return _done(session, row, case, MediationMove.SCREEN.value, None, by=by, now=now)


def approve_mediation(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> Mediation:
    """Let it be the only response, because the person wishes it. Raises `OwnAct`, `FromOutside`."""
    row, case = _to_change(session, values, by=by)
    if not directs(by, case):
        must_supervise(case, by)
    row.status = mediating.moved(row.status, MediationMove.APPROVE)
    if by.id in {row.proposed_by, case.handler_id, *case.handlers}:
        refuse(OwnAct)
    if by.unit in {case.unit, *case.units}:
        refuse(FromOutside)
    row.approved_by, row.approved_at = by.id, now
    return _done(session, row, case, MediationMove.APPROVE.value, values["text"], by=by, now=now)


def hold_mediation(
    session: Session, values: dict[str, Any], *, by: Actor, now: datetime, rules: CaseRules
) -> Mediation:
    """The parties met. Raises `ConsentMissing`, `NotTheOnlyResponse`."""
    row, case = _to_change(session, values, by=by)
    must_handle(case, by)
    status = mediating.moved(row.status, MediationMove.HOLD)
    _check_consents(session, row, case)
    check_only_response(session, case, approved=row.approved_by is not None)
    terms = values["terms"]
    row.status = status if terms else MediationStatus.NOT_AGREED
    row.held_at, row.terms = now, len(terms)
    for term in terms:
        until = f" [{term['due_on'].isoformat()}]" if term["due_on"] else ""
        keep_text(session, case, NoteKind.MEDIATION, f"{term['text']}{until}", by=by, now=now)
    if terms:
        today = local_day(now)
        row.next_follow_up_on = today + timedelta(days=rules.mediation_first_days)
        row.second_follow_up_on = today + timedelta(days=rules.mediation_second_days)
    return _done(session, row, case, MediationMove.HOLD.value, values["text"], by=by, now=now)


def follow_up_mediation(
    session: Session, values: dict[str, Any], *, by: Actor, now: datetime, rules: CaseRules
) -> Mediation:
    """Whether it holds. Raises `TooEarly`. What is broken, or not safe any more, is a breach."""
    row, case = _to_change(session, values, by=by)
    must_handle(case, by)
    mediating.moved(row.status, MediationMove.FOLLOW_UP)
    due = row.next_follow_up_on
    if due is None or local_day(now) < due:
        refuse(TooEarly, due=str(due))
    row.status = mediating.followed_up(values["kept"], values["still_safe"], row.follow_ups)
    row.follow_ups += 1
    row.next_follow_up_on = _next_follow_up(row)
    told = _done(session, row, case, MediationMove.FOLLOW_UP.value, values["text"], by=by, now=now)
    _open_again(session, row, case, by=by, now=now, rules=rules)
    return told


def report_breach(session: Session, values: dict[str, Any], *, by: Actor, now: datetime, rules: CaseRules) -> Mediation:
    """What was agreed was not kept."""
    row, case = _to_change(session, values, by=by)
    must_handle_or_supervise(case, by)
    row.status = mediating.moved(row.status, MediationMove.BREACH)
    row.next_follow_up_on = None
    told = _done(session, row, case, MediationMove.BREACH.value, values["text"], by=by, now=now)
    _open_again(session, row, case, by=by, now=now, rules=rules)
    return told


def stop_mediation(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> Mediation:
    """It does not take place."""
    row, case = _to_change(session, values, by=by)
    must_handle_or_supervise(case, by)
    row.status = mediating.moved(row.status, MediationMove.STOP)
    row.stop_reason = values["stop_reason"]
    return _done(session, row, case, MediationMove.STOP.value, values["text"], by=by, now=now)


def list_mediations(session: Session, values: dict[str, Any], *, by: Actor) -> Page[Mediation]:
    """The mediations of a case, oldest first."""
    case = found(session, values["case_id"], by=by)
    statement = select(Mediation).where(Mediation.case_id == case.id)
    return page(session, statement, key=Mediation.id, limit=values["limit"], after=values["after"])


def list_follow_ups(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> list[Mediation]:
    """Agreements in cases that `by` reaches whose next follow-up is due, the longest waiting first."""
    until = values["until"] or local_day(now)
    statement = select(Mediation).join(CaseRecord).where(reached(by), is_owned(), Mediation.next_follow_up_on <= until)
    if values["assigned_to_me"]:
        statement = statement.where(CaseRecord.handler_id == by.id)
    due = statement.order_by(Mediation.next_follow_up_on, Mediation.id).limit(values["limit"])
    return list(session.exec(due).all())


def _to_change(session: Session, values: dict[str, Any], *, by: Actor) -> tuple[Mediation, CaseRecord]:
    """The mediation and its case, both locked, the case first."""
    row = session.get(Mediation, values["mediation_id"])
    if row is None:
        refuse(MediationNotFound, subject=values["mediation_id"])
    case = session.get_one(CaseRecord, row.case_id, with_for_update=True)
    session.refresh(row, with_for_update=True)
    if sight(by, case) is Sight.NOTHING:
        refuse(MediationNotFound, subject=row.id)
    must_own(case)
    model.check_version(row.version, values.get("version"))
    return row, case


def _check_consents(session: Session, row: Mediation, case: CaseRecord) -> None:
    """Each party agreed, asked without the others, and after the screen."""
    said = standing(session, case.id, Purpose.MEDIATION)
    missing = [
        party
        for party in row.parties
        if (consent := said.get(party)) is None
        or not is_given(consent)
        or consent.alone is not Answer.YES
        or row.screened_at is None
        or consent.recorded_at < row.screened_at
    ]
    if missing:
        refuse(ConsentMissing, parties=", ".join(missing))


def _next_follow_up(row: Mediation) -> Any:
    """The second one after the first; the second again until the parties were reached; none once it is over."""
    if row.status is not MediationStatus.AGREED:
        return None
    return row.second_follow_up_on if row.follow_ups < FOLLOW_UPS else row.next_follow_up_on


def _open_again(
    session: Session, row: Mediation, case: CaseRecord, *, by: Actor, now: datetime, rules: CaseRules
) -> None:
    """A case that ended by an agreement has not ended when the agreement is broken."""
    ended = case.status in model.MOVES[Move.REOPEN].sources and case.status is not CaseStatus.WITHDRAWN
    if row.status is MediationStatus.BREACHED and ended:
        take_up(session, case, Move.REOPEN, None, by=by, now=now, rules=rules)


def _done(
    session: Session, row: Mediation, case: CaseRecord, event: str, text: str | None, *, by: Actor, now: datetime
) -> Mediation:
    """The row written, its text kept, its fact told."""
    if text is not None:
        keep_text(session, case, NoteKind.MEDIATION, text, by=by, now=now)
    row.version += 1
    session.add(row)
    approved = row.approved_by is not None
    tell_beside(session, SHAPES, row, case, event, at=now, since=row.proposed_at, approved_from_outside=approved)
    return row
