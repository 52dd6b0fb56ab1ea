"""What the forum service says happened.

Statistical: counts, kinds, districts, states, ISO weeks. Operational: numbers, dates, ids.

A private session (closed, women only) is counted like any other, but shows neither who came nor how tense it
was, and a concern raised there not what it is about: `suppressed` is true and the values are null, which is not
zero. Compositions and facilitators make no fact: in a district of one forum their small counts name people.
"""

from marshmallow import fields, validate

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
    OwnerKind,
    Priority,
    Sector,
    Session,
    Sex,
)
from kernel.fact import FactSchema, operational, statistical

COUNT = validate.Range(min=0)
WEEK = validate.Regexp(r"^\d{4}-W\d{2}$")


def _count() -> fields.Integer:
    return fields.Integer(required=True, validate=COUNT)


def _sector_counts() -> fields.Dict:
    return fields.Dict(
        keys=fields.Enum(Sector, by_value=True),
        values=fields.Integer(validate=COUNT),
        required=True,
        allow_none=True,
        metadata={"description": "people by sector; null when suppressed"},
    )


def _week() -> fields.String:
    return fields.String(required=True, validate=WEEK, metadata={"description": "ISO week, Asia/Baghdad"})


def _district() -> fields.String:
    return fields.String(required=True, metadata={"description": "slug of the gazetteer"})


class AreaFact(FactSchema):
    """A place: added, recovered. All of it is public (C0)."""

    kind = "area"
    events = ("added", "recovered")

    area_kind = statistical(fields.Enum(AreaKind, by_value=True, required=True))
    area_type = statistical(fields.Enum(AreaType, by_value=True, required=True, allow_none=True))
    names = statistical(fields.Dict(keys=fields.String(), values=fields.String(), required=True))
    district = statistical(_district())
    parent_id = statistical(fields.String(required=True, allow_none=True))
    code = statistical(fields.String(required=True, allow_none=True))


class ForumFact(FactSchema):
    """A forum: proposed, established, activated, at_risk, dormant, closed, members_changed, recovered.

    `activated` also says that a quiet forum came back by an activity.
    """

    kind = "forum"
    events = ("proposed", "established", "activated", "at_risk", "dormant", "closed", "members_changed", "recovered")

    forum_kind = statistical(fields.Enum(ForumKind, by_value=True, required=True))
    founding = statistical(fields.Enum(Founding, by_value=True, required=True))
    district = statistical(_district())
    status = statistical(fields.Enum(ForumStatus, by_value=True, required=True))
    close_reason = statistical(fields.Enum(CloseReason, by_value=True, required=True, allow_none=True))
    areas = statistical(_count())
    members = statistical(_count())
    members_by_sector = statistical(_sector_counts())
    week = statistical(_week())
    number = operational(fields.String(required=True))
    area_ids = operational(fields.List(fields.String(), required=True))
    rhythm_days = operational(_count())
    proposed_on = operational(fields.Date(required=True))
    established_on = operational(fields.Date(required=True, allow_none=True))
    activated_on = operational(fields.Date(required=True, allow_none=True))
    last_activity_on = operational(fields.Date(required=True, allow_none=True))


class MeetingFact(FactSchema):
    """A meeting: planned, held, no_quorum, cancelled, recovered."""

    kind = "meeting"
    events = ("planned", "held", "no_quorum", "cancelled", "recovered")

    forum_kind = statistical(fields.Enum(ForumKind, by_value=True, required=True))
    district = statistical(_district())
    session = statistical(fields.Enum(Session, by_value=True, required=True))
    status = statistical(fields.Enum(MeetingStatus, by_value=True, required=True))
    cancel_reason = statistical(fields.Enum(CancelReason, by_value=True, required=True, allow_none=True))
    quorum_met = statistical(fields.Boolean(required=True, allow_none=True))
    suppressed = statistical(fields.Boolean(required=True))
    attendance_by_sector = statistical(_sector_counts())
    attendance_by_sex = statistical(
        fields.Dict(
            keys=fields.Enum(Sex, by_value=True),
            values=fields.Integer(validate=COUNT),
            required=True,
            allow_none=True,
        )
    )
    tension = statistical(fields.Integer(required=True, allow_none=True, validate=validate.Range(1, 5)))
    week = statistical(_week())
    number = operational(fields.String(required=True))
    forum_id = operational(fields.String(required=True))
    planned_on = operational(fields.Date(required=True))
    held_on = operational(fields.Date(required=True, allow_none=True))


class ConcernFact(FactSchema):
    """A concern: raised, accepted, with_owner, answered, satisfied, unsatisfied, recovered. Its text stays here."""

    kind = "concern"
    events = ("raised", "accepted", "with_owner", "answered", "satisfied", "unsatisfied", "recovered")

    forum_kind = statistical(fields.Enum(ForumKind, by_value=True, required=True))
    district = statistical(_district())
    suppressed = statistical(fields.Boolean(required=True))
    category = statistical(fields.Enum(ConcernCategory, by_value=True, required=True, allow_none=True))
    priority = statistical(fields.Enum(Priority, by_value=True, required=True, allow_none=True))
    raised_by = statistical(fields.Enum(Sector, by_value=True, required=True, allow_none=True))
    owner_kind = statistical(fields.Enum(OwnerKind, by_value=True, required=True, allow_none=True))
    status = statistical(fields.Enum(ConcernStatus, by_value=True, required=True))
    week = statistical(_week())
    forum_id = operational(fields.String(required=True))
    raised_on = operational(fields.Date(required=True))
    answered_on = operational(fields.Date(required=True, allow_none=True))


class ActionFact(FactSchema):
    """An action: proposed, agreed, started, done_claimed, verified, not_verified, dropped, overdue, recovered."""

    kind = "action"
    events = (
        "proposed",
        "agreed",
        "started",
        "done_claimed",
        "verified",
        "not_verified",
        "dropped",
        "overdue",
        "recovered",
    )

    forum_kind = statistical(fields.Enum(ForumKind, by_value=True, required=True))
    district = statistical(_district())
    owner_kind = statistical(fields.Enum(OwnerKind, by_value=True, required=True))
    owner_sector = statistical(fields.Enum(Sector, by_value=True, required=True))
    status = statistical(fields.Enum(ActionStatus, by_value=True, required=True))
    drop_reason = statistical(fields.Enum(DropReason, by_value=True, required=True, allow_none=True))
    overdue = statistical(fields.Boolean(required=True))
    verified_by_sector = statistical(fields.Enum(Sector, by_value=True, required=True, allow_none=True))
    week = statistical(_week())
    number = operational(fields.String(required=True))
    forum_id = operational(fields.String(required=True))
    meeting_id = operational(fields.String(required=True, allow_none=True))
    concern_id = operational(fields.String(required=True, allow_none=True))
    due_on = operational(fields.Date(required=True, allow_none=True))
    claimed_on = operational(fields.Date(required=True, allow_none=True))
    verified_on = operational(fields.Date(required=True, allow_none=True))
