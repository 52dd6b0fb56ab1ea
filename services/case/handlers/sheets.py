"""The minimum sheet of a referral: put together when it is read, from what the case holds then."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlmodel import Session, select

from contracts import roles
from contracts.case import HandlerPreference, Language, PartyRole, ReferralStatus, Sex, SheetField, Urgency
from kernel import audit
from kernel.errors import refuse
from kernel.identity import Actor
from services.case import sealing, telling
from services.case.handlers.finding import referral_to_answer
from services.case.handlers.referrals import delivered
from services.case.referral import REFERRAL_OPEN, sheet_fields
from services.case.refusals import NothingToAnswer, ReasonNeeded
from services.case.sealing import Party
from services.case.tables import CaseNote, CaseParty, CaseRecord, Referral

BEFORE_SENDING = frozenset({ReferralStatus.DRAFT, ReferralStatus.CONSENT_PENDING})


@dataclass(frozen=True)
class SheetPerson:
    """An affected person, as far as this office's sheet goes."""

    name: str | None
    sex: Sex | None
    age: int | None
    phone: str | None
    address: str | None


@dataclass(frozen=True)
class Sheet:
    """What an office sees of a referral."""

    number: str
    status: ReferralStatus
    office: str
    urgency: Urgency
    due_at: datetime | None
    asked_for: str | None
    persons: list[SheetPerson]
    language: Language | None
    interpreter: bool | None
    handler_preference: HandlerPreference | None
    district: str | None
    incident_from: date | None
    incident_until: date | None


def read_sheet(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> Sheet:
    """The sheet, for the partner asked and for who works on the case. The partner's first look delivers it.

    Raises `ReasonNeeded` for who supervises and gives none, `NothingToAnswer` for a partner when it has ended.
    """
    referral, case = referral_to_answer(session, values, by=by)
    as_partner = referral.partner_id == by.id and by.has(roles.Role.REFERRAL_PARTNER)
    if as_partner and (referral.status in BEFORE_SENDING or referral.status not in REFERRAL_OPEN):
        refuse(NothingToAnswer, status=referral.status.value)
    if not as_partner and case.handler_id != by.id and values["reason"] is None:
        refuse(ReasonNeeded)
    audit.record(
        session,
        actor=by,
        action="read_sheet",
        subject=referral.id,
        outcome="allowed",
        reason=values["reason"],
        at=now,
    )
    if as_partner and referral.status is ReferralStatus.SENT:
        delivered(session, referral, case, now)
    return sheet_of(session, referral, case)


def sheet_of(session: Session, referral: Referral, case: CaseRecord) -> Sheet:
    """The least that this kind of office works with, less what the person withholds. Raises `IdentityErased`."""
    shown = sheet_fields(referral.destination, [SheetField(word) for word in referral.withhold])

    def only(field: SheetField, value: Any) -> Any:
        return value if field in shown else None

    return Sheet(
        referral.number,
        referral.status,
        referral.office,
        referral.urgency,
        referral.due_at,
        _asked_for(session, referral),
        [_person(person, shown, case) for person in _affected(session, case)],
        only(SheetField.LANGUAGE, case.language),
        only(SheetField.INTERPRETER, case.interpreter),
        only(SheetField.HANDLER_PREFERENCE, case.handler_preference),
        only(SheetField.DISTRICT, case.district),
        only(SheetField.INCIDENT_PERIOD, case.incident_from),
        only(SheetField.INCIDENT_PERIOD, case.incident_until),
    )


def _affected(session: Session, case: CaseRecord) -> list[Party]:
    statement = select(CaseParty).where(CaseParty.case_id == case.id, CaseParty.role == PartyRole.AFFECTED)
    return [sealing.party(session, row) for row in session.exec(statement.order_by(CaseParty.id))]


def _person(party: Party, shown: frozenset[SheetField], case: CaseRecord) -> SheetPerson:
    age = telling.age_on(telling.local_day(case.reported_at), party.birth_date, party.age)
    return SheetPerson(
        party.name if SheetField.NAME in shown else None,
        party.sex if SheetField.SEX in shown else None,
        age if SheetField.AGE in shown else None,
        party.phone if SheetField.PHONE in shown else None,
        party.address if SheetField.ADDRESS in shown else None,
    )


def _asked_for(session: Session, referral: Referral) -> str | None:
    if referral.note_id is None:
        return None
    return sealing.note(session, session.get_one(CaseNote, referral.note_id)).text
