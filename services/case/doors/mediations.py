"""The doors of mediations and of calls for help, and what happens to them because time passes."""

from typing import Any

from contracts import roles
from contracts.case import assistance, mediation
from kernel.clock import now
from kernel.extensions import Call, door, every
from services.case import handlers, views
from services.case.doors.of_node import case_rules
from services.case.tables import Assistance, Mediation

PASS = 100  # calls one pass writes down as unanswered: a transaction of some tens of milliseconds
CLOCK_SECONDS = 20  # an answer is due in minutes


class MediationDoors:
    """Bringing parties together, and calling for help."""

    database: Any

    # --- mediation

    @door(mediation.ProposeMediation, view=mediation.MediationView, roles=roles.CASE_WORK)
    def propose_mediation(self, call: Call) -> Mediation:
        return handlers.propose_mediation(call.session, call.values, by=call.actor, now=call.now)

    @door(mediation.MediationQuery, view=mediation.MediationPage, roles=roles.CASE_READ, reads=True)
    def list_mediations(self, call: Call) -> dict[str, Any]:
        return views.listed(handlers.list_mediations(call.session, call.values, by=call.actor))

    @door(mediation.FollowUpQuery, view=mediation.MediationPage, roles=roles.CASE_READ, reads=True)
    def list_follow_ups(self, call: Call) -> dict[str, Any]:
        due = handlers.list_follow_ups(call.session, call.values, by=call.actor, now=call.now)
        return {"items": due, "next": None}

    @door(mediation.ScreenMediation, view=mediation.MediationView, roles=roles.CASE_WORK)
    def screen_mediation(self, call: Call) -> Mediation:
        return handlers.screen_mediation(call.session, call.values, by=call.actor, now=call.now)

    @door(mediation.ApproveMediation, view=mediation.MediationView, roles=roles.CASE_APPROVAL)
    def approve_mediation(self, call: Call) -> Mediation:
        return handlers.approve_mediation(call.session, call.values, by=call.actor, now=call.now)

    @door(mediation.HoldMediation, view=mediation.MediationView, roles=roles.CASE_WORK)
    def hold_mediation(self, call: Call) -> Mediation:
        return handlers.hold_mediation(call.session, call.values, by=call.actor, now=call.now, rules=case_rules(call))

    @door(mediation.FollowUpMediation, view=mediation.MediationView, roles=roles.CASE_WORK)
    def follow_up_mediation(self, call: Call) -> Mediation:
        return handlers.follow_up_mediation(
            call.session, call.values, by=call.actor, now=call.now, rules=case_rules(call)
        )

    @door(mediation.ReportBreach, view=mediation.MediationView, roles=roles.CASE_STEPS)
    def report_breach(self, call: Call) -> Mediation:
        return handlers.report_breach(call.session, call.values, by=call.actor, now=call.now, rules=case_rules(call))

    @door(mediation.StopMediation, view=mediation.MediationView, roles=roles.CASE_STEPS)
    def stop_mediation(self, call: Call) -> Mediation:
        return handlers.stop_mediation(call.session, call.values, by=call.actor, now=call.now)

    # --- calls for help

    @door(assistance.RequestAssistance, view=assistance.AssistanceView, roles=roles.CASE_STEPS)
    def request_assistance(self, call: Call) -> Assistance:
        return handlers.request_assistance(
            call.session, call.values, by=call.actor, now=call.now, rules=case_rules(call)
        )

    @door(assistance.AssistanceQuery, view=assistance.AssistancePage, roles=roles.CASE_READ, reads=True)
    def list_assistance(self, call: Call) -> dict[str, Any]:
        return views.listed(handlers.list_assistance(call.session, call.values, by=call.actor))

    @door(assistance.AssistanceAnswered, view=assistance.AssistanceView, roles=roles.CASE_STEPS)
    def acknowledge_assistance(self, call: Call) -> Assistance:
        return handlers.acknowledge_assistance(call.session, call.values, by=call.actor, now=call.now)

    @door(assistance.AssistanceAnswered, view=assistance.AssistanceView, roles=roles.CASE_STEPS)
    def arrive_assistance(self, call: Call) -> Assistance:
        return handlers.arrive_assistance(call.session, call.values, by=call.actor, now=call.now)

    @door(assistance.EndAssistance, view=assistance.AssistanceView, roles=roles.CASE_STEPS)
    def end_assistance(self, call: Call) -> Assistance:
        return handlers.end_assistance(call.session, call.values, by=call.actor, now=call.now)

    @door(assistance.RefuseAssistance, view=assistance.AssistanceView, roles=roles.CASE_STEPS)
    def refuse_assistance(self, call: Call) -> Assistance:
        return handlers.refuse_assistance(call.session, call.values, by=call.actor, now=call.now)

    @every(seconds=CLOCK_SECONDS)
    def watch_assistance(self) -> None:
        """Calls that nobody answered in time are written down as such."""
        with self.database.write() as session:
            handlers.tell_unanswered(session, now=now(), limit=PASS)
