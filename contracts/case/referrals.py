"""Referrals: what can be asked, what is shown, what is told.

A referral goes nowhere before the person has agreed, or before somebody other than who prepared it has written why it
must go without. What the office sees is the minimum sheet of its kind, less what the person withholds
(contracts/case/sheets.py); it is put together when it is read and never told. Silence is told in three steps, then the
referral expires.

`…` stands for `/referrals/{referral_id}`:

| door | request | answer | group | API |
|---|---|---|---|---|
| `send_referral` | SendReferral | ReferralView | REFERRAL_WRITE | POST /cases/{case_id}/referrals |
| `list_referrals` | ReferralQuery | ReferralPage | CASE_READ | GET /cases/{case_id}/referrals |
| `ask_consent` | AskConsent | ReferralView | REFERRAL_WRITE | POST …/ask |
| `dispatch_referral` | DispatchReferral | ReferralView | REFERRAL_WRITE | POST …/send |
| `deliver_referral` | DeliverReferral | ReferralView | REFERRAL_ANSWER | POST …/deliver |
| `accept_referral` | AcceptReferral | ReferralView | REFERRAL_ANSWER | POST …/accept |
| `reject_referral` | RejectReferral | ReferralView | REFERRAL_ANSWER | POST …/reject |
| `begin_referral` | BeginReferral | ReferralView | REFERRAL_ANSWER | POST …/begin |
| `complete_referral` | CompleteReferral | ReferralView | REFERRAL_ANSWER | POST …/complete |
| `not_complete_referral` | NotCompleteReferral | ReferralView | REFERRAL_ANSWER | POST …/not-complete |
| `confirm_referral` | ConfirmReferral | ReferralView | REFERRAL_WRITE | POST …/confirm |
| `revoke_referral` | RevokeReferral | ReferralView | REFERRAL_WRITE | POST …/revoke |
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from marshmallow import ValidationError, fields, validate, validates_schema

from contracts.case.shapes import NOTE
from contracts.case.words import (
    AskedBy,
    Category,
    CategoryGroup,
    Destination,
    ReferralStatus,
    RejectReason,
    Urgency,
)
from kernel.fact import FactSchema, operational, statistical
from kernel.paging import PageQuery
from kernel.schema import Id, Strict, Text, c1, c2, c4


class ConsentStep(StrEnum):
    """How far the person has been asked when a referral is prepared."""

    NOT_ASKED = "not_asked"
    ASKED = "asked"
    GIVEN = "given"


class ReferralConsent(StrEnum):
    """On what ground a referral was sent. `overridden`: without consent, for a reason that somebody else wrote."""

    GIVEN = "given"
    OVERRIDDEN = "overridden"


class SheetField(StrEnum):
    """What a minimum sheet may hold of the person and the case."""

    NAME = "name"
    SEX = "sex"
    AGE = "age"
    PHONE = "phone"
    ADDRESS = "address"
    LANGUAGE = "language"
    INTERPRETER = "interpreter"
    HANDLER_PREFERENCE = "handler_preference"
    DISTRICT = "district"
    INCIDENT_PERIOD = "incident_period"


class NotCompletedReason(StrEnum):
    """Why an office that had accepted did not finish."""

    PERSON_NOT_REACHED = "person_not_reached"
    PERSON_DECLINED = "person_declined"
    NO_CAPACITY = "no_capacity"
    UNSAFE = "unsafe"
    REFERRED_ON = "referred_on"
    OTHER = "other"


class RevokeReason(StrEnum):
    """Why a referral was taken back."""

    PERSON_DECLINED = "person_declined"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    NO_LONGER_NEEDED = "no_longer_needed"
    SENT_BY_MISTAKE = "sent_by_mistake"
    UNSAFE = "unsafe"
    OTHER_OFFICE = "other_office"


class PersonSays(StrEnum):
    """What the person says of the outcome."""

    HELPED = "helped"
    PARTLY_HELPED = "partly_helped"
    NOT_HELPED = "not_helped"
    NEVER_REACHED = "never_reached"


REFERRAL_EVENTS: Final = (
    "drafted",
    "asked",
    "sent",
    "delivered",
    "accepted",
    "rejected",
    "begun",
    "completed",
    "not_completed",
    "confirmed",
    "revoked",
    "overdue",
    "escalated",
    "silent",
    "expired",
    "recovered",
)


def _known(enum: Any, **options: Any) -> fields.Enum:
    return fields.Enum(enum, by_value=True, **options)


def _says(text: str) -> dict[str, str]:
    return {"description": text}


# Requests


class SendReferral(Strict):
    """Prepare a referral. With consent `given` it is sent at once; otherwise it waits, and nobody outside sees it."""

    case_id = c1(Id(required=True))
    destination = c1(_known(Destination, required=True))
    partner = c1(Id(load_default=None, allow_none=True, metadata=_says("of the partner directory")))
    office = c1(
        Text(max=200, load_default=None, allow_none=True, metadata=_says("name of the office; default: the partner's"))
    )
    partner_id = c2(
        Text(max=64, load_default=None, allow_none=True, metadata=_says("account that may answer; default: partner's"))
    )
    urgency = c1(_known(Urgency, required=True))
    text = c4(Text(max=NOTE, multiline=True, required=True, metadata=_says("what is asked for; the office reads it")))
    consent = c1(_known(ConsentStep, load_default=ConsentStep.NOT_ASKED))
    withhold = c1(
        fields.List(
            _known(SheetField),
            load_default=list,
            validate=validate.Length(max=len(SheetField)),
            metadata=_says("what the person does not want the office to be told"),
        )
    )

    @validates_schema
    def _somebody(self, data: Mapping[str, Any], **_: Any) -> None:
        if data.get("partner") is None and data.get("office") is None:
            raise ValidationError("Name a partner of the directory, or an office.", "office")


class ReferralQuery(PageQuery):
    """The referrals of one case, oldest first."""

    case_id = c1(Id(required=True))


class ReferralMoveRequest(Strict):
    """A step of one referral."""

    referral_id = c1(Id(required=True))
    version = c1(
        fields.Integer(
            strict=True,
            load_default=None,
            allow_none=True,
            validate=validate.Range(min=1),
            metadata=_says("the version you saw; refused with both if the record has moved on"),
        )
    )


class AskConsent(ReferralMoveRequest):
    """The person has been asked and thinks about it."""


class DispatchReferral(ReferralMoveRequest):
    """Send what was prepared: the person has agreed, or somebody other than who prepared it says why it must go."""

    consent = c1(_known(ReferralConsent, required=True))
    withhold = c1(
        fields.List(
            _known(SheetField),
            load_default=None,
            allow_none=True,
            validate=validate.Length(max=len(SheetField)),
            metadata=_says("default: as prepared"),
        )
    )
    override_reason = c4(Text(min=5, max=NOTE, multiline=True, load_default=None, allow_none=True))

    @validates_schema
    def _reasoned(self, data: Mapping[str, Any], **_: Any) -> None:
        overridden = data.get("consent") is ReferralConsent.OVERRIDDEN
        if overridden != (data.get("override_reason") is not None):
            raise ValidationError("Needed when consent is overridden, and only then.", "override_reason")


class DeliverReferral(ReferralMoveRequest):
    """The office has it in hand."""


class AcceptReferral(ReferralMoveRequest):
    """The office takes it."""


class RejectReferral(ReferralMoveRequest):
    """The office does not take it, and why."""

    reason = c1(_known(RejectReason, required=True))
    text = c4(Text(max=NOTE, multiline=True, load_default=None, allow_none=True))


class BeginReferral(ReferralMoveRequest):
    """The office has begun."""


class CompleteReferral(ReferralMoveRequest):
    """What was asked for has been done, says the office."""


class NotCompleteReferral(ReferralMoveRequest):
    """The office could not finish, and why."""

    reason = c1(_known(NotCompletedReason, required=True))
    text = c4(Text(max=NOTE, multiline=True, load_default=None, allow_none=True))


class ConfirmReferral(ReferralMoveRequest):
    """The person says what came of it."""

    person_says = c1(_known(PersonSays, required=True))
    said_by = c1(_known(AskedBy, load_default=AskedBy.AFFECTED))
    text = c4(Text(max=NOTE, multiline=True, load_default=None, allow_none=True))


class RevokeReferral(ReferralMoveRequest):
    """Take it back. The office sees nothing of it any more."""

    reason = c1(_known(RevokeReason, required=True))


# Views


def _text(*, empty: bool = False) -> fields.String:
    return fields.String(required=True, allow_none=empty)


def _instant(*, empty: bool = False) -> fields.AwareDateTime:
    return fields.AwareDateTime(required=True, allow_none=empty)


class ReferralView(Strict):
    """A referral. What was asked for stands in the notes of its case.

    `escalation`: 0 nobody was told of silence, 1 the sender's supervisor, 2 the office's head, 3 the directorate.
    `suggested`: the partner to ask instead, once it has expired."""

    id = c1(_text())
    number = c1(_text())
    version = c1(fields.Integer(required=True))
    case_id = c1(_text())
    status = c1(_known(ReferralStatus, required=True))
    destination = c1(_known(Destination, required=True))
    partner = c1(_text(empty=True))
    office = c1(_text())
    urgency = c1(_known(Urgency, required=True))
    consent = c1(_known(ReferralConsent, required=True, allow_none=True))
    withhold = c1(fields.List(fields.String(), required=True))
    created_at = c1(_instant())
    sent_at = c1(_instant(empty=True))
    due_at = c1(_instant(empty=True))
    delivered_at = c1(_instant(empty=True))
    overdue_at = c1(_instant(empty=True))
    escalation = c1(fields.Integer(required=True))
    answered_at = c1(_instant(empty=True))
    begun_at = c1(_instant(empty=True))
    completed_at = c1(_instant(empty=True))
    confirmed_at = c1(_instant(empty=True))
    reject_reason = c1(_known(RejectReason, required=True, allow_none=True))
    not_completed_reason = c1(_known(NotCompletedReason, required=True, allow_none=True))
    revoke_reason = c1(_known(RevokeReason, required=True, allow_none=True))
    person_says = c1(_known(PersonSays, required=True, allow_none=True))
    suggested = c1(_text(empty=True))


class ReferralPage(Strict):
    items = c1(fields.List(fields.Nested(ReferralView), required=True))
    next = c1(_text(empty=True))


# Facts


class ReferralFact(FactSchema):
    """`referral.<event>.v1`: a referral as it now stands. Month is that in which it was sent, or prepared, in
    Baghdad.

    `overdue`, `escalated` and `silent` are the three steps of silence: the sender's supervisor, the office's head, the
    directorate."""

    kind = "referral"
    events = REFERRAL_EVENTS

    month = statistical(fields.String(required=True))
    category = statistical(_known(Category, required=True))
    category_group = statistical(_known(CategoryGroup, required=True))
    status = statistical(_known(ReferralStatus, required=True))
    urgency = statistical(_known(Urgency, required=True))
    overdue = statistical(fields.Boolean(required=True, metadata=_says("was ever unanswered when due")))
    person_says = statistical(_known(PersonSays, allow_none=True))

    referral_number = operational(fields.String(required=True))
    case = operational(fields.String(required=True, metadata=_says("id of the case")))
    case_number = operational(fields.String(required=True))
    unit = operational(fields.String(required=True))
    sender = operational(fields.String(required=True, metadata=_says("hash of the account's id")))
    destination = operational(_known(Destination, required=True))
    partner = operational(fields.String(allow_none=True, metadata=_says("id of the partner directory")))
    head = operational(fields.String(allow_none=True, metadata=_says("hash of the office's head, where there is one")))
    consent = operational(_known(ReferralConsent, allow_none=True))
    escalation = operational(fields.Integer(metadata=_says("0 to 3: who was told of silence")))
    due_at = operational(fields.AwareDateTime(required=True, allow_none=True))
    reject_reason = operational(_known(RejectReason, required=True, allow_none=True))
    walled = operational(fields.Boolean(metadata=_says("its case stands behind the conflict wall")))
    quiet = operational(fields.Boolean(metadata=_says("its case names an account or a unit; only its handler is told")))


class RestrictedReferralFact(ReferralFact):
    """`referral.<event>.v1` of a case of a restricted category: where it went is not told, only that an
    answer is due."""

    class Meta:
        exclude = ("category", "destination", "partner", "reject_reason", "person_says")

    status = operational(_known(ReferralStatus, required=True))
    urgency = operational(_known(Urgency, required=True))
    overdue = operational(fields.Boolean(required=True))


class SilenceFact(FactSchema):
    """`silence.reported.v1`: a referral of this governorate is without an answer though its supervisor and the
    office's head were told. For the home directorate only; it names no office and nothing of the case."""

    kind = "silence"
    events = ("reported",)

    month = statistical(fields.String(required=True))
    referral = operational(fields.String(required=True, metadata=_says("id of the referral")))
    referral_number = operational(fields.String(required=True))
    unit = operational(fields.String(required=True))
    urgency = operational(_known(Urgency, required=True))
    due_at = operational(fields.AwareDateTime(required=True))
