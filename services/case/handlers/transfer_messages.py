"""What the two ends of a transfer tell each other: written here and sealed, opened and taken in.

A message is believed if it comes from the end that may send it. What cannot be opened (a key that was changed) is not
taken; the fact stays with the arrivals of the node and among the dead letters, to be replayed once the key is back; or
the sender releases again, under the new key."""

from datetime import datetime
from typing import Any, Final

import msgspec
from sqlmodel import Session

from contracts.case import CaseStatus
from contracts.case.transfers import PreviewView, Side, TransferEvent, TransferFact, TransferRejection, TransferStatus
from kernel import outbox
from kernel.errors import BadInput
from kernel.fact import Fact
from services.case import model, telling
from services.case.handlers import letters
from services.case.handlers.letters import Post
from services.case.handlers.steps import told
from services.case.handlers.taking_over import gathered, take_over
from services.case.model import Move
from services.case.tables import CaseRecord, Transfer
from services.case.transfer.machine import awaits_release, hear

FROM_SENDER: Final = frozenset(
    {
        TransferEvent.OFFERED,
        TransferEvent.EXPIRED,
        TransferEvent.REVOKED,
        TransferEvent.RELEASED,
        TransferEvent.ACKNOWLEDGED,
    }
)


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
    content = letters.read(fact, origin=origin, post=post)
    before = row.status if row else None
    release = None
    if event is TransferEvent.RELEASED and awaits_release(before):
        row = row or _begun(fact, values, now)
        release = gathered(session, row, content, now=now)
    heard = hear(side, before, event, whole=release is not None)
    if heard.status is None:
        return
    row = row or _begun(fact, values, now)
    row.status = heard.status
    if release is not None:
        row.received_at = now
        row.case_id = take_over(session, row, release, now=now, rules=post.rules)
    _effect(session, row, event, fact, content, now=now, post=post, answered=heard.answer is not None)
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
    content: bytes,
    *,
    now: datetime,
    post: Post,
    answered: bool,
) -> None:
    if event is TransferEvent.OFFERED and row.preview is None:
        row.preview = _preview(content)
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
    values = {
        "month": telling.month(now),
        "transfer_number": transfer.number,
        "sender": transfer.sender,
        "receiver": transfer.receiver,
        "owner_epoch": epoch,
        "expires_at": transfer.expires_at,
        "reject_reason": transfer.reject_reason,
    }
    letter = letters.written(
        TransferFact,
        event.value,
        subject=transfer.id,
        version=transfer.version,
        values=values,
        at=now,
        to=other,
        post=post,
        content=sealed,
    )
    outbox.append(session, letter)
    return kept(session, transfer)


def kept(session: Session, transfer: Transfer) -> Transfer:
    session.add(transfer)
    return transfer
