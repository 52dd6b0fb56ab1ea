"""What a case tells the rest of the country. Nothing in here names or describes one person.

Each accepted request that changes a case makes exactly one fact, restricted or not, with the
state after it. A restricted category has a shape of its own: the statistical part is one coarse form (month
and category group) and what else is told, to the home directorate only, says nothing of where, when or what
happened. `compose` refuses a field that the shape does not declare, so a restricted fact cannot carry a
district by mistake."""

from marshmallow import fields, validate

from contracts.case.endings import NextStep
from contracts.case.words import (
    AgeBand,
    CaseStatus,
    Category,
    CategoryGroup,
    Channel,
    Outcome,
    RecordingClass,
    Risk,
    Sex,
    Telling,
)
from kernel.fact import FactSchema, operational, statistical

CASE_EVENTS = (
    "opened",
    "imported",
    "triaged",
    "assigned",
    "started",
    "noted",
    "held",
    "resumed",
    "proposed",
    "closed",
    "withdrawn",
    "erased",
    "consented",
    "contact_changed",
    "staff_named",
    "reclassified",
    "confirmed",
    "contested",
    "unconfirmed",
    "reopened",
    "duplicate",
    "separated",
    "released",
    "handed_over",
    "taken_over",
    "recovered",
)


class CaseFact(FactSchema):
    """`case.<event>.v1`: a case as it now stands. Week and month are those in which it was reported, in
    Baghdad.

    `handler` is the hash of an account's id. `age_band` is the affected persons'; `parties_by_sex` stands
    only where `parties_told` is `told`. Which of them are told is decided by services/case/telling.py."""

    kind = "case"
    events = CASE_EVENTS

    district = statistical(fields.String(required=True, metadata={"description": "slug of the gazetteer"}))
    week = statistical(fields.String(required=True, metadata={"description": "ISO week, e.g. 2026-W09"}))
    month = statistical(fields.String(required=True, metadata={"description": "e.g. 2026-02"}))
    category = statistical(fields.Enum(Category, by_value=True, required=True))
    category_group = statistical(fields.Enum(CategoryGroup, by_value=True, required=True))
    recording_class = statistical(fields.Enum(RecordingClass, by_value=True, required=True))
    current_class = statistical(fields.Enum(RecordingClass, by_value=True, required=True))
    status = statistical(fields.Enum(CaseStatus, by_value=True, required=True))
    outcome = statistical(fields.Enum(Outcome, by_value=True, required=True, allow_none=True))
    age_band = statistical(fields.Enum(AgeBand, by_value=True, required=True))
    parties_told = statistical(fields.Enum(Telling, by_value=True, required=True))
    parties_by_sex = statistical(
        fields.Dict(keys=fields.Enum(Sex, by_value=True), values=fields.Integer(validate=validate.Range(min=0)))
    )

    counted = statistical(fields.Boolean(metadata={"description": "false where it was only taken over by a transfer"}))

    case_number = operational(fields.String(required=True))
    unit = operational(fields.String(required=True))
    handler = operational(fields.String(required=True, allow_none=True))
    risk = operational(fields.Enum(Risk, by_value=True, required=True, allow_none=True))
    channel = operational(fields.Enum(Channel, by_value=True, required=True))
    reported_at = operational(fields.AwareDateTime(required=True))
    incident_from = operational(fields.Date(required=True, allow_none=True))
    incident_until = operational(fields.Date(required=True, allow_none=True))
    first_contact_at = operational(fields.AwareDateTime(required=True, allow_none=True))
    review_on = operational(fields.Date(required=True, allow_none=True))
    closed_at = operational(fields.AwareDateTime(required=True, allow_none=True))
    notes = operational(fields.Integer(required=True, metadata={"description": "texts written since intake"}))
    next_step = operational(
        fields.Enum(NextStep, by_value=True, allow_none=True, metadata={"description": "what it waits for"})
    )
    due_at = operational(fields.AwareDateTime(allow_none=True, metadata={"description": "until when"}))
    reopened = operational(fields.Integer(metadata={"description": "how often it was taken up again after its end"}))
    duplicate_of = operational(
        fields.String(allow_none=True, metadata={"description": "id of the case that is counted for it"})
    )
    walled = operational(fields.Boolean(metadata={"description": "stands behind the conflict wall"}))
    upstream = operational(fields.Boolean(metadata={"description": "names who may not judge it here"}))
    quiet = operational(fields.Boolean(metadata={"description": "names staff: only its handler is told"}))


class RestrictedCaseFact(CaseFact):
    """`case.<event>.v1` of a restricted category: month and category group, and what overseeing it needs."""

    class Meta:
        exclude = (
            "district",
            "week",
            "category",
            "age_band",
            "parties_told",
            "parties_by_sex",
            "channel",
            "reported_at",
            "incident_from",
            "incident_until",
            "first_contact_at",
        )

    recording_class = operational(fields.Enum(RecordingClass, by_value=True, required=True))
    current_class = operational(fields.Enum(RecordingClass, by_value=True, required=True))
    status = operational(fields.Enum(CaseStatus, by_value=True, required=True))
    outcome = operational(fields.Enum(Outcome, by_value=True, required=True, allow_none=True))
    counted = operational(fields.Boolean())
