"""The doors about the persons in a case."""

from contracts import case as contract
from contracts import roles
from contracts.case import parties
from kernel.extensions import Call, door
from services.case import handlers
from services.case.doors.of_node import case_rules
from services.case.tables import CaseRecord


class PartyDoors:
    """What persons in a case agree to, how they may be reached, and staff whom it names."""

    @door(parties.RecordConsent, view=contract.CaseSummary, roles=roles.CASE_WORK)
    def record_consent(self, call: Call) -> CaseRecord:
        return handlers.record_consent(call.session, call.values, by=call.actor, now=call.now, rules=case_rules(call))

    @door(parties.ChangeContactPlan, view=contract.CaseSummary, roles=roles.CASE_WORK)
    def change_contact_plan(self, call: Call) -> CaseRecord:
        return handlers.change_contact_plan(
            call.session, call.values, by=call.actor, now=call.now, rules=case_rules(call)
        )

    @door(parties.NameStaff, view=contract.CaseSummary, roles=roles.CASE_STEPS)
    def name_staff(self, call: Call) -> CaseRecord:
        return handlers.name_staff(call.session, call.values, by=call.actor, now=call.now, rules=case_rules(call))
