"""What the case service can be asked. One class per door; ids of the path are values like any other.

A move may carry `version`, the version of the record that the caller saw: if it has moved on since, the
request is refused with both. Free text and whatever names a person is C3 or C4: it is stored apart from the
case and never told."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from contracts.case.parties import MAX_CONSENTS, MAX_STAFF, Consent, ContactPlan, StaffNamed
from contracts.case.shapes import told
from contracts.case.words import (
    Answer,
    AskedBy,
    CaseStatus,
    Category,
    Channel,
    HandlerPreference,
    Informed,
    Language,
    Outcome,
    PartyRole,
    PriorResort,
    Risk,
    Sex,
)
from contracts.gazetteer import gazetteer
from kernel.paging import PageQuery
from kernel.schema import Day, Id, Instant, Strict, Text, c0, c1, c2, c3, c4

MAX_PARTIES = 30
MAX_AGE = 120
NARRATIVE = 20_000
NOTE = 8_000
REASON = 500
PROPOSABLE = tuple(outcome for outcome in Outcome if outcome not in (Outcome.WITHDRAWN, Outcome.DUPLICATE))


def _district(slug: str) -> None:
    if slug not in gazetteer():
        raise ValidationError("There is no such district in the gazetteer.")


def _must_be_true(value: bool) -> None:
    if not value:
        raise ValidationError("Must have been done before this step.")


def _reason() -> Text:
    note = {"description": "why identity is read by someone who does not handle the case; kept in the audit log"}
    return c4(Text(min=5, max=REASON, load_default=None, allow_none=True, metadata=note))


def _version() -> fields.Integer:
    note = {"description": "the version you saw; refused with both if the record has moved on"}
    checked = validate.Range(min=1)
    return c1(fields.Integer(strict=True, load_default=None, allow_none=True, validate=checked, metadata=note))


def _known(enum: Any, **options: Any) -> fields.Enum:
    return fields.Enum(enum, by_value=True, **options)


class Answers(Strict):
    """The seven fixed questions. Each must be answered; `unknown` is an answer."""

    force = c1(_known(Answer, required=True))
    threat = c1(_known(Answer, required=True))
    injury = c1(_known(Answer, required=True))
    weapon = c1(_known(Answer, required=True))
    child = c1(_known(Answer, required=True))
    money_taken = c1(_known(Answer, required=True))
    images_misused = c1(_known(Answer, required=True))


class Party(Strict):
    """Someone in a case. Nothing here says what group a person belongs to, and nothing may."""

    role = c1(_known(PartyRole, required=True))
    name = c3(Text(max=200, load_default=None, allow_none=True))
    sex = c3(_known(Sex, load_default=Sex.UNKNOWN))
    birth_date = c3(Day(load_default=None, allow_none=True))
    age = c3(
        fields.Integer(
            strict=True,
            load_default=None,
            allow_none=True,
            validate=validate.Range(0, MAX_AGE),
            metadata={"description": "in years, where the birth date is not known"},
        )
    )
    phone = c3(Text(max=40, load_default=None, allow_none=True))
    address = c3(Text(max=500, load_default=None, allow_none=True))
    consents = c3(fields.List(fields.Nested(Consent), load_default=list, validate=validate.Length(max=MAX_CONSENTS)))

    @validates_schema
    def _one_age(self, data: Mapping[str, Any], **_: Any) -> None:
        if data.get("birth_date") is not None and data.get("age") is not None:
            raise ValidationError("Give the birth date or the age, not both.", "age")


class OpenCase(Strict):
    """Record what happened, before anything is decided about it."""

    answers = c1(fields.Nested(Answers, required=True))
    category = c1(_known(Category, required=True))
    risk = c1(_known(Risk, load_default=None, allow_none=True))
    channel = c1(_known(Channel, required=True))
    district = c0(Text(max=64, required=True, validate=_district, metadata={"description": "of the incident"}))
    incident_from = c1(Day(load_default=None, allow_none=True))
    incident_until = c1(Day(load_default=None, allow_none=True))
    reported_at = c1(Instant(load_default=None, allow_none=True, metadata={"description": "default: now"}))
    language = c1(_known(Language, load_default=Language.ARABIC))
    interpreter = c1(fields.Boolean(load_default=False))
    handler_preference = c1(_known(HandlerPreference, load_default=HandlerPreference.ANY))
    prior_resort = c1(_known(PriorResort, load_default=PriorResort.NOT_SAID))
    pressure_reported = c1(fields.Boolean(load_default=False))
    unit = c1(Text(max=64, load_default=None, allow_none=True, metadata={"description": "default: your own"}))
    parties = c3(fields.List(fields.Nested(Party), load_default=list, validate=validate.Length(max=MAX_PARTIES)))
    narrative = c4(Text(max=NARRATIVE, multiline=True, load_default=None, allow_none=True))
    place = c3(Text(max=500, load_default=None, allow_none=True, metadata={"description": "where exactly it happened"}))
    contact_plan = c4(fields.Nested(ContactPlan, load_default=None, allow_none=True))
    staff = c4(
        fields.List(
            fields.Nested(StaffNamed),
            load_default=list,
            validate=validate.Length(max=MAX_STAFF),
            metadata={"description": "staff whom the case names; they and who commands them find nothing of it"},
        )
    )

    @validates_schema
    def _period(self, data: Mapping[str, Any], **_: Any) -> None:
        first, last = data.get("incident_from"), data.get("incident_until")
        if last is not None and (first is None or last < first):
            raise ValidationError("Must not be before incident_from.", "incident_until")


class CaseQuery(PageQuery):
    """Cases that the caller may see, in the order in which they were opened; never with identity."""

    status = c1(_known(CaseStatus, load_default=None, allow_none=True))
    category = c1(_known(Category, load_default=None, allow_none=True))
    assigned_to_me = c1(fields.Boolean(load_default=False))
    since = c1(Instant(load_default=None, allow_none=True, metadata={"description": "opened at or after"}))


class GetCase(Strict):
    """One case. Its handler sees identity too; a supervisor or director only with a reason."""

    case_id = c1(Id(required=True))
    reason = _reason()


class _Move(Strict):
    case_id = c1(Id(required=True))
    version = _version()


class Triage(_Move):
    """Say how urgent the case is, and that nobody in it is near to those who will handle it, and that it is
    ours."""

    risk = c1(_known(Risk, required=True))
    conflict_checked = c1(fields.Boolean(required=True, validate=_must_be_true))
    scope_checked = c1(fields.Boolean(required=True, validate=_must_be_true))


class Assign(_Move):
    """Give the case to a handler, or to another one before it has been closed."""

    handler_id = c2(Text(max=64, required=True, metadata={"description": "id of the account"}))
    fits_preference = c1(
        fields.Boolean(
            load_default=False,
            metadata={"description": "the handler is who the person asked to speak to; needed unless `any`"},
        )
    )


class Start(_Move):
    """The handler has spoken to the person for the first time."""

    first_contact_at = c1(Instant(load_default=None, allow_none=True, metadata={"description": "default: now"}))
    without_consent_reason = told("why it is handled although the affected person does not agree", required=False)


class AddNote(Strict):
    """Write down what was done or said. A note is never changed."""

    case_id = c1(Id(required=True))
    text = c4(Text(max=NOTE, multiline=True, required=True))


class NoteQuery(PageQuery):
    """The texts of one case, oldest first."""

    case_id = c1(Id(required=True))
    reason = _reason()


class Hold(_Move):
    """Wait for something; look again on a day that is set."""

    reason = c4(Text(max=NOTE, multiline=True, required=True))
    review_on = c1(Day(required=True))


class Resume(_Move):
    """Go on with a case that was on hold, or take a proposal back."""


class ProposeResolution(_Move):
    """Say how the case ended, for somebody else to approve."""

    outcome = c1(_known(Outcome, required=True, validate=validate.OneOf(PROPOSABLE)))
    text = c4(Text(max=NOTE, multiline=True, required=True))
    open_referrals_reason = c4(
        Text(
            max=NOTE,
            multiline=True,
            load_default=None,
            allow_none=True,
            metadata={"description": "needed while a referral is open"},
        )
    )


class Close(_Move):
    """Approve the proposed resolution: the closing form."""

    informed = c1(_known(Informed, required=True, metadata={"description": "was the person told"}))
    text = c4(Text(max=NOTE, multiline=True, required=True))


class Withdraw(_Move):
    """The person no longer wants the case. It still counts."""

    asked_by = c1(_known(AskedBy, required=True))
    alone = c1(_known(Answer, required=True, metadata={"description": "were they alone when they asked"}))
    pressure = c1(_known(Answer, required=True, metadata={"description": "were they under pressure"}))
    text = c4(Text(max=NOTE, multiline=True, load_default=None, allow_none=True))
