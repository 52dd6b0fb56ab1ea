"""The published language of the case service: its words, what it can be asked, what it shows, what it tells.

Doors, all POST `/doors/<name>` with a signed actor; the group is of contracts/roles.py, and behind the door
each case is reached only by its opener (until it is assigned), its handler, its unit's supervisor and the
governorate's director; a complaint (against police, of corruption) by the inspectorate in the place of these two:

| door | request | answer | group | API |
|---|---|---|---|---|
| `open_case` | OpenCase | CaseSummary | INTAKE | POST /cases |
| `list_cases` | CaseQuery | CasePage | CASE_READ | GET /cases |
| `get_case` | GetCase | CaseView | CASE_READ | GET /cases/{case_id} |
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
| `send_referral` | SendReferral | ReferralView | REFERRAL_WRITE | POST /cases/{case_id}/referrals |
| `list_referrals` | ReferralQuery | ReferralPage | CASE_READ | GET /cases/{case_id}/referrals |
| `accept_referral` | AcceptReferral | ReferralView | REFERRAL_ANSWER | POST /referrals/{referral_id}/accept |
| `reject_referral` | RejectReferral | ReferralView | REFERRAL_ANSWER | POST /referrals/{referral_id}/reject |
| `complete_referral` | CompleteReferral | ReferralView | REFERRAL_ANSWER | POST /referrals/{referral_id}/complete |

What a caller cannot reach answers 404, as if it were not there.
"""

from contracts.case.facts import (
    CASE_EVENTS,
    REFERRAL_EVENTS,
    CaseFact,
    ReferralFact,
    RestrictedCaseFact,
    RestrictedReferralFact,
)
from contracts.case.requests import (
    AcceptReferral,
    AddNote,
    Answers,
    Assign,
    CaseQuery,
    Close,
    CompleteReferral,
    GetCase,
    Hold,
    NoteQuery,
    OpenCase,
    Party,
    ProposeResolution,
    ReferralQuery,
    RejectReferral,
    Resume,
    SendReferral,
    Start,
    Triage,
    Withdraw,
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
    ReferralPage,
    ReferralView,
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
    "Answers",
    "AskedBy",
    "Assign",
    "CaseFact",
    "CasePage",
    "CaseQuery",
    "CaseStatus",
    "CaseSummary",
    "CaseView",
    "Category",
    "CategoryGroup",
    "Channel",
    "Close",
    "CompleteReferral",
    "Destination",
    "GetCase",
    "HandlerPreference",
    "Hold",
    "IdentityView",
    "Informed",
    "Language",
    "NoteAdded",
    "NoteKind",
    "NotePage",
    "NoteQuery",
    "NoteView",
    "OpenCase",
    "Outcome",
    "Party",
    "PartyRole",
    "PartyView",
    "PriorResort",
    "ProposeResolution",
    "Question",
    "RecordingClass",
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
    "Risk",
    "SendReferral",
    "Sex",
    "Start",
    "Telling",
    "Triage",
    "Urgency",
    "Withdraw",
]
