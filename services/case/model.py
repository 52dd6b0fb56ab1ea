"""How a case and a referral move: pure tables and guards. A move is named by what is done, not by where it
leads.

Nothing here touches the class given at intake: no move takes it, none returns it. `on_hold` and a proposal
lead back to work by the same move, `resume`. A case that is at work may be assigned again, because handlers
fall ill and leave; the first contact stays recorded. Confirmation, transfer and duplicates come with the
issue that builds them: they are further lines of the tables."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from contracts.case.words import (
    CaseStatus,
    HandlerPreference,
    Outcome,
    RecordingClass,
    ReferralStatus,
    Urgency,
)
from contracts.rules import CaseRules
from kernel.errors import MoveRefused, StaleVersion
from services.case.refusals import OutsideApprovalNeeded, OwnAct, PreferenceNotMet, ReferralsOpen


class Move(StrEnum):
    """What is done to a case; the values are the events of its facts."""

    TRIAGE = "triaged"
    ASSIGN = "assigned"
    START = "started"
    HOLD = "held"
    RESUME = "resumed"
    PROPOSE = "proposed"
    CLOSE = "closed"
    WITHDRAW = "withdrawn"


class ReferralMove(StrEnum):
    """What is done to a referral; the values are the events of its facts."""

    SEND = "sent"
    ACCEPT = "accepted"
    REJECT = "rejected"
    COMPLETE = "completed"


@dataclass(frozen=True)
class Step:
    """From any of these states to this one."""

    sources: frozenset[StrEnum]
    target: StrEnum


def _step(target: StrEnum, *sources: StrEnum) -> Step:
    return Step(frozenset(sources), target)


ENDED: Final = frozenset({CaseStatus.CLOSED, CaseStatus.WITHDRAWN})
OPEN: Final = frozenset(CaseStatus) - ENDED
BEFORE_HANDOVER: Final = frozenset({CaseStatus.RECEIVED, CaseStatus.TRIAGED})
"""Until a case is assigned, who entered it may read it."""

MOVES: Final[Mapping[Move, Step]] = {
    Move.TRIAGE: _step(CaseStatus.TRIAGED, CaseStatus.RECEIVED),
    Move.ASSIGN: _step(
        CaseStatus.ASSIGNED,
        CaseStatus.TRIAGED,
        CaseStatus.ASSIGNED,
        CaseStatus.IN_PROGRESS,
        CaseStatus.ON_HOLD,
    ),
    Move.START: _step(CaseStatus.IN_PROGRESS, CaseStatus.ASSIGNED),
    Move.HOLD: _step(CaseStatus.ON_HOLD, CaseStatus.IN_PROGRESS),
    Move.RESUME: _step(CaseStatus.IN_PROGRESS, CaseStatus.ON_HOLD, CaseStatus.RESOLUTION_PROPOSED),
    Move.PROPOSE: _step(CaseStatus.RESOLUTION_PROPOSED, CaseStatus.IN_PROGRESS),
    Move.CLOSE: _step(CaseStatus.CLOSED, CaseStatus.RESOLUTION_PROPOSED),
    Move.WITHDRAW: _step(CaseStatus.WITHDRAWN, *OPEN),
}

REFERRAL_MOVES: Final[Mapping[ReferralMove, Step]] = {
    ReferralMove.SEND: _step(ReferralStatus.SENT, ReferralStatus.DRAFT),
    ReferralMove.ACCEPT: _step(ReferralStatus.ACCEPTED, ReferralStatus.SENT),
    ReferralMove.REJECT: _step(ReferralStatus.REJECTED, ReferralStatus.SENT),
    ReferralMove.COMPLETE: _step(ReferralStatus.COMPLETED, ReferralStatus.ACCEPTED),
}
REFERRAL_OPEN: Final = frozenset({ReferralStatus.DRAFT, ReferralStatus.SENT, ReferralStatus.ACCEPTED})

FORMAL: Final = frozenset({Outcome.HANDED_TO_LOCAL_POLICE, Outcome.HANDED_TO_COURT, Outcome.PROTECTION_MEASURE})
"""Outcomes that put a case before an authority. Every other one settles it informally: also `no_evidence` and
`cannot_contact`, because those are the quietest ways to let a crime disappear."""


def moved(status: CaseStatus, move: Move) -> CaseStatus:
    """The state after `move`. Raises `MoveRefused` naming where else the case can go."""
    return CaseStatus(_target(MOVES, "case", status, move))


def referral_moved(status: ReferralStatus, move: ReferralMove) -> ReferralStatus:
    """The state after `move`. Raises `MoveRefused`."""
    return ReferralStatus(_target(REFERRAL_MOVES, "referral", status, move))


def _target(steps: Mapping[Any, Step], subject: str, status: StrEnum, move: StrEnum) -> StrEnum:
    step = steps[move]
    if status in step.sources:
        return step.target
    possible = sorted({other.target.value for other in steps.values() if status in other.sources})
    raise MoveRefused(
        subject=subject,
        current=status.value,
        target=step.target.value,
        possible=", ".join(possible) or "nothing else",
    )


def check_open(status: CaseStatus, *, what: str) -> None:
    """Refuse to add `what` to a case that has ended."""
    if status in ENDED:
        raise MoveRefused(f"The case is {status.value}; no {what} can be added to it.", current=status.value)


def check_version(current: int, seen: int | None) -> None:
    """Raise `StaleVersion` with both when the caller changed a version that is no longer the present one."""
    if seen is not None and seen != current:
        raise StaleVersion(yours=seen, current=current)


def check_preference(preference: HandlerPreference, *, fits: bool) -> None:
    """Refuse a handler who is not whom the person asked to speak to."""
    if preference is not HandlerPreference.ANY and not fits:
        raise PreferenceNotMet(preference=preference.value)


def check_referrals(open_numbers: Collection[str], *, reason: str | None) -> None:
    """Refuse to propose an end while a referral is open, unless there is a reason."""
    if open_numbers and reason is None:
        raise ReferralsOpen(referrals=", ".join(sorted(open_numbers)))


def settled_informally(outcome: Outcome | None) -> bool:
    """Whether a case that ends so was put before no authority."""
    return outcome not in FORMAL


def needs_outside_approval(
    outcome: Outcome | None, recording_class: RecordingClass, current_class: RecordingClass
) -> bool:
    """Whether somebody from outside the unit must approve: a crime was ever indicated, and it is settled
    informally."""
    indicated = RecordingClass.CRIME_INDICATED in (recording_class, current_class)
    return indicated and settled_informally(outcome)


def check_approver(
    *, approver: str, approver_unit: str | None, unit: str, involved: Collection[str | None], outside: bool
) -> None:
    """Nobody approves their own act; and where `outside` is needed, nobody of the unit does."""
    if approver in involved:
        raise OwnAct()
    if outside and approver_unit == unit:
        raise OutsideApprovalNeeded(unit=unit)


def due_at(sent_at: datetime, urgency: Urgency, rules: CaseRules) -> datetime:
    """When an answer to a referral is due."""
    hours = {
        Urgency.IMMEDIATE: rules.referral_immediate_hours,
        Urgency.URGENT: rules.referral_urgent_hours,
        Urgency.NORMAL: rules.referral_normal_hours,
    }
    return sent_at + timedelta(hours=hours[urgency])
