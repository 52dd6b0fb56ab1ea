"""Facts of cases and referrals that came back from a directorate after a restore."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from contracts.case import CaseFact, CategoryGroup, ReferralFact
from contracts.recovering import Kind, Recovering, TakenOver
from contracts.roles import Role
from kernel.fact import Fact
from kernel.identity import Actor
from kernel.paging import Page, page
from kernel.recovered import RecoveredRecord
from services.case import reach
from services.case.handlers.facts import tell_case, tell_referral
from services.case.tables import CaseRecord, NumberSequence, Referral

EVENT = "recovered"
CASE = (
    "status",
    "outcome",
    "unit",
    "risk",
    "first_contact_at",
    "review_on",
    "closed_at",
    "next_step",
    "due_at",
    "reopened",
    "duplicate_of",
)
REFERRAL = ("status", "due_at", "reject_reason")


def _scope(values: Mapping[str, Any]) -> str | None:
    """The unit; none behind the conflict wall, where nobody but the inspectorate learns of it."""
    complaint = values.get("category_group") == CategoryGroup.COMPLAINT.value
    return None if complaint or values.get("walled") or values.get("quiet") else values.get("unit")


def _tell_case(session: Session, case: CaseRecord, now: datetime) -> None:
    case.version += 1
    tell_case(session, case, EVENT, at=now)


def _tell_referral(session: Session, referral: Referral, now: datetime) -> None:
    referral.version += 1
    tell_referral(session, referral, session.get_one(CaseRecord, referral.case_id), EVENT, at=now)


KINDS: Mapping[str, Kind] = {
    "case": Kind(CaseRecord, CaseFact, "case_number", CASE, _scope, _tell_case),
    "referral": Kind(Referral, ReferralFact, "referral_number", REFERRAL, _scope, _tell_referral),
}


def list_recovered(session: Session, values: dict[str, Any], *, by: Actor) -> Page[RecoveredRecord]:
    """Records that came back, for those who must enter them again."""
    table = RecoveredRecord.__table__
    statement = select(RecoveredRecord)
    if not reach.inspects(by):
        of_unit = table.c.scope == (by.unit or "")
        statement = statement.where(table.c.scope.is_not(None) if by.has(Role.PROVINCIAL_DIRECTOR) else of_unit)
    return page(session, statement, key=table.c.subject, limit=values["limit"], after=values["after"])


def take_over(
    session: Session, facts: Iterable[Fact], *, iso: str, since: Mapping[str, int], now: datetime
) -> TakenOver:
    """Restore what the facts tell; see contracts/recovering.py."""
    return Recovering(session, KINDS, NumberSequence, iso, since, now).take_over(facts)
