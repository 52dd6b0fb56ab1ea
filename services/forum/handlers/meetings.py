"""Meetings: planned, then held, without quorum, or cancelled."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session

from contracts import numbers
from contracts.forum import MeetingStatus
from contracts.rules import ForumRules
from kernel.identity import Actor
from kernel.ids import new_id
from services.forum import access, facts, found, model
from services.forum.handlers.forums import take_activity
from services.forum.tables import AttendanceCount, Meeting, NumberSequence

PREFIX = "M"


def plan_meeting(session: Session, values: Mapping[str, Any], *, by: Actor, now: datetime, iso: str) -> Meeting:
    """Plan a meeting of one's own forum. A past day is allowed: paper is entered late."""
    forum = found.own_working_forum(session, values["forum_id"], by=by)
    meeting = Meeting(
        id=new_id(),
        number=numbers.next_number(session, NumberSequence, iso=iso, at=now, prefix=PREFIX),
        status=MeetingStatus.PLANNED,
        **values,
    )
    session.add(meeting)
    facts.tell_meeting(session, forum, meeting, "planned", at=now)
    return meeting


def hold_meeting(
    session: Session, values: Mapping[str, Any], *, by: Actor, now: datetime, rules: ForumRules
) -> Meeting:
    """Record who came. With quorum the meeting is held, and an activity; without, it decides nothing."""
    access.must_write(by, values["forum_id"])
    meeting = found.meeting(session, values["forum_id"], values["meeting_id"], by=by, change=True)
    forum = found.working(found.forum_to_change(session, meeting.forum_id))
    met = model.quorum_met(forum.quorum, values["attendance"])
    status = model.move(meeting.status, MeetingStatus.HELD if met else MeetingStatus.NO_QUORUM)
    if values["held_at"] > now:
        raise found.wrong("held_at", "This moment is in the future.")
    meeting.status, meeting.quorum_met, meeting.held_at = status, met, values["held_at"]
    meeting.guests, meeting.tension = values["guests"], values["tension"]
    session.add_all(AttendanceCount(meeting_id=meeting.id, **line) for line in values["attendance"])
    facts.tell_meeting(session, forum, meeting, status.value, at=now)
    if met:
        take_activity(session, forum, happened_at=values["held_at"], now=now, rules=rules)
    return meeting


def cancel_meeting(session: Session, values: Mapping[str, Any], *, by: Actor, now: datetime) -> Meeting:
    """Say that a planned meeting does not take place."""
    access.must_write(by, values["forum_id"])
    meeting = found.meeting(session, values["forum_id"], values["meeting_id"], by=by, change=True)
    meeting.status = model.move(meeting.status, MeetingStatus.CANCELLED)
    meeting.cancel_reason = values["reason"]
    forum = found.forum_to_change(session, meeting.forum_id)
    facts.tell_meeting(session, forum, meeting, "cancelled", at=now)
    return meeting
