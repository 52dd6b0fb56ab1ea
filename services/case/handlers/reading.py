"""Reading cases. Identity is read by a case's own people, or with a reason; each reading is in the audit
log."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, select

from kernel import audit
from kernel.errors import refuse
from kernel.identity import Actor
from kernel.paging import Page, page
from services.case import sealing
from services.case.glass import may_break
from services.case.handlers import consents
from services.case.handlers.finding import found
from services.case.handlers.identity import glass_is_broken
from services.case.handlers.parties import contact_plan, staff_of
from services.case.reach import Sight, reached, sight
from services.case.refusals import GlassNeeded, ReasonNeeded
from services.case.sealing import Note, Party
from services.case.tables import CaseIntake, CaseNarrative, CaseNote, CaseParty, CaseRecord, CaseStaff, Referral

READ_IDENTITY = "read_identity"
READ_NOTES = "read_notes"


@dataclass(frozen=True)
class Identity:
    """Who is in a case, and what was told."""

    parties: list[Party]
    narrative: str | None
    place: str | None
    consents: list[dict[str, Any]]
    contact_plan: dict[str, Any] | None
    staff: list[CaseStaff]


@dataclass(frozen=True)
class CaseFile:
    """A case, its intake, and identity where the caller may read it."""

    case: CaseRecord
    intake: CaseIntake
    identity: Identity | None


def list_cases(session: Session, values: dict[str, Any], *, by: Actor) -> Page[CaseRecord]:
    """The cases that `by` reaches, in the order in which they were opened."""
    statement = select(CaseRecord).where(reached(by))
    for name in ("status", "category"):
        if values[name] is not None:
            statement = statement.where(getattr(CaseRecord, name) == values[name])
    if values["assigned_to_me"]:
        statement = statement.where(CaseRecord.handler_id == by.id)
    if values["since"] is not None:
        statement = statement.where(CaseRecord.opened_at >= values["since"])
    return page(session, statement, key=CaseRecord.id, limit=values["limit"], after=values["after"])


def get_case(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> CaseFile:
    """One case. Without a right to identity, or the reason that it needs, the case comes without it."""
    case, seen = to_read(session, values["case_id"], by=by, now=now)
    shown = may_identify(seen, values["reason"])
    if shown:
        _note_reading(session, case, READ_IDENTITY, values["reason"], by=by, now=now)
    intake = session.get_one(CaseIntake, case.id)
    return CaseFile(case, intake, _identity(session, case) if shown else None)


def list_notes(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> Page[Note]:
    """The texts of a case, oldest first. Raises `ReasonNeeded`: without identity there is nothing to show."""
    case, seen = to_read(session, values["case_id"], by=by, now=now)
    if not may_identify(seen, values["reason"]):
        refuse(ReasonNeeded if seen is Sight.IDENTITY_WITH_REASON else GlassNeeded)
    _note_reading(session, case, READ_NOTES, values["reason"], by=by, now=now)
    statement = select(CaseNote).where(CaseNote.case_id == case.id)
    found_here = page(session, statement, key=CaseNote.id, limit=values["limit"], after=values["after"])
    return Page([sealing.note(session, row) for row in found_here.items], found_here.next)


def list_referrals(session: Session, values: dict[str, Any], *, by: Actor) -> Page[Referral]:
    """The referrals of a case, oldest first."""
    case = found(session, values["case_id"], by=by)
    statement = select(Referral).where(Referral.case_id == case.id)
    return page(session, statement, key=Referral.id, limit=values["limit"], after=values["after"])


def to_read(session: Session, case_id: str, *, by: Actor, now: datetime) -> tuple[CaseRecord, Sight]:
    """The case and what the caller may see of it, also through broken glass. Raises `CaseNotFound`."""
    if glass_is_broken(session, case_id, by=by, now=now):
        case = session.get_one(CaseRecord, case_id)
        if may_break(by, case):  # still: meanwhile it may name them, or be behind the wall
            return case, Sight.IDENTITY
    case = found(session, case_id, by=by)
    return case, sight(by, case)


def may_identify(seen: Sight, reason: str | None) -> bool:
    """Whether identity is shown to somebody who sees so much, for this reason."""
    return seen is Sight.IDENTITY or (seen is Sight.IDENTITY_WITH_REASON and reason is not None)


def _note_reading(
    session: Session, case: CaseRecord, action: str, reason: str | None, *, by: Actor, now: datetime
) -> None:
    audit.record(session, actor=by, action=action, subject=case.id, outcome="allowed", reason=reason, at=now)


def _identity(session: Session, case: CaseRecord) -> Identity | None:
    if sealing.is_erased(session, case.id):
        return None
    parties = select(CaseParty).where(CaseParty.case_id == case.id).order_by(CaseParty.id)
    narrative, place = sealing.narrative(session, session.get_one(CaseNarrative, case.id))
    return Identity(
        parties=[sealing.party(session, row) for row in session.exec(parties)],
        narrative=narrative,
        place=place,
        consents=[consents.readable(session, row) for row in consents.last_said(session, case.id)],
        contact_plan=contact_plan(session, case.id),
        staff=staff_of(session, case.id),
    )
