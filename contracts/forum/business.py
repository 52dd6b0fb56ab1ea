"""What the forum service can be asked about meetings, concerns and actions. One class per door."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from contracts.forum.requests import GetForum
from contracts.forum.shapes import MAX_PEOPLE, an_id, choice, day, flag, maybe_id, moment, whole
from contracts.forum.words import (
    ActionStatus,
    CancelReason,
    ConcernCategory,
    ConcernStatus,
    DropReason,
    MeetingStatus,
    OwnerKind,
    Priority,
    Sector,
    Session,
    Sex,
)
from kernel.paging import PageQuery
from kernel.schema import Strict, Text, c0, c1, c2

MAX_AGENDA = 30


def _line(most: int, description: str) -> Text:
    return Text(max=most, required=True, metadata={"description": description})


def _prose(most: int, description: str) -> Text:
    return Text(max=most, multiline=True, required=True, metadata={"description": f"{description}; names nobody"})


# --- meetings


class MeetingQuery(PageQuery):
    """List the meetings of a forum."""

    forum_id = c0(an_id("the forum"))
    status = c1(choice(MeetingStatus, "only these"))


class GetMeeting(GetForum):
    """One meeting of a forum."""

    meeting_id = c1(an_id("the meeting"))


class PlanMeeting(GetForum):
    """Plan a meeting."""

    planned_at = c1(moment("when, with its time zone", required=True))
    place = c1(_line(200, "where"))
    session = c1(choice(Session, "who it is for", load_default=Session.OPEN))
    agenda = c1(
        fields.List(
            Text(max=300),
            load_default=list,
            validate=validate.Length(0, MAX_AGENDA),
            metadata={"description": "agenda items"},
        )
    )


class Attendance(Strict):
    """How many people of one sector and sex came."""

    sector = c1(choice(Sector, "their sector", required=True))
    sex = c1(choice(Sex, "their sex", required=True))
    count = c1(whole(0, MAX_PEOPLE, "how many", required=True))


class HoldMeeting(GetMeeting):
    """Say that the meeting took place and who came. Whether there was a quorum is computed, not declared."""

    held_at = c1(moment("when it began, not in the future", required=True))
    attendance = c1(
        fields.List(
            fields.Nested(Attendance),
            required=True,
            validate=validate.Length(0, len(Sector) * len(Sex)),
            metadata={"description": "members who came, by sector and sex; each pair once"},
        )
    )
    guests = c1(whole(0, MAX_PEOPLE, "others who came; not part of a quorum", load_default=0))
    tension = c1(whole(1, 5, "1 calm to 5 near violence, as the facilitator felt it", required=True))

    @validates_schema
    def _each_pair_once(self, data: Mapping[str, Any], **_: Any) -> None:
        pairs = [(line["sector"], line["sex"]) for line in data.get("attendance", [])]
        if len(pairs) != len(set(pairs)):
            raise ValidationError("A pair of sector and sex may stand only once.", "attendance")


class CancelMeeting(GetMeeting):
    """Say that a planned meeting does not take place."""

    reason = c1(choice(CancelReason, "why", required=True))


# --- concerns


class ConcernQuery(PageQuery):
    """List the concerns of a forum."""

    forum_id = c0(an_id("the forum"))
    status = c1(choice(ConcernStatus, "only these"))
    category = c1(choice(ConcernCategory, "only these"))


class GetConcern(Strict):
    """One concern."""

    concern_id = c1(an_id("the concern"))


class RaiseConcern(GetForum):
    """Write down what a sector is worried about."""

    category = c1(choice(ConcernCategory, "what about", required=True))
    text = c1(_prose(4000, "in words"))
    raised_by = c1(choice(Sector, "which sector", required=True))
    priority = c1(choice(Priority, "how pressing", load_default=Priority.MEDIUM))
    area_id = c0(maybe_id("the area it is about; otherwise the forum's main area"))
    meeting_id = c1(maybe_id("the meeting of this forum where it was raised"))


class AcceptConcern(GetConcern):
    """The forum takes the concern up."""


class OwnConcern(GetConcern):
    """Somebody takes the concern on."""

    owner_kind = c1(choice(OwnerKind, "who takes it on", required=True))
    owner_name = c2(_line(200, "their name or office"))


class AnswerConcern(GetConcern):
    """What was done or said about it."""

    answer = c1(_prose(4000, "in words"))


class JudgeConcern(GetConcern):
    """Whether the answer satisfies those who raised it. Not by the account that wrote the answer."""

    satisfied = c1(flag("whether they are satisfied", required=True))


# --- actions


class ActionQuery(PageQuery):
    """List actions."""

    forum_id = c0(maybe_id("only of this forum"))
    status = c1(choice(ActionStatus, "only these"))
    overdue = c1(flag("only those that are open past their day, or only the others"))


class GetAction(Strict):
    """One action."""

    action_id = c1(an_id("the action"))


class ProposeAction(GetForum):
    """Propose that somebody does something, out of a meeting, a concern or both."""

    title = c1(_line(300, "what is to be done; names nobody"))
    owner_kind = c1(choice(OwnerKind, "who would do it", required=True))
    owner_name = c2(_line(200, "their name or office"))
    owner_sector = c1(choice(Sector, "the owner's sector", required=True))
    meeting_id = c1(maybe_id("the meeting it came from"))
    concern_id = c1(maybe_id("the concern it answers"))
    due_on = c1(day("due by the end of this day"))

    @validates_schema
    def _from_somewhere(self, data: Mapping[str, Any], **_: Any) -> None:
        if not (data.get("meeting_id") or data.get("concern_id")):
            raise ValidationError("An action comes from a meeting or a concern; name one.", "meeting_id")


class AgreeAction(GetAction):
    """The forum and the owner agree on the action and its day."""

    due_on = c1(day("due by the end of this day; needed unless it was proposed with one"))


class StartAction(GetAction):
    """Work on the action begins, or begins again after it could not be verified."""


class ClaimAction(GetAction):
    """The owner says it is done."""

    evidence = c1(_prose(2000, "what there is to see"))


class VerifyAction(GetAction):
    """A member of another sector than the owner has seen that it is done. Not by who claimed it."""

    member_id = c1(maybe_id("the member who has seen it; left out, the member who holds the calling account"))


class RejectAction(VerifyAction):
    """A member of another sector than the owner has seen that it is not done."""

    finding = c1(_prose(2000, "what is missing"))


class DropAction(GetAction):
    """Give the action up."""

    reason = c1(choice(DropReason, "why", required=True))
