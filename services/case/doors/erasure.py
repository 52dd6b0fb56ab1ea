"""The doors of erasure on a person's request, and of legal holds."""

from typing import Any

from contracts import roles
from contracts.case import erasure as contract
from kernel.extensions import Call, door
from services.case import handlers, views
from services.case.tables import LegalHold


class ErasureDoors:
    """What identifies people, erased because they ask or held because an authority needs it."""

    @door(contract.RequestErasure, view=contract.ErasureView, roles=roles.CASE_STEPS)
    def request_erasure(self, call: Call) -> dict[str, Any]:
        return handlers.request_erasure(call.session, call.values, by=call.actor, now=call.now)

    @door(contract.DecideErasure, view=contract.ErasureView, roles=roles.ERASURE_APPROVAL)
    def approve_erasure(self, call: Call) -> dict[str, Any]:
        return handlers.approve_erasure(call.session, call.values, by=call.actor, now=call.now)

    @door(contract.RefuseErasure, view=contract.ErasureView, roles=roles.ERASURE_APPROVAL)
    def refuse_erasure(self, call: Call) -> dict[str, Any]:
        return handlers.refuse_erasure(call.session, call.values, by=call.actor, now=call.now)

    @door(contract.ErasureQuery, view=contract.ErasurePage, roles=roles.ERASURE_READ, reads=True)
    def list_erasures(self, call: Call) -> dict[str, Any]:
        return views.listed(handlers.list_erasures(call.session, call.values, by=call.actor))

    @door(contract.PlaceHold, view=contract.HoldView, roles=roles.ERASURE_APPROVAL)
    def place_hold(self, call: Call) -> LegalHold:
        return handlers.place_hold(call.session, call.values, by=call.actor, now=call.now)

    @door(contract.LiftHold, view=contract.HoldView, roles=roles.ERASURE_APPROVAL)
    def lift_hold(self, call: Call) -> LegalHold:
        return handlers.lift_hold(call.session, call.values, by=call.actor, now=call.now)
