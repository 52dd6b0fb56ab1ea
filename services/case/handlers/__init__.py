"""The use cases of the case service: one function each, a session and plain values in, a row out."""

from services.case.handlers.intake import open_case
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
    complete_referral,
    reject_referral,
    send_referral,
    tell_overdue,
)

__all__ = [
    "CaseFile",
    "Identity",
    "accept_referral",
    "add_note",
    "assign",
    "close",
    "complete_referral",
    "get_case",
    "hold",
    "list_cases",
    "list_notes",
    "list_referrals",
    "open_case",
    "propose_resolution",
    "reject_referral",
    "resume",
    "send_referral",
    "start",
    "tell_overdue",
    "triage",
    "withdraw",
]
