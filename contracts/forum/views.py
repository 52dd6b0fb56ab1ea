"""What the forum service shows. Names of people are null for those who may not see them."""

from marshmallow import fields

from contracts.forum.business import Attendance
from contracts.forum.requests import CompositionCount
from contracts.forum.words import (
    ActionStatus,
    AreaKind,
    AreaType,
    CancelReason,
    CloseReason,
    ConcernCategory,
    ConcernStatus,
    DropReason,
    ForumKind,
    ForumStatus,
    Founding,
    MeetingStatus,
    MemberRole,
    OwnerKind,
    Priority,
    Sector,
    Session,
)
from kernel.schema import Id, Strict, c0, c1, c2


def _id(description: str = "") -> Id:
    return Id(required=True, metadata={"description": description or "its id"})


def _maybe_id(description: str) -> Id:
    return Id(required=True, allow_none=True, metadata={"description": description})


def _day(description: str) -> fields.Date:
    return fields.Date(required=True, allow_none=True, metadata={"description": description})


def _moment(description: str) -> fields.AwareDateTime:
    return fields.AwareDateTime(required=True, allow_none=True, metadata={"description": description})


def _text(description: str) -> fields.String:
    return fields.String(required=True, metadata={"description": description})


def _maybe_text(description: str) -> fields.String:
    return fields.String(required=True, allow_none=True, metadata={"description": description})


def _next() -> fields.String:
    return fields.String(required=True, allow_none=True, metadata={"description": "cursor of the next page, or null"})


class NamesView(Strict):
    """A public name in the languages it has."""

    ar = c0(_maybe_text("Arabic"))
    ckb = c0(_maybe_text("Kurdish (Sorani)"))
    kmr = c0(_maybe_text("Kurdish (Kurmanji)"))
    en = c0(_maybe_text("English"))


class AreaView(Strict):
    """A place."""

    id = c0(_id())
    kind = c0(fields.Enum(AreaKind, by_value=True, required=True))
    names = c0(fields.Nested(NamesView, required=True))
    district = c0(_text("slug of the gazetteer"))
    parent_id = c0(_maybe_id("the area that contains it"))
    area_type = c0(fields.Enum(AreaType, by_value=True, required=True, allow_none=True))
    code = c0(_maybe_text("official code"))


class AreaPage(Strict):
    """Areas in the order they were added."""

    items = c0(fields.List(fields.Nested(AreaView), required=True))
    next = c0(_next())


class CompositionView(Strict):
    """Who sits in a forum, as the forum declared it."""

    id = c1(_id())
    forum_id = c0(_id("the forum"))
    declared_on = c1(fields.Date(required=True, metadata={"description": "the day of the declaration"}))
    counts = c1(fields.List(fields.Nested(CompositionCount), required=True))


class CompositionPage(Strict):
    """Compositions in the order they were declared."""

    items = c1(fields.List(fields.Nested(CompositionView), required=True))
    next = c0(_next())


class QuorumView(Strict):
    """When a meeting of this forum may decide."""

    people = c1(fields.Integer(required=True))
    sectors = c1(fields.Integer(required=True))
    women = c1(fields.Integer(required=True))


class ForumView(Strict):
    """A forum."""

    id = c0(_id())
    number = c0(_text("F number"))
    names = c0(fields.Nested(NamesView, required=True))
    kind = c0(fields.Enum(ForumKind, by_value=True, required=True))
    founding = c0(fields.Enum(Founding, by_value=True, required=True))
    district = c0(_text("district of its main area"))
    area_ids = c0(fields.List(Id(), required=True, metadata={"description": "the main area first"}))
    status = c0(fields.Enum(ForumStatus, by_value=True, required=True))
    close_reason = c1(fields.Enum(CloseReason, by_value=True, required=True, allow_none=True))
    facilitator = c2(_maybe_text("name of who runs it; null also for those who may not see names"))
    rhythm_days = c1(fields.Integer(required=True))
    quorum = c1(fields.Nested(QuorumView, required=True))
    proposed_on = c1(fields.Date(required=True))
    established_on = c1(_day("exists on paper since"))
    activated_on = c1(_day("works since"))
    last_activity_at = c1(_moment("last meeting with quorum, verified action or answered concern"))
    at_risk_at = c1(_moment("without activity at risk from then on"))
    dormant_at = c1(_moment("without activity dormant from then on"))
    members_by_sector = c1(fields.Dict(keys=fields.String(), values=fields.Integer(), required=True))


class ForumPage(Strict):
    """Forums in the order they were proposed."""

    items = c2(fields.List(fields.Nested(ForumView), required=True))
    next = c0(_next())


class MemberView(Strict):
    """A member of a forum."""

    id = c1(_id())
    forum_id = c0(_id("the forum"))
    name = c2(_text("the person's name"))
    sector = c1(fields.Enum(Sector, by_value=True, required=True))
    role = c1(fields.Enum(MemberRole, by_value=True, required=True))
    joined_on = c1(fields.Date(required=True))
    left_on = c1(_day("member until"))
    contact = c2(_maybe_text("how to reach them"))
    contact_from_women = c2(fields.Boolean(required=True))
    account_id = c2(_maybe_id("their account on this node"))


class MemberPage(Strict):
    """Members in the order they were written down."""

    items = c2(fields.List(fields.Nested(MemberView), required=True))
    next = c0(_next())


class MeetingView(Strict):
    """A meeting."""

    id = c1(_id())
    number = c1(_text("M number"))
    forum_id = c0(_id("the forum"))
    status = c1(fields.Enum(MeetingStatus, by_value=True, required=True))
    session = c1(fields.Enum(Session, by_value=True, required=True))
    planned_at = c1(fields.AwareDateTime(required=True))
    place = c1(_text("where"))
    agenda = c1(fields.List(fields.String(), required=True))
    held_at = c1(_moment("when it began"))
    attendance = c1(fields.List(fields.Nested(Attendance), required=True))
    guests = c1(fields.Integer(required=True, allow_none=True))
    quorum_met = c1(fields.Boolean(required=True, allow_none=True, metadata={"description": "computed"}))
    tension = c1(fields.Integer(required=True, allow_none=True, metadata={"description": "1 calm to 5 near violence"}))
    cancel_reason = c1(fields.Enum(CancelReason, by_value=True, required=True, allow_none=True))


class MeetingPage(Strict):
    """Meetings in the order they were planned."""

    items = c1(fields.List(fields.Nested(MeetingView), required=True))
    next = c0(_next())


class ConcernView(Strict):
    """A concern."""

    id = c1(_id())
    forum_id = c0(_id("the forum"))
    area_id = c0(_maybe_id("the area it is about"))
    meeting_id = c1(_maybe_id("where it was raised"))
    category = c1(fields.Enum(ConcernCategory, by_value=True, required=True))
    text = c1(_text("in words"))
    raised_by = c1(fields.Enum(Sector, by_value=True, required=True))
    priority = c1(fields.Enum(Priority, by_value=True, required=True))
    status = c1(fields.Enum(ConcernStatus, by_value=True, required=True))
    raised_at = c1(fields.AwareDateTime(required=True))
    owner_kind = c1(fields.Enum(OwnerKind, by_value=True, required=True, allow_none=True))
    owner_name = c2(_maybe_text("who took it on; null also for those who may not see names"))
    answer = c1(_maybe_text("what was done or said"))
    answered_at = c1(_moment("when it was answered"))


class ConcernPage(Strict):
    """Concerns in the order they were raised."""

    items = c2(fields.List(fields.Nested(ConcernView), required=True))
    next = c0(_next())


class ActionView(Strict):
    """An action."""

    id = c1(_id())
    number = c1(_text("A number"))
    forum_id = c0(_id("the forum"))
    meeting_id = c1(_maybe_id("the meeting it came from"))
    concern_id = c1(_maybe_id("the concern it answers"))
    title = c1(_text("what is to be done"))
    status = c1(fields.Enum(ActionStatus, by_value=True, required=True))
    owner_kind = c1(fields.Enum(OwnerKind, by_value=True, required=True))
    owner_name = c2(_maybe_text("who does it; null for those who may not see names"))
    owner_sector = c1(fields.Enum(Sector, by_value=True, required=True))
    due_on = c1(_day("due by the end of this day"))
    overdue = c1(fields.Boolean(required=True))
    evidence = c1(_maybe_text("what the owner says there is to see"))
    finding = c1(_maybe_text("what was missing at the last look"))
    claimed_at = c1(_moment("when it was claimed done"))
    verified_at = c1(_moment("when it was verified"))
    verified_by_sector = c1(fields.Enum(Sector, by_value=True, required=True, allow_none=True))
    drop_reason = c1(fields.Enum(DropReason, by_value=True, required=True, allow_none=True))


class ActionPage(Strict):
    """Actions in the order they were proposed."""

    items = c2(fields.List(fields.Nested(ActionView), required=True))
    next = c0(_next())
