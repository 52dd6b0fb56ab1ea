"""What the case service shows."""

from marshmallow import fields

from contracts.case.endings import NextStep
from contracts.case.parties import ConsentView, ContactPlanView, StaffView
from contracts.case.requests import Answers
from contracts.case.words import (
    Answer,
    AskedBy,
    CaseStatus,
    Category,
    Channel,
    HandlerPreference,
    Informed,
    Language,
    NoteKind,
    Outcome,
    PartyRole,
    PriorResort,
    RecordingClass,
    Risk,
    Sex,
)
from kernel.schema import Strict, c0, c1, c2, c3, c4


def _known(enum: type, *, empty: bool = False) -> fields.Enum:
    return fields.Enum(enum, by_value=True, required=True, allow_none=empty)


def _text(*, empty: bool = False) -> fields.String:
    return fields.String(required=True, allow_none=empty)


def _instant(*, empty: bool = False) -> fields.AwareDateTime:
    return fields.AwareDateTime(required=True, allow_none=empty)


class PartyView(Strict):
    """Someone in a case."""

    id = c1(_text())
    role = c1(_known(PartyRole))
    name = c3(_text(empty=True))
    sex = c3(_known(Sex))
    birth_date = c3(fields.Date(required=True, allow_none=True))
    age = c3(fields.Integer(required=True, allow_none=True))
    phone = c3(_text(empty=True))
    address = c3(_text(empty=True))


class IdentityView(Strict):
    """Who is in a case and what is told about it. Each reading of it is in the audit log."""

    parties = c3(fields.List(fields.Nested(PartyView), required=True))
    narrative = c4(_text(empty=True))
    place = c3(_text(empty=True))
    consents = c4(fields.List(fields.Nested(ConsentView), required=True))
    contact_plan = c4(fields.Nested(ContactPlanView, required=True, allow_none=True))
    staff = c4(fields.List(fields.Nested(StaffView), required=True))


class CaseSummary(Strict):
    """A case without anybody's identity: how it stands in a list and after a move.

    `recording_class` is what the answers indicated at intake and never changes; `current_class` is the
    present one."""

    id = c1(_text())
    number = c1(_text())
    version = c1(fields.Integer(required=True))
    incomplete = c1(
        fields.Boolean(required=True, metadata={"description": "texts were lost when a backup was put back"})
    )
    status = c1(_known(CaseStatus))
    recording_class = c1(_known(RecordingClass))
    current_class = c1(_known(RecordingClass))
    category = c1(_known(Category))
    restricted = c1(fields.Boolean(required=True))
    risk = c1(_known(Risk, empty=True))
    channel = c1(_known(Channel))
    district = c0(_text())
    incident_from = c1(fields.Date(required=True, allow_none=True))
    incident_until = c1(fields.Date(required=True, allow_none=True))
    reported_at = c1(_instant())
    opened_at = c1(_instant())
    language = c1(_known(Language))
    interpreter = c1(fields.Boolean(required=True))
    handler_preference = c1(_known(HandlerPreference))
    prior_resort = c1(_known(PriorResort))
    pressure_reported = c1(fields.Boolean(required=True))
    unit = c1(_text())
    handler_id = c2(_text(empty=True))
    first_contact_at = c1(_instant(empty=True))
    review_on = c1(fields.Date(required=True, allow_none=True))
    outcome = c1(_known(Outcome, empty=True))
    closed_at = c1(_instant(empty=True))
    minors = c1(fields.Boolean(required=True, metadata={"description": "a child is involved or somebody is under age"}))
    walled = c1(fields.Boolean(required=True, metadata={"description": "stands behind the conflict wall"}))
    next_step = c1(_known(NextStep, empty=True))
    due_at = c1(_instant(empty=True))
    reopened = c1(fields.Integer(required=True))
    duplicate_of = c1(_text(empty=True))


class CaseView(CaseSummary):
    """A case with its intake and, for who may read it, identity (null: not shown to you, or without a
    reason)."""

    answers = c1(fields.Nested(Answers, required=True))
    rule_version = c1(fields.Integer(required=True))
    informed = c1(_known(Informed, empty=True))
    withdrawal_asked_by = c1(_known(AskedBy, empty=True))
    withdrawal_alone = c1(_known(Answer, empty=True))
    withdrawal_pressure = c1(_known(Answer, empty=True))
    identity = c4(fields.Nested(IdentityView, required=True, allow_none=True))


class CasePage(Strict):
    items = c1(fields.List(fields.Nested(CaseSummary), required=True))
    next = c1(_text(empty=True))


class NoteAdded(Strict):
    """That a text was written. The text itself is not repeated: an answer may be kept to be given again."""

    id = c1(_text())
    case_id = c1(_text())
    kind = c1(_known(NoteKind))
    written_at = c1(_instant())


class NoteView(NoteAdded):
    """One text of a case and the step it was written at."""

    author_id = c2(_text())
    text = c4(_text())


class NotePage(Strict):
    items = c4(fields.List(fields.Nested(NoteView), required=True))
    next = c1(_text(empty=True))
