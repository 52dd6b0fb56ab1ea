"""Looking for persons, among the cases whose identity the caller may read; what is shown is a reading of identity.

A case out of the caller's sight is not found, not counted and not hinted at: the same question gives the same answer
whether it is there or not. So an officer cannot learn by searching that somebody came to another unit."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlmodel import Session, select

from contracts import roles
from contracts.case.search import MOST_FOUND, Because
from contracts.roles import Role
from kernel import audit
from kernel.errors import refuse
from kernel.identity import Actor
from services.case import folding, index, sealing
from services.case.handlers.finding import found
from services.case.reach import Sight, reached, sight
from services.case.refusals import ReasonNeeded
from services.case.sealing import Party
from services.case.tables import CaseParty, CaseRecord

FIND: Final = "find_person"
LOOKED_AT: Final = 100
"""How many that fit by token are unsealed and compared; the latest cases first."""


@dataclass(frozen=True)
class Found:
    """A party that fits, why, and its case."""

    case: CaseRecord
    party: Party
    because: list[Because]


@dataclass(frozen=True)
class Finds:
    """What a search found, the best first."""

    items: list[Found]
    more: bool


def find_persons(session: Session, values: dict[str, Any], *, by: Actor) -> Finds:
    """The persons who fit the name or the number, among cases whose identity `by` may read."""
    secret = sealing.known_secret(session, index.KEYED_BY)
    if secret is None:
        return Finds([], more=False)  # nobody was ever recorded here
    wanted = [index.sought(secret, word) for word in folding.words(values["name"] or "")]
    if values["phone"] is not None:
        wanted.append(set(index.of_phone(secret, values["phone"])))
    if not wanted or not all(wanted):
        return Finds([], more=False)
    fitting, cut = _fitting(session, wanted, by=by, reason=values["reason"])
    finds = [Found(case, party, _because(party, values["name"], values["phone"], None)) for case, party in fitting]
    finds.sort(key=lambda find: (len(find.because), find.case.id), reverse=True)
    return Finds(finds[: values["limit"]], more=cut or len(finds) > values["limit"])


def same_persons(session: Session, values: dict[str, Any], *, by: Actor) -> Finds:
    """Who of this case seems to be in others that `by` may identify too. Raises `CaseNotFound`, `ReasonNeeded`."""
    case = found(session, values["case_id"], by=by)
    if not _identifies(sight(by, case), values["reason"]):
        refuse(ReasonNeeded)
    secret = sealing.known_secret(session, index.KEYED_BY)
    if secret is None:
        return Finds([], more=False)
    finds: dict[str, Found] = {}
    for row in session.exec(select(CaseParty).where(CaseParty.case_id == case.id).order_by(CaseParty.id)).all():
        for find in _like(session, secret, sealing.party(session, row), by=by, reason=values["reason"]):
            if find.case.id != case.id:
                finds.setdefault(find.party.id, find)
    best = sorted(finds.values(), key=lambda find: (len(find.because), find.case.id), reverse=True)
    return Finds(best[:MOST_FOUND], more=len(best) > MOST_FOUND)


def note_finds(session: Session, finds: Finds, reason: str | None, *, by: Actor, now: datetime) -> None:
    """A line in the audit log for each case of which somebody was shown."""
    shown = dict.fromkeys(find.case.id for find in finds.items)
    if shown:
        audit.record_each(session, shown, actor=by, action=FIND, outcome="allowed", reason=reason, at=now)


def _like(session: Session, secret: bytes, party: Party, *, by: Actor, reason: str | None) -> Iterable[Found]:
    """Those with the same telephone number, and those of the same name, where a name has at least two words."""
    spelled = folding.words(party.name or "")
    questions: list[list[set[bytes]]] = [[{token}] for token in index.of_phone(secret, party.phone or "")]
    if len(spelled) > 1:
        questions.append([index.sought(secret, word) for word in spelled])
    for wanted in questions:
        for case, other in _fitting(session, wanted, by=by, reason=reason)[0]:
            yield Found(case, other, _because(other, party.name, party.phone, party))


def _fitting(
    session: Session, wanted: Sequence[set[bytes]], *, by: Actor, reason: str | None
) -> tuple[list[tuple[CaseRecord, Party]], bool]:
    """Cases and parties that fit by token and are in sight, and whether there are more than were looked at."""
    asked = index.parties(session, wanted, among=reached(_as_identifier(by, reason)), limit=LOOKED_AT + 1)
    looked_at = asked[:LOOKED_AT]
    ids = {case_id for _, case_id in looked_at}
    cases = {case.id: case for case in session.exec(select(CaseRecord).where(CaseRecord.id.in_(ids)))}
    rows = {row.id: row for row in session.exec(select(CaseParty).where(CaseParty.id.in_(p for p, _ in looked_at)))}
    sealing.open_keys(session, ids)
    seen = [
        (cases[case_id], sealing.party(session, rows[party_id]))
        for party_id, case_id in looked_at
        if _identifies(sight(by, cases[case_id]), reason) and sealing.is_opened(session, case_id)
    ]
    return seen, len(asked) > LOOKED_AT


def _identifies(seen: Sight, reason: str | None) -> bool:
    return seen is Sight.IDENTITY or (seen is Sight.IDENTITY_WITH_REASON and reason is not None)


def _as_identifier(by: Actor, reason: str | None) -> Actor:
    """`by` in those roles alone by which identity is read, so that the database looks through no other cases."""
    standing = {Role.PROVINCIAL_DIRECTOR} | (set(roles.SUPERVISION) if reason is None else set())
    return replace(by, roles=by.roles - standing)


def _because(party: Party, name: str | None, phone: str | None, like: Party | None) -> list[Because]:
    """Why this party fits; the more reasons, the better."""
    reasons = []
    asked, has = folding.words(name or ""), folding.words(party.name or "")
    if asked and set(asked) <= set(has):
        reasons.append(Because.SPELLING)
    sounds = {sound for word in has for sound in folding.skeletons(word)}
    if asked and all(folding.skeletons(word) & sounds for word in asked):
        reasons.append(Because.SOUND)
    if like is not None and like.birth_date is not None and like.birth_date == party.birth_date and reasons:
        reasons.append(Because.BIRTH)
    if phone and party.phone and folding.phone(phone) == folding.phone(party.phone) is not None:
        reasons.append(Because.PHONE)
    return reasons
