"""How a referral moves, who is told of silence and when, and which fields its office sees. Pure.

A referral that nobody answers cannot stay as it is. `next_step_at` is the one clock: at the due time the sender's
supervisor is told, then the head of the office asked, then the directorate, and at last the referral expires and
another partner is suggested. The waits in between are parts of the time the office had, counted from when the step
before was taken and not from a calendar: a node that was off for two weeks asks again before it gives up.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Final

from contracts.case.referrals import SheetField
from contracts.case.sheets import ReferralAnswer
from contracts.case.words import Destination, ReferralStatus, Urgency
from contracts.rules import CaseRules
from services.case.model import Step, target_of

S = ReferralStatus


class ReferralMove(StrEnum):
    """What is done to a referral; the values are the events of its facts."""

    ASK = "asked"
    SEND = "sent"
    DELIVER = "delivered"
    ACCEPT = "accepted"
    REJECT = "rejected"
    BEGIN = "begun"
    COMPLETE = "completed"
    NOT_COMPLETE = "not_completed"
    CONFIRM = "confirmed"
    REVOKE = "revoked"
    EXPIRE = "expired"


UNANSWERED: Final = frozenset({S.SENT, S.DELIVERED})
REFERRAL_OPEN: Final = frozenset({S.DRAFT, S.CONSENT_PENDING, S.SENT, S.DELIVERED, S.ACCEPTED, S.IN_SERVICE})
"""While it is one of these, somebody may still come to help, and it may be revoked."""


def _step(to: ReferralStatus, *sources: ReferralStatus) -> Step:
    return Step(frozenset(sources), to)


REFERRAL_MOVES: Final[Mapping[ReferralMove, Step]] = {
    ReferralMove.ASK: _step(S.CONSENT_PENDING, S.DRAFT),
    ReferralMove.SEND: _step(S.SENT, S.DRAFT, S.CONSENT_PENDING),
    ReferralMove.DELIVER: _step(S.DELIVERED, S.SENT),
    ReferralMove.ACCEPT: _step(S.ACCEPTED, *UNANSWERED),
    ReferralMove.REJECT: _step(S.REJECTED, *UNANSWERED),
    ReferralMove.BEGIN: _step(S.IN_SERVICE, S.ACCEPTED),
    ReferralMove.COMPLETE: _step(S.COMPLETED, S.IN_SERVICE),
    ReferralMove.NOT_COMPLETE: _step(S.NOT_COMPLETED, S.ACCEPTED, S.IN_SERVICE),
    ReferralMove.CONFIRM: _step(S.OUTCOME_CONFIRMED, S.COMPLETED, S.NOT_COMPLETED),
    ReferralMove.REVOKE: _step(S.REVOKED, *REFERRAL_OPEN),
    ReferralMove.EXPIRE: _step(S.EXPIRED, *UNANSWERED),
}

ANSWERS: Final[Mapping[ReferralAnswer, ReferralMove]] = {
    ReferralAnswer.ACCEPT: ReferralMove.ACCEPT,
    ReferralAnswer.REJECT: ReferralMove.REJECT,
    ReferralAnswer.BEGIN: ReferralMove.BEGIN,
    ReferralAnswer.COMPLETE: ReferralMove.COMPLETE,
    ReferralAnswer.NOT_COMPLETE: ReferralMove.NOT_COMPLETE,
}


def referral_moved(status: ReferralStatus, move: ReferralMove) -> ReferralStatus:
    """The state after `move`. Raises `MoveRefused`."""
    return ReferralStatus(target_of(REFERRAL_MOVES, "referral", status, move))


# Time


class Escalation(IntEnum):
    """Who has been told that there is no answer."""

    NOBODY = 0
    SUPERVISOR = 1
    HEAD = 2
    DIRECTORATE = 3


EVENTS: Final[Mapping[Escalation, str]] = {
    Escalation.SUPERVISOR: "overdue",
    Escalation.HEAD: "escalated",
    Escalation.DIRECTORATE: "silent",
}


@dataclass(frozen=True)
class Silence:
    """The next thing that happens because nobody answered: a step, or expiry (`step` None)."""

    step: Escalation | None
    event: str


def due_at(sent_at: datetime, urgency: Urgency, rules: CaseRules) -> datetime:
    """When an answer to a referral is due."""
    hours = {
        Urgency.IMMEDIATE: rules.referral_immediate_hours,
        Urgency.URGENT: rules.referral_urgent_hours,
        Urgency.NORMAL: rules.referral_normal_hours,
    }
    return sent_at + timedelta(hours=hours[urgency])


def after_silence(told: Escalation) -> Silence:
    """What follows when there is still no answer and `told` was the last who was told."""
    if told is Escalation.DIRECTORATE:
        return Silence(None, ReferralMove.EXPIRE.value)
    step = Escalation(told + 1)
    return Silence(step, EVENTS[step])


def next_step_at(told: Escalation, now: datetime, *, allowed: timedelta, rules: CaseRules) -> datetime:
    """When the step after `told`, which was taken `now`, is due. `allowed`: the time that the office had."""
    percent = rules.referral_expiry_percent if told is Escalation.DIRECTORATE else rules.referral_escalation_percent
    return now + allowed * percent / 100


# The minimum sheet

_SPOKEN_TO: Final = frozenset({SheetField.LANGUAGE, SheetField.INTERPRETER, SheetField.HANDLER_PREFERENCE})
_REACHED: Final = frozenset({SheetField.NAME, SheetField.PHONE}) | _SPOKEN_TO

SHEETS: Final[Mapping[Destination, frozenset[SheetField]]] = {
    Destination.HEALTH: _REACHED | {SheetField.SEX, SheetField.AGE},
    Destination.EDUCATION: _REACHED | {SheetField.AGE, SheetField.DISTRICT},
    Destination.LABOUR: _REACHED | {SheetField.AGE, SheetField.DISTRICT},
    Destination.LEGAL_AID: _REACHED | {SheetField.DISTRICT},
    Destination.SHELTER: _SPOKEN_TO | {SheetField.SEX, SheetField.AGE},
    Destination.LOCAL_POLICE: _REACHED | {SheetField.ADDRESS, SheetField.DISTRICT, SheetField.INCIDENT_PERIOD},
    Destination.COURT: _REACHED | {SheetField.ADDRESS, SheetField.DISTRICT, SheetField.INCIDENT_PERIOD},
    Destination.CIVIL_SOCIETY: _SPOKEN_TO | {SheetField.SEX, SheetField.AGE, SheetField.PHONE},
}
"""The least that each kind of office works with. A shelter learns no name before the person is at its door; health
care needs no district; nobody is sent the category, the class or the answers of intake. Working defaults of ours."""


def sheet_fields(destination: Destination, withheld: Collection[SheetField]) -> frozenset[SheetField]:
    """What the office of this kind sees, less what the person withholds."""
    return SHEETS[destination] - frozenset(withheld)
