"""Forums: proposed, established, activated, closed; who runs them and who they say they are."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlmodel import Session

from contracts import numbers
from contracts.forum import ForumStatus
from contracts.rules import ForumRules
from kernel.errors import MoveRefused
from kernel.identity import Actor
from kernel.ids import new_id
from services.forum import facts, found, model
from services.forum.handlers.areas import known_names
from services.forum.tables import Area, Composition, Forum, ForumArea, NumberSequence

PREFIX = "F"


def propose_forum(
    session: Session, values: Mapping[str, Any], *, by: Actor, now: datetime, iso: str, rules: ForumRules
) -> Forum:
    """Propose a forum for its areas; its district is that of the first. What it does not say of its rhythm and quorum
    is what the rules of the node say today."""
    stated = {name: least for name, least in (values["quorum"] or {}).items() if least is not None}
    areas = _areas(session, values["area_ids"])
    forum = Forum(
        id=new_id(),
        number=numbers.next_number(session, NumberSequence, iso=iso, at=now, prefix=PREFIX),
        names=known_names(values["names"]),
        kind=values["kind"],
        founding=values["founding"],
        district=areas[0].district,
        status=ForumStatus.PROPOSED,
        facilitator=values["facilitator"],
        rhythm_days=values["rhythm_days"] or rules.rhythm_days,
        quorum={**rules.quorum, **stated},
        proposed_on=model.day_of(now),
    )
    session.add(forum)
    session.flush()
    session.add_all(ForumArea(forum_id=forum.id, area_id=area.id, place=place) for place, area in enumerate(areas))
    facts.tell_forum(session, forum, "proposed", at=now)
    return forum


def _areas(session: Session, area_ids: list[str]) -> list[Area]:
    if len(set(area_ids)) != len(area_ids):
        raise found.wrong("area_ids", "An area stands there twice.")
    return [found.area(session, area_id) for area_id in area_ids]


def establish_forum(session: Session, values: Mapping[str, Any], *, by: Actor, now: datetime) -> Forum:
    """Say that a proposed forum exists on paper since that day."""
    forum = found.forum_to_change(session, values["forum_id"])
    forum.status = model.move(forum.status, ForumStatus.ESTABLISHED)
    must_be_past("established_on", values["established_on"], now)
    forum.established_on = values["established_on"]
    facts.tell_forum(session, forum, "established", at=now)
    return forum


def activate_forum(
    session: Session, values: Mapping[str, Any], *, by: Actor, now: datetime, rules: ForumRules
) -> Forum:
    """Say that an established forum works since that day. A quiet one is brought back by an activity only."""
    forum = found.forum_to_change(session, values["forum_id"])
    if forum.status in (ForumStatus.AT_RISK, ForumStatus.DORMANT):
        raise MoveRefused(
            f"A forum that is {forum.status} becomes active by an activity, not by being called active: "
            "a meeting held with quorum, a verified action or an answered concern.",
            subject="forum",
            current=forum.status.value,
            target=ForumStatus.ACTIVE.value,
        )
    forum.status = model.move(forum.status, ForumStatus.ACTIVE)
    began = values["activated_on"]
    must_be_past("activated_on", began, now)
    if forum.established_on and began < forum.established_on:
        raise found.wrong("activated_on", f"The forum was established later, on {forum.established_on}.")
    forum.activated_on = began
    _count_from(forum, model.beginning_of(began), rules)
    facts.tell_forum(session, forum, "activated", at=now)
    return forum


def close_forum(session: Session, values: Mapping[str, Any], *, by: Actor, now: datetime) -> Forum:
    """End a forum for good, with its reason. What is still open in it stays readable as it was."""
    forum = found.forum_to_change(session, values["forum_id"])
    forum.status = model.move(forum.status, ForumStatus.CLOSED)
    forum.close_reason = values["reason"]
    facts.tell_forum(session, forum, "closed", at=now)
    return forum


def appoint_facilitator(session: Session, values: Mapping[str, Any], *, by: Actor, now: datetime) -> Forum:
    """Write down who runs the forum. A name makes no fact."""
    forum = found.forum_to_change(session, values["forum_id"])
    must_be_open(forum)
    forum.facilitator = values["facilitator"]
    return forum


def declare_composition(session: Session, values: Mapping[str, Any], *, by: Actor, now: datetime) -> Composition:
    """Keep what a forum says about itself, as counts. They are small and make no fact."""
    forum = found.own_forum(session, values["forum_id"], by=by)
    must_be_open(forum)
    must_be_past("declared_on", values["declared_on"], now)
    composition = Composition(
        id=new_id(),
        forum_id=forum.id,
        declared_on=values["declared_on"],
        declared_by=by.id,
        counts=[{**line, "dimension": line["dimension"].value} for line in values["counts"]],
    )
    session.add(composition)
    return composition


def take_activity(session: Session, forum: Forum, *, happened_at: datetime, now: datetime, rules: ForumRules) -> None:
    """Let an activity move the forum's clock, and bring it (back) to `active` if it is recent enough."""
    times = _count_from(forum, max(happened_at, forum.last_activity_at or happened_at), rules)
    status = model.after_activity(forum.status, times.at_risk_at, now)
    if status is not forum.status:
        forum.status = status
        forum.activated_on = forum.activated_on or model.day_of(happened_at)
        facts.tell_forum(session, forum, "activated", at=now)


def _count_from(forum: Forum, last_activity_at: datetime, rules: ForumRules) -> model.Clock:
    times = model.clock(last_activity_at, forum.rhythm_days, rules)
    forum.last_activity_at = last_activity_at
    forum.at_risk_at, forum.dormant_at = times.at_risk_at, times.dormant_at
    return times


def must_be_open(forum: Forum) -> None:
    """Raise `ForumNotWorking` for a closed forum."""
    if forum.status is ForumStatus.CLOSED:
        raise found.ForumNotWorking(status=forum.status.value)


def must_be_past(field: str, day: date, now: datetime) -> None:
    """Raise `BadInput` naming `field` for a day that has not come yet."""
    if day > model.day_of(now):
        raise found.wrong(field, "This day is in the future.")
