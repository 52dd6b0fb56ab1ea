"""The doors of evidence. What shows a file is never kept to be given again for an Idempotency-Key."""

from typing import Any

from contracts import roles
from contracts.case import evidence as contract
from kernel.clock import now
from kernel.extensions import Call, door, every
from kernel.settings import Settings
from services.case import evidence_store, handlers, views
from services.case.doors.of_node import case_rules, evidence_directory

SWEEP_SECONDS = 3600


class EvidenceDoors:
    """Files of cases."""

    database: Any
    settings: Settings

    @door(contract.BeginEvidence, view=contract.EvidenceView, roles=roles.EVIDENCE)
    def begin_evidence(self, call: Call) -> dict[str, Any]:
        return handlers.begin_evidence(call.session, call.values, by=call.actor, now=call.now, rules=case_rules(call))

    @door(contract.AddPart, view=contract.EvidenceView, roles=roles.EVIDENCE, reads=True)
    def add_part(self, call: Call) -> dict[str, Any]:
        with self.database.write_silently() as session:
            directory = evidence_directory(call.settings)
            return handlers.add_part(session, call.values, by=call.actor, directory=directory)

    @door(contract.EvidenceQuery, view=contract.EvidencePage, roles=roles.CASE_READ, reads=True)
    def list_evidence(self, call: Call) -> dict[str, Any]:
        return views.listed(handlers.list_evidence(call.session, call.values, by=call.actor))

    @door(contract.ReadEvidence, view=contract.PartView, roles=roles.CASE_READ, reads=True)
    def read_evidence(self, call: Call) -> dict[str, Any]:
        with self.database.write_silently() as session:
            directory = evidence_directory(call.settings)
            return handlers.read_evidence(session, call.values, by=call.actor, now=call.now, directory=directory)

    @every(seconds=SWEEP_SECONDS)
    def sweep_evidence(self) -> None:
        """Files that never became whole are forgotten, and what no row names is deleted."""
        with self.database.write_silently() as session:
            handlers.drop_unfinished(session, now=now())
        with self.database.read() as session:
            evidence_store.sweep(session, evidence_directory(self.settings))
