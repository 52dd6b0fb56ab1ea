"""The doors of the case service: these, and those of `doors/`, which it is put together of."""

from typing import Any

from contracts import case as contract
from contracts import roles, safekeeping
from contracts.work import CASES
from kernel.extensions import Call, Database, Metrics, Relay, door
from services.case import handlers, views
from services.case.doors.arrivals import ArrivalDoors
from services.case.doors.endings import EndingDoors
from services.case.doors.erasure import ErasureDoors
from services.case.doors.evidence import EvidenceDoors
from services.case.doors.handler_requests import HandlerRequestDoors
from services.case.doors.identity import IdentityDoors
from services.case.doors.mediations import MediationDoors
from services.case.doors.of_node import case_rules, hashed, iso
from services.case.doors.parties import PartyDoors
from services.case.doors.partners import PartnerDoors
from services.case.doors.receipts import ReceiptDoors
from services.case.doors.recovered import RecoveredDoors
from services.case.doors.referrals import ReferralDoors
from services.case.doors.registers import RegisterDoors
from services.case.doors.transfers import TransferDoors
from services.case.doors.welfare import WelfareDoors
from services.case.tables import CaseRecord


class CaseService(
    PartyDoors,
    EndingDoors,
    MediationDoors,
    WelfareDoors,
    EvidenceDoors,
    IdentityDoors,
    ErasureDoors,
    ReceiptDoors,
    ReferralDoors,
    RegisterDoors,
    PartnerDoors,
    TransferDoors,
    HandlerRequestDoors,
    ArrivalDoors,
    RecoveredDoors,
):
    """Cases from intake to closing, and referrals."""

    name = "case"
    work = CASES

    database = Database(sealed=True, begin=safekeeping.begin)
    relay = Relay()
    metrics = Metrics()

    # --- intake

    @door(contract.OpenCase, view=contract.CaseSummary, roles=roles.INTAKE)
    def open_case(self, call: Call) -> CaseRecord:
        return handlers.open_case(
            call.session, call.values, by=call.actor, now=call.now, iso=iso(call), rules=case_rules(call)
        )

    # --- reading. What shows identity writes its audit line in a transaction of its own, behind a door that only
    # reads: so its answer is never kept to be given again for an Idempotency-Key, without another line.

    @door(contract.CaseQuery, view=contract.CasePage, roles=roles.CASE_READ, reads=True)
    def list_cases(self, call: Call) -> dict[str, Any]:
        return views.listed(handlers.list_cases(call.session, call.values, by=call.actor))

    @door(contract.GetCase, view=contract.CaseView, roles=roles.CASE_READ, reads=True)
    def get_case(self, call: Call) -> dict[str, Any]:
        with self.database.write_silently() as session:
            return views.case_file(handlers.get_case(session, call.values, by=call.actor, now=call.now))

    @door(contract.NoteQuery, view=contract.NotePage, roles=roles.CASE_READ, reads=True)
    def list_notes(self, call: Call) -> dict[str, Any]:
        with self.database.write_silently() as session:
            return views.listed(handlers.list_notes(session, call.values, by=call.actor, now=call.now))

    # --- moves

    @door(contract.Triage, view=contract.CaseSummary, roles=roles.SUPERVISION)
    def triage(self, call: Call) -> CaseRecord:
        return handlers.triage(call.session, call.values, by=call.actor, now=call.now, rules=case_rules(call))

    @door(contract.Assign, view=contract.CaseSummary, roles=roles.SUPERVISION)
    def assign(self, call: Call) -> CaseRecord:
        return handlers.assign(
            call.session, call.values, by=call.actor, now=call.now, rules=case_rules(call), hashed=hashed(call)
        )

    @door(contract.Start, view=contract.CaseSummary, roles=roles.CASE_WORK)
    def start(self, call: Call) -> CaseRecord:
        return handlers.start(call.session, call.values, by=call.actor, now=call.now, rules=case_rules(call))

    @door(contract.AddNote, view=contract.NoteAdded, roles=roles.CASE_WORK)
    def add_note(self, call: Call) -> Any:
        return handlers.add_note(call.session, call.values, by=call.actor, now=call.now, rules=case_rules(call))

    @door(contract.Hold, view=contract.CaseSummary, roles=roles.CASE_WORK)
    def hold(self, call: Call) -> CaseRecord:
        return handlers.hold(call.session, call.values, by=call.actor, now=call.now, rules=case_rules(call))

    @door(contract.Resume, view=contract.CaseSummary, roles=roles.CASE_WORK)
    def resume(self, call: Call) -> CaseRecord:
        return handlers.resume(call.session, call.values, by=call.actor, now=call.now, rules=case_rules(call))

    @door(contract.ProposeResolution, view=contract.CaseSummary, roles=roles.CASE_WORK)
    def propose_resolution(self, call: Call) -> CaseRecord:
        return handlers.propose_resolution(
            call.session, call.values, by=call.actor, now=call.now, rules=case_rules(call)
        )

    @door(contract.Close, view=contract.CaseSummary, roles=roles.CASE_APPROVAL)
    def close(self, call: Call) -> CaseRecord:
        return handlers.close(call.session, call.values, by=call.actor, now=call.now, rules=case_rules(call))

    @door(contract.Withdraw, view=contract.CaseSummary, roles=roles.REFERRAL_WRITE)
    def withdraw(self, call: Call) -> CaseRecord:
        return handlers.withdraw(call.session, call.values, by=call.actor, now=call.now, rules=case_rules(call))
