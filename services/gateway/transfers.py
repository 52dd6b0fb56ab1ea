"""Operations of transfers between governorates."""

from functools import partial

from contracts import case as contract
from contracts.roles import REFERRAL_WRITE, TRANSFER
from services.gateway import routes as route

get = partial(route.get, at=route.GOVERNORATE)
make = partial(route.make, at=route.GOVERNORATE)
act = partial(route.act, at=route.GOVERNORATE)

ONE = "/transfers/<transfer_id>"

routes = (
    make(
        "/cases/<case_id>/transfers",
        "propose_transfer",
        contract.ProposeTransfer,
        contract.TransferView,
        REFERRAL_WRITE,
        "Propose that another governorate goes on with a case",
    ),
    get(
        "/transfers",
        "list_transfers",
        contract.TransferQuery,
        contract.TransferPage,
        TRANSFER,
        "Transfers offered to this governorate, and those that one's unit sends",
    ),
    act(
        f"{ONE}/send",
        "send_transfer",
        contract.SendTransfer,
        contract.TransferView,
        TRANSFER,
        "Offer it, with a preview that names nobody; never what one proposed",
    ),
    act(
        f"{ONE}/accept",
        "accept_transfer",
        contract.AcceptTransfer,
        contract.TransferView,
        TRANSFER,
        "Take it into one's own unit, once it is released",
    ),
    act(f"{ONE}/reject", "reject_transfer", contract.RejectTransfer, contract.TransferView, TRANSFER, "Do not take it"),
    act(
        f"{ONE}/revoke",
        "revoke_transfer",
        contract.RevokeTransfer,
        contract.TransferView,
        TRANSFER,
        "Take the offer back, before it is released",
    ),
    act(
        f"{ONE}/release",
        "release_transfer",
        contract.ReleaseTransfer,
        contract.TransferView,
        TRANSFER,
        "Give the case away, sealed to the receiver; read-only here from then on",
    ),
    act(
        f"{ONE}/release-again",
        "release_again",
        contract.ReleaseAgain,
        contract.TransferView,
        TRANSFER,
        "Seal what was released once more, when the receiver cannot open it",
    ),
)
operations = route.blueprint("transfers", "Cases between governorates. At a governorate.", routes, service="case")
