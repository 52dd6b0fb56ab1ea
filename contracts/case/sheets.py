"""The minimum sheet of a referral, and the one-time code with which an office without an account reads and answers it.

`…` stands for `/referrals/{referral_id}`:

| door | request | answer | group | API |
|---|---|---|---|---|
| `read_sheet` | ReadSheet | SheetView | REFERRAL_ANSWER | POST …/sheet |
| `issue_code` | IssueCode | CodeView | REFERRAL_WRITE | POST …/code |
| `sheet_by_code` | SheetByCode | SheetView | by code | POST /answers/sheet |
| `answer_by_code` | AnswerByCode | AnswerTaken | by code | POST /answers |
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from marshmallow import ValidationError, fields, validates_schema

from contracts.case.referrals import NotCompletedReason
from contracts.case.shapes import NOTE, REASON, known, shown, shown_instant, shown_text
from contracts.case.words import HandlerPreference, Language, ReferralStatus, RejectReason, Sex, Urgency
from contracts.numbers import PATTERN
from kernel.schema import Id, Strict, Text, c0, c1, c3, c4

CODE_LENGTH: Final = 10


def _number(text: str) -> None:
    if not PATTERN.fullmatch(text):
        raise ValidationError("This is not the number of a referral.")


class ReadSheet(Strict):
    """The minimum sheet of one referral, as its office sees it. The reading is in the audit log."""

    referral_id = c1(Id(required=True))
    reason = c4(
        Text(
            min=5,
            max=REASON,
            load_default=None,
            allow_none=True,
            metadata={"description": "needed unless you handle the case"},
        )
    )


class IssueCode(Strict):
    """A one-time code for an office without an account. It is shown once; the one before it is void."""

    referral_id = c1(Id(required=True))


def _code() -> Text:
    return c3(
        Text(max=20, required=True, metadata={"description": "as read out; hyphens and small letters do not matter"})
    )


class SheetByCode(Strict):
    """The minimum sheet, for who has the referral's number and its code."""

    number = c1(Text(max=24, required=True, validate=_number))
    code = _code()


class ReferralAnswer(StrEnum):
    """What an office can say with a code; what fits follows from how the referral stands."""

    ACCEPT = "accept"
    REJECT = "reject"
    BEGIN = "begin"
    COMPLETE = "complete"
    NOT_COMPLETE = "not_complete"


class AnswerByCode(SheetByCode):
    """Answer with a code, which is used up by it."""

    answer = c1(known(ReferralAnswer, required=True))
    reject_reason = c1(known(RejectReason, load_default=None, allow_none=True))
    not_completed_reason = c1(known(NotCompletedReason, load_default=None, allow_none=True))
    text = c4(Text(max=NOTE, multiline=True, load_default=None, allow_none=True))

    @validates_schema
    def _why(self, data: Mapping[str, Any], **_: Any) -> None:
        answer = data.get("answer")
        for name, needed in (
            ("reject_reason", answer is ReferralAnswer.REJECT),
            ("not_completed_reason", answer is ReferralAnswer.NOT_COMPLETE),
        ):
            if needed != (data.get(name) is not None):
                raise ValidationError("Needed with that answer, and only with it.", name)


class SheetPersonView(Strict):
    """An affected person as far as the sheet of this office goes."""

    name = c3(shown_text(empty=True))
    sex = c3(shown(Sex, empty=True))
    age = c3(fields.Integer(required=True, allow_none=True))
    phone = c3(shown_text(empty=True))
    address = c3(shown_text(empty=True))


class SheetView(Strict):
    """The minimum sheet. What is null is not for this kind of office, is withheld, or is not known."""

    number = c1(shown_text())
    status = c1(shown(ReferralStatus))
    office = c1(shown_text())
    urgency = c1(shown(Urgency))
    due_at = c1(shown_instant(empty=True))
    asked_for = c4(shown_text(empty=True))
    persons = c3(fields.List(fields.Nested(SheetPersonView), required=True))
    language = c1(shown(Language, empty=True))
    interpreter = c1(fields.Boolean(required=True, allow_none=True))
    handler_preference = c1(shown(HandlerPreference, empty=True))
    district = c0(shown_text(empty=True))
    incident_from = c1(fields.Date(required=True, allow_none=True))
    incident_until = c1(fields.Date(required=True, allow_none=True))


class CodeView(Strict):
    """A code, shown this once. Read it out with the referral's number; never in the same message."""

    number = c1(shown_text())
    code = c3(shown_text())
    expires_at = c1(shown_instant())


class AnswerTaken(Strict):
    """That an answer was taken, and how the referral now stands."""

    number = c1(shown_text())
    status = c1(shown(ReferralStatus))
