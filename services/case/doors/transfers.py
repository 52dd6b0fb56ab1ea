"""The doors of transfers, and their one clock."""

from typing import Any

from contracts import case as contract
from contracts import roles
from kernel.clock import now
from kernel.extensions import Call, Node, door, every
from services.case import handlers, views
from services.case.doors.of_node import iso
from services.case.post import post_of
from services.case.tables import Transfer

EXPIRY_SECONDS = 600  # the shortest time for an answer is a day


class TransferDoors:
    """Cases that go to another governorate, and that come from one."""

    database: Any
    settings = Node()

    @door(contract.ProposeTransfer, view=contract.TransferView, roles=roles.REFERRAL_WRITE)
    def propose_transfer(self, call: Call) -> Transfer:
        post = post_of(call.settings)
        return handlers.propose_transfer(
            call.session, call.values, by=call.actor, now=call.now, iso=iso(call), post=post
        )

    @door(contract.SendTransfer, view=contract.TransferView, roles=roles.TRANSFER)
    def send_transfer(self, call: Call) -> Transfer:
        post = post_of(call.settings)
        return handlers.send_transfer(call.session, call.values, by=call.actor, now=call.now, post=post)

    @door(contract.AcceptTransfer, view=contract.TransferView, roles=roles.TRANSFER)
    def accept_transfer(self, call: Call) -> Transfer:
        post = post_of(call.settings)
        return handlers.accept_transfer(call.session, call.values, by=call.actor, now=call.now, post=post)

    @door(contract.RejectTransfer, view=contract.TransferView, roles=roles.TRANSFER)
    def reject_transfer(self, call: Call) -> Transfer:
        post = post_of(call.settings)
        return handlers.reject_transfer(call.session, call.values, by=call.actor, now=call.now, post=post)

    @door(contract.RevokeTransfer, view=contract.TransferView, roles=roles.TRANSFER)
    def revoke_transfer(self, call: Call) -> Transfer:
        post = post_of(call.settings)
        return handlers.revoke_transfer(call.session, call.values, by=call.actor, now=call.now, post=post)

    @door(contract.ReleaseTransfer, view=contract.TransferView, roles=roles.TRANSFER)
    def release_transfer(self, call: Call) -> Transfer:
        post = post_of(call.settings)
        return handlers.release_transfer(call.session, call.values, by=call.actor, now=call.now, post=post)

    @door(contract.ReleaseAgain, view=contract.TransferView, roles=roles.TRANSFER)
    def release_again(self, call: Call) -> Transfer:
        post = post_of(call.settings)
        return handlers.release_again(call.session, call.values, by=call.actor, now=call.now, post=post)

    @door(contract.TransferQuery, view=contract.TransferPage, roles=roles.TRANSFER, reads=True)
    def list_transfers(self, call: Call) -> dict[str, Any]:
        return views.listed(handlers.list_transfers(call.session, call.values, by=call.actor))

    @every(seconds=EXPIRY_SECONDS)
    def expire_transfers(self) -> None:
        """Offers that nobody took in time expire; only here, where they were made."""
        with self.database.write() as session:
            handlers.expire_transfers(session, now=now(), post=post_of(self.settings))
