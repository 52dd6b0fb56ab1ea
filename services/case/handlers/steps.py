"""What every step of a case ends with: its texts, what is due next, and its one fact."""

from datetime import datetime

from sqlmodel import Session

from contracts.case import NoteKind
from contracts.rules import CaseRules
from kernel.identity import Actor
from services.case import sealing
from services.case.handlers.facts import tell_case
from services.case.next_steps import Due, next_due
from services.case.tables import CaseNote, CaseRecord


def told(session: Session, case: CaseRecord, event: str, *, now: datetime, rules: CaseRules) -> CaseRecord:
    """The case with the version after this step, its next step and due time, and `case.<event>` told."""
    case.version += 1
    set_due(case, now=now, rules=rules)
    session.add(case)
    tell_case(session, case, event, at=now)
    return case


def set_due(case: CaseRecord, *, now: datetime, rules: CaseRules) -> None:
    """What the case waits for from now on."""
    before = Due(case.next_step, case.due_at)
    due = next_due(case.status, risk=case.risk, review_on=case.review_on, before=before, now=now, rules=rules)
    case.next_step, case.due_at = due.step, due.at


def write_note(session: Session, case: CaseRecord, kind: NoteKind, text: str, *, by: Actor, now: datetime) -> CaseNote:
    """Keep a text of the case, and count it."""
    note = sealing.sealed_note(session, case.id, kind, text, author_id=by.id, now=now)
    case.notes += 1
    return note


def keep_text(session: Session, case: CaseRecord, kind: NoteKind, text: str, *, by: Actor, now: datetime) -> CaseNote:
    """Keep a text of something that stands beside the case. It is not counted: no fact of the case is made for it."""
    return sealing.sealed_note(session, case.id, kind, text, author_id=by.id, now=now)
