"""Calling the local police for help, with a clock. Community police may not arrest; they ask, and write down what came.

| door | request | answer | group | API |
|---|---|---|---|---|
| `request_assistance` | RequestAssistance | AssistanceView | CASE_STEPS | POST /cases/{case_id}/assistance |
| `list_assistance` | AssistanceQuery | AssistancePage | CASE_READ | GET /cases/{case_id}/assistance |
| `acknowledge_assistance` | AssistanceAnswered | AssistanceView | CASE_STEPS | POST /assistance/{assistance_id}/acknowledge |
| `arrive_assistance` | AssistanceAnswered | AssistanceView | CASE_STEPS | POST /assistance/{assistance_id}/on-scene |
| `end_assistance` | EndAssistance | AssistanceView | CASE_STEPS | POST /assistance/{assistance_id}/end |
| `refuse_assistance` | RefuseAssistance | AssistanceView | CASE_STEPS | POST /assistance/{assistance_id}/refuse |
"""  # noqa: E501 - a table

from enum import StrEnum

from marshmallow import fields

from contracts.case.shapes import OfCase, known, shown, shown_instant, shown_text, told, version
from contracts.case.words import Category, CategoryGroup
from kernel.fact import FactSchema, operational, statistical
from kernel.paging import PageQuery
from kernel.schema import Id, Instant, Strict, Text, c1

ASSISTANCE_EVENTS = ("sent", "acknowledged", "on_scene", "ended", "refused", "no_answer")


class AssistanceStatus(StrEnum):
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    ON_SCENE = "on_scene"
    ENDED = "ended"
    REFUSED = "refused"
    NO_ANSWER = "no_answer"


class AssistanceRefusal(StrEnum):
    NO_UNIT_FREE = "no_unit_free"
    NO_VEHICLE = "no_vehicle"
    NOT_OUR_AREA = "not_our_area"
    NOT_A_POLICE_MATTER = "not_a_police_matter"
    FAMILY_MATTER = "family_matter"
    OTHER = "other"


class AssistanceResult(StrEnum):
    """How it ended on the scene."""

    CALMED = "calmed"
    PERSON_BROUGHT_TO_SAFETY = "person_brought_to_safety"
    TAKEN_OVER_BY_LOCAL_POLICE = "taken_over_by_local_police"
    NOBODY_THERE = "nobody_there"
    OTHER = "other"


class RequestAssistance(OfCase):
    """Ask the local police to come."""

    station = c1(Text(max=200, required=True, metadata={"description": "name of the station, not of a person"}))
    text = told("what is needed, and what they were told")
    withheld_reason = told("why they are called although a person asked to keep it from them", required=False)


class AssistanceQuery(PageQuery):
    """The calls for help of one case, oldest first."""

    case_id = c1(Id(required=True))


class _OfAssistance(Strict):
    assistance_id = c1(Id(required=True))
    version = version()


class AssistanceAnswered(_OfAssistance):
    """They answered, or they came."""

    happened_at = c1(Instant(load_default=None, allow_none=True, metadata={"description": "default: now"}))


class EndAssistance(AssistanceAnswered):
    """They left."""

    result = c1(known(AssistanceResult, required=True))
    text = told(required=False)


class RefuseAssistance(AssistanceAnswered):
    """They will not come, and why."""

    refusal = c1(known(AssistanceRefusal, required=True))
    text = told(required=False)


class AssistanceView(Strict):
    """A call for help and its clock. What was said is a note of the case (`assistance`)."""

    id = c1(shown_text())
    version = c1(fields.Integer(required=True))
    case_id = c1(shown_text())
    status = c1(shown(AssistanceStatus))
    station = c1(shown_text())
    sent_at = c1(shown_instant())
    answer_due_at = c1(shown_instant())
    no_answer_at = c1(shown_instant(empty=True))
    acknowledged_at = c1(shown_instant(empty=True))
    on_scene_at = c1(shown_instant(empty=True))
    ended_at = c1(shown_instant(empty=True))
    result = c1(shown(AssistanceResult, empty=True))
    refusal = c1(shown(AssistanceRefusal, empty=True))


class AssistancePage(Strict):
    items = c1(fields.List(fields.Nested(AssistanceView), required=True))
    next = c1(shown_text(empty=True))


class AssistanceFact(FactSchema):
    """`assistance.<event>.v1`: a call for help as it now stands. Month is that in which it was sent."""

    kind = "assistance"
    events = ASSISTANCE_EVENTS

    month = statistical(fields.String(required=True))
    category = statistical(fields.Enum(Category, by_value=True, required=True))
    category_group = statistical(fields.Enum(CategoryGroup, by_value=True, required=True))
    status = statistical(fields.Enum(AssistanceStatus, by_value=True, required=True))
    refusal = statistical(fields.Enum(AssistanceRefusal, by_value=True, required=True, allow_none=True))
    unanswered = statistical(
        fields.Boolean(required=True, metadata={"description": "was ever without answer when due"})
    )

    case = operational(fields.String(required=True, metadata={"description": "id of the case"}))
    case_number = operational(fields.String(required=True))
    unit = operational(fields.String(required=True))
    walled = operational(fields.Boolean(required=True))
    result = operational(fields.Enum(AssistanceResult, by_value=True, required=True, allow_none=True))
    sent_at = operational(fields.AwareDateTime(required=True))
    acknowledged_at = operational(fields.AwareDateTime(required=True, allow_none=True))
    on_scene_at = operational(fields.AwareDateTime(required=True, allow_none=True))
    ended_at = operational(fields.AwareDateTime(required=True, allow_none=True))
    handler = operational(fields.String(allow_none=True, metadata={"description": "hash of the account's id"}))
    quiet = operational(fields.Boolean(metadata={"description": "names staff: only its handler is told"}))


class RestrictedAssistanceFact(AssistanceFact):
    """`assistance.<event>.v1` of a case of a restricted category: whether help was called, for the home directorate."""

    class Meta:
        exclude = ("category", "refusal", "result", "sent_at", "acknowledged_at", "on_scene_at", "ended_at")

    status = operational(fields.Enum(AssistanceStatus, by_value=True, required=True))
    unanswered = operational(fields.Boolean(required=True))
