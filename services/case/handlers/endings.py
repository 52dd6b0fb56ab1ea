"""Taking an ended case up again, and cases that tell the same twice."""

from datetime import datetime
from typing import Any

from sqlmodel import Session, select

from contracts.case import CaseStatus, NoteKind, Outcome, RecordingClass
from contracts.case.endings import NextStep
from contracts.rules import CaseRules
from kernel.errors import refuse
from kernel.identity import Actor
from services.case import model
from services.case.handlers.finding import found, must_supervise, to_change
from services.case.handlers.steps import told, write_note
from services.case.model import Move
from services.case.reach import reached
from services.case.refusals import ClassWouldBeLost, NotADuplicate, OwnAct
from services.case.tables import CaseRecord


def reopen(session: Session, values: dict[str, Any], *, by: Actor, now: datetime, rules: CaseRules) -> CaseRecord:
    """Take an ended case up again, from triage on. Its number, its class and its count are what they were."""
    case = to_change(session, values, by=by)
    must_supervise(case, by)
    return take_up(session, case, Move.REOPEN, values["text"], by=by, now=now, rules=rules)


def take_up(
    session: Session,
    case: CaseRecord,
    move: Move,
    text: str | None,
    *,
    by: Actor,
    now: datetime,
    rules: CaseRules,
) -> CaseRecord:
    """A case that ended is open again, by `reopen` or because its end was contested."""
    case.status = model.moved(case.status, move)
    case.outcome = case.proposed_by = case.closed_by = case.closed_at = case.informed = case.review_on = None
    case.next_step = case.due_at = None
    case.reopened += 1
    if text is not None:
        write_note(session, case, NoteKind.REOPENING, text, by=by, now=now)
    return told(session, case, move.value, now=now, rules=rules)


def mark_duplicate(
    session: Session, values: dict[str, Any], *, by: Actor, now: datetime, rules: CaseRules
) -> CaseRecord:
    """Count the case where it was told first. Raises `NotADuplicate`, `ClassWouldBeLost`, `OwnAct`.

    Both are locked in the order of their ids: two who mark each other's case end with one refused."""
    for case_id in sorted((values["case_id"], values["original_id"])):
        session.get(CaseRecord, case_id, with_for_update=True)
    case = to_change(session, values, by=by)
    must_supervise(case, by)
    original = found(session, values["original_id"], by=by)
    _check_duplicate(session, case, original)
    if by.id in {case.handler_id, case.proposed_by, *case.handlers}:
        refuse(OwnAct)
    before = case.status
    case.status = model.moved(case.status, Move.MARK_DUPLICATE)
    case.before_duplicate, case.duplicate_of = before, original.id
    case.outcome, case.closed_at = Outcome.DUPLICATE, now
    write_note(session, case, NoteKind.DUPLICATE, values["text"], by=by, now=now)
    return told(session, case, Move.MARK_DUPLICATE.value, now=now, rules=rules)


def separate(session: Session, values: dict[str, Any], *, by: Actor, now: datetime, rules: CaseRules) -> CaseRecord:
    """It was no duplicate: it stands where it stood, and is counted for itself again."""
    case = to_change(session, values, by=by)
    must_supervise(case, by)
    status = model.moved(case.status, Move.SEPARATE)
    case.status = case.before_duplicate or status
    case.duplicate_of = case.before_duplicate = None
    case.outcome = case.closed_at = None
    write_note(session, case, NoteKind.DUPLICATE, values["text"], by=by, now=now)
    return told(session, case, Move.SEPARATE.value, now=now, rules=rules)


def list_next_steps(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> list[CaseRecord]:
    """Open cases that `by` reaches, in the order in which something is due."""
    statement = select(CaseRecord).where(reached(by), CaseRecord.due_at.is_not(None))
    if values["assigned_to_me"]:
        statement = statement.where(CaseRecord.handler_id == by.id, CaseRecord.next_step != NextStep.APPROVAL)
    if values["overdue"]:
        statement = statement.where(CaseRecord.due_at < now)
    return list(session.exec(statement.order_by(CaseRecord.due_at, CaseRecord.id).limit(values["limit"])).all())


def _check_duplicate(session: Session, case: CaseRecord, original: CaseRecord) -> None:
    of_it = session.exec(select(CaseRecord.id).where(CaseRecord.duplicate_of == case.id).limit(1)).first()
    same = original.id == case.id or original.status is CaseStatus.DUPLICATE_OF or of_it is not None
    if same or original.walled is not case.walled:
        refuse(NotADuplicate)
    for mine, theirs in (
        (case.recording_class, original.recording_class),
        (case.current_class, original.current_class),
    ):
        if mine is RecordingClass.CRIME_INDICATED and theirs is not mine:
            refuse(ClassWouldBeLost)
