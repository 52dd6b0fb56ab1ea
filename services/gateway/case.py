"""Operations of the case service, at a governorate: from intake to closing.

Reading identity with a reason is a POST: the reason is free text about a case, and an address is written into the logs
of every proxy on the way.
"""

from functools import partial

from contracts import case as contract
from contracts.recovered import RecoveredPage, RecoveredQuery
from contracts.roles import CASE_APPROVAL, CASE_READ, CASE_WORK, INTAKE, REFERRAL_WRITE, SUPERVISION
from services.gateway import routes as route

get = partial(route.get, at=route.GOVERNORATE)
make = partial(route.make, at=route.GOVERNORATE)
act = partial(route.act, at=route.GOVERNORATE)

CASE = "/cases/<case_id>"

routes = (
    make("/cases", "open_case", contract.OpenCase, contract.CaseSummary, INTAKE,
         "Record what happened, before anything is decided about it"),
    get("/cases", "list_cases", contract.CaseQuery, contract.CasePage, CASE_READ,
        "Cases that you may see, without identity"),
    get("/recovered/cases", "list_recovered_cases", RecoveredQuery, RecoveredPage, CASE_APPROVAL,
        "Cases and referrals of which something was lost when a backup was put back"),
    get(CASE, "get_case", contract.GetCase, contract.CaseView, CASE_READ,
        "One case; with identity for those who handle it", without=("reason",)),
    act(f"{CASE}/identity", "read_identity", contract.GetCase, contract.CaseView, CASE_READ,
        "One case with identity, for a reason that is kept in the audit log", door="get_case"),
    act(f"{CASE}/triage", "triage", contract.Triage, contract.CaseSummary, SUPERVISION,
        "Say how urgent it is, and that nobody near to it will handle it"),
    act(f"{CASE}/assign", "assign", contract.Assign, contract.CaseSummary, SUPERVISION, "Give it to a handler"),
    act(f"{CASE}/start", "start", contract.Start, contract.CaseSummary, CASE_WORK,
        "The handler has spoken to the person"),
    make(f"{CASE}/notes", "add_note", contract.AddNote, contract.NoteAdded, CASE_WORK,
         "Write down what was done or said"),
    get(f"{CASE}/notes", "list_notes", contract.NoteQuery, contract.NotePage, CASE_READ,
        "The texts of a case, for those who handle it", without=("reason",)),
    act(f"{CASE}/notes/read", "read_notes", contract.NoteQuery, contract.NotePage, CASE_READ,
        "The texts of a case, for a reason that is kept in the audit log", door="list_notes"),
    act(f"{CASE}/hold", "hold", contract.Hold, contract.CaseSummary, CASE_WORK, "Wait, and look again on a set day"),
    act(f"{CASE}/resume", "resume", contract.Resume, contract.CaseSummary, CASE_WORK, "Go on, or take a proposal back"),
    act(f"{CASE}/propose", "propose_resolution", contract.ProposeResolution, contract.CaseSummary, CASE_WORK,
        "Say how it ended, for somebody else to approve"),
    act(f"{CASE}/close", "close", contract.Close, contract.CaseSummary, CASE_APPROVAL,
        "Approve the proposed resolution; never one's own"),
    act(f"{CASE}/withdraw", "withdraw", contract.Withdraw, contract.CaseSummary, REFERRAL_WRITE,
        "The person no longer wants it; it still counts"),
)
operations = route.blueprint("case", "Cases. At a governorate.", routes)
