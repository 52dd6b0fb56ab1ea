"""Transfers of a case to another governorate and from one: acts of persons, and what the other side is heard to say.

Every act and every answer is one commit with the fact that tells of it. What may happen is decided in
services/case/transfer/machine.py; here it is looked up, sealed, written and told."""

from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from sqlmodel import Session, select

from contracts.case import NoteKind, ReferralConsent
from contracts.case.transfers import Side, TransferEvent, TransferStatus
from contracts.numbers import next_number
from kernel import audit
from kernel.errors import Forbidden, MoveRefused, refuse
from kernel.identity import Actor
from kernel.ids import new_id
from kernel.paging import Page, page
from services.case import model, telling
from services.case.handlers.finding import must_handle_or_supervise, must_supervise, to_change
from services.case.handlers.handler_requests import close_requests_of
from services.case.handlers.letters import Post
from services.case.handlers.steps import keep_text, told
from services.case.handlers.transfer_messages import kept, tell
from services.case.model import Move
from services.case.reach import reached, supervises
from services.case.refusals import (
    NotATarget,
    NotTransferable,
    OwnAct,
    TransferNotFound,
    TransferOpen,
    UnitNeeded,
)
from services.case.tables import CaseParty, CaseRecord, NumberSequence, Transfer
from services.case.transfer import content, parts
from services.case.transfer.machine import UNDECIDED, Ownership, act, may_release_again

PREFIX: Final = "T"


def propose_transfer(
    session: Session, values: dict[str, Any], *, by: Actor, now: datetime, iso: str, post: Post
) -> Transfer:
    """Propose. Nothing leaves the node. Raises `NotATarget`, `TransferOpen`, `NotTransferable`, `MoveRefused`."""
    case = to_change(session, values, by=by)
    must_handle_or_supervise(case, by)
    model.moved(case.status, Move.RELEASE)
    _check_not_walled(case)
    if values["to"] not in post.governorates or values["to"] == post.node:
        refuse(NotATarget, node=values["to"])
    _check_none_open(session, case)
    if values["consent"] is ReferralConsent.OVERRIDDEN:
        keep_text(session, case, NoteKind.NOTE, values["override_reason"], by=by, now=now)
    keep_text(session, case, NoteKind.NOTE, values["text"], by=by, now=now)
    transfer = Transfer(
        id=new_id(),
        number=next_number(session, NumberSequence, iso=iso, at=now, prefix=PREFIX),
        version=0,
        side=Side.SENDER,
        status=TransferStatus.PROPOSED,
        case_id=case.id,
        sender=post.node,
        receiver=values["to"],
        consent=values["consent"],
        proposed_by=by.id,
        created_at=now,
    )
    session.add(transfer)
    return transfer


def _check_none_open(session: Session, case: CaseRecord) -> None:
    open_ones = select(Transfer.number).where(
        Transfer.case_id == case.id,
        Transfer.side == Side.SENDER,
        Transfer.status.in_({*UNDECIDED, TransferStatus.RELEASED}),
    )
    if number := session.exec(open_ones).first():
        refuse(TransferOpen, number=number)


def send_transfer(session: Session, values: dict[str, Any], *, by: Actor, now: datetime, post: Post) -> Transfer:
    """Offer it with a preview. Raises `OwnAct` for who proposed it, `NoSealKey`, `NotTransferable`."""
    transfer, case = _to_give(session, values, by=by)
    transfer.status = act(Side.SENDER, transfer.status, TransferEvent.OFFERED)
    _check_not_walled(case)
    transfer.expires_at = now + timedelta(days=post.rules.transfer_days)
    transfer.decided_by, transfer.preview = by.id, _preview(session, case)
    sealed = msgspec.json.encode(transfer.preview)
    return tell(session, transfer, TransferEvent.OFFERED, now, post, sealed=sealed)


def _preview(session: Session, case: CaseRecord) -> dict[str, Any]:
    parties = len(session.exec(select(CaseParty.id).where(CaseParty.case_id == case.id)).all())
    return {
        "category": case.category.value,
        "current_class": case.current_class.value,
        "risk": case.risk.value if case.risk else None,
        "language": case.language.value,
        "interpreter": case.interpreter,
        "handler_preference": case.handler_preference.value,
        "minors": case.minors,
        "parties": parties,
        "notes": case.notes,
        "reported_on": telling.local_day(case.reported_at).isoformat(),
    }


def accept_transfer(session: Session, values: dict[str, Any], *, by: Actor, now: datetime, post: Post) -> Transfer:
    """Take it into the caller's unit, once it is released."""
    transfer = _of_receiver(session, values, by=by)
    transfer.status = act(Side.RECEIVER, transfer.status, TransferEvent.ACCEPTED)
    transfer.unit = by.unit or refuse(UnitNeeded)
    transfer.decided_by, transfer.decided_at = by.id, now
    return tell(session, transfer, TransferEvent.ACCEPTED, now, post)


def reject_transfer(session: Session, values: dict[str, Any], *, by: Actor, now: datetime, post: Post) -> Transfer:
    """Do not take it."""
    transfer = _of_receiver(session, values, by=by)
    transfer.status = act(Side.RECEIVER, transfer.status, TransferEvent.REJECTED)
    transfer.decided_by, transfer.decided_at, transfer.reject_reason = by.id, now, values["reason"]
    return tell(session, transfer, TransferEvent.REJECTED, now, post)


def revoke_transfer(session: Session, values: dict[str, Any], *, by: Actor, now: datetime, post: Post) -> Transfer:
    """Take the offer back, before it is released. One that was never sent is told to nobody."""
    transfer, _ = _of_sender(session, values, by=by)
    was_sent = transfer.status is not TransferStatus.PROPOSED
    transfer.status = act(Side.SENDER, transfer.status, TransferEvent.REVOKED)
    transfer.decided_by = by.id
    return tell(session, transfer, TransferEvent.REVOKED, now, post) if was_sent else kept(session, transfer)


def release_transfer(session: Session, values: dict[str, Any], *, by: Actor, now: datetime, post: Post) -> Transfer:
    """Give the case away: epoch raised, read-only here, and the whole case sealed to the receiver, in one commit.

    Raises `OwnAct`, `NoSealKey`, `NotTransferable`, `IdentityErased`, and `TooLarge` for a case of 32 MiB compressed.
    """
    transfer, case = _to_give(session, values, by=by)
    transfer.status = act(Side.SENDER, transfer.status, TransferEvent.RELEASED)
    _check_not_walled(case)
    ownership = Ownership(case.owner_epoch, case.owned).released()
    packed = content.pack(session, case, node=post.node)
    case.owner_epoch, case.owned = ownership.epoch, ownership.mine
    case.status = model.moved(case.status, Move.RELEASE)
    case.review_on = None
    transfer.released_at, transfer.decided_by = now, by.id
    told(session, case, Move.RELEASE.value, now=now, rules=post.rules)
    close_requests_of(session, case, now=now, post=post)
    return _sealed(session, transfer, ownership.epoch, packed, now=now, post=post)


def release_again(session: Session, values: dict[str, Any], *, by: Actor, now: datetime, post: Post) -> Transfer:
    """Seal what was released once more, under the key that the receiver has now.

    For a receiver who cannot open what it was sent, or lost it. It is the same case, epoch and receiver: which of the
    two arrives first is taken, the other is not. Raises `OwnAct`, `MoveRefused` once it was taken in, `NoSealKey`.
    """
    transfer, case = _to_give(session, values, by=by)
    if not may_release_again(transfer.status, Ownership(case.owner_epoch, case.owned)):
        raise MoveRefused(
            subject="transfer", current=transfer.status.value, target="released again", possible="nothing by hand"
        )
    audit.record(
        session, actor=by, action="release_again", subject=case.id, outcome="allowed", reason=transfer.number, at=now
    )
    packed = content.pack(session, case, node=post.node)
    return _sealed(session, transfer, case.owner_epoch, packed, now=now, post=post)


def _to_give(session: Session, values: dict[str, Any], *, by: Actor) -> tuple[Transfer, CaseRecord]:
    """The transfer and its case, for somebody who did not propose it."""
    transfer, case = _of_sender(session, values, by=by)
    if transfer.proposed_by == by.id:
        refuse(OwnAct)
    return transfer, case


def _sealed(session: Session, transfer: Transfer, epoch: int, packed: bytes, *, now: datetime, post: Post) -> Transfer:
    """Every part in this commit: either all are in the outbox or none."""
    pieces = parts.cut(epoch, packed, part_bytes=post.part_bytes)
    transfer.parts = len(pieces)
    for piece in pieces:
        tell(session, transfer, TransferEvent.RELEASED, now, post, sealed=piece, epoch=epoch)
    return transfer


def _check_not_walled(case: CaseRecord) -> None:
    """Nobody of another governorate's unit may come to know of it: not when proposed, nor if it was walled since."""
    if case.walled or case.walled_from:
        refuse(NotTransferable)


def list_transfers(session: Session, values: dict[str, Any], *, by: Actor) -> Page[Transfer]:
    """Offers to this governorate, and what the caller's own unit sends, newest last."""
    of_unit = select(CaseRecord.id).where(CaseRecord.unit == by.unit, reached(by))
    statement = select(Transfer).where((Transfer.side == Side.RECEIVER) | Transfer.case_id.in_(of_unit))
    if values["status"] is not None:
        statement = statement.where(Transfer.status == values["status"])
    return page(session, statement, key=Transfer.id, limit=values["limit"], after=values["after"])


def expire_transfers(session: Session, *, now: datetime, post: Post, limit: int = 100) -> int:
    """Let what was not released in time expire; return how many. Only the sender does: one clock decides."""
    due = select(Transfer).where(
        Transfer.side == Side.SENDER,
        Transfer.status.in_({TransferStatus.SENT, TransferStatus.ACCEPTED}),
        Transfer.expires_at <= now,
    )
    rows = session.exec(due.order_by(Transfer.id).limit(limit).with_for_update(skip_locked=True)).all()
    for transfer in rows:
        transfer.status = act(Side.SENDER, transfer.status, TransferEvent.EXPIRED)
        tell(session, transfer, TransferEvent.EXPIRED, now, post)
    return len(rows)


def _of_sender(session: Session, values: dict[str, Any], *, by: Actor) -> tuple[Transfer, CaseRecord]:
    """The transfer and its case, locked, for a supervisor of the unit that has it."""
    transfer = session.get(Transfer, values["transfer_id"])
    case = session.get(CaseRecord, transfer.case_id, with_for_update=True) if transfer and transfer.case_id else None
    if transfer is None or case is None or transfer.side is not Side.SENDER or not supervises(by, case):
        refuse(TransferNotFound, subject=values["transfer_id"])
    session.refresh(transfer, with_for_update=True)
    must_supervise(case, by)
    model.check_version(max(1, transfer.version), values["version"])
    return transfer, case


def _of_receiver(session: Session, values: dict[str, Any], *, by: Actor) -> Transfer:
    transfer = session.get(Transfer, values["transfer_id"], with_for_update=True)
    if transfer is None or transfer.side is not Side.RECEIVER:
        refuse(TransferNotFound, subject=values["transfer_id"])
    if by.unit is None:
        refuse(Forbidden)
    model.check_version(max(1, transfer.version), values["version"])
    return transfer
