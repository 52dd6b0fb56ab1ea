"""Finding rows for a change, and refusing what cannot be found, said in the words of the field."""

from typing import Any, Final

from sqlmodel import Session

from kernel.errors import BadInput, Conflict, NotFound, refuse
from kernel.identity import Actor
from services.forum import access, model
from services.forum.tables import Action, Area, Concern, Forum, Meeting, Membership

FOR_CHANGE: Final[dict[str, Any]] = {"key_share": True}  # others may still refer to the row meanwhile


class AreaNotFound(NotFound):
    """There is no area {area_id} here."""

    code = "area_not_found"


class ForumNotFound(NotFound):
    """There is no forum {forum_id} here."""

    code = "forum_not_found"


class MemberNotFound(NotFound):
    """There is no such member in forum {forum_id}."""

    code = "member_not_found"


class MeetingNotFound(NotFound):
    """There is no meeting {meeting_id} that you may see."""

    code = "meeting_not_found"
    audited = True  # it may be there, and private


class ConcernNotFound(NotFound):
    """There is no concern {concern_id} that you may see."""

    code = "concern_not_found"
    audited = True


class ActionNotFound(NotFound):
    """There is no action {action_id} that you may see."""

    code = "action_not_found"
    audited = True


class ForumNotWorking(Conflict):
    """This forum is {status}; only one that is established and not closed meets, raises concerns and agrees actions."""

    code = "forum_not_working"


def area(session: Session, area_id: str) -> Area:
    """The area, or `AreaNotFound`."""
    return session.get(Area, area_id) or refuse(AreaNotFound, area_id=area_id)


def forum(session: Session, forum_id: str, *, by: Actor) -> Forum:
    """The forum for reading, or `ForumNotFound`; `NotYourForum` for forum roles of another."""
    access.must_read(by, forum_id)
    return session.get(Forum, forum_id) or refuse(ForumNotFound, forum_id=forum_id)


def forum_to_change(session: Session, forum_id: str) -> Forum:
    """The forum, locked, or `ForumNotFound`."""
    found = session.get(Forum, forum_id, with_for_update=FOR_CHANGE)
    return found or refuse(ForumNotFound, forum_id=forum_id)


def own_forum(session: Session, forum_id: str, *, by: Actor) -> Forum:
    """The forum, locked, for its facilitator."""
    access.must_write(by, forum_id)
    return forum_to_change(session, forum_id)


def own_working_forum(session: Session, forum_id: str, *, by: Actor) -> Forum:
    """The forum, locked, for its facilitator, if it may do business; else `ForumNotWorking`."""
    return working(own_forum(session, forum_id, by=by))


def working(found: Forum) -> Forum:
    """The forum itself, if it may do business; else `ForumNotWorking`."""
    if found.status not in model.WORKING:
        raise ForumNotWorking(status=found.status.value)
    return found


def meeting(session: Session, forum_id: str, meeting_id: str, *, by: Actor, change: bool = False) -> Meeting:
    """A meeting of that forum which the actor may see, or `MeetingNotFound`."""
    access.must_read(by, forum_id)
    found = session.get(Meeting, meeting_id, with_for_update=FOR_CHANGE if change else None)
    if found is None or found.forum_id != forum_id or _hidden(by, found):
        raise MeetingNotFound(meeting_id=meeting_id)
    return found


def _hidden(by: Actor, found: Meeting) -> bool:
    return found.session in model.PRIVATE_SESSIONS and not access.is_inside(by, found.forum_id)


def concern(session: Session, concern_id: str, *, by: Actor, change: bool = False) -> Concern:
    """A concern that the actor may see, or `ConcernNotFound`."""
    found = session.get(Concern, concern_id, with_for_update=FOR_CHANGE if change else None)
    if found is None or (found.private and not access.is_inside(by, found.forum_id)):
        raise ConcernNotFound(concern_id=concern_id)
    access.must_read(by, found.forum_id)
    return found


def action(session: Session, action_id: str, *, by: Actor, change: bool = False) -> Action:
    """An action that the actor may see, or `ActionNotFound`."""
    found = session.get(Action, action_id, with_for_update=FOR_CHANGE if change else None)
    if found is None or (found.private and not access.is_inside(by, found.forum_id)):
        raise ActionNotFound(action_id=action_id)
    access.must_read(by, found.forum_id)
    return found


def member(session: Session, forum_id: str, member_id: str) -> Membership:
    """A member of that forum, past or present, or `MemberNotFound`."""
    found = session.get(Membership, member_id, with_for_update=FOR_CHANGE)
    if found is None or found.forum_id != forum_id:
        raise MemberNotFound(forum_id=forum_id, member_id=member_id)
    return found


def wrong(field: str, sentence: str) -> BadInput:
    """The refusal of one field's value, in the same shape as a schema's."""
    return BadInput(where={field: [sentence]})
