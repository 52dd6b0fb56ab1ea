"""The use cases of the case service: one function each, a session and plain values in, a row out."""

from services.case.handlers.codes import answer_by_code, issue_code, sheet_by_code
from services.case.handlers.identity import break_glass, erase_identity
from services.case.handlers.intake import open_case
from services.case.handlers.parties import change_contact_plan, name_staff, record_consent
from services.case.handlers.partners import (
    get_partner,
    list_partner,
    list_partners,
    performances,
    status_of,
    suspend_partner,
    take_partner,
    vet_partner,
)
from services.case.handlers.progress import (
    add_note,
    assign,
    close,
    hold,
    propose_resolution,
    resume,
    start,
    triage,
    withdraw,
)
from services.case.handlers.reading import (
    CaseFile,
    Identity,
    get_case,
    list_cases,
    list_notes,
    list_referrals,
)
from services.case.handlers.referrals import (
    accept_referral,
    ask_consent,
    begin_referral,
    complete_referral,
    confirm_referral,
    deliver_referral,
    dispatch_referral,
    not_complete_referral,
    reject_referral,
    revoke_referral,
    send_referral,
)
from services.case.handlers.sheets import read_sheet
from services.case.handlers.silence import break_silence, suggest_partners

__all__ = [
    "CaseFile",
    "Identity",
    "accept_referral",
    "add_note",
    "answer_by_code",
    "ask_consent",
    "assign",
    "begin_referral",
    "break_glass",
    "break_silence",
    "change_contact_plan",
    "close",
    "complete_referral",
    "confirm_referral",
    "deliver_referral",
    "dispatch_referral",
    "erase_identity",
    "get_case",
    "get_partner",
    "hold",
    "issue_code",
    "list_cases",
    "list_notes",
    "list_partner",
    "list_partners",
    "list_referrals",
    "name_staff",
    "not_complete_referral",
    "open_case",
    "performances",
    "propose_resolution",
    "read_sheet",
    "record_consent",
    "reject_referral",
    "resume",
    "revoke_referral",
    "send_referral",
    "sheet_by_code",
    "start",
    "status_of",
    "suggest_partners",
    "suspend_partner",
    "take_partner",
    "triage",
    "vet_partner",
    "withdraw",
]
