"""Facts and accounts for the tests of notify."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlmodel import Session

from contracts.case.facts import CaseFact, RestrictedCaseFact
from contracts.case.words import (
    AgeBand,
    CaseStatus,
    Category,
    CategoryGroup,
    Channel,
    RecordingClass,
    Risk,
    Telling,
)
from contracts.notify import GATEWAY, AcknowledgementFact, DirectiveFact
from contracts.roles import Role
from contracts.rules import NotifyRules
from kernel.crypto import hashed_id
from kernel.fact import Fact, FactSchema, compose
from kernel.identity import Actor
from kernel.ids import new_id
from services.notify.handlers.contacts import put_contact

NODE = "ninewa"
DIRECTORATE = "directorate-baghdad"
HASH_KEY = b"k" * 32
POLICY = NotifyRules()
RETRIES = POLICY.mail_retries
NOON = datetime(2026, 2, 1, 12, tzinfo=UTC)
THE_GATEWAY = Actor(id=GATEWAY, name=GATEWAY, roles=frozenset({Role.NODE_ADMIN}), node=NODE)

CASE: dict[str, Any] = {
    "district": "mosul",
    "week": "2026-W05",
    "month": "2026-02",
    "category": Category.THEFT_FRAUD,
    "category_group": CategoryGroup.CRIME_AND_ORDER,
    "recording_class": RecordingClass.NON_CRIME,
    "current_class": RecordingClass.NON_CRIME,
    "status": CaseStatus.ASSIGNED,
    "outcome": None,
    "age_band": AgeBand.THIRTY,
    "parties_told": Telling.SUPPRESSED,
    "case_number": "NI-2026-000123-L",
    "unit": "unit-1",
    "handler": None,
    "risk": Risk.LOW,
    "channel": Channel.WALK_IN,
    "reported_at": NOON,
    "incident_from": None,
    "incident_until": None,
    "first_contact_at": None,
    "review_on": None,
    "closed_at": None,
    "notes": 1,
}


def actor(account_id: str, *roles: Role, node: str = NODE, language: str = "en") -> Actor:
    return Actor(id=account_id, name=account_id, roles=frozenset(roles), node=node, language=language)


def account(account_id: str, *roles: Role, **changes: Any) -> dict[str, Any]:
    """What the gateway tells of an account."""
    usual: dict[str, Any] = {
        "account_id": account_id,
        "version": 1,
        "roles": list(roles),
        "unit": "unit-1",
        "forums": [],
        "language": "en",
        "email": f"{account_id}@ninewa.test",
        "active": True,
    }
    return {**usual, **changes}


def know(session: Session, account_id: str, *roles: Role, **changes: Any) -> None:
    """Let notify know an account."""
    put_contact(session, account(account_id, *roles, **changes), by=THE_GATEWAY, hash_key=HASH_KEY, now=NOON)


def case_fact(
    event: str, *, handler: str | None = None, handler_hash: str | None = None, at: datetime = NOON, **changes: Any
) -> Fact:
    """A fact of a case, its handler named as a fact names one: by account under our key, or by hash."""
    named = hashed_id(HASH_KEY, handler) if handler else handler_hash
    values = {**CASE, "handler": named, **changes}
    schema: type[FactSchema] = CaseFact
    if values["category_group"] is CategoryGroup.PROTECTION:
        schema = RestrictedCaseFact
        values = {key: value for key, value in values.items() if key in schema().fields}
    return compose(schema, event, id=new_id(), subject=new_id(), version=1, values=values, at=at)


def directive_fact(*, audience: Sequence[str] = (), at: datetime = NOON, **changes: Any) -> Fact:
    wording = {"title": {"ar": "عنوان", "en": "A title"}, "text": {"ar": "نص", "en": "A text"}}
    return compose(
        DirectiveFact,
        "issued",
        id=new_id(),
        subject=new_id(),
        version=1,
        values={**wording, **changes},
        at=at,
        audience=audience,
    )


def acknowledgement_fact(directive_id: str, role: Role = Role.PROVINCIAL_DIRECTOR, *, at: datetime = NOON) -> Fact:
    values = {"directive": directive_id, "role": role}
    return compose(
        AcknowledgementFact,
        "given",
        id=new_id(),
        subject=new_id(),
        version=1,
        values=values,
        at=at,
        audience=[DIRECTORATE],
    )
