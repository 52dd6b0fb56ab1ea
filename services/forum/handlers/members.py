"""Members: people (C2) in a forum, and the sector each speaks for. Their facts are counts."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from kernel.errors import Conflict
from kernel.identity import Actor
from kernel.ids import new_id
from services.forum import facts, found
from services.forum.handlers.forums import must_be_open, must_be_past
from services.forum.tables import Membership


class MembershipEnded(Conflict):
    """This member left already, on {left_on}."""

    code = "membership_ended"


class AccountTaken(Conflict):
    """That account is held by another current member of this forum."""

    code = "account_taken"


def add_member(session: Session, values: Mapping[str, Any], *, by: Actor, now: datetime) -> Membership:
    """Write a member into the forum's list."""
    forum = found.own_forum(session, values["forum_id"], by=by)
    must_be_open(forum)
    must_be_past("joined_on", values["joined_on"], now)
    account_id = values["account_id"]
    if account_id and holder(session, forum.id, account_id):
        raise AccountTaken()
    member = Membership(id=new_id(), **values)
    session.add(member)
    facts.tell_forum(session, forum, "members_changed", at=now)
    return member


def end_membership(session: Session, values: Mapping[str, Any], *, by: Actor, now: datetime) -> Membership:
    """Say that a member has left; the row stays, because what they verified stays."""
    forum = found.own_forum(session, values["forum_id"], by=by)
    member = found.member(session, forum.id, values["member_id"])
    if member.left_on is not None:
        raise MembershipEnded(left_on=member.left_on.isoformat())
    must_be_past("left_on", values["left_on"], now)
    if values["left_on"] < member.joined_on:
        raise found.wrong("left_on", f"The member joined later, on {member.joined_on}.")
    member.left_on = values["left_on"]
    facts.tell_forum(session, forum, "members_changed", at=now)
    return member


def holder(session: Session, forum_id: str, account_id: str) -> Membership | None:
    """The current member of a forum who holds an account."""
    return session.exec(
        select(Membership).where(
            col(Membership.forum_id) == forum_id,
            col(Membership.account_id) == account_id,
            col(Membership.left_on).is_(None),
        )
    ).first()
