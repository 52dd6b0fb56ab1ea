"""How a case moves: pure tables and guards. A move is named by what is done, not by where it
leads.

Nothing here touches the class given at intake: no move takes it, none returns it. `on_hold` and a proposal
lead back to work by the same move, `resume`. A case that is at work may be assigned again, because handlers
fall ill and leave; the first contact stays recorded. A duplicate that is separated goes back to where it stood, which
the table cannot say: it says only from where."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from contracts.case.words import (
    CaseStatus,
    HandlerPreference,
    Outcome,
    RecordingClass,
)
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
    CONFIRM = "confirmed"
    CONTEST = "contested"
    LEAVE_UNCONFIRMED = "unconfirmed"
    REOPEN = "reopened"
    WITHDRAW = "withdrawn"
    MARK_DUPLICATE = "duplicate"
    SEPARATE = "separated"
    RELEASE = "released"
    HAND_OVER = "handed_over"


@dataclass(frozen=True)
class Step:
    """From any of these states to this one."""

    sources: frozenset[StrEnum]
    target: StrEnum


def _step(target: StrEnum, *sources: StrEnum) -> Step:
    return Step(frozenset(sources), target)


ENDED: Final = frozenset(
    {
        CaseStatus.CLOSED,
        CaseStatus.CONFIRMED,
        CaseStatus.UNCONFIRMED,
        CaseStatus.WITHDRAWN,
        CaseStatus.DUPLICATE_OF,
        CaseStatus.TRANSFERRING,
        CaseStatus.TRANSFERRED_OUT,
    }
)
OPEN: Final = frozenset(CaseStatus) - ENDED
BEFORE_HANDOVER: Final = frozenset({CaseStatus.RECEIVED, CaseStatus.TRIAGED})
"""Until a case is assigned, who entered it may read it."""

MOVES: Final[Mapping[Move, Step]] = {
    Move.TRIAGE: _step(CaseStatus.TRIAGED, CaseStatus.RECEIVED),
    Move.ASSIGN: _step(
        CaseStatus.ASSIGNED,
        CaseStatus.TRIAGED,
        CaseStatus.CONTESTED,
        CaseStatus.ASSIGNED,
        CaseStatus.IN_PROGRESS,
        CaseStatus.ON_HOLD,
    ),
    Move.START: _step(CaseStatus.IN_PROGRESS, CaseStatus.ASSIGNED),
    Move.HOLD: _step(CaseStatus.ON_HOLD, CaseStatus.IN_PROGRESS),
    Move.RESUME: _step(CaseStatus.IN_PROGRESS, CaseStatus.ON_HOLD, CaseStatus.RESOLUTION_PROPOSED),
    Move.PROPOSE: _step(CaseStatus.RESOLUTION_PROPOSED, CaseStatus.IN_PROGRESS),
    Move.CLOSE: _step(CaseStatus.CLOSED, CaseStatus.RESOLUTION_PROPOSED),
    Move.CONFIRM: _step(CaseStatus.CONFIRMED, CaseStatus.CLOSED),
    Move.CONTEST: _step(CaseStatus.CONTESTED, CaseStatus.CLOSED, CaseStatus.CONFIRMED, CaseStatus.UNCONFIRMED),
    Move.LEAVE_UNCONFIRMED: _step(CaseStatus.UNCONFIRMED, CaseStatus.CLOSED),
    Move.REOPEN: _step(
        CaseStatus.TRIAGED,
        CaseStatus.CLOSED,
        CaseStatus.CONFIRMED,
        CaseStatus.UNCONFIRMED,
        CaseStatus.WITHDRAWN,
    ),
    Move.WITHDRAW: _step(CaseStatus.WITHDRAWN, *OPEN),
    Move.MARK_DUPLICATE: _step(CaseStatus.DUPLICATE_OF, *OPEN),
    Move.SEPARATE: _step(CaseStatus.TRIAGED, CaseStatus.DUPLICATE_OF),
    Move.RELEASE: _step(CaseStatus.TRANSFERRING, *OPEN),
    Move.HAND_OVER: _step(CaseStatus.TRANSFERRED_OUT, CaseStatus.TRANSFERRING),
}

FORMAL: Final = frozenset({Outcome.HANDED_TO_LOCAL_POLICE, Outcome.HANDED_TO_COURT, Outcome.PROTECTION_MEASURE})
"""Outcomes that put a case before an authority. Every other one settles it informally: also `no_evidence` and
`cannot_contact`, because those are the quietest ways to let a crime disappear."""


def moved(status: CaseStatus, move: Move) -> CaseStatus:
    """The state after `move`. Raises `MoveRefused` naming where else the case can go."""
    return CaseStatus(target_of(MOVES, "case", status, move))


def target_of(steps: Mapping[Any, Step], subject: str, status: StrEnum, move: StrEnum) -> StrEnum:
    """Where `move` leads by this table. Raises `MoveRefused` naming where else `subject` can go."""
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
