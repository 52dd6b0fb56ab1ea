"""Action items: proposed, agreed, in progress, claimed done, and seen to be done by somebody else.

In a forum that was closed meanwhile nothing new is agreed or begun, but what was begun can be finished.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session

from contracts import numbers
from contracts.forum import ActionStatus
from contracts.rules import ForumRules
from kernel.errors import refuse
from kernel.identity import Actor
from kernel.ids import new_id
from services.forum import access, facts, found, model
from services.forum.handlers.concerns import meeting_of
from services.forum.handlers.forums import take_activity
from services.forum.handlers.members import holder
from services.forum.tables import Action, Forum, Membership, NumberSequence

PREFIX = "A"


def propose_action(
    session: Session, values: Mapping[str, Any], *, by: Actor, now: datetime, iso: str, rules: ForumRules
) -> Action:
    """Propose an action out of a meeting or a concern of one's own forum; it is as private as they are."""
    forum = found.own_working_forum(session, values["forum_id"], by=by)
    meeting = meeting_of(session, forum, values["meeting_id"], by=by)
    concern = found.concern(session, values["concern_id"], by=by) if values["concern_id"] else None
    if concern is not None and concern.forum_id != forum.id:
        raise found.ConcernNotFound(concern_id=concern.id)
    private = meeting is not None and meeting.session in model.PRIVATE_SESSIONS
    action = Action(
        id=new_id(),
        number=numbers.next_number(session, NumberSequence, iso=iso, at=now, prefix=PREFIX),
        private=private or (concern is not None and concern.private),
        status=ActionStatus.PROPOSED,
        **values,
    )
    session.add(action)
    facts.tell_action(session, forum, action, "proposed", at=now, rules=rules)
    return action


def _move(session: Session, values: Mapping[str, Any], target: ActionStatus, *, by: Actor) -> tuple[Action, Forum]:
    action = found.action(session, values["action_id"], by=by, change=True)
    forum = found.own_forum(session, action.forum_id, by=by)
    action.status = model.move(action.status, target)
    return action, forum


def agree_action(session: Session, values: Mapping[str, Any], *, by: Actor, now: datetime, rules: ForumRules) -> Action:
    """The forum and the owner agree on the action and the day it is due."""
    action, forum = _move(session, values, ActionStatus.AGREED, by=by)
    found.working(forum)
    action.due_on = values["due_on"] or action.due_on
    if action.due_on is None:
        raise found.wrong("due_on", "An agreed action has a day on which it is due.")
    if values["due_on"] and values["due_on"] < model.day_of(now):
        raise found.wrong("due_on", "This day is past.")
    facts.tell_action(session, forum, action, "agreed", at=now, rules=rules)
    return action


def start_action(session: Session, values: Mapping[str, Any], *, by: Actor, now: datetime, rules: ForumRules) -> Action:
    """Work begins, or begins again."""
    action, forum = _move(session, values, ActionStatus.IN_PROGRESS, by=by)
    found.working(forum)
    facts.tell_action(session, forum, action, "started", at=now, rules=rules)
    return action


def claim_action(session: Session, values: Mapping[str, Any], *, by: Actor, now: datetime, rules: ForumRules) -> Action:
    """The owner says it is done. The account that writes this down cannot verify it."""
    action, forum = _move(session, values, ActionStatus.DONE_CLAIMED, by=by)
    action.evidence, action.claimed_at, action.claimed_by = values["evidence"], now, by.id
    facts.tell_action(session, forum, action, "done_claimed", at=now, rules=rules)
    return action


def drop_action(session: Session, values: Mapping[str, Any], *, by: Actor, now: datetime, rules: ForumRules) -> Action:
    """Give the action up, with its reason."""
    action, forum = _move(session, values, ActionStatus.DROPPED, by=by)
    action.drop_reason = values["reason"]
    facts.tell_action(session, forum, action, "dropped", at=now, rules=rules)
    return action


def verify_action(
    session: Session, values: Mapping[str, Any], *, by: Actor, now: datetime, rules: ForumRules
) -> Action:
    """A member of another sector has seen that it is done: an activity of the forum."""
    action, forum, verifier = _seen(session, values, ActionStatus.VERIFIED, by=by)
    action.verified_at, action.verified_by_member = now, verifier.id
    action.verified_by_sector = verifier.sector
    facts.tell_action(session, forum, action, "verified", at=now, rules=rules)
    take_activity(session, forum, happened_at=now, now=now, rules=rules)
    return action


def reject_action(
    session: Session, values: Mapping[str, Any], *, by: Actor, now: datetime, rules: ForumRules
) -> Action:
    """A member of another sector has seen that it is not done."""
    action, forum, _ = _seen(session, values, ActionStatus.NOT_VERIFIED, by=by)
    action.finding = values["finding"]
    facts.tell_action(session, forum, action, "not_verified", at=now, rules=rules)
    return action


def _seen(
    session: Session, values: Mapping[str, Any], target: ActionStatus, *, by: Actor
) -> tuple[Action, Forum, Membership]:
    action = found.action(session, values["action_id"], by=by, change=True)
    access.must_be_inside(by, action.forum_id)
    forum = found.forum_to_change(session, action.forum_id)
    status = model.move(action.status, target)
    verifier = _verifier(session, action, values["member_id"], by=by)
    access.must_be_another(by, action.claimed_by, "claimed that it is done")
    access.must_be_of_another_sector(verifier.sector, action.owner_sector)
    action.status = status
    return action, forum, verifier


def _verifier(session: Session, action: Action, member_id: str | None, *, by: Actor) -> Membership:
    if member_id is None:
        return holder(session, action.forum_id, by.id) or refuse(
            found.MemberNotFound,
            "No current member of this forum holds your account; name in member_id who has seen the result.",
            forum_id=action.forum_id,
        )
    verifier = found.member(session, action.forum_id, member_id)
    if verifier.left_on is not None:
        raise found.wrong("member_id", f"This member left on {verifier.left_on}.")
    access.must_speak_for(by, verifier.id, verifier.account_id)
    return verifier
