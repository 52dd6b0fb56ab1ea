"""Whose records an actor may see and change, behind the door that its roles opened.

Forum roles reach the forums named in their account and no other. Everyone else whom a door admits reads every forum
of the governorate, except what its private sessions (closed, women only) keep to themselves: to them that is not
there at all, so that a refusal does not tell of it.
"""

from contracts.forum import Sector
from contracts.roles import FORUM_NAMES, FORUM_READ, FORUM_ROLES, Role
from kernel.errors import Forbidden
from kernel.identity import Actor

OUTSIDE_READERS = FORUM_READ - FORUM_ROLES
OUTSIDE_NAME_READERS = FORUM_NAMES - FORUM_ROLES


class NotYourForum(Forbidden):
    """Your account reaches its own forums only, and forum {forum_id} is not one of them."""

    code = "not_your_forum"


class OwnAct(Forbidden):
    """Nobody verifies their own act: this account {act}; another one must do this."""

    code = "own_act"


class SameSector(Forbidden):
    """The owner of this action is of the sector {sector}; a member of another sector must have seen the result."""

    code = "same_sector"


class NotThatMember(Forbidden):
    """This account may not speak for member {member_id}."""

    code = "not_that_member"


def is_inside(actor: Actor, forum_id: str) -> bool:
    """Whether the actor has a forum role in this forum."""
    return forum_id in actor.forums and actor.has(*FORUM_ROLES)


def reads_every_forum(actor: Actor) -> bool:
    """Whether the actor reads the open business of all forums."""
    return actor.has(*OUTSIDE_READERS)


def sees_names(actor: Actor, forum_id: str) -> bool:
    """Whether the actor may see who the members and owners are."""
    return is_inside(actor, forum_id) or actor.has(*OUTSIDE_NAME_READERS)


def must_read(actor: Actor, forum_id: str) -> None:
    """Raise `NotYourForum` unless the actor may read this forum."""
    if not (is_inside(actor, forum_id) or reads_every_forum(actor)):
        raise NotYourForum(forum_id=forum_id)


def must_write(actor: Actor, forum_id: str) -> None:
    """Raise `NotYourForum` unless the actor is a facilitator of this forum."""
    if forum_id not in actor.forums or not actor.has(Role.FORUM_FACILITATOR):
        raise NotYourForum(forum_id=forum_id)


def must_be_inside(actor: Actor, forum_id: str) -> None:
    """Raise `NotYourForum` unless the actor has a forum role in this forum."""
    if not is_inside(actor, forum_id):
        raise NotYourForum(forum_id=forum_id)


def must_be_another(actor: Actor, earlier: str | None, act: str) -> None:
    """Raise `OwnAct` if `earlier`, the account that `act`ed, is the actor's own."""
    if actor.id == earlier:
        raise OwnAct(act=act)


def must_be_of_another_sector(seen_by: Sector, owner: Sector) -> None:
    """Raise `SameSector` if whoever has seen the result is of the owner's sector."""
    if seen_by is owner:
        raise SameSector(sector=owner.value)


def must_speak_for(actor: Actor, member_id: str, account_id: str | None) -> None:
    """Raise `NotThatMember` unless the actor is that member, or a facilitator and the member has no account."""
    speaks = actor.id == account_id if account_id else actor.has(Role.FORUM_FACILITATOR)
    if not speaks:
        raise NotThatMember(member_id=member_id)
