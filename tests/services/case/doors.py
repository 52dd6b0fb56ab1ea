"""A running case service, and how to ask it as the gateway does."""

from typing import Any

from tests.kit.doors import ServiceDoors
from tests.services.case.office import HANDLER, INTAKE, OPENING, SUPERVISOR

UNKNOWN = "0198c3a0-0000-7000-8000-000000000000"
DOORS: dict[str, dict[str, Any]] = {
    "open_case": OPENING,
    "list_cases": {},
    "get_case": {"case_id": UNKNOWN},
    "triage": {"case_id": UNKNOWN, "risk": "low", "conflict_checked": True, "scope_checked": True},
    "assign": {"case_id": UNKNOWN, "handler_id": HANDLER.id},
    "start": {"case_id": UNKNOWN},
    "add_note": {"case_id": UNKNOWN, "text": "x"},
    "list_notes": {"case_id": UNKNOWN},
    "hold": {"case_id": UNKNOWN, "reason": "x", "review_on": "2099-01-01"},
    "resume": {"case_id": UNKNOWN},
    "propose_resolution": {"case_id": UNKNOWN, "outcome": "advice_given", "text": "x"},
    "close": {"case_id": UNKNOWN, "informed": "yes", "text": "x"},
    "withdraw": {"case_id": UNKNOWN, "asked_by": "affected", "alone": "yes", "pressure": "no"},
    "send_referral": {
        "case_id": UNKNOWN,
        "destination": "health",
        "office": "x",
        "urgency": "urgent",
        "text": "x",
        "consent": "given",
    },
    "list_referrals": {"case_id": UNKNOWN},
    "ask_consent": {"referral_id": UNKNOWN},
    "dispatch_referral": {"referral_id": UNKNOWN, "consent": "given"},
    "deliver_referral": {"referral_id": UNKNOWN},
    "begin_referral": {"referral_id": UNKNOWN},
    "not_complete_referral": {"referral_id": UNKNOWN, "reason": "other"},
    "confirm_referral": {"referral_id": UNKNOWN, "person_says": "helped"},
    "revoke_referral": {"referral_id": UNKNOWN, "reason": "no_longer_needed"},
    "read_sheet": {"referral_id": UNKNOWN},
    "issue_code": {"referral_id": UNKNOWN},
    "suggest_partners": {"referral_id": UNKNOWN},
    "sheet_by_code": {"number": "R-NI-2026-000001-W", "code": "AAAAA-AAAAA"},
    "answer_by_code": {"number": "R-NI-2026-000001-W", "code": "AAAAA-AAAAA", "answer": "accept"},
    "export_cases": {},
    "propose_transfer": {"case_id": UNKNOWN, "to": "duhok", "consent": "given", "text": "x"},
    "send_transfer": {"transfer_id": UNKNOWN},
    "accept_transfer": {"transfer_id": UNKNOWN},
    "reject_transfer": {"transfer_id": UNKNOWN, "reason": "other"},
    "revoke_transfer": {"transfer_id": UNKNOWN},
    "release_transfer": {"transfer_id": UNKNOWN},
    "list_transfers": {},
    "ask_for_handler": {"case_id": UNKNOWN, "urgency": "urgent"},
    "list_handler_requests": {},
    "offer_to_handle": {"request_id": UNKNOWN, "fits_preference": True},
    "open_to_handler": {"request_id": UNKNOWN},
    "read_as_handler": {"request_id": UNKNOWN},
    "note_as_handler": {"request_id": UNKNOWN, "text": "x"},
    "close_handler_request": {"request_id": UNKNOWN},
    "list_partner": {"names": {"en": "x"}, "destination": "health", "women_on_staff": True},
    "list_partners": {},
    "get_partner": {"partner_id": UNKNOWN},
    "vet_partner": {"partner_id": UNKNOWN, "expires_on": "2099-01-01"},
    "suspend_partner": {"partner_id": UNKNOWN},
    "accept_referral": {"referral_id": UNKNOWN},
    "reject_referral": {"referral_id": UNKNOWN, "reason": "other"},
    "complete_referral": {"referral_id": UNKNOWN},
}


class Doors(ServiceDoors):
    """Asks the doors of one node's case service."""

    service = "case"

    def opened(self, **values: Any) -> str:
        """The id of a new case."""
        case_id: str = self.done("open_case", INTAKE, **{**OPENING, **values})["id"]
        return case_id

    def at_work(self, **values: Any) -> str:
        """The id of a case that is in progress."""
        case_id = self.opened(**values)
        self.done("triage", SUPERVISOR, **{**DOORS["triage"], "case_id": case_id})
        self.done("assign", SUPERVISOR, case_id=case_id, handler_id=HANDLER.id)
        self.done("start", HANDLER, case_id=case_id)
        return case_id
