"""Welfare applications of officers and of families of the fallen: which documents are missing, how long it has waited.

| door | request | answer | group | API |
|---|---|---|---|---|
| `start_welfare` | StartWelfare | WelfareView | WELFARE | POST /welfare |
| `list_welfare` | WelfareQuery | WelfarePage | WELFARE_READ | GET /welfare |
| `get_welfare` | GetWelfare | WelfareFile | WELFARE_READ | GET /welfare/{welfare_id} |
| `check_documents` | CheckDocuments | WelfareView | WELFARE | POST /welfare/{welfare_id}/documents |
| `submit_welfare` | SubmitWelfare | WelfareView | WELFARE | POST /welfare/{welfare_id}/submit |
| `hand_over_welfare` | HandOverWelfare | WelfareView | WELFARE | POST /welfare/{welfare_id}/hand-over |
| `decide_welfare` | DecideWelfare | WelfareView | WELFARE_DECISION | POST /welfare/{welfare_id}/decision |
| `appeal_welfare` | AppealWelfare | WelfareView | WELFARE | POST /welfare/{welfare_id}/appeal |
| `pay_welfare` | PayWelfare | WelfareView | WELFARE_DECISION | POST /welfare/{welfare_id}/paid |
| `close_welfare` | CloseWelfare | WelfareView | WELFARE_DECISION | POST /welfare/{welfare_id}/close |

An application belongs to no case.
"""

from enum import StrEnum
from typing import Final

from marshmallow import fields, validate

from contracts.case.shapes import known, shown, shown_instant, shown_text, version
from kernel.fact import FactSchema, operational, statistical
from kernel.paging import PageQuery
from kernel.schema import Id, Strict, Text, c1, c2, c3, c4

WELFARE_EVENTS = ("started", "documents_checked", "submitted", "handed_over", "decided", "paid", "appealed", "closed")
TEXT = 2_000


class WelfareStatus(StrEnum):
    STARTED = "started"
    DOCUMENTS_MISSING = "documents_missing"
    SUBMITTED = "submitted"
    WITH_OFFICE = "with_office"
    APPROVED = "approved"
    REFUSED = "refused"
    PAID = "paid"
    APPEALED = "appealed"
    CLOSED = "closed"


class Benefit(StrEnum):
    """What is applied for."""

    INJURY = "injury"
    DEATH_GRANT = "death_grant"
    PENSION = "pension"
    LAND = "land"
    MEDICAL_TREATMENT = "medical_treatment"
    BACK_PAY = "back_pay"


class Applicant(StrEnum):
    OFFICER = "officer"
    SPOUSE = "spouse"
    PARENT = "parent"
    CHILD = "child"
    GUARDIAN = "guardian"


class Document(StrEnum):
    """What has to be handed in."""

    APPLICATION_FORM = "application_form"
    IDENTITY_CARD = "identity_card"
    SERVICE_RECORD = "service_record"
    MEDICAL_REPORT = "medical_report"
    INCIDENT_REPORT = "incident_report"
    DEATH_CERTIFICATE = "death_certificate"
    MARRIAGE_CERTIFICATE = "marriage_certificate"
    BIRTH_CERTIFICATE = "birth_certificate"
    GUARDIANSHIP_DEED = "guardianship_deed"
    PAY_RECORD = "pay_record"
    BANK_DETAILS = "bank_details"


ALWAYS: Final = frozenset({Document.APPLICATION_FORM, Document.IDENTITY_CARD, Document.SERVICE_RECORD})
BY_BENEFIT: Final[dict[Benefit, frozenset[Document]]] = {
    Benefit.INJURY: frozenset({Document.MEDICAL_REPORT, Document.INCIDENT_REPORT, Document.BANK_DETAILS}),
    Benefit.DEATH_GRANT: frozenset({Document.DEATH_CERTIFICATE, Document.INCIDENT_REPORT, Document.BANK_DETAILS}),
    Benefit.PENSION: frozenset({Document.PAY_RECORD, Document.BANK_DETAILS}),
    Benefit.LAND: frozenset(),
    Benefit.MEDICAL_TREATMENT: frozenset({Document.MEDICAL_REPORT}),
    Benefit.BACK_PAY: frozenset({Document.PAY_RECORD, Document.BANK_DETAILS}),
}
BY_APPLICANT: Final[dict[Applicant, frozenset[Document]]] = {
    Applicant.OFFICER: frozenset(),
    Applicant.SPOUSE: frozenset({Document.MARRIAGE_CERTIFICATE}),
    Applicant.PARENT: frozenset({Document.BIRTH_CERTIFICATE}),
    Applicant.CHILD: frozenset({Document.BIRTH_CERTIFICATE}),
    Applicant.GUARDIAN: frozenset({Document.GUARDIANSHIP_DEED}),
}
"""Which documents an application needs: a working default of ours, the same everywhere."""


def needed(benefit: Benefit, applicant: Applicant) -> list[Document]:
    """The documents of such an application, in the order of the list."""
    wanted = ALWAYS | BY_BENEFIT[benefit] | BY_APPLICANT[applicant]
    return [document for document in Document if document in wanted]


class Decision(StrEnum):
    """What the office decided."""

    APPROVED = "approved"
    REFUSED = "refused"


class StartWelfare(Strict):
    """Begin an application for somebody."""

    benefit = c1(known(Benefit, required=True))
    applicant = c1(known(Applicant, required=True))
    applicant_name = c3(Text(max=200, required=True))
    applicant_phone = c3(Text(max=40, load_default=None, allow_none=True))
    applicant_account = c2(
        Text(
            max=64,
            load_default=None,
            allow_none=True,
            metadata={"description": "account of the officer it is for, who then can do nothing about it"},
        )
    )
    unit = c1(Text(max=64, load_default=None, allow_none=True, metadata={"description": "default: your own"}))
    remark = c4(Text(max=TEXT, multiline=True, load_default=None, allow_none=True))


class WelfareQuery(PageQuery):
    """Applications of the caller's unit, or of the governorate; oldest first."""

    status = c1(known(WelfareStatus, load_default=None, allow_none=True))


class GetWelfare(Strict):
    """One application with who applies. Each reading is audited."""

    welfare_id = c1(Id(required=True))


class _OfWelfare(Strict):
    welfare_id = c1(Id(required=True))
    version = version()


class CheckDocuments(_OfWelfare):
    """Which documents are there now: the whole list, not only new ones."""

    present = c1(fields.List(known(Document), required=True, validate=validate.Length(max=len(Document))))


class SubmitWelfare(_OfWelfare):
    """Everything is there: send it on. The days of waiting begin."""


class HandOverWelfare(_OfWelfare):
    """The office has it."""

    office = c1(Text(max=200, required=True, metadata={"description": "name of the office, not of a person"}))


class DecideWelfare(_OfWelfare):
    """What the office decided."""

    decision = c1(known(Decision, required=True))
    remark = c4(Text(max=TEXT, multiline=True, load_default=None, allow_none=True))


class AppealWelfare(_OfWelfare):
    """The applicant does not accept the refusal."""

    remark = c4(Text(max=TEXT, multiline=True, required=True))


class PayWelfare(_OfWelfare):
    """It has reached the applicant."""


class CloseWelfare(_OfWelfare):
    """Nothing more is to be done."""


class WelfareView(Strict):
    """An application without who applies. `days_waiting`: since it was submitted, until it was decided or paid."""

    id = c1(shown_text())
    number = c1(shown_text())
    version = c1(fields.Integer(required=True))
    status = c1(shown(WelfareStatus))
    benefit = c1(shown(Benefit))
    applicant = c1(shown(Applicant))
    unit = c1(shown_text())
    office = c1(shown_text(empty=True))
    missing = c1(fields.List(shown(Document), required=True))
    started_at = c1(shown_instant())
    submitted_at = c1(shown_instant(empty=True))
    decided_at = c1(shown_instant(empty=True))
    paid_at = c1(shown_instant(empty=True))
    days_waiting = c1(fields.Integer(required=True, allow_none=True))


class WelfarePage(Strict):
    items = c1(fields.List(fields.Nested(WelfareView), required=True))
    next = c1(shown_text(empty=True))


class WelfareFile(WelfareView):
    """An application with who applies."""

    applicant_name = c3(shown_text())
    applicant_phone = c3(shown_text(empty=True))
    remark = c4(shown_text(empty=True))


class WelfareFact(FactSchema):
    """`welfare.<event>.v1`: a welfare application as it now stands. Month is that in which it was started."""

    kind = "welfare"
    events = WELFARE_EVENTS

    month = statistical(fields.String(required=True))
    status = statistical(fields.Enum(WelfareStatus, by_value=True, required=True))
    benefit = statistical(fields.Enum(Benefit, by_value=True, required=True))

    welfare_number = operational(fields.String(required=True))
    unit = operational(fields.String(required=True))
    missing = operational(fields.Integer(required=True, metadata={"description": "documents that are not there"}))
    submitted_at = operational(fields.AwareDateTime(required=True, allow_none=True))
    decided_at = operational(fields.AwareDateTime(required=True, allow_none=True))
    paid_at = operational(fields.AwareDateTime(required=True, allow_none=True))
