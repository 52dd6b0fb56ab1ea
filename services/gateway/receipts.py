"""Operations of receipts, and reporting without an account (`slips.py` says how a receipt is made)."""

import secrets
from functools import partial
from math import ceil
from typing import Any, Final

import msgspec
from flask import request

from contracts import roles
from contracts.case import receipts as contract
from kernel.clock import now
from kernel.errors import JisrError, TooManyRequests
from kernel.identity import Actor
from services.gateway import routes as route
from services.gateway.slips import Slip
from services.gateway.state import Call
from services.gateway.throttle import Throttle

MOST_BYTES: Final = 64 * 1024  # the longest report is 8,000 letters of up to 4 bytes, and five people

make = partial(route.make, at=route.GOVERNORATE, most=MOST_BYTES)
act = partial(route.act, at=route.GOVERNORATE, most=MOST_BYTES)


def issue(call: Call) -> dict[str, str]:
    """A receipt for a person who sits before an officer."""
    slip, kept = _made(call, call.by.id)
    _ask(call, "issue_receipt", {**call.values, **kept}, call.by)
    return slip.shown()


def report(call: Call) -> dict[str, str]:
    """A case from somebody without an account. Counted by address whatever becomes of it."""
    address = request.remote_addr or "unknown"
    _wait_for(call.gateway.receipts.reports, address)
    call.gateway.receipts.reports.failed(address, now())
    slip, kept = _made(call, roles.PUBLIC)
    _ask(call, "report", {**call.values, **kept}, _nobody(call))
    return slip.shown()


def by_receipt(call: Call) -> bytes:
    """What the holder of a receipt asks or says."""
    receipts, address = call.gateway.receipts, request.remote_addr or "unknown"
    _wait_for(receipts.tries, address)
    values = contract.AskState(unknown="exclude").load(call.values)
    receipts.check(values["receipt"])
    said = {"text": call.values["text"]} if "text" in call.values else {}
    try:
        return _ask(call, call.operation, {"hash": receipts.hashed(values["receipt"]), **said}, _nobody(call))
    except JisrError as error:
        if error.code == "wrong_receipt":
            receipts.tries.failed(address, now())
        raise


def _made(call: Call, whose: str) -> tuple[Slip, dict[str, str]]:
    """A slip and what is kept of it. With an Idempotency-Key the same request has the same slip."""
    asked = msgspec.json.encode([call.operation, whose, call.key, call.values], order="sorted")
    slip = Slip.of(call.gateway.hash_key, asked if call.key is not None else secrets.token_bytes(32))
    return slip, {"hash": call.gateway.receipts.hashed(slip.digits), "commitment": slip.commitment}


def _ask(call: Call, door: str, values: dict[str, Any], actor: Actor) -> bytes:
    return call.gateway.doors.call("case", door, values, actor=actor, request_id=call.request_id)


def _nobody(call: Call) -> Actor:
    return Actor(roles.PUBLIC, "", frozenset({roles.PUBLIC}), call.gateway.node)


def _wait_for(throttle: Throttle, address: str) -> None:
    seconds = ceil(throttle.wait(address, now()).total_seconds())
    if seconds > 0:
        error = TooManyRequests()
        error.retry_after = seconds
        raise error


routes = (
    make(
        "/cases/<case_id>/receipts",
        "issue_receipt",
        contract.IssueReceipt,
        contract.ReceiptShown,
        roles.RECEIPTS,
        "A receipt for the person, shown once",
        does=issue,
    ),
    make(
        "/reports",
        "report",
        contract.Report,
        contract.ReceiptShown,
        None,
        "Report without an account; the answer is a receipt",
        does=report,
    ),
    act(
        "/receipts/state",
        "state_by_receipt",
        contract.AskState,
        contract.StateShown,
        None,
        "How a case stands, in the fewest words",
        does=by_receipt,
    ),
    act(
        "/receipts/add",
        "add_by_receipt",
        contract.AddByReceipt,
        contract.StateShown,
        None,
        "Tell more",
        does=by_receipt,
    ),
    act(
        "/receipts/contest",
        "contest_by_receipt",
        contract.ContestByReceipt,
        contract.StateShown,
        None,
        "Say that it is not over",
        does=by_receipt,
    ),
    act(
        "/receipts/withdraw",
        "withdraw_by_receipt",
        contract.WithdrawByReceipt,
        contract.StateShown,
        None,
        "Ask that it be dropped",
        does=by_receipt,
    ),
)
operations = route.blueprint("receipts", "Reporting and asking without an account. At a governorate.", routes)
