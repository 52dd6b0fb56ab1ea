"""Looking for persons, among the cases whose identity the caller may read; what is shown is a reading of identity.

A case out of the caller's sight is not found, not counted and not hinted at: the same question gives the same answer
whether it is there or not. So an officer cannot learn by searching that somebody came to another unit."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
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


@dataclass(frozen=True)
class _Asked:
    """Who is looked for, in the forms that are compared: made once for all whom it is compared with."""

    words: frozenset[str]
    sounds: tuple[frozenset[str], ...]
    phone: str | None
    birth_date: date | None

    @classmethod
    def of(cls, name: str | None, phone: str | None, birth_date: date | None = None) -> "_Asked":
        words = folding.words(name or "")
        return cls(
            frozenset(words), tuple(map(folding.skeletons, words)), folding.phone(phone) if phone else None, birth_date
        )

    def because(self, party: Party) -> list[Because]:
        """Why this party fits; the more reasons, the better."""
        reasons = []
        has = folding.words(party.name or "")
        if self.words and self.words <= set(has):
            reasons.append(Because.SPELLING)
        if self.words and (reasons or self._sounds_like(has)):
            reasons.append(Because.SOUND)
        if self.birth_date is not None and self.birth_date == party.birth_date and reasons:
            reasons.append(Because.BIRTH)
        if self.phone is not None and party.phone and folding.phone(party.phone) == self.phone:
            reasons.append(Because.PHONE)
        return reasons

    def _sounds_like(self, has: Sequence[str]) -> bool:
        sounds = {sound for word in has for sound in folding.skeletons(word)}
        return all(heard & sounds for heard in self.sounds)


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
    asked = _Asked.of(values["name"], values["phone"])
    finds = [Found(case, party, asked.because(party)) for case, party in fitting]
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
    asked = _Asked.of(party.name, party.phone, party.birth_date)
    for wanted in questions:
        for case, other in _fitting(session, wanted, by=by, reason=reason)[0]:
            yield Found(case, other, asked.because(other))


def _fitting(
    session: Session, wanted: Sequence[set[bytes]], *, by: Actor, reason: str | None
) -> tuple[list[tuple[CaseRecord, Party]], bool]:
    """Cases and parties that fit by token and are in sight, and whether there are more than were looked at."""
    asked = index.parties(session, wanted, among=reached(_as_identifier(by, reason)), limit=LOOKED_AT + 1)
    looked_at = asked[:LOOKED_AT]
    ids = {case_id for _, case_id in looked_at}
    both = select(CaseParty, CaseRecord).join(CaseRecord, CaseRecord.id == CaseParty.case_id)
    found = {row.id: (row, case) for row, case in session.exec(both.where(CaseParty.id.in_(p for p, _ in looked_at)))}
    sealing.open_keys(session, ids)
    seen = [
        (case, sealing.party(session, row))
        for row, case in (found[party_id] for party_id, _ in looked_at if party_id in found)
        if _identifies(sight(by, case), reason) and sealing.is_opened(session, case.id)
    ]
    return seen, len(asked) > LOOKED_AT


def _identifies(seen: Sight, reason: str | None) -> bool:
    return seen is Sight.IDENTITY or (seen is Sight.IDENTITY_WITH_REASON and reason is not None)


def _as_identifier(by: Actor, reason: str | None) -> Actor:
    """`by` in those roles alone by which identity is read, so that the database looks through no other cases."""
    standing = {Role.PROVINCIAL_DIRECTOR} | (set(roles.SUPERVISION) if reason is None else set())
    return replace(by, roles=by.roles - standing)
