"""The doors of transfers, and their one clock."""

from functools import cache, partial
from pathlib import Path
from typing import Any

from contracts import case as contract
from contracts import roles, rules, topology
from kernel.clock import now
from kernel.crypto import OpeningKey, SealingKey
from kernel.errors import SettingsError, refuse
from kernel.extensions import Call, Node, door, every
from kernel.settings import Settings
from services.case import handlers, views
from services.case.doors.of_node import iso
from services.case.handlers.transfer_messages import Post
from services.case.refusals import NoSealKey
from services.case.tables import Transfer

EXPIRY_SECONDS = 600  # the shortest time for an answer is a day


@cache
def governorates(file: Path) -> frozenset[str]:
    """The nodes to which a case can go."""
    return frozenset(node.id for node in topology.load(file).governorates)


def post_of(settings: Settings) -> Post:
    """How this node writes to others, and reads what is written to it."""
    return Post(
        node=settings.node,
        governorates=governorates(settings.topology),
        key_of=partial(_key_of, settings),
        opening=partial(_own_key, settings),
        rules=rules.load(settings.rules).case,
        reachable=partial(_reachable, settings),
    )


def _own_key(settings: Settings, key_id: str) -> OpeningKey:
    """This node's key of that id: the present one, or a former one that was put beside it as `seal-*.key`."""
    present = OpeningKey.load(settings.keys_directory / "seal.key")
    if present.key_id == key_id:
        return present
    former = (OpeningKey.load(file) for file in sorted(settings.keys_directory.glob("seal-*.key")))
    return next((key for key in former if key.key_id == key_id), present)


def _reachable(settings: Settings) -> frozenset[str]:
    keys = settings.peer_keys_directory
    return frozenset(
        node for node in governorates(settings.topology) - {settings.node} if (keys / f"{node}.seal.pub").exists()
    )


def _key_of(settings: Settings, node: str) -> SealingKey:
    try:
        return SealingKey.load(settings.peer_keys_directory / f"{node}.seal.pub")
    except SettingsError:
        refuse(NoSealKey, node=node)


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
