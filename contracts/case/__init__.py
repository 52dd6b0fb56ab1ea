"""The published language of the case service: its words, what it can be asked, what it shows, what it tells.

Doors, all POST `/doors/<name>` with a signed actor; the group is of contracts/roles.py, and behind the door
each case is reached only by its opener (until it is assigned), its handler, its unit's supervisor and the
governorate's director; a case behind the conflict wall by the inspectorate in the place of these two. The doors of
persons and staff, reclassification, endings, mediation, assistance, welfare and the audit log stand in the modules of
those names; here are the others:

| door | request | answer | group | API |
|---|---|---|---|---|
| `open_case` | OpenCase | CaseSummary | INTAKE | POST /cases |
| `list_cases` | CaseQuery | CasePage | CASE_READ | GET /cases |
| `get_case` | GetCase | CaseView | CASE_READ | GET /cases/{case_id} |
| `break_glass` | BreakGlass | GlassView | CASE_READ | POST /break-glass |
| `find_persons` | FindPersons | PersonsFound | CASE_READ | POST /cases/search |
| `same_persons` | SamePersons | PersonsFound | CASE_READ | POST /cases/{case_id}/same-persons |
| `issue_receipt` | KeepReceipt | ReceiptKept | RECEIPTS | POST /cases/{case_id}/receipts |
| `report` | KeepReport | ReceiptKept | PUBLIC | POST /reports |
| `state_by_receipt` | ByReceipt | StateShown | PUBLIC | POST /receipts/state |
| `add_by_receipt` | ByReceipt | StateShown | PUBLIC | POST /receipts/add |
| `contest_by_receipt` | ByReceipt | StateShown | PUBLIC | POST /receipts/contest |
| `withdraw_by_receipt` | ByReceipt | StateShown | PUBLIC | POST /receipts/withdraw |
| `begin_evidence` | BeginEvidence | EvidenceView | EVIDENCE | POST /cases/{case_id}/evidence |
| `list_evidence` | EvidenceQuery | EvidencePage | CASE_READ | GET /cases/{case_id}/evidence |
| `add_part` | AddPart | EvidenceView | EVIDENCE | POST /evidence/{evidence_id}/parts |
| `read_evidence` | ReadEvidence | PartView | CASE_READ | POST /evidence/{evidence_id}/read |
| `triage` | Triage | CaseSummary | SUPERVISION | POST /cases/{case_id}/triage |
| `assign` | Assign | CaseSummary | SUPERVISION | POST /cases/{case_id}/assign |
| `start` | Start | CaseSummary | CASE_WORK | POST /cases/{case_id}/start |
| `add_note` | AddNote | NoteAdded | CASE_WORK | POST /cases/{case_id}/notes |
| `list_notes` | NoteQuery | NotePage | CASE_READ | GET /cases/{case_id}/notes |
| `hold` | Hold | CaseSummary | CASE_WORK | POST /cases/{case_id}/hold |
| `resume` | Resume | CaseSummary | CASE_WORK | POST /cases/{case_id}/resume |
| `propose_resolution` | ProposeResolution | CaseSummary | CASE_WORK | POST /cases/{case_id}/propose |
| `close` | Close | CaseSummary | CASE_APPROVAL | POST /cases/{case_id}/close |
| `withdraw` | Withdraw | CaseSummary | REFERRAL_WRITE | POST /cases/{case_id}/withdraw |

Referrals: `contracts/case/referrals.py`, partners: `contracts/case/partners.py`,
transfers: `contracts/case/transfers.py`, handlers from elsewhere: `contracts/case/handler_requests.py`.

What a caller cannot reach answers 404, as if it were not there.
"""

from contracts.case.facts import (
    CASE_EVENTS,
    CaseFact,
    RestrictedCaseFact,
)
from contracts.case.handler_requests import (
    AskForHandler,
    CloseHandlerRequest,
    HandledCaseView,
    HandlerRequestFact,
    HandlerRequestName,
    HandlerRequestPage,
    HandlerRequestQuery,
    HandlerRequestView,
    NoteAsHandler,
    OfferToHandle,
    OpenToHandler,
    ReadAsHandler,
)
from contracts.case.identity import BreakGlass, BreakGlassFact, CaseNumber, GlassView
from contracts.case.partners import (
    ListPartner,
    PartnerFact,
    PartnerName,
    PartnerPage,
    PartnerQuery,
    PartnerStatus,
    PartnerView,
    SuggestionQuery,
    SuspendPartner,
    VetPartner,
)
from contracts.case.receipts import ReceiptFact, RestrictedReceiptFact
from contracts.case.referrals import (
    REFERRAL_EVENTS,
    AcceptReferral,
    AskConsent,
    BeginReferral,
    CompleteReferral,
    ConfirmReferral,
    ConsentStep,
    DeliverReferral,
    DispatchReferral,
    NotCompletedReason,
    NotCompleteReferral,
    PersonSays,
    ReferralConsent,
    ReferralFact,
    ReferralPage,
    ReferralQuery,
    ReferralView,
    RejectReferral,
    RestrictedReferralFact,
    RevokeReason,
    RevokeReferral,
    SendReferral,
    SheetField,
    SilenceFact,
)
from contracts.case.registers import CaseExport, PastCase, TableFormat
from contracts.case.requests import (
    AddNote,
    Answers,
    Assign,
    CaseQuery,
    Close,
    GetCase,
    Hold,
    NoteQuery,
    OpenCase,
    Party,
    ProposeResolution,
    Resume,
    Start,
    Triage,
    Withdraw,
)
from contracts.case.search import Because, FindPersons, PersonFound, PersonsFound, SamePersons
from contracts.case.sheets import (
    AnswerByCode,
    AnswerTaken,
    CodeView,
    IssueCode,
    ReadSheet,
    ReferralAnswer,
    SheetByCode,
    SheetView,
)
from contracts.case.transfers import (
    AcceptTransfer,
    ProposeTransfer,
    RejectTransfer,
    ReleaseAgain,
    ReleaseTransfer,
    RevokeTransfer,
    SendTransfer,
    Side,
    TransferEvent,
    TransferFact,
    TransferPage,
    TransferQuery,
    TransferRejection,
    TransferStatus,
    TransferView,
)
from contracts.case.views import (
    CasePage,
    CaseSummary,
    CaseView,
    IdentityView,
    NoteAdded,
    NotePage,
    NoteView,
    PartyView,
)
from contracts.case.words import (
    GROUP,
    RESTRICTED,
    AgeBand,
    Answer,
    AskedBy,
    CaseStatus,
    Category,
    CategoryGroup,
    Channel,
    Destination,
    HandlerPreference,
    Informed,
    Language,
    NoteKind,
    Outcome,
    PartyRole,
    PriorResort,
    Question,
    RecordingClass,
    ReferralStatus,
    RejectReason,
    Risk,
    Sex,
    Telling,
    Urgency,
)

__all__ = [
    "CASE_EVENTS",
    "GROUP",
    "REFERRAL_EVENTS",
    "RESTRICTED",
    "AcceptReferral",
    "AcceptTransfer",
    "AddNote",
    "AgeBand",
    "Answer",
    "AnswerByCode",
    "AnswerTaken",
    "Answers",
    "AskConsent",
    "AskForHandler",
    "AskedBy",
    "Assign",
    "Because",
    "BeginReferral",
    "BreakGlass",
    "BreakGlassFact",
    "CaseExport",
    "CaseFact",
    "CaseNumber",
    "CasePage",
    "CaseQuery",
    "CaseStatus",
    "CaseSummary",
    "CaseView",
    "Category",
    "CategoryGroup",
    "Channel",
    "Close",
    "CloseHandlerRequest",
    "CodeView",
    "CompleteReferral",
    "ConfirmReferral",
    "ConsentStep",
    "DeliverReferral",
    "Destination",
    "DispatchReferral",
    "FindPersons",
    "GetCase",
    "GlassView",
    "HandledCaseView",
    "HandlerPreference",
    "HandlerRequestFact",
    "HandlerRequestName",
    "HandlerRequestPage",
    "HandlerRequestQuery",
    "HandlerRequestView",
    "Hold",
    "IdentityView",
    "Informed",
    "IssueCode",
    "Language",
    "ListPartner",
    "NotCompleteReferral",
    "NotCompletedReason",
    "NoteAdded",
    "NoteAsHandler",
    "NoteKind",
    "NotePage",
    "NoteQuery",
    "NoteView",
    "OfferToHandle",
    "OpenCase",
    "OpenToHandler",
    "Outcome",
    "PartnerFact",
    "PartnerName",
    "PartnerPage",
    "PartnerQuery",
    "PartnerStatus",
    "PartnerView",
    "Party",
    "PartyRole",
    "PartyView",
    "PastCase",
    "PersonFound",
    "PersonSays",
    "PersonsFound",
    "PriorResort",
    "ProposeResolution",
    "ProposeTransfer",
    "Question",
    "ReadAsHandler",
    "ReadSheet",
    "ReceiptFact",
    "RecordingClass",
    "ReferralAnswer",
    "ReferralConsent",
    "ReferralFact",
    "ReferralPage",
    "ReferralQuery",
    "ReferralStatus",
    "ReferralView",
    "RejectReason",
    "RejectReferral",
    "RejectTransfer",
    "ReleaseAgain",
    "ReleaseTransfer",
    "RestrictedCaseFact",
    "RestrictedReceiptFact",
    "RestrictedReferralFact",
    "Resume",
    "RevokeReason",
    "RevokeReferral",
    "RevokeTransfer",
    "Risk",
    "SamePersons",
    "SendReferral",
    "SendTransfer",
    "Sex",
    "SheetByCode",
    "SheetField",
    "SheetView",
    "Side",
    "SilenceFact",
    "Start",
    "SuggestionQuery",
    "SuspendPartner",
    "TableFormat",
    "Telling",
    "TransferEvent",
    "TransferFact",
    "TransferPage",
    "TransferQuery",
    "TransferRejection",
    "TransferStatus",
    "TransferView",
    "Triage",
    "Urgency",
    "VetPartner",
    "Withdraw",
]
