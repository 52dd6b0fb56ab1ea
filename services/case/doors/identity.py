"""The doors of identity: opened in an emergency, looked for by name."""

from typing import Any

from contracts import case as contract
from contracts import roles
from kernel.extensions import Call, door, every
from services.case import handlers, sealing, views
from services.case.doors.of_node import hashed

INDEXED = 500  # parties one pass indexes anew: some tens of milliseconds
INDEX_SECONDS = 60


class IdentityDoors:
    """Who is in a case, where the ordinary way to it is shut or not known."""

    database: Any

    @door(contract.BreakGlass, view=contract.GlassView, roles=roles.CASE_READ)
    def break_glass(self, call: Call) -> dict[str, Any]:
        return handlers.break_glass(call.session, call.values, by=call.actor, now=call.now, hashed=hashed(call))

    # What is found is read, then noted in a short transaction of its own, and only then shown.

    @door(contract.FindPersons, view=contract.PersonsFound, roles=roles.CASE_READ, reads=True)
    def find_persons(self, call: Call) -> dict[str, Any]:
        return self._shown(handlers.find_persons(call.session, call.values, by=call.actor), call)

    @door(contract.SamePersons, view=contract.PersonsFound, roles=roles.CASE_READ, reads=True)
    def same_persons(self, call: Call) -> dict[str, Any]:
        return self._shown(handlers.same_persons(call.session, call.values, by=call.actor), call)

    def _shown(self, finds: handlers.Finds, call: Call) -> dict[str, Any]:
        with self.database.write_silently() as session:
            handlers.note_finds(session, finds, call.values["reason"], by=call.actor, now=call.now)
        return views.finds(finds)

    @every(seconds=INDEX_SECONDS)
    def index_names(self) -> None:
        """Names that an earlier release kept, or indexed by other rules, are indexed; a bounded number each time."""
        with self.database.write_silently() as session:
            sealing.index_anew(session, limit=INDEXED)
