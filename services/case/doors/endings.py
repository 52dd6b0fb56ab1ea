"""The doors about the class of a case and what follows its end, and what happens to it because time passes."""

from typing import Any

from contracts import case as contract
from contracts import roles, rules
from contracts.case import audit, endings, reclassification
from kernel.clock import now
from kernel.extensions import Call, door, every
from services.case import handlers, views
from services.case.doors.of_node import case_rules, hashed
from services.case.tables import CaseRecord

PASS = 100  # interviews one pass draws up or lets lapse: a transaction of some tens of milliseconds
DRAW_SECONDS = 300  # they are due in weeks


class EndingDoors:
    """Reclassification, duplicates, reopening, confirmation, and what is due next."""

    database: Any
    settings: Any

    # --- the class

    @door(reclassification.ProposeReclassification, view=reclassification.ReclassificationView, roles=roles.CASE_STEPS)
    def propose_reclassification(self, call: Call) -> Any:
        return handlers.propose_reclassification(
            call.session, call.values, by=call.actor, now=call.now, hashed=hashed(call)
        )

    @door(
        reclassification.ReclassificationQuery,
        view=reclassification.ReclassificationPage,
        roles=roles.RECLASSIFICATION_READ,
        reads=True,
    )
    def list_reclassifications(self, call: Call) -> Any:
        with self.database.write_silently() as session:
            return views.listed(handlers.list_reclassifications(session, call.values, by=call.actor, now=call.now))

    @door(
        reclassification.DecideReclassification,
        view=reclassification.ReclassificationView,
        roles=roles.RECLASSIFICATION_APPROVAL,
    )
    def approve_reclassification(self, call: Call) -> Any:
        return handlers.approve_reclassification(
            call.session, call.values, by=call.actor, now=call.now, rules=case_rules(call)
        )

    @door(
        reclassification.DecideReclassification,
        view=reclassification.ReclassificationView,
        roles=roles.RECLASSIFICATION_APPROVAL,
    )
    def refuse_reclassification(self, call: Call) -> Any:
        return handlers.refuse_reclassification(call.session, call.values, by=call.actor, now=call.now)

    # --- after the end

    @door(endings.Reopen, view=contract.CaseSummary, roles=roles.SUPERVISION)
    def reopen(self, call: Call) -> CaseRecord:
        return handlers.reopen(call.session, call.values, by=call.actor, now=call.now, rules=case_rules(call))

    @door(endings.MarkDuplicate, view=contract.CaseSummary, roles=roles.SUPERVISION)
    def mark_duplicate(self, call: Call) -> CaseRecord:
        return handlers.mark_duplicate(call.session, call.values, by=call.actor, now=call.now, rules=case_rules(call))

    @door(endings.Separate, view=contract.CaseSummary, roles=roles.SUPERVISION)
    def separate(self, call: Call) -> CaseRecord:
        return handlers.separate(call.session, call.values, by=call.actor, now=call.now, rules=case_rules(call))

    @door(endings.NextStepQuery, view=contract.CasePage, roles=roles.CASE_READ, reads=True)
    def list_next_steps(self, call: Call) -> Any:
        found = handlers.list_next_steps(call.session, call.values, by=call.actor, now=call.now)
        return {"items": found, "next": None}

    # --- confirmation

    @door(endings.ConfirmationQuery, view=endings.ConfirmationPage, roles=roles.CONFIRMATION, reads=True)
    def list_confirmations(self, call: Call) -> Any:
        return views.listed(handlers.list_confirmations(call.session, call.values, by=call.actor))

    @door(endings.GetConfirmation, view=endings.InterviewView, roles=roles.CONFIRMATION, reads=True)
    def get_confirmation(self, call: Call) -> Any:
        with self.database.write_silently() as session:
            return handlers.get_confirmation(session, call.values, by=call.actor, now=call.now)

    @door(endings.RecordConfirmation, view=endings.ConfirmationView, roles=roles.CONFIRMATION)
    def record_confirmation(self, call: Call) -> Any:
        return handlers.record_confirmation(
            call.session, call.values, by=call.actor, now=call.now, rules=case_rules(call)
        )

    @door(audit.AuditQuery, view=audit.AuditPage, roles=roles.AUDIT_READ, reads=True)
    def list_audit(self, call: Call) -> Any:
        return views.listed(handlers.list_audit(call.session, call.values, by=call.actor))

    @every(seconds=DRAW_SECONDS)
    def watch_confirmations(self) -> None:
        """Interviews are drawn up when they are due, and lapse."""
        with self.database.write() as session:
            mine = rules.load(self.settings.rules).case
            handlers.draw_confirmations(session, now=now(), rules=mine, limit=PASS)
            handlers.lapse_confirmations(session, now=now(), rules=mine, limit=PASS)
