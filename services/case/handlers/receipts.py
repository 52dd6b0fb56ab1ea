"""Receipts: given, asked with, and what their holders say. Reports of people without an account.

The receipt itself never comes here: a request names it by its slow hash, made in the gateway. An unknown receipt and
one that has ended are refused in the same words. What a holder says is kept as a text of the case and told to those who
work on it; it changes the case in one way only: who contests a closing opens the case again."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlmodel import Session, select

from contracts.case import CaseStatus, Channel, NoteKind, PriorResort
from contracts.case.receipts import Progress, ReceiptFact, RestrictedReceiptFact
from contracts.rules import CaseRules
from kernel import audit
from kernel.errors import Forbidden, TooManyRequests, refuse
from kernel.identity import Actor
from kernel.ids import new_id
from services.case.handlers.endings import take_up
from services.case.handlers.facts import tell_beside
from services.case.handlers.finding import found
from services.case.handlers.intake import open_case
from services.case.handlers.steps import keep_text
from services.case.model import BEFORE_HANDOVER, ENDED, Move
from services.case.tables import CaseRecord, Receipt

MOST_WORDS: Final = 50  # texts by one receipt: a person who writes daily for weeks, and no one who floods
NOT_ASKED: Final[Mapping[str, Any]] = {
    "risk": None,
    "channel": Channel.ONLINE,
    "reported_at": None,
    "staff": (),
    "prior_resort": PriorResort.NOT_SAID,
    "pressure_reported": False,
}


class WrongReceipt(Forbidden):
    """There is no such receipt, or it has ended; look at the digits again."""

    code = "wrong_receipt"
    audited = False  # guesses are many; the gateway counts and slows them down


def issue_receipt(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> Receipt:
    """Keep a new receipt of a case; `instead`: the earlier ones end. The same one again changes nothing."""
    case = found(session, values["case_id"], by=by)
    session.refresh(case, with_for_update=True)
    again = _known(session, values["hash"])
    if again is not None:
        return again if again.case_id == case.id else refuse(WrongReceipt)
    if values["instead"]:
        for earlier in session.exec(select(Receipt).where(Receipt.case_id == case.id, Receipt.voided_at.is_(None))):
            earlier.voided_at = now
            _tell(session, earlier, case, "voided", now)
    audit.record(session, actor=by, action="issue_receipt", subject=case.id, outcome="allowed", reason=None, at=now)
    return _keep(session, case, values, by=by, now=now)


def report(
    session: Session, values: dict[str, Any], *, by: Actor, now: datetime, iso: str, rules: CaseRules
) -> Receipt:
    """Record what somebody without an account reports, with its receipt. The same again is the same report."""
    again = _known(session, values["hash"])
    if again is not None:
        return again
    asked = {name: value for name, value in values.items() if name not in ("hash", "commitment")}
    whole = {**NOT_ASKED, **asked, "unit": rules.report_unit}
    case = open_case(session, whole, by=by, now=now, iso=iso, rules=rules)
    return _keep(session, case, values, by=by, now=now)


def state_by_receipt(session: Session, values: dict[str, Any]) -> Progress:
    """How the case stands, in the fewest words; of a duplicate, how the case stands that is worked on in its place."""
    case = session.get_one(CaseRecord, _held(session, values).case_id)
    if case.duplicate_of is not None:
        case = session.get_one(CaseRecord, case.duplicate_of)
    if case.status in BEFORE_HANDOVER:
        return Progress.RECEIVED
    if not case.owned:
        return Progress.IN_HAND  # of another governorate; whether it ended there is not known here
    return Progress.ENDED if case.status in ENDED else Progress.IN_HAND


def add_by_receipt(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> Progress:
    """Keep what the holder tells."""
    _say(session, values, "added", NoteKind.BY_RECEIPT, by=by, now=now)
    return state_by_receipt(session, values)


def contest_by_receipt(
    session: Session, values: dict[str, Any], *, by: Actor, now: datetime, rules: CaseRules
) -> Progress:
    """The holder says that it is not over: a case that was closed is open again. Raises `MoveRefused`."""
    case = _say(session, values, "contested", NoteKind.BY_RECEIPT, by=by, now=now)
    if case.status is not CaseStatus.CONTESTED:
        take_up(session, case, Move.CONTEST, None, by=by, now=now, rules=rules)
    return state_by_receipt(session, values)


def withdraw_by_receipt(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> Progress:
    """Keep that the holder asks to drop it. Who withdraws it is the handler, who first asks them in person."""
    _say(session, values, "withdrawal_asked", NoteKind.BY_RECEIPT, by=by, now=now)
    return state_by_receipt(session, values)


def _say(
    session: Session, values: dict[str, Any], event: str, kind: NoteKind, *, by: Actor, now: datetime
) -> CaseRecord:
    receipt = _held(session, values)
    case = session.get_one(CaseRecord, receipt.case_id, with_for_update=True)
    session.refresh(receipt, with_for_update=True)
    if receipt.words >= MOST_WORDS:
        refuse(TooManyRequests)
    receipt.words += 1
    if values["text"] is not None:
        keep_text(session, case, kind, values["text"], by=by, now=now)
    _tell(session, receipt, case, event, now)
    return case


def _keep(session: Session, case: CaseRecord, values: dict[str, Any], *, by: Actor, now: datetime) -> Receipt:
    receipt = Receipt(
        id=new_id(),
        case_id=case.id,
        version=0,
        hash=bytes.fromhex(values["hash"]),
        commitment=bytes.fromhex(values["commitment"]),
        issued_by=by.id,
        issued_at=now,
    )
    _tell(session, receipt, case, "issued", now)
    return receipt


def _tell(session: Session, receipt: Receipt, case: CaseRecord, event: str, now: datetime) -> None:
    receipt.version += 1
    session.add(receipt)
    shapes = (ReceiptFact, RestrictedReceiptFact)
    told = {"handler": case.handler_hash, "commitment": receipt.commitment.hex()}
    tell_beside(session, shapes, receipt, case, event, at=now, since=receipt.issued_at, **told)


def _held(session: Session, values: dict[str, Any]) -> Receipt:
    receipt = _known(session, values["hash"])
    return receipt if receipt is not None and receipt.voided_at is None else refuse(WrongReceipt)


def _known(session: Session, digest: str) -> Receipt | None:
    return session.exec(select(Receipt).where(Receipt.hash == bytes.fromhex(digest))).one_or_none()
