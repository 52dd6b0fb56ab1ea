"""The doors of identity: opened in an emergency."""

from typing import Any

from contracts import case as contract
from contracts import roles
from kernel.extensions import Call, door
from services.case import handlers
from services.case.doors.of_node import hashed


class IdentityDoors:
    """Who is in a case, where the ordinary way to it is shut."""

    @door(contract.BreakGlass, view=contract.GlassView, roles=roles.CASE_READ)
    def break_glass(self, call: Call) -> dict[str, Any]:
        return handlers.break_glass(call.session, call.values, by=call.actor, now=call.now, hashed=hashed(call))
