"""What the persons in a case agreed to. What was said is never changed; what was said last holds."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlmodel import Session, select

from contracts.case import Language, NoteKind, PartyRole
from contracts.case.parties import ConsentState, GivenBy, Purpose, Withheld
from contracts.rules import CaseRules
from kernel.errors import refuse
from kernel.identity import Actor
from kernel.ids import new_id
from services.case import sealing, telling
from services.case.handlers.steps import write_note
from services.case.refusals import GuardianNeeded
from services.case.tables import CaseConsent, CaseParty, CaseRecord

SEALED = ("consent_language", "withhold_from")


def standing(session: Session, case_id: str, purpose: Purpose | None = None) -> dict[str, CaseConsent]:
    """By party, what each said last about `purpose`; without one, what each said last about anything."""
    statement = select(CaseConsent).where(CaseConsent.case_id == case_id)
    if purpose is not None:
        statement = statement.where(CaseConsent.purpose == purpose)
    rows = session.exec(statement.order_by(CaseConsent.recorded_at, CaseConsent.id)).all()
    return {row.party_id: row for row in rows}


def is_given(consent: CaseConsent | None) -> bool:
    """Whether a party agrees now: never asked is not agreed."""
    return consent is not None and consent.state is ConsentState.GIVEN


def parties_of(session: Session, case_id: str, *roles: PartyRole) -> list[str]:
    """The ids of the parties of a case who have one of `roles`."""
    statement = select(CaseParty.id).where(CaseParty.case_id == case_id, CaseParty.role.in_(roles))
    return list(session.exec(statement.order_by(CaseParty.id)).all())


def last_said(session: Session, case_id: str) -> list[CaseConsent]:
    """What each party said last about each purpose, in the order in which it was said."""
    rows = session.exec(
        select(CaseConsent).where(CaseConsent.case_id == case_id).order_by(CaseConsent.recorded_at, CaseConsent.id)
    ).all()
    return list({(row.party_id, row.purpose): row for row in rows}.values())


def readable(session: Session, consent: CaseConsent) -> dict[str, Any]:
    """A consent with what is sealed of it."""
    hidden = sealing.unseal(session, consent.case_id, f"consent/{consent.id}", consent.sealed or b"")
    hidden["consent_language"] = Language(hidden["consent_language"])
    hidden["withhold_from"] = [Withheld(word) for word in hidden["withhold_from"]]
    said = ("party_id", "purpose", "state", "given_by", "alone", "recorded_by", "recorded_at")
    return {**{name: getattr(consent, name) for name in said}, **hidden}


def withheld(session: Session, case_id: str) -> set[Withheld]:
    """From whom anybody in the case wants it kept."""
    said = [readable(session, consent)["withhold_from"] for consent in last_said(session, case_id)]
    return {word for words in said for word in words}


def keep_consents(
    session: Session,
    case: CaseRecord,
    party: CaseParty,
    consents: Iterable[dict[str, Any]],
    *,
    by: Actor,
    now: datetime,
    rules: CaseRules,
) -> None:
    """Write down what a party said. Raises `GuardianNeeded` for one under age who agreed alone."""
    for said in consents:
        if said["state"] is ConsentState.GIVEN and said["given_by"] is GivenBy.SELF:
            _check_age(session, party, now, rules)
        consent_id = new_id()
        hidden = {name: said[name] for name in SEALED}
        session.add(
            CaseConsent(
                id=consent_id,
                case_id=case.id,
                party_id=party.id,
                sealed=sealing.seal(session, case.id, f"consent/{consent_id}", hidden),
                recorded_by=by.id,
                recorded_at=now,
                **{name: said[name] for name in ("purpose", "state", "given_by", "alone")},
            )
        )
        if said["consent_text"] is not None:
            write_note(session, case, NoteKind.CONSENT, said["consent_text"], by=by, now=now)


def _check_age(session: Session, row: CaseParty, now: datetime, rules: CaseRules) -> None:
    party = sealing.party(session, row)
    age = telling.age_on(telling.local_day(now), party.birth_date, party.age)
    if age is not None and age < rules.adult_age:
        refuse(GuardianNeeded)
