"""The door of tables given out."""

from typing import Any

from contracts import case as contract
from contracts import roles
from kernel.extensions import Call, door
from services.case import handlers, views


class RegisterDoors:
    """Cases as a table."""

    database: Any

    @door(contract.CaseExport, view=contract.CasePage, roles=roles.CASE_READ, reads=True)
    def export_cases(self, call: Call) -> dict[str, Any]:
        with self.database.write_silently() as session:
            return views.listed(handlers.export_cases(session, call.values, by=call.actor, now=call.now))
