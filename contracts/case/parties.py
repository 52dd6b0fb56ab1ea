"""The persons in a case and what they agreed to; how they may be reached; staff who are named in it.

| door | request | answer | group | API |
|---|---|---|---|---|
| `record_consent` | RecordConsent | CaseSummary | CASE_WORK | POST /cases/{case_id}/consents |
| `change_contact_plan` | ChangeContactPlan | CaseSummary | CASE_WORK | POST /cases/{case_id}/contact-plan |
| `name_staff` | NameStaff | CaseSummary | CASE_STEPS | POST /cases/{case_id}/staff |

What is shown of them comes with a case's identity.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from contracts.case.shapes import OfCase, known, shown, shown_instant, shown_text, told
from contracts.case.words import Answer, Language
from kernel.schema import Id, Strict, Text, c1, c2, c3, c4

MAX_CONSENTS = 5
MAX_STAFF = 20


class Purpose(StrEnum):
    """What a consent is for. Each is asked for itself."""

    HANDLING = "handling"
    REFERRAL = "referral"
    TRANSFER = "transfer"
    MEDIATION = "mediation"
    FOLLOW_UP = "follow_up"


class ConsentState(StrEnum):
    """What was said last. No row at all means: never asked."""

    GIVEN = "given"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class GivenBy(StrEnum):
    """Who spoke. Under age nobody gives consent alone: a guardian does, or it is somebody's duty to act."""

    SELF = "self"
    GUARDIAN = "guardian"
    BEST_INTEREST = "best_interest"


class Withheld(StrEnum):
    """From whom something is to be withheld, as the person said."""

    FAMILY = "family"
    OTHER_PARTIES = "other_parties"
    TRIBAL_LEADERS = "tribal_leaders"
    RELIGIOUS_LEADERS = "religious_leaders"
    MOKHTAR = "mokhtar"
    LOCAL_POLICE = "local_police"
    COURT = "court"
    HEALTH = "health"
    EDUCATION = "education"
    EMPLOYER = "employer"
    FORUM = "forum"
    OTHER = "other"


class Means(StrEnum):
    """The one way by which a person agreed to be reached; `none`: by nobody, in no way."""

    CALL = "call"
    TEXT_MESSAGE = "text_message"
    VISIT = "visit"
    AT_OFFICE = "at_office"
    TRUSTED_PERSON = "trusted_person"
    NONE = "none"


class Post(StrEnum):
    """What somebody of the staff is. The head of a unit and the inspectorate itself are judged upstream."""

    OFFICER = "officer"
    HEAD_OF_UNIT = "head_of_unit"
    INSPECTORATE = "inspectorate"
    OTHER = "other"


class Consent(Strict):
    """What a person said about one purpose, and what they want kept from whom."""

    purpose = c1(known(Purpose, required=True))
    state = c3(known(ConsentState, required=True))
    given_by = c3(known(GivenBy, load_default=GivenBy.SELF))
    alone = c3(known(Answer, load_default=Answer.UNKNOWN, metadata={"description": "asked without the other parties"}))
    consent_language = c3(known(Language, load_default=Language.ARABIC, metadata={"description": "asked in"}))
    withhold_from = c4(fields.List(known(Withheld), load_default=list, validate=validate.Length(max=len(Withheld))))
    consent_text = told("in the person's words, and the reason where it is somebody's duty to act", required=False)

    @validates_schema
    def _duty_has_a_reason(self, data: Mapping[str, Any], **_: Any) -> None:
        if data.get("given_by") is GivenBy.BEST_INTEREST and data.get("consent_text") is None:
            raise ValidationError("Say why it is somebody's duty to act.", "consent_text")


class ContactPlan(Strict):
    """How the affected person may be reached without danger. A call says nothing about a case."""

    means = c4(known(Means, required=True))
    contact = c4(
        Text(max=200, load_default=None, allow_none=True, metadata={"description": "the number, the place, the person"})
    )
    from_hour = c4(fields.Integer(strict=True, load_default=0, validate=validate.Range(0, 23)))
    until_hour = c4(
        fields.Integer(
            strict=True,
            load_default=24,
            validate=validate.Range(1, 24),
            metadata={"description": "hours of the day in Baghdad"},
        )
    )
    caution = told("who else may answer, and what not to say", required=False)

    @validates_schema
    def _whole(self, data: Mapping[str, Any], **_: Any) -> None:
        if data.get("means") not in (None, Means.NONE, Means.AT_OFFICE) and data.get("contact") is None:
            raise ValidationError("Say by which number, where or through whom.", "contact")
        if data.get("until_hour", 24) <= data.get("from_hour", 0):
            raise ValidationError("Must be later than from_hour.", "until_hour")


class StaffNamed(Strict):
    """Somebody of the staff whom the case names. They, and who commands them, find nothing of the case."""

    staff_account = c4(
        Text(
            max=64,
            load_default=None,
            allow_none=True,
            metadata={"description": "id of their account, if they have one"},
        )
    )
    staff_unit = c4(
        Text(max=64, load_default=None, allow_none=True, metadata={"description": "the unit they belong to"})
    )
    post = c4(known(Post, load_default=Post.OFFICER))
    staff_name = c4(Text(max=200, load_default=None, allow_none=True))

    @validates_schema
    def _somebody(self, data: Mapping[str, Any], **_: Any) -> None:
        if all(data.get(name) is None for name in ("staff_account", "staff_unit", "staff_name")):
            raise ValidationError("Name an account, a unit or a person.", "staff_account")


class RecordConsent(OfCase, Consent):
    """What a person in the case says now about one purpose. What they said before stays in the file."""

    party_id = c1(Id(required=True))


class ChangeContactPlan(OfCase, ContactPlan):
    """How the affected person may be reached from now on."""


class NameStaff(OfCase, StaffNamed):
    """The case turns out to name somebody of the staff: from now on it stands behind the wall."""


class ConsentView(Strict):
    """What a person said last about one purpose."""

    party_id = c1(shown_text())
    purpose = c1(shown(Purpose))
    state = c3(shown(ConsentState))
    given_by = c3(shown(GivenBy))
    alone = c3(shown(Answer))
    consent_language = c3(shown(Language))
    withhold_from = c4(fields.List(shown(Withheld), required=True))
    recorded_by = c2(shown_text())
    recorded_at = c1(shown_instant())


class ContactPlanView(Strict):
    """How the affected person may be reached. The words that go with it stand in the notes (`contact`)."""

    means = c4(shown(Means))
    contact = c4(shown_text(empty=True))
    from_hour = c4(fields.Integer(required=True))
    until_hour = c4(fields.Integer(required=True))
    recorded_at = c1(shown_instant())


class StaffView(Strict):
    """Somebody of the staff whom the case names. Their name stands in the notes (`staff`)."""

    staff_account = c4(shown_text(empty=True))
    staff_unit = c4(shown_text(empty=True))
    post = c4(shown(Post))
