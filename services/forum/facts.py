"""Rows to facts: what of a record leaves the service, written beside the row in the same transaction."""

from collections import Counter
from datetime import date, datetime
from typing import Any

from sqlmodel import Session, col, func, select

from contracts.forum import ActionFact, AreaFact, ConcernFact, ForumFact, MeetingFact, Sector, Sex
from contracts.rules import ForumRules
from kernel import outbox
from kernel.fact import FactSchema, compose
from kernel.ids import new_id
from services.forum import model
from services.forum.tables import Action, Area, AttendanceCount, Concern, Forum, ForumArea, Meeting, Membership

Row = Area | Forum | Meeting | Concern | Action


def tell_area(session: Session, area: Area, event: str, *, at: datetime) -> None:
    """Append the fact that `event` happened to an area."""
    values = {
        "area_kind": area.kind,
        "area_type": area.area_type,
        "names": area.names,
        "district": area.district,
        "parent_id": area.parent_id,
        "code": area.code,
    }
    _append(session, AreaFact, area, event, values, at=at)


def tell_forum(session: Session, forum: Forum, event: str, *, at: datetime) -> None:
    """Append the fact that `event` happened to a forum."""
    members = members_by_sector(session, [forum.id])[forum.id]
    areas = session.exec(
        select(ForumArea.area_id).where(col(ForumArea.forum_id) == forum.id).order_by(col(ForumArea.place))
    ).all()
    values = {
        "forum_kind": forum.kind,
        "founding": forum.founding,
        "district": forum.district,
        "status": forum.status,
        "close_reason": forum.close_reason,
        "areas": len(areas),
        "members": sum(members.values()),
        "members_by_sector": members,
        "week": model.week_of(model.day_of(at)),
        "number": forum.number,
        "area_ids": list(areas),
        "rhythm_days": forum.rhythm_days,
        "proposed_on": forum.proposed_on,
        "established_on": forum.established_on,
        "activated_on": forum.activated_on,
        "last_activity_on": _day(forum.last_activity_at),
    }
    _append(session, ForumFact, forum, event, values, at=at)


def tell_meeting(session: Session, forum: Forum, meeting: Meeting, event: str, *, at: datetime) -> None:
    """Append the fact that `event` happened to a meeting; a private session shows no counts."""
    private = meeting.session in model.PRIVATE_SESSIONS
    came = session.exec(select(AttendanceCount).where(col(AttendanceCount.meeting_id) == meeting.id)).all()
    sectors, sexes = Counter[Sector](), Counter[Sex]()
    for line in came:
        sectors[line.sector] += line.count
        sexes[line.sex] += line.count
    values = {
        "forum_kind": forum.kind,
        "district": forum.district,
        "session": meeting.session,
        "status": meeting.status,
        "cancel_reason": meeting.cancel_reason,
        "quorum_met": meeting.quorum_met,
        "suppressed": private,
        "attendance_by_sector": None if private else dict(sectors),
        "attendance_by_sex": None if private else dict(sexes),
        "tension": None if private else meeting.tension,
        "week": model.week_of(model.day_of(meeting.held_at or meeting.planned_at)),
        "number": meeting.number,
        "forum_id": forum.id,
        "planned_on": model.day_of(meeting.planned_at),
        "held_on": _day(meeting.held_at),
    }
    _append(session, MeetingFact, meeting, event, values, at=at)


def tell_concern(session: Session, forum: Forum, concern: Concern, event: str, *, at: datetime) -> None:
    """Append the fact that `event` happened to a concern; one from a private session does not say about what."""
    values = {
        "forum_kind": forum.kind,
        "district": forum.district,
        "suppressed": concern.private,
        "category": None if concern.private else concern.category,
        "priority": None if concern.private else concern.priority,
        "raised_by": None if concern.private else concern.raised_by,
        "owner_kind": concern.owner_kind,
        "status": concern.status,
        "week": model.week_of(model.day_of(at)),
        "forum_id": forum.id,
        "raised_on": model.day_of(concern.raised_at),
        "answered_on": _day(concern.answered_at),
    }
    _append(session, ConcernFact, concern, event, values, at=at)


def tell_action(session: Session, forum: Forum, action: Action, event: str, *, at: datetime, rules: ForumRules) -> None:
    """Append the fact that `event` happened to an action."""
    today = model.day_of(at)
    values = {
        "forum_kind": forum.kind,
        "district": forum.district,
        "owner_kind": action.owner_kind,
        "owner_sector": action.owner_sector,
        "status": action.status,
        "drop_reason": action.drop_reason,
        "overdue": model.is_overdue(action.status, action.due_on, model.overdue_before(today, rules)),
        "verified_by_sector": action.verified_by_sector,
        "week": model.week_of(today),
        "number": action.number,
        "forum_id": forum.id,
        "meeting_id": action.meeting_id,
        "concern_id": action.concern_id,
        "due_on": action.due_on,
        "claimed_on": _day(action.claimed_at),
        "verified_on": _day(action.verified_at),
    }
    _append(session, ActionFact, action, event, values, at=at)


def members_by_sector(session: Session, forum_ids: list[str]) -> dict[str, dict[Sector, int]]:
    """How many current members each forum has, by sector; an empty count for a forum without members."""
    found = session.exec(
        select(Membership.forum_id, Membership.sector, func.count())
        .where(col(Membership.forum_id).in_(forum_ids), col(Membership.left_on).is_(None))
        .group_by(col(Membership.forum_id), col(Membership.sector))
    )
    counts: dict[str, dict[Sector, int]] = {forum_id: {} for forum_id in forum_ids}
    for forum_id, sector, count in found:
        counts[forum_id][Sector(sector)] = count
    return counts


def _day(instant: datetime | None) -> date | None:
    return model.day_of(instant) if instant else None


def _append(
    session: Session, schema: type[FactSchema], row: Row, event: str, values: dict[str, Any], *, at: datetime
) -> None:
    """Raise the row's version and write the fact of it. What the row refers to is flushed first."""
    row.version += 1
    fact = compose(schema, event, id=new_id(), subject=row.id, version=row.version, values=values, at=at)
    outbox.append(session, fact)
