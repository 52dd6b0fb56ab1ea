"""The doors of the partner directory."""

from typing import Any

from contracts import case as contract
from contracts import roles
from kernel.extensions import Call, door
from services.case import handlers, views
from services.case.doors.of_node import case_rules
from services.case.tables import Partner


class PartnerDoors:
    """Which offices may be asked."""

    @door(contract.ListPartner, view=contract.PartnerView, roles=roles.PARTNER_LIST)
    def list_partner(self, call: Call) -> dict[str, Any]:
        partner = handlers.list_partner(call.session, call.values, by=call.actor, now=call.now, node=call.node)
        return _shown(call, partner)

    @door(contract.PartnerQuery, view=contract.PartnerPage, roles=roles.PARTNER_READ, reads=True)
    def list_partners(self, call: Call) -> dict[str, Any]:
        found = handlers.list_partners(call.session, call.values, now=call.now)
        past = handlers.performances(call.session, [partner.id for partner in found.items], now=call.now)
        items = [views.partner(partner, past[partner.id], now=call.now) for partner in found.items]
        return {"items": items, "next": found.next}

    @door(contract.PartnerName, view=contract.PartnerView, roles=roles.PARTNER_READ, reads=True)
    def get_partner(self, call: Call) -> dict[str, Any]:
        return _shown(call, handlers.get_partner(call.session, call.values))

    @door(contract.VetPartner, view=contract.PartnerView, roles=roles.PARTNER_VET)
    def vet_partner(self, call: Call) -> dict[str, Any]:
        partner = handlers.vet_partner(
            call.session, call.values, by=call.actor, now=call.now, node=call.node, rules=case_rules(call)
        )
        return _shown(call, partner)

    @door(contract.SuspendPartner, view=contract.PartnerView, roles=roles.PARTNER_VET)
    def suspend_partner(self, call: Call) -> dict[str, Any]:
        partner = handlers.suspend_partner(call.session, call.values, by=call.actor, now=call.now, node=call.node)
        return _shown(call, partner)

    @door(contract.SuggestionQuery, view=contract.PartnerPage, roles=roles.REFERRAL_WRITE, reads=True)
    def suggest_partners(self, call: Call) -> dict[str, Any]:
        found = handlers.suggest_partners(call.session, call.values, by=call.actor, now=call.now)
        items = [views.partner(partner, past, now=call.now) for partner, past in found]
        return {"items": items, "next": None}


def _shown(call: Call, partner: Partner) -> dict[str, Any]:
    past = handlers.performances(call.session, [partner.id], now=call.now)
    return views.partner(partner, past[partner.id], now=call.now)
