"""Calls to the local police for help. The clock runs from the call: silence is written down by itself."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlmodel import Session, select

from contracts.case import NoteKind
from contracts.case.assistance import AssistanceFact, AssistanceStatus, RestrictedAssistanceFact
from contracts.case.parties import Withheld as From
from contracts.rules import CaseRules
from kernel.errors import refuse
from kernel.identity import Actor
from kernel.ids import new_id
from kernel.paging import Page, page
from services.case import model
from services.case.handlers.consents import withheld
from services.case.handlers.facts import tell_beside
from services.case.handlers.finding import found, is_owned, must_handle_or_supervise, must_own, to_change
from services.case.handlers.steps import keep_text
from services.case.handlers.times import check_not_later
from services.case.model import Step, target_of
from services.case.reach import Sight, sight
from services.case.refusals import AssistanceNotFound, BeforeTheCase, Withheld
from services.case.tables import Assistance, CaseRecord

SHAPES = (AssistanceFact, RestrictedAssistanceFact)


class AssistanceMove(StrEnum):
    """What becomes of a call; the values are the events of its facts."""

    ACKNOWLEDGE = "acknowledged"
    ARRIVE = "on_scene"
    END = "ended"
    REFUSE = "refused"
    NO_ANSWER = "no_answer"


_UNANSWERED = frozenset({AssistanceStatus.SENT, AssistanceStatus.NO_ANSWER})
MOVES: Final[Mapping[AssistanceMove, Step]] = {
    AssistanceMove.ACKNOWLEDGE: Step(_UNANSWERED, AssistanceStatus.ACKNOWLEDGED),
    AssistanceMove.ARRIVE: Step(_UNANSWERED | {AssistanceStatus.ACKNOWLEDGED}, AssistanceStatus.ON_SCENE),
    AssistanceMove.END: Step(frozenset({AssistanceStatus.ON_SCENE}), AssistanceStatus.ENDED),
    AssistanceMove.REFUSE: Step(_UNANSWERED | {AssistanceStatus.ACKNOWLEDGED}, AssistanceStatus.REFUSED),
    AssistanceMove.NO_ANSWER: Step(frozenset({AssistanceStatus.SENT}), AssistanceStatus.NO_ANSWER),
}
"""A call that had no answer may still be answered late; that it had none when it was due stays (`no_answer_at`)."""


def request_assistance(
    session: Session, values: dict[str, Any], *, by: Actor, now: datetime, rules: CaseRules
) -> Assistance:
    """Call for help. Raises `Withheld` when somebody wants it kept from the local police and no reason is given."""
    case = to_change(session, values, by=by)
    must_handle_or_supervise(case, by)
    model.check_open(case.status, what="call for help")
    reason = values["withheld_reason"]
    if reason is None and From.LOCAL_POLICE in withheld(session, case.id):
        refuse(Withheld)
    if reason is not None:
        keep_text(session, case, NoteKind.WITHOUT_CONSENT, reason, by=by, now=now)
    row = Assistance(
        id=new_id(),
        version=0,
        case_id=case.id,
        status=AssistanceStatus.SENT,
        station=values["station"],
        sent_by=by.id,
        sent_at=now,
        answer_due_at=now + timedelta(minutes=rules.assistance_minutes),
    )
    return _done(session, row, case, "sent", values["text"], by=by, now=now)


def acknowledge_assistance(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> Assistance:
    """They said that they will come."""
    row, case = _to_change(session, values, by=by)
    row.status = _moved(row, AssistanceMove.ACKNOWLEDGE)
    row.acknowledged_at = _happened(row, values, now)
    return _done(session, row, case, AssistanceMove.ACKNOWLEDGE.value, None, by=by, now=now)


def arrive_assistance(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> Assistance:
    """They came."""
    row, case = _to_change(session, values, by=by)
    row.status = _moved(row, AssistanceMove.ARRIVE)
    row.on_scene_at = _happened(row, values, now)
    return _done(session, row, case, AssistanceMove.ARRIVE.value, None, by=by, now=now)


def end_assistance(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> Assistance:
    """They left, and how it ended."""
    row, case = _to_change(session, values, by=by)
    row.status = _moved(row, AssistanceMove.END)
    row.ended_at, row.result = _happened(row, values, now), values["result"]
    return _done(session, row, case, AssistanceMove.END.value, values["text"], by=by, now=now)


def refuse_assistance(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> Assistance:
    """They will not come, and why."""
    row, case = _to_change(session, values, by=by)
    row.status = _moved(row, AssistanceMove.REFUSE)
    row.ended_at, row.refusal = _happened(row, values, now), values["refusal"]
    return _done(session, row, case, AssistanceMove.REFUSE.value, values["text"], by=by, now=now)


def list_assistance(session: Session, values: dict[str, Any], *, by: Actor) -> Page[Assistance]:
    """The calls for help of a case, oldest first."""
    case = found(session, values["case_id"], by=by)
    statement = select(Assistance).where(Assistance.case_id == case.id)
    return page(session, statement, key=Assistance.id, limit=values["limit"], after=values["after"])


def tell_unanswered(session: Session, *, now: datetime, limit: int = 100) -> int:
    """Write down of each call that nobody answered in time that it had no answer; return how many."""
    silent = session.exec(
        select(Assistance)
        .join(CaseRecord)
        .where(Assistance.status == AssistanceStatus.SENT, Assistance.answer_due_at <= now, is_owned())
        .order_by(Assistance.answer_due_at, Assistance.id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=Assistance)
    ).all()
    for row in silent:
        row.status, row.no_answer_at = _moved(row, AssistanceMove.NO_ANSWER), now
        _tell(session, row, session.get_one(CaseRecord, row.case_id), AssistanceMove.NO_ANSWER.value, now)
    return len(silent)


def _moved(row: Assistance, move: AssistanceMove) -> AssistanceStatus:
    return AssistanceStatus(target_of(MOVES, "call for help", row.status, move))


def _happened(row: Assistance, values: dict[str, Any], now: datetime) -> datetime:
    """When it happened: not later than now, and not before what happened before it."""
    stated: datetime = values["happened_at"] or now
    check_not_later("happened_at", stated, now)
    before = max(each for each in (row.sent_at, row.acknowledged_at, row.on_scene_at) if each is not None)
    if stated < before:
        refuse(BeforeTheCase, field="happened_at")
    return stated


def _to_change(session: Session, values: dict[str, Any], *, by: Actor) -> tuple[Assistance, CaseRecord]:
    row = session.get(Assistance, values["assistance_id"])
    if row is None:
        refuse(AssistanceNotFound, subject=values["assistance_id"])
    case = session.get_one(CaseRecord, row.case_id, with_for_update=True)
    session.refresh(row, with_for_update=True)
    if sight(by, case) is Sight.NOTHING:
        refuse(AssistanceNotFound, subject=row.id)
    must_handle_or_supervise(case, by)
    must_own(case)
    model.check_version(row.version, values.get("version"))
    return row, case


def _done(
    session: Session, row: Assistance, case: CaseRecord, event: str, text: str | None, *, by: Actor, now: datetime
) -> Assistance:
    if text is not None:
        keep_text(session, case, NoteKind.ASSISTANCE, text, by=by, now=now)
    _tell(session, row, case, event, now)
    return row


def _tell(session: Session, row: Assistance, case: CaseRecord, event: str, now: datetime) -> None:
    row.version += 1
    session.add(row)
    more = {"unanswered": row.no_answer_at is not None, "handler": case.handler_hash}
    tell_beside(session, SHAPES, row, case, event, at=now, since=row.sent_at, **more)
