"""The partner directory: listed by one, vetted by another, extended by a governorate and never overridden."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Any

from sqlmodel import Session, select

from contracts.case import Category, Destination, HandlerPreference, Language, PartnerFact, PartnerStatus
from contracts.case.partners import MUST_BE_LISTED
from contracts.rules import CaseRules
from kernel import outbox
from kernel.errors import BadInput, refuse
from kernel.fact import Fact, compose
from kernel.identity import Actor
from kernel.ids import new_id
from kernel.paging import Page, page
from services.case import model
from services.case.partners import Answered, Entry, Need, Performance, performance, status_on, suggested, takes
from services.case.refusals import (
    AlreadyPast,
    NotOurPartner,
    OwnAct,
    PartnerNeeded,
    PartnerNotFound,
    PartnerNotUsable,
    PartnerOutOfScope,
)
from services.case.tables import CaseRecord, Partner, Referral
from services.case.telling import local_day

COUNTED = timedelta(days=365)
GIVEN = ("names", "destination", "women_on_staff", "phone", "account_id", "head_account_id")
WORDS = ("categories", "languages")


def list_partner(session: Session, values: dict[str, Any], *, by: Actor, now: datetime, node: str) -> Partner:
    """Enter a partner. Nobody can ask it yet."""
    partner = Partner(
        id=new_id(),
        origin=node,
        version=1,
        listed_by=by.id,
        listed_at=now,
        districts=sorted(set(values["districts"])),
        **{name: values[name] for name in GIVEN},
        **{name: sorted(word.value for word in set(values[name])) for name in WORDS},
    )
    session.add(partner)
    _tell(session, partner, "listed", now)
    return partner


def vet_partner(
    session: Session, values: dict[str, Any], *, by: Actor, now: datetime, node: str, rules: CaseRules
) -> Partner:
    """Vouch for a partner until a day. Raises `OwnAct` for who listed it, `NotOurPartner`."""
    partner = _own(session, values, node=node)
    if partner.listed_by == by.id:
        refuse(OwnAct)
    today = local_day(now)
    if values["expires_on"] <= today:
        refuse(AlreadyPast, field="expires_on")
    if values["expires_on"] > today + timedelta(days=rules.partner_vetting_days):
        latest = today + timedelta(days=rules.partner_vetting_days)
        raise BadInput(where={"expires_on": [f"Not later than {latest.isoformat()}."]})
    partner.vetted_by, partner.vetted_on, partner.expires_on = by.id, today, values["expires_on"]
    partner.suspended = False
    return _changed(session, partner, "vetted", now)


def suspend_partner(session: Session, values: dict[str, Any], *, by: Actor, now: datetime, node: str) -> Partner:
    """Let nobody ask it any more. What it already accepted goes on."""
    partner = _own(session, values, node=node)
    partner.suspended = True
    return _changed(session, partner, "suspended", now)


def get_partner(session: Session, values: dict[str, Any]) -> Partner:
    """One partner. Raises `PartnerNotFound`."""
    return session.get(Partner, values["partner_id"]) or refuse(PartnerNotFound, subject=values["partner_id"])


def list_partners(session: Session, values: dict[str, Any], *, now: datetime) -> Page[Partner]:
    """The directory, a page at a time. The lists inside an entry are looked at here: a directory is small."""
    statement = select(Partner)
    if values["destination"] is not None:
        statement = statement.where(Partner.destination == values["destination"])
    if values["women_on_staff"] is not None:
        statement = statement.where(Partner.women_on_staff == values["women_on_staff"])
    if values["usable"]:
        usable = Partner.vetted_on.is_not(None), Partner.expires_on >= local_day(now), Partner.suspended.is_(False)
        statement = statement.where(*usable)
    found = page(session, statement, key=Partner.id, limit=values["limit"], after=values["after"])
    wanted = values["category"]
    kept = [one for one in found.items if wanted is None or not one.categories or wanted.value in one.categories]
    return Page(kept, found.next)


def asked_partner(
    session: Session, partner_id: str | None, destination: Destination, case: CaseRecord, *, now: datetime
) -> Partner | None:
    """The partner that is asked, if it can be. Raises `PartnerNeeded`, `PartnerNotFound`, `PartnerNotUsable`,
    `PartnerOutOfScope`."""
    if partner_id is None:
        if destination in MUST_BE_LISTED:
            refuse(PartnerNeeded, destination=destination.value)
        return None
    partner = session.get(Partner, partner_id) or refuse(PartnerNotFound, subject=partner_id)
    standing = status_of(partner, now)
    if standing is not PartnerStatus.VETTED:
        refuse(PartnerNotUsable, status=standing.value)
    need = Need(destination, Category(case.category), case.district, HandlerPreference.ANY, Language(case.language))
    if not takes(entry_of(partner), need):
        refuse(PartnerOutOfScope)
    return partner


def suggestions(session: Session, need: Need, *, now: datetime, without: Collection[str | None] = ()) -> list[str]:
    """Whom to ask instead, best first."""
    rows = session.exec(select(Partner).where(Partner.destination == need.destination)).all()
    past = performances(session, [row.id for row in rows], now=now)
    entries = [(entry_of(row), past[row.id]) for row in rows]
    return suggested(entries, need, on=local_day(now), without=without)


def performances(session: Session, ids: Collection[str], *, now: datetime) -> dict[str, Performance]:
    """What came of the referrals sent to each of these in the last year."""
    counted: dict[str, list[Answered]] = {each: [] for each in ids}
    statement = select(
        Referral.partner, Referral.status, Referral.sent_at, Referral.due_at, Referral.answered_at
    ).where(Referral.partner.in_(counted), Referral.sent_at >= now - COUNTED)
    for partner, status, sent_at, due_at, answered_at in session.exec(statement):
        counted[partner].append(Answered(status, sent_at, due_at, answered_at))
    return {each: performance(referrals) for each, referrals in counted.items()}


def take_partner(session: Session, fact: Fact, *, origin: str, node: str) -> None:
    """Keep what a directorate says of its partner, unless it is old. Another's entry is never touched.

    Raises `BadInput` when its parts are not of their published shape; then nothing was kept.
    """
    parts = fact.statistical_values()
    problems = PartnerFact(partial=("entered_on", "at")).validate(parts)
    if problems or origin == node:
        raise BadInput("This partner is not of its published shape.", where=problems)
    partner = session.get(Partner, fact.subject, with_for_update=True)
    if partner is not None and (partner.origin != origin or partner.version >= fact.version):
        return
    shown = PartnerFact(partial=("entered_on", "at")).load(parts)
    kept = {name: shown[name] for name in ("names", "destination", "districts", "women_on_staff", "suspended")}
    kept |= {name: sorted(word.value for word in shown[name]) for name in WORDS}
    kept |= {"vetted_on": shown["vetted_on"], "expires_on": shown["expires_on"], "version": fact.version}
    if partner is None:
        entered = datetime.fromisoformat(fact.operational_values()["at"])
        session.add(Partner(id=fact.subject, origin=origin, listed_at=entered, **kept))
    else:
        for name, value in kept.items():
            setattr(partner, name, value)
        session.add(partner)


def status_of(partner: Partner, now: datetime) -> PartnerStatus:
    """How a partner stands today."""
    return status_on(
        local_day(now), vetted_on=partner.vetted_on, expires_on=partner.expires_on, suspended=partner.suspended
    )


def entry_of(partner: Partner) -> Entry:
    """A row as the rules look at it."""
    return Entry(
        partner.id,
        Destination(partner.destination),
        frozenset(Category(word) for word in partner.categories),
        frozenset(partner.districts),
        partner.women_on_staff,
        frozenset(Language(word) for word in partner.languages),
        partner.vetted_on,
        partner.expires_on,
        partner.suspended,
    )


def _own(session: Session, values: dict[str, Any], *, node: str) -> Partner:
    partner = session.get(Partner, values["partner_id"], with_for_update=True)
    if partner is None:
        refuse(PartnerNotFound, subject=values["partner_id"])
    if partner.origin != node:
        refuse(NotOurPartner, origin=partner.origin)
    model.check_version(partner.version, values["version"])
    return partner


def _changed(session: Session, partner: Partner, event: str, now: datetime) -> Partner:
    partner.version += 1
    session.add(partner)
    _tell(session, partner, event, now)
    return partner


def _tell(session: Session, partner: Partner, event: str, now: datetime) -> None:
    entered: date = local_day(partner.listed_at)
    values = {
        "names": partner.names,
        "destination": partner.destination,
        "categories": [Category(word) for word in partner.categories],
        "districts": partner.districts,
        "women_on_staff": partner.women_on_staff,
        "languages": [Language(word) for word in partner.languages],
        "suspended": partner.suspended,
        "vetted_on": partner.vetted_on,
        "expires_on": partner.expires_on,
        "entered_on": entered,
    }
    fact = compose(PartnerFact, event, id=new_id(), subject=partner.id, version=partner.version, values=values, at=now)
    outbox.append(session, fact)
