"""Operations about the persons in a case, its class, and what follows its end, at a governorate."""

from functools import partial

from contracts import case as contract
from contracts.case import audit, endings, parties, reclassification
from contracts.roles import (
    AUDIT_READ,
    CASE_READ,
    CASE_STEPS,
    CASE_WORK,
    CONFIRMATION,
    RECLASSIFICATION_APPROVAL,
    RECLASSIFICATION_READ,
    SUPERVISION,
)
from services.gateway import routes as route

get = partial(route.get, at=route.GOVERNORATE)
make = partial(route.make, at=route.GOVERNORATE)
act = partial(route.act, at=route.GOVERNORATE)

CASE = "/cases/<case_id>"
RECLASSIFICATION = "/reclassifications/<reclassification_id>"
CONFIRMED = "/confirmations/<confirmation_id>"

routes = (
    act(
        f"{CASE}/consents",
        "record_consent",
        parties.RecordConsent,
        contract.CaseSummary,
        CASE_WORK,
        "What a person says now about one purpose",
    ),
    act(
        f"{CASE}/contact-plan",
        "change_contact_plan",
        parties.ChangeContactPlan,
        contract.CaseSummary,
        CASE_WORK,
        "How the affected person may be reached from now on",
    ),
    act(
        f"{CASE}/staff",
        "name_staff",
        parties.NameStaff,
        contract.CaseSummary,
        CASE_STEPS,
        "It names somebody of the staff: from now on it stands behind the wall",
    ),
    make(
        f"{CASE}/reclassifications",
        "propose_reclassification",
        reclassification.ProposeReclassification,
        reclassification.ReclassificationView,
        CASE_STEPS,
        "Say which class it should have now, and why",
    ),
    get(
        "/reclassifications",
        "list_reclassifications",
        reclassification.ReclassificationQuery,
        reclassification.ReclassificationPage,
        RECLASSIFICATION_READ,
        "Every change of a class that was proposed, with its reason; reading is in the audit log",
    ),
    act(
        f"{RECLASSIFICATION}/approve",
        "approve_reclassification",
        reclassification.DecideReclassification,
        reclassification.ReclassificationView,
        RECLASSIFICATION_APPROVAL,
        "Change the present class; from outside the unit, never one's own proposal",
    ),
    act(
        f"{RECLASSIFICATION}/refuse",
        "refuse_reclassification",
        reclassification.DecideReclassification,
        reclassification.ReclassificationView,
        RECLASSIFICATION_APPROVAL,
        "Leave the present class as it is",
    ),
    act(f"{CASE}/reopen", "reopen", endings.Reopen, contract.CaseSummary, SUPERVISION, "Take an ended case up again"),
    act(
        f"{CASE}/duplicate",
        "mark_duplicate",
        endings.MarkDuplicate,
        contract.CaseSummary,
        SUPERVISION,
        "Count it where it was told first",
    ),
    act(f"{CASE}/separate", "separate", endings.Separate, contract.CaseSummary, SUPERVISION, "It was no duplicate"),
    get(
        "/next-steps",
        "list_next_steps",
        endings.NextStepQuery,
        contract.CasePage,
        CASE_READ,
        "Open cases in the order in which something is due",
    ),
    get(
        "/confirmations",
        "list_confirmations",
        endings.ConfirmationQuery,
        endings.ConfirmationPage,
        CONFIRMATION,
        "Interviews after closings that you may hold",
    ),
    get(
        CONFIRMED,
        "get_confirmation",
        endings.GetConfirmation,
        endings.InterviewView,
        CONFIRMATION,
        "What is needed to hold one; reading is in the audit log",
    ),
    act(
        f"{CONFIRMED}/answer",
        "record_confirmation",
        endings.RecordConfirmation,
        endings.ConfirmationView,
        CONFIRMATION,
        "What came of it; contested opens the case again",
    ),
    get(
        "/audit",
        "list_audit",
        audit.AuditQuery,
        audit.AuditPage,
        AUDIT_READ,
        "Who read and who was refused, newest first",
    ),
)
operations = route.blueprint(
    "lifecycle", "Persons in a case, its class, its end and after. At a governorate.", routes, service="case"
)
