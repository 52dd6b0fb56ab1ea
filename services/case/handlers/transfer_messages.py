"""What the two ends of a transfer tell each other: written here and sealed, opened and taken in.

A message is believed if it comes from the end that may send it. What cannot be opened (a key that was changed) is not
taken; the fact stays with the arrivals of the node and among the dead letters, to be replayed once the key is back; or
the sender releases again, under the new key."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlmodel import Session

from contracts.case import CaseStatus
from contracts.case.transfers import PreviewView, Side, TransferEvent, TransferFact, TransferRejection, TransferStatus
from contracts.rules import CaseRules
from kernel import outbox
from kernel.crypto import OpeningKey, SealingKey, context_of, key_id_of
from kernel.errors import BadInput
from kernel.fact import Fact, compose
from kernel.ids import new_id
from services.case import model, telling
from services.case.handlers.steps import told
from services.case.handlers.taking_over import gathered, take_over
from services.case.model import Move
from services.case.tables import CaseRecord, Transfer
from services.case.transfer.machine import awaits_release, hear
from services.case.transfer.parts import PART_BYTES

FROM_SENDER: Final = frozenset(
    {
        TransferEvent.OFFERED,
        TransferEvent.EXPIRED,
        TransferEvent.REVOKED,
        TransferEvent.RELEASED,
        TransferEvent.ACKNOWLEDGED,
    }
)


@dataclass(frozen=True)
class Post:
    """What a node needs to write to another and to read what was written to it.

    `opening`: this node's key of that id, or the present one. `reachable`: the other governorates whose sealing keys
    are here. `part_bytes`: how much of a released case goes into one fact."""

    node: str
    governorates: frozenset[str]
    key_of: Callable[[str], SealingKey]
    opening: Callable[[str], OpeningKey]
    rules: CaseRules
    reachable: Callable[[], frozenset[str]] = frozenset
    part_bytes: int = PART_BYTES

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """What was sealed to this node, under its present key or one that was put back. Raises `CannotOpen`."""
        return self.opening(key_id_of(sealed)).open(sealed, context=context)


def take_transfer(session: Session, fact: Fact, *, origin: str, now: datetime, post: Post) -> None:
    """A message of the other side. Raises `BadInput` for one that its origin may not send, `CannotOpen`."""
    event = TransferEvent(fact.type.split(".")[1])
    values = fact.operational_values()
    side = Side.RECEIVER if event in FROM_SENDER else Side.SENDER
    whose, whom = ("sender", "receiver") if side is Side.RECEIVER else ("receiver", "sender")
    if TransferFact().validate({**fact.statistical_values(), **values}) or (values[whose], values[whom]) != (
        origin,
        post.node,
    ):
        raise BadInput("This transfer is not of its published shape, or not its origin's to tell.")
    row = session.get(Transfer, fact.subject, with_for_update=True)
    if row is not None and (
        row.side is not side or (row.sender, row.receiver) != (values["sender"], values["receiver"])
    ):
        raise BadInput("This transfer is between others.")
    before = row.status if row else None
    release = None
    if event is TransferEvent.RELEASED and awaits_release(before):
        row = row or _begun(fact, values, now)
        release = gathered(session, row, _opened(fact, origin, post), now=now)
    heard = hear(side, before, event, whole=release is not None)
    if heard.status is None:
        return
    row = row or _begun(fact, values, now)
    row.status = heard.status
    if release is not None:
        row.received_at = now
        row.case_id = take_over(session, row, release, now=now, rules=post.rules)
    _effect(session, row, event, fact, origin=origin, now=now, post=post, answered=heard.answer is not None)
    if heard.answer is not None:
        tell(session, row, heard.answer, now, post)
    kept(session, row)


def _begun(fact: Fact, values: dict[str, Any], now: datetime) -> Transfer:
    return Transfer(
        id=fact.subject,
        number=values["transfer_number"],
        version=0,
        side=Side.RECEIVER,
        status=TransferStatus.SENT,
        sender=values["sender"],
        receiver=values["receiver"],
        created_at=now,
    )


def _effect(
    session: Session,
    row: Transfer,
    event: TransferEvent,
    fact: Fact,
    *,
    origin: str,
    now: datetime,
    post: Post,
    answered: bool,
) -> None:
    if event is TransferEvent.OFFERED and row.preview is None:
        row.preview = _preview(_opened(fact, origin, post))
        row.expires_at = _instant(fact)
    elif event in (TransferEvent.ACCEPTED, TransferEvent.REJECTED):
        row.decided_at = row.decided_at or now
        reason = fact.operational_values().get("reject_reason")
        row.reject_reason = row.reject_reason or (TransferRejection(reason) if reason else None)
    elif event is TransferEvent.RECEIVED and answered:
        row.received_at = now
        case = session.get_one(CaseRecord, row.case_id, with_for_update=True)
        if case.status is CaseStatus.TRANSFERRING:
            case.status = model.moved(case.status, Move.HAND_OVER)
            told(session, case, Move.HAND_OVER.value, now=now, rules=post.rules)


def _preview(raw: bytes) -> dict[str, Any]:
    try:
        preview = msgspec.json.decode(raw)
    except msgspec.DecodeError as error:
        raise BadInput("This preview is not of its published shape.") from error
    if not isinstance(preview, dict) or PreviewView().validate(preview):
        raise BadInput("This preview is not of its published shape.")
    return preview


def _opened(fact: Fact, origin: str, post: Post) -> bytes:
    return post.open(fact.sealed, context_of(fact.id, origin, post.node))


def _instant(fact: Fact) -> datetime | None:
    given = fact.operational_values().get("expires_at")
    return datetime.fromisoformat(given) if given else None


def tell(
    session: Session,
    transfer: Transfer,
    event: TransferEvent,
    now: datetime,
    post: Post,
    *,
    sealed: bytes = b"",
    epoch: int | None = None,
) -> Transfer:
    """Count the step and write to the other side."""
    transfer.version += 1
    other = transfer.receiver if transfer.side is Side.SENDER else transfer.sender
    fact_id = new_id()
    context = context_of(fact_id, post.node, other)
    values = {
        "month": telling.month(now),
        "transfer_number": transfer.number,
        "sender": transfer.sender,
        "receiver": transfer.receiver,
        "owner_epoch": epoch,
        "expires_at": transfer.expires_at,
        "reject_reason": transfer.reject_reason,
    }
    fact = compose(
        TransferFact,
        event.value,
        id=fact_id,
        subject=transfer.id,
        version=transfer.version,
        values=values,
        at=now,
        audience=[other],
        sealed=post.key_of(other).seal(sealed, context=context) if sealed else b"",
    )
    outbox.append(session, fact)
    return kept(session, transfer)


def kept(session: Session, transfer: Transfer) -> Transfer:
    session.add(transfer)
    return transfer
