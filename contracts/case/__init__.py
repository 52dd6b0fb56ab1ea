"""The published language of the case service: its words, what it can be asked, what it shows, what it tells.

Doors, all POST `/doors/<name>` with a signed actor; the group is of contracts/roles.py, and behind the door
each case is reached only by its opener (until it is assigned), its handler, its unit's supervisor and the
governorate's director; a complaint (against police, of corruption) by the inspectorate in the place of these two:

| door | request | answer | group | API |
|---|---|---|---|---|
| `open_case` | OpenCase | CaseSummary | INTAKE | POST /cases |
| `list_cases` | CaseQuery | CasePage | CASE_READ | GET /cases |
| `get_case` | GetCase | CaseView | CASE_READ | GET /cases/{case_id} |
| `break_glass` | BreakGlass | GlassView | CASE_READ | POST /break-glass |
| `find_persons` | FindPersons | PersonsFound | CASE_READ | POST /cases/search |
| `same_persons` | SamePersons | PersonsFound | CASE_READ | POST /cases/{case_id}/same-persons |
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

Referrals: `contracts/case/referrals.py`, partners: `contracts/case/partners.py`.

What a caller cannot reach answers 404, as if it were not there.
"""

from contracts.case.facts import (
    CASE_EVENTS,
    CaseFact,
    RestrictedCaseFact,
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
    "AddNote",
    "AgeBand",
    "Answer",
    "AnswerByCode",
    "AnswerTaken",
    "Answers",
    "AskConsent",
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
    "HandlerPreference",
    "Hold",
    "IdentityView",
    "Informed",
    "IssueCode",
    "Language",
    "ListPartner",
    "NotCompleteReferral",
    "NotCompletedReason",
    "NoteAdded",
    "NoteKind",
    "NotePage",
    "NoteQuery",
    "NoteView",
    "OpenCase",
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
    "Question",
    "ReadSheet",
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
    "RestrictedCaseFact",
    "RestrictedReferralFact",
    "Resume",
    "RevokeReason",
    "RevokeReferral",
    "Risk",
    "SamePersons",
    "SendReferral",
    "Sex",
    "SheetByCode",
    "SheetField",
    "SheetView",
    "SilenceFact",
    "Start",
    "SuggestionQuery",
    "SuspendPartner",
    "TableFormat",
    "Telling",
    "Triage",
    "Urgency",
    "VetPartner",
    "Withdraw",
]
