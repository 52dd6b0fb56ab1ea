"""The rules of forums as pure values: state machines, the clock of activity, quorum, what is private, what is overdue.

Activity is a held meeting with quorum, a verified action or an answered concern. A forum that means to meet every
30 days becomes `at_risk` after 60 days without one and `dormant` after 120; for another rhythm both scale with it
(at risk after two rhythms missed, dormant after four), so a weekly group is not called healthy after eight silent
weeks, nor a quarterly one at risk before its next meeting is even due. The numbers are rules of the node
(`contracts.rules`); these are their working defaults.

An activity entered late counts on the day it happened. It brings a quiet forum back only if it is recent enough that
the forum would not be at risk now; an older one just moves the clock.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, TypeVar

from contracts.forum import ActionStatus, ConcernStatus, ForumStatus, MeetingStatus, Session, Sex
from contracts.numbers import BAGHDAD
from contracts.rules import ForumRules
from kernel.errors import MoveRefused

State = TypeVar("State", bound=StrEnum)

F, M, C, A = ForumStatus, MeetingStatus, ConcernStatus, ActionStatus

FORUM_MOVES: Final[Mapping[ForumStatus, tuple[ForumStatus, ...]]] = MappingProxyType(
    {
        F.PROPOSED: (F.ESTABLISHED, F.CLOSED),
        F.ESTABLISHED: (F.ACTIVE, F.CLOSED),
        F.ACTIVE: (F.AT_RISK, F.CLOSED),
        F.AT_RISK: (F.ACTIVE, F.DORMANT, F.CLOSED),
        F.DORMANT: (F.ACTIVE, F.CLOSED),
        F.CLOSED: (),
    }
)
MEETING_MOVES: Final[Mapping[MeetingStatus, tuple[MeetingStatus, ...]]] = MappingProxyType(
    {
        M.PLANNED: (M.HELD, M.NO_QUORUM, M.CANCELLED),
        M.HELD: (),
        M.NO_QUORUM: (),
        M.CANCELLED: (),
    }
)
CONCERN_MOVES: Final[Mapping[ConcernStatus, tuple[ConcernStatus, ...]]] = MappingProxyType(
    {
        C.RAISED: (C.ACCEPTED,),
        C.ACCEPTED: (C.WITH_OWNER,),
        C.WITH_OWNER: (C.ANSWERED,),
        C.ANSWERED: (C.SATISFIED, C.UNSATISFIED),
        C.SATISFIED: (),
        C.UNSATISFIED: (),
    }
)
ACTION_MOVES: Final[Mapping[ActionStatus, tuple[ActionStatus, ...]]] = MappingProxyType(
    {
        A.PROPOSED: (A.AGREED, A.DROPPED),
        A.AGREED: (A.IN_PROGRESS, A.DROPPED),
        A.IN_PROGRESS: (A.DONE_CLAIMED, A.DROPPED),
        A.DONE_CLAIMED: (A.VERIFIED, A.NOT_VERIFIED),
        A.NOT_VERIFIED: (A.IN_PROGRESS, A.DROPPED),
        A.VERIFIED: (),
        A.DROPPED: (),
    }
)
MOVES: Final[Mapping[type[StrEnum], tuple[str, Mapping[Any, tuple[Any, ...]]]]] = MappingProxyType(
    {
        ForumStatus: ("forum", FORUM_MOVES),
        MeetingStatus: ("meeting", MEETING_MOVES),
        ConcernStatus: ("concern", CONCERN_MOVES),
        ActionStatus: ("action", ACTION_MOVES),
    }
)

WORKING: Final = frozenset({F.ESTABLISHED, F.ACTIVE, F.AT_RISK, F.DORMANT})
"""A forum in one of these may meet, raise concerns and agree actions."""
DUE: Final = frozenset({A.AGREED, A.IN_PROGRESS, A.NOT_VERIFIED})
"""An action in one of these is owed. One that is claimed done waits for a verifier, not for its owner."""
PRIVATE_SESSIONS: Final = frozenset({Session.CLOSED, Session.WOMEN_ONLY})


def move(current: State, target: State) -> State:
    """`target`, if a record that is `current` may become it; else `MoveRefused` saying what it may become."""
    subject, moves = MOVES[type(current)]
    possible = moves[current]
    if target not in possible:
        names = ", ".join(possible) if possible else "nothing; this is final"
        raise MoveRefused(subject=subject, current=current.value, target=target.value, possible=names)
    return target


@dataclass(frozen=True)
class Clock:
    """From which instants a quiet forum is at risk, and dormant."""

    at_risk_at: datetime
    dormant_at: datetime


def clock(last_activity_at: datetime, rhythm_days: int, rules: ForumRules) -> Clock:
    """When a forum whose last activity was then becomes at risk and dormant, if nothing happens.

    >>> clock(datetime(2026, 1, 1), 30, ForumRules()).at_risk_at
    datetime.datetime(2026, 3, 2, 0, 0)
    """
    scale = rhythm_days / rules.rhythm_days
    return Clock(
        last_activity_at + timedelta(days=rules.at_risk_days * scale),
        last_activity_at + timedelta(days=rules.dormant_days * scale),
    )


def after_activity(status: ForumStatus, at_risk_at: datetime, now: datetime) -> ForumStatus:
    """What an activity makes of a forum whose clock now says `at_risk_at`: active if that is still ahead."""
    if status in (F.ESTABLISHED, F.AT_RISK, F.DORMANT) and now < at_risk_at:
        return move(status, F.ACTIVE)
    return status


def after_silence(
    status: ForumStatus, at_risk_at: datetime | None, dormant_at: datetime | None, now: datetime
) -> ForumStatus:
    """What the clock makes of a forum: one step at a time, so that each step is told."""
    if status is F.ACTIVE and at_risk_at is not None and now >= at_risk_at:
        return move(status, F.AT_RISK)
    if status is F.AT_RISK and dormant_at is not None and now >= dormant_at:
        return move(status, F.DORMANT)
    return status


def quorum_met(rule: Mapping[str, int], attendance: Iterable[Mapping[str, Any]]) -> bool:
    """Whether those who came (`sector`, `sex`, `count` each) satisfy a rule (`people`, `sectors`, `women`)."""
    came = [line for line in attendance if line["count"] > 0]
    people = sum(line["count"] for line in came)
    sectors = len({line["sector"] for line in came})
    women = sum(line["count"] for line in came if line["sex"] == Sex.FEMALE)
    return people >= rule["people"] and sectors >= rule["sectors"] and women >= rule["women"]


def overdue_before(today: date, rules: ForumRules) -> date:
    """An owed action is overdue today if it was due before this day: its own day and the grace are past."""
    return today - timedelta(days=rules.overdue_grace_days)


def is_overdue(status: ActionStatus, due_on: date | None, before: date) -> bool:
    """Whether an action is owed and was due `before` that day."""
    return status in DUE and due_on is not None and due_on < before


def day_of(instant: datetime) -> date:
    """The calendar day of an instant, as people in Baghdad count it."""
    return instant.astimezone(BAGHDAD).date()


def beginning_of(day: date) -> datetime:
    """The first instant of a calendar day in Baghdad."""
    return datetime.combine(day, time.min, BAGHDAD)


def week_of(day: date) -> str:
    """The ISO 8601 week of a day: the finest time that a `statistical` part may name.

    >>> week_of(date(2027, 1, 1))
    '2026-W53'
    """
    year, week, _ = day.isocalendar()
    return f"{year:04d}-W{week:02d}"
