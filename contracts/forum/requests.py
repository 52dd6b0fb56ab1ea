"""What the forum service can be asked about areas, forums and members. One class per door.

Ids of the path are values like any other.
"""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from contracts.forum.shapes import MAX_PEOPLE, an_id, choice, day, flag, maybe_id, whole
from contracts.forum.words import (
    AreaKind,
    AreaType,
    CloseReason,
    Dimension,
    ForumKind,
    ForumStatus,
    Founding,
    MemberRole,
    Sector,
)
from kernel.paging import PageQuery
from kernel.schema import Id, Strict, Text, c0, c1, c2

MAX_AREAS = 50


def _maybe_text(most: int, description: str) -> Text:
    return Text(max=most, load_default=None, allow_none=True, metadata={"description": description})


class Names(Strict):
    """A public name in the languages it has. One of ar and ckb at least."""

    ar = c0(_maybe_text(200, "Arabic"))
    ckb = c0(_maybe_text(200, "Kurdish (Sorani)"))
    kmr = c0(_maybe_text(200, "Kurdish (Kurmanji)"))
    en = c0(_maybe_text(200, "English"))

    @validates_schema
    def _one_local_name(self, data: Mapping[str, Any], **_: Any) -> None:
        if not (data.get("ar") or data.get("ckb")):
            raise ValidationError("Give the name in Arabic (ar) or Kurdish (ckb).", "ar")


# --- areas


class AreaQuery(PageQuery):
    """List areas."""

    kind = c0(choice(AreaKind, "only this kind"))
    district = c0(_maybe_text(64, "only this district (slug)"))
    parent_id = c0(maybe_id("only areas directly inside this one"))


class GetArea(Strict):
    """One area."""

    area_id = c0(an_id("the area"))


class AddArea(Strict):
    """Add a place to this node's list."""

    kind = c0(choice(AreaKind, "how large it is", required=True))
    names = c0(fields.Nested(Names, required=True, metadata={"description": "its names"}))
    district = c0(Text(max=64, required=True, metadata={"description": "slug of a district of this governorate"}))
    parent_id = c0(maybe_id("the area that contains it"))
    area_type = c0(choice(AreaType, "what displacement did to it"))
    code = c0(_maybe_text(32, "official code, e.g. p-code"))


# --- forums


class ForumQuery(PageQuery):
    """List forums."""

    status = c0(choice(ForumStatus, "only these"))
    kind = c0(choice(ForumKind, "only this kind"))
    district = c0(_maybe_text(64, "only this district (slug)"))
    area_id = c0(maybe_id("only forums that cover this area"))


class GetForum(Strict):
    """One forum."""

    forum_id = c0(an_id("the forum"))


class QuorumRule(Strict):
    """When a meeting may decide. All three must be met; guests do not count. What is left out is what the rules of the
    node say (docs/rules.md)."""

    people = c1(whole(1, MAX_PEOPLE, "at least so many people"))
    sectors = c1(whole(1, len(Sector), "from at least so many sectors"))
    women = c1(whole(0, MAX_PEOPLE, "with at least so many women"))


class ProposeForum(Strict):
    """Propose a forum for one or several areas."""

    names = c0(fields.Nested(Names, required=True, metadata={"description": "its names; of a place, not a person"}))
    kind = c0(choice(ForumKind, "what kind of group", load_default=ForumKind.FORUM))
    founding = c0(choice(Founding, "who began it", required=True))
    area_ids = c0(
        fields.List(
            Id(),
            required=True,
            validate=validate.Length(1, MAX_AREAS),
            metadata={"description": "the areas it covers, the main one first"},
        )
    )
    rhythm_days = c1(whole(7, 180, "it means to meet every so many days; otherwise as the rules of the node say"))
    quorum = c1(
        fields.Nested(
            QuorumRule,
            load_default=None,
            allow_none=True,
            metadata={"description": "when a meeting may decide"},
        )
    )
    facilitator = c2(_maybe_text(200, "name of who runs it, often a civilian"))


class EstablishForum(GetForum):
    """Say that the forum exists on paper."""

    established_on = c1(day("the day, not in the future", required=True))


class ActivateForum(GetForum):
    """Say that an established forum began to work. A dormant one returns by an activity only."""

    activated_on = c1(day("the day, not before establishment", required=True))


class CloseForum(GetForum):
    """End a forum for good."""

    reason = c1(choice(CloseReason, "why", required=True))


class AppointFacilitator(GetForum):
    """Say who runs the forum now. The right to write it is in that person's account."""

    facilitator = c2(Text(max=200, required=True, metadata={"description": "name of who runs it"}))


class CompositionCount(Strict):
    """One line of a declared composition."""

    dimension = c1(choice(Dimension, "what is counted", required=True))
    group = c1(Text(max=60, required=True, metadata={"description": "the group counted, e.g. female"}))
    count = c1(whole(0, MAX_PEOPLE, "how many people", required=True))


class DeclareComposition(GetForum):
    """Declare who sits in a forum, as counts it gives about itself. A new one stands beside the old."""

    declared_on = c1(day("the day of the declaration, not in the future", required=True))
    counts = c1(
        fields.List(
            fields.Nested(CompositionCount),
            required=True,
            validate=validate.Length(1, 100),
            metadata={"description": "counts; a group may stand once in a dimension"},
        )
    )

    @validates_schema
    def _each_group_once(self, data: Mapping[str, Any], **_: Any) -> None:
        seen = [(line["dimension"], line["group"]) for line in data.get("counts", [])]
        if len(seen) != len(set(seen)):
            raise ValidationError("A group may stand only once in a dimension.", "counts")


class CompositionQuery(PageQuery):
    """List the compositions a forum declared."""

    forum_id = c0(an_id("the forum"))


# --- members


class MemberQuery(PageQuery):
    """List the members of a forum."""

    forum_id = c0(an_id("the forum"))
    current = c0(flag("only those still in it"))


class AddMember(GetForum):
    """Write a member into the forum's list."""

    name = c2(Text(max=200, required=True, metadata={"description": "the person's name"}))
    sector = c1(choice(Sector, "whom they speak for", required=True))
    role = c1(choice(MemberRole, "what they do", load_default=MemberRole.MEMBER))
    joined_on = c1(day("member since, not in the future", required=True))
    contact = c2(_maybe_text(200, "how to reach them"))
    contact_from_women = c2(flag("has agreed that women may contact them", load_default=False))
    account_id = c2(maybe_id("their account on this node, so that they can verify actions themselves"))


class EndMembership(GetForum):
    """Say that a member has left."""

    member_id = c1(an_id("the membership"))
    left_on = c1(day("the day, not in the future", required=True))
