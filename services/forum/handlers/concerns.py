"""Concerns: raised, accepted, with an owner, answered; and whether the answer satisfied."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from contracts.forum import ConcernStatus
from contracts.rules import ForumRules
from kernel.identity import Actor
from kernel.ids import new_id
from services.forum import access, facts, found, model
from services.forum.handlers.forums import take_activity
from services.forum.tables import Concern, Forum, ForumArea, Meeting


def raise_concern(session: Session, values: Mapping[str, Any], *, by: Actor, now: datetime) -> Concern:
    """Write down what a sector is worried about, about one of the forum's areas."""
    forum = found.own_working_forum(session, values["forum_id"], by=by)
    meeting = meeting_of(session, forum, values["meeting_id"], by=by)
    concern = Concern(
        **{**values, "area_id": _area_id(session, forum, values["area_id"])},
        id=new_id(),
        private=meeting is not None and meeting.session in model.PRIVATE_SESSIONS,
        status=ConcernStatus.RAISED,
        raised_at=now,
    )
    session.add(concern)
    facts.tell_concern(session, forum, concern, "raised", at=now)
    return concern


def meeting_of(session: Session, forum: Forum, meeting_id: str | None, *, by: Actor) -> Meeting | None:
    """The forum's own meeting out of which something comes, if any."""
    return found.meeting(session, forum.id, meeting_id, by=by) if meeting_id else None


def _area_id(session: Session, forum: Forum, area_id: str | None) -> str:
    covered = session.exec(
        select(ForumArea.area_id).where(col(ForumArea.forum_id) == forum.id).order_by(col(ForumArea.place))
    ).all()
    if area_id is not None and area_id not in covered:
        raise found.wrong("area_id", "The forum does not cover this area.")
    return area_id or covered[0]


def _move(session: Session, values: Mapping[str, Any], target: ConcernStatus, *, by: Actor) -> tuple[Concern, Forum]:
    concern = found.concern(session, values["concern_id"], by=by, change=True)
    forum = found.own_working_forum(session, concern.forum_id, by=by)
    concern.status = model.move(concern.status, target)
    return concern, forum


def accept_concern(session: Session, values: Mapping[str, Any], *, by: Actor, now: datetime) -> Concern:
    """The forum takes the concern up."""
    concern, forum = _move(session, values, ConcernStatus.ACCEPTED, by=by)
    facts.tell_concern(session, forum, concern, "accepted", at=now)
    return concern


def own_concern(session: Session, values: Mapping[str, Any], *, by: Actor, now: datetime) -> Concern:
    """Somebody takes the concern on."""
    concern, forum = _move(session, values, ConcernStatus.WITH_OWNER, by=by)
    concern.owner_kind, concern.owner_name = values["owner_kind"], values["owner_name"]
    facts.tell_concern(session, forum, concern, "with_owner", at=now)
    return concern


def answer_concern(
    session: Session, values: Mapping[str, Any], *, by: Actor, now: datetime, rules: ForumRules
) -> Concern:
    """What was done or said about it: an activity of the forum."""
    concern, forum = _move(session, values, ConcernStatus.ANSWERED, by=by)
    concern.answer, concern.answered_at, concern.answered_by = values["answer"], now, by.id
    facts.tell_concern(session, forum, concern, "answered", at=now)
    take_activity(session, forum, happened_at=now, now=now, rules=rules)
    return concern


def judge_concern(session: Session, values: Mapping[str, Any], *, by: Actor, now: datetime) -> Concern:
    """Whether those who raised it are satisfied; never said by the account that gave the answer."""
    concern = found.concern(session, values["concern_id"], by=by, change=True)
    access.must_be_inside(by, concern.forum_id)
    target = ConcernStatus.SATISFIED if values["satisfied"] else ConcernStatus.UNSATISFIED
    concern.status = model.move(concern.status, target)
    access.must_be_another(by, concern.answered_by, "gave the answer")
    forum = found.forum_to_change(session, concern.forum_id)
    facts.tell_concern(session, forum, concern, target.value, at=now)
    return concern
