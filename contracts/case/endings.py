"""What may follow an end: confirmation, reopening; duplicates; and what is due next.

| door | request | answer | group | API |
|---|---|---|---|---|
| `reopen` | Reopen | CaseSummary | SUPERVISION | POST /cases/{case_id}/reopen |
| `mark_duplicate` | MarkDuplicate | CaseSummary | SUPERVISION | POST /cases/{case_id}/duplicate |
| `separate` | Separate | CaseSummary | SUPERVISION | POST /cases/{case_id}/separate |
| `list_next_steps` | NextStepQuery | CasePage | CASE_READ | GET /next-steps |
| `list_confirmations` | ConfirmationQuery | ConfirmationPage | CONFIRMATION | GET /confirmations |
| `get_confirmation` | GetConfirmation | InterviewView | CONFIRMATION | GET /confirmations/{confirmation_id} |
| `record_confirmation` | RecordConfirmation | ConfirmationView | CONFIRMATION | POST /confirmations/{confirmation_id}/answer |
"""  # noqa: E501 - a table

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from contracts.case.parties import ContactPlanView
from contracts.case.shapes import OfCase, known, shown, shown_instant, shown_text, told, version
from contracts.case.words import Category, CategoryGroup, HandlerPreference, Language, Outcome
from kernel.fact import FactSchema, operational, statistical
from kernel.paging import PageQuery
from kernel.schema import Id, Strict, c1, c4

CONFIRMATION_EVENTS = ("drawn", "answered")


class NextStep(StrEnum):
    """What an open case waits for."""

    TRIAGE = "triage"
    ASSIGN = "assign"
    FIRST_CONTACT = "first_contact"
    WORK = "work"
    REVIEW = "review"
    APPROVAL = "approval"


class ConfirmationAnswer(StrEnum):
    """What came of asking the person whether the case really ended so."""

    CONFIRMED = "confirmed"
    CONTESTED = "contested"
    UNCONFIRMED = "unconfirmed"


class Unasked(StrEnum):
    """Why an end was left unconfirmed."""

    NOT_REACHED = "not_reached"
    DECLINED = "declined"
    UNSAFE_TO_CONTACT = "unsafe_to_contact"
    NO_CONSENT = "no_consent"
    NO_PERSON = "no_person"
    LAPSED = "lapsed"


class Reopen(OfCase):
    """Take an ended case up again, from triage on."""

    text = told("why")


class MarkDuplicate(OfCase):
    """Say that the case tells again what another one told first. It is counted there, and can be separated again."""

    original_id = c1(Id(required=True))
    text = told("how that is known")


class Separate(OfCase):
    """It was no duplicate: the case stands again where it stood."""

    text = told("how that is known")


class NextStepQuery(Strict):
    """Open cases in the order in which something is due; the most urgent `limit`, without a next page."""

    assigned_to_me = c1(fields.Boolean(load_default=False))
    overdue = c1(fields.Boolean(load_default=False, metadata={"description": "only what was due before now"}))
    limit = c1(fields.Integer(load_default=50, validate=validate.Range(1, 200)))


class ConfirmationQuery(PageQuery):
    """The interviews that the caller may hold, oldest first."""

    open_only = c1(fields.Boolean(load_default=True))


class GetConfirmation(Strict):
    """What the interviewer needs: how the person may be reached, and how the case ended. Each reading is audited."""

    confirmation_id = c1(Id(required=True))


class RecordConfirmation(Strict):
    """What came of the interview. `contested` opens the case again."""

    confirmation_id = c1(Id(required=True))
    version = version()
    answer = c1(known(ConfirmationAnswer, required=True))
    unasked = c1(
        known(
            Unasked,
            load_default=None,
            allow_none=True,
            validate=validate.NoneOf([Unasked.LAPSED]),
            metadata={"description": "why, if it stays unconfirmed"},
        )
    )
    text = told(required=False)

    @validates_schema
    def _why(self, data: Mapping[str, Any], **_: Any) -> None:
        unconfirmed = data.get("answer") is ConfirmationAnswer.UNCONFIRMED
        if unconfirmed != (data.get("unasked") is not None):
            raise ValidationError("Say why if, and only if, it stays unconfirmed.", "unasked")


class ConfirmationView(Strict):
    """An interview. `unit`: whose interviewers hold it; null: those of no unit."""

    id = c1(shown_text())
    version = c1(fields.Integer(required=True))
    case_number = c1(shown_text())
    unit = c1(shown_text(empty=True))
    from_at = c1(shown_instant())
    until_at = c1(shown_instant())
    answer = c1(shown(ConfirmationAnswer, empty=True))
    unasked = c1(shown(Unasked, empty=True))
    answered_at = c1(shown_instant(empty=True))


class ConfirmationPage(Strict):
    items = c1(fields.List(fields.Nested(ConfirmationView), required=True))
    next = c1(shown_text(empty=True))


class InterviewView(ConfirmationView):
    """An interview with what is needed to hold it, and nothing of what the case is about."""

    outcome = c1(shown(Outcome, empty=True))
    language = c1(shown(Language))
    interpreter = c1(fields.Boolean(required=True))
    handler_preference = c1(shown(HandlerPreference))
    contact_plan = c4(fields.Nested(ContactPlanView, required=True, allow_none=True))
    caution = c4(shown_text(empty=True))


class ConfirmationFact(FactSchema):
    """`confirmation.<event>.v1`: the interview after a case was closed. Month is that of the closing."""

    kind = "confirmation"
    events = CONFIRMATION_EVENTS

    month = statistical(fields.String(required=True))
    category = statistical(fields.Enum(Category, by_value=True, required=True))
    category_group = statistical(fields.Enum(CategoryGroup, by_value=True, required=True))
    answer = statistical(fields.Enum(ConfirmationAnswer, by_value=True, required=True, allow_none=True))
    unasked = statistical(fields.Enum(Unasked, by_value=True, required=True, allow_none=True))

    case = operational(fields.String(required=True, metadata={"description": "id of the case"}))
    case_number = operational(fields.String(required=True))
    unit = operational(fields.String(required=True, metadata={"description": "the unit that handled the case"}))
    walled = operational(fields.Boolean(required=True))
    interviewing_unit = operational(fields.String(required=True, allow_none=True))
    until_at = operational(fields.AwareDateTime(required=True))
    quiet = operational(fields.Boolean(metadata={"description": "names staff: nobody is notified by role"}))


class RestrictedConfirmationFact(ConfirmationFact):
    """`confirmation.<event>.v1` of a case of a restricted category: what came of it, for the home directorate."""

    class Meta:
        exclude = ("category",)

    answer = operational(fields.Enum(ConfirmationAnswer, by_value=True, required=True, allow_none=True))
    unasked = operational(fields.Enum(Unasked, by_value=True, required=True, allow_none=True))
