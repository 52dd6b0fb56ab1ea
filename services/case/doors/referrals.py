"""The doors of referrals, and what happens to them because time passes."""

from typing import Any

from contracts import case as contract
from contracts import roles
from kernel.clock import now
from kernel.extensions import Call, door, every
from services.case import handlers, views
from services.case.doors.of_node import case_rules, hashed, iso
from services.case.tables import Referral

PASS = 100  # referrals one pass may tell of: a transaction of some tens of milliseconds
WATCH_SECONDS = 60  # the shortest answer is due in 24 hours


class ReferralDoors:
    """Asking other offices, and what they answered."""

    database: Any

    @door(contract.ReferralQuery, view=contract.ReferralPage, roles=roles.CASE_READ, reads=True)
    def list_referrals(self, call: Call) -> dict[str, Any]:
        return views.listed(handlers.list_referrals(call.session, call.values, by=call.actor))

    @door(contract.SendReferral, view=contract.ReferralView, roles=roles.REFERRAL_WRITE)
    def send_referral(self, call: Call) -> Referral:
        return handlers.send_referral(
            call.session,
            call.values,
            by=call.actor,
            now=call.now,
            iso=iso(call),
            rules=case_rules(call),
            hashed=hashed(call),
        )

    @door(contract.AcceptReferral, view=contract.ReferralView, roles=roles.REFERRAL_ANSWER)
    def accept_referral(self, call: Call) -> Referral:
        return handlers.accept_referral(call.session, call.values, by=call.actor, now=call.now)

    @door(contract.RejectReferral, view=contract.ReferralView, roles=roles.REFERRAL_ANSWER)
    def reject_referral(self, call: Call) -> Referral:
        return handlers.reject_referral(call.session, call.values, by=call.actor, now=call.now)

    @door(contract.CompleteReferral, view=contract.ReferralView, roles=roles.REFERRAL_ANSWER)
    def complete_referral(self, call: Call) -> Referral:
        return handlers.complete_referral(call.session, call.values, by=call.actor, now=call.now)

    @every(seconds=WATCH_SECONDS)
    def watch_referrals(self) -> None:
        """Referrals whose answer was due and has not come are told of, once."""
        with self.database.write() as session:
            handlers.tell_overdue(session, now=now(), limit=PASS)
