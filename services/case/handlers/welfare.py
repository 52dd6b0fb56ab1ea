"""Welfare applications: what is missing, where it lies, how long it has waited. They belong to no case.

The one it is for can do nothing about it, and who began it does not enter what the office decided."""

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, false, true
from sqlmodel import Session, select

from contracts import roles
from contracts.case.welfare import Decision, Document, WelfareFact, WelfareStatus, needed
from contracts.numbers import next_number
from contracts.roles import Role
from kernel import audit, outbox
from kernel.errors import Forbidden, refuse
from kernel.fact import compose
from kernel.identity import Actor
from kernel.ids import new_id
from kernel.paging import Page, page
from kernel.vault import Vault, Wrapped, seal, unseal
from services.case import model, telling
from services.case.model import Step, target_of
from services.case.refusals import DocumentsMissing, OwnAct, UnitNeeded, WelfareNotFound
from services.case.sealing import VAULT, of_welfare
from services.case.tables import NumberSequence, WelfareApplication

PREFIX = "W"
READ = "read_welfare"


class WelfareMove(StrEnum):
    """What is done to an application; the values are the events of its facts."""

    CHECK = "documents_checked"
    SUBMIT = "submitted"
    HAND_OVER = "handed_over"
    DECIDE = "decided"
    APPEAL = "appealed"
    PAY = "paid"
    CLOSE = "closed"


def _step(target: WelfareStatus, *sources: WelfareStatus) -> Step:
    return Step(frozenset(sources), target)


_BEFORE = (WelfareStatus.STARTED, WelfareStatus.DOCUMENTS_MISSING)
MOVES: Final[Mapping[WelfareMove, Step]] = {
    WelfareMove.CHECK: _step(WelfareStatus.DOCUMENTS_MISSING, *_BEFORE),
    WelfareMove.SUBMIT: _step(WelfareStatus.SUBMITTED, *_BEFORE),
    WelfareMove.HAND_OVER: _step(WelfareStatus.WITH_OFFICE, WelfareStatus.SUBMITTED, WelfareStatus.APPEALED),
    WelfareMove.DECIDE: _step(WelfareStatus.APPROVED, WelfareStatus.WITH_OFFICE),
    WelfareMove.APPEAL: _step(WelfareStatus.APPEALED, WelfareStatus.REFUSED),
    WelfareMove.PAY: _step(WelfareStatus.PAID, WelfareStatus.APPROVED),
    WelfareMove.CLOSE: _step(WelfareStatus.CLOSED, *_BEFORE, WelfareStatus.REFUSED, WelfareStatus.PAID),
}
"""What is not complete or not approved ends otherwise than the table says: `started` again, or `refused`."""


def start_welfare(session: Session, values: dict[str, Any], *, by: Actor, now: datetime, iso: str) -> dict[str, Any]:
    """Begin an application. Raises `UnitNeeded`, and `Forbidden` for accounts that administer or count."""
    if by.has(*roles.CASE_BARRED):
        refuse(Forbidden)
    row_id = new_id()
    vault: Vault = session.info[VAULT]
    key, wrapped = vault.new_key(of_welfare(row_id))
    hidden = {
        "applicant_name": values["applicant_name"],
        "applicant_phone": values["applicant_phone"],
        "remark": values["remark"],
    }
    row = WelfareApplication(
        id=row_id,
        number=next_number(session, NumberSequence, iso=iso, at=now, prefix=PREFIX),
        version=0,
        status=WelfareStatus.STARTED,
        benefit=values["benefit"],
        applicant=values["applicant"],
        applicant_account=values["applicant_account"],
        sealed=_sealed(key, row_id, hidden),
        key_id=wrapped.key_id,
        wrapped=wrapped.sealed,
        unit=values["unit"] or by.unit or refuse(UnitNeeded),
        present=[],
        started_by=by.id,
        started_at=now,
    )
    return _done(session, row, "started", now)


def check_documents(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> dict[str, Any]:
    """Which documents are there now."""
    row = _to_change(session, values, by=by)
    target = WelfareStatus(target_of(MOVES, "welfare application", row.status, WelfareMove.CHECK))
    row.present = sorted({document.value for document in values["present"]})
    row.status = target if missing(row) else WelfareStatus.STARTED
    return _done(session, row, WelfareMove.CHECK.value, now)


def submit_welfare(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> dict[str, Any]:
    """Send it on. Raises `DocumentsMissing`."""

    def sent(row: WelfareApplication) -> None:
        if missing(row):
            refuse(DocumentsMissing, documents=", ".join(document.value for document in missing(row)))
        row.submitted_at = now

    return _move(session, values, WelfareMove.SUBMIT, sent, by=by, now=now)


def hand_over_welfare(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> dict[str, Any]:
    """The office has it."""

    def handed(row: WelfareApplication) -> None:
        row.office = values["office"]

    return _move(session, values, WelfareMove.HAND_OVER, handed, by=by, now=now)


def decide_welfare(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> dict[str, Any]:
    """Enter what the office decided. Raises `OwnAct`."""

    def decided(row: WelfareApplication) -> None:
        _check_other(row, by)
        if values["decision"] is Decision.REFUSED:
            row.status = WelfareStatus.REFUSED
        row.decided_by, row.decided_at = by.id, now
        _remark(session, row, values["remark"])

    return _move(session, values, WelfareMove.DECIDE, decided, by=by, now=now)


def appeal_welfare(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> dict[str, Any]:
    """The applicant does not accept the refusal: the waiting goes on."""

    def appealed(row: WelfareApplication) -> None:
        row.decided_by = row.decided_at = None
        _remark(session, row, values["remark"])

    return _move(session, values, WelfareMove.APPEAL, appealed, by=by, now=now)


def pay_welfare(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> dict[str, Any]:
    """It has reached the applicant. Raises `OwnAct`."""

    def paid(row: WelfareApplication) -> None:
        _check_other(row, by)
        row.paid_at = now

    return _move(session, values, WelfareMove.PAY, paid, by=by, now=now)


def close_welfare(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> dict[str, Any]:
    """Nothing more is to be done. Raises `OwnAct`."""
    return _move(session, values, WelfareMove.CLOSE, lambda row: _check_other(row, by), by=by, now=now)


def list_welfare(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> Page[dict[str, Any]]:
    """The applications that `by` reaches, oldest first, without who applies."""
    statement = select(WelfareApplication).where(_reached(by))
    if values["status"] is not None:
        statement = statement.where(WelfareApplication.status == values["status"])
    rows = page(session, statement, key=WelfareApplication.id, limit=values["limit"], after=values["after"])
    return Page([shown(row, now) for row in rows.items], rows.next)


def get_welfare(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> dict[str, Any]:
    """One application with who applies. In the audit log."""
    row = _found(session, values["welfare_id"], by)
    audit.record(session, actor=by, action=READ, subject=row.id, outcome="allowed", reason=None, at=now)
    return {**shown(row, now), **_hidden(session, row)}


def shown(row: WelfareApplication, now: datetime) -> dict[str, Any]:
    """An application as its view wants it, with how many days it has waited."""
    own = {name: getattr(row, name) for name in WelfareApplication.model_fields}
    return {**own, "missing": missing(row), "days_waiting": days_waiting(row, now)}


def missing(row: WelfareApplication) -> list[Document]:
    """The documents that are needed and not there."""
    return [document for document in needed(row.benefit, row.applicant) if document.value not in row.present]


def days_waiting(row: WelfareApplication, now: datetime) -> int | None:
    """Whole days since it was submitted, until it was paid or refused; None before that."""
    if row.submitted_at is None:
        return None
    refused_at = row.decided_at if row.status in (WelfareStatus.REFUSED, WelfareStatus.CLOSED) else None
    return ((row.paid_at or refused_at or now) - row.submitted_at).days


def _move(
    session: Session,
    values: dict[str, Any],
    move: WelfareMove,
    change: Callable[[WelfareApplication], None],
    *,
    by: Actor,
    now: datetime,
) -> dict[str, Any]:
    row = _to_change(session, values, by=by)
    row.status = WelfareStatus(target_of(MOVES, "welfare application", row.status, move))
    change(row)
    return _done(session, row, move.value, now)


def _found(session: Session, welfare_id: str, by: Actor) -> WelfareApplication:
    row = session.get(WelfareApplication, welfare_id)
    if row is None or not _reaches(by, row):
        refuse(WelfareNotFound, subject=welfare_id)
    return row


def _to_change(session: Session, values: dict[str, Any], *, by: Actor) -> WelfareApplication:
    session.get(WelfareApplication, values["welfare_id"], with_for_update=True)
    row = _found(session, values["welfare_id"], by)
    if row.applicant_account == by.id:
        refuse(OwnAct)
    model.check_version(row.version, values.get("version"))
    return row


def _reaches(actor: Actor, row: WelfareApplication) -> bool:
    if actor.has(*roles.CASE_BARRED):
        return False
    return actor.has(Role.PROVINCIAL_DIRECTOR) or (actor.has(*roles.WELFARE) and actor.unit == row.unit)


def _reached(actor: Actor) -> ColumnElement[bool]:
    if actor.has(*roles.CASE_BARRED):
        return false()
    if actor.has(Role.PROVINCIAL_DIRECTOR):
        return true()
    application: Any = WelfareApplication
    own: ColumnElement[bool] = application.unit == actor.unit
    return own if actor.has(*roles.WELFARE) and actor.unit is not None else false()


def _check_other(row: WelfareApplication, by: Actor) -> None:
    if by.id == row.started_by:
        refuse(OwnAct)


def _sealed(key: bytes, row_id: str, hidden: dict[str, Any]) -> bytes:
    return seal(key, msgspec.json.encode(hidden), f"{of_welfare(row_id)}/applicant")


def _key(session: Session, row: WelfareApplication) -> bytes:
    vault: Vault = session.info[VAULT]
    return vault.unwrap(Wrapped(row.key_id, row.wrapped), of_welfare(row.id))


def _hidden(session: Session, row: WelfareApplication) -> dict[str, Any]:
    raw = unseal(_key(session, row), row.sealed, f"{of_welfare(row.id)}/applicant")
    hidden: dict[str, Any] = msgspec.json.decode(raw)
    return hidden


def _remark(session: Session, row: WelfareApplication, text: str | None) -> None:
    """Write a remark under those that stand there."""
    if text is not None:
        hidden = _hidden(session, row)
        hidden["remark"] = "\n\n".join(each for each in (hidden["remark"], text) if each)
        row.sealed = _sealed(_key(session, row), row.id, hidden)


def _done(session: Session, row: WelfareApplication, event: str, now: datetime) -> dict[str, Any]:
    row.version += 1
    session.add(row)
    told = {name: getattr(row, name) for name in ("status", "benefit", "unit", "submitted_at", "decided_at", "paid_at")}
    more = {"month": telling.month(row.started_at), "welfare_number": row.number, "missing": len(missing(row))}
    values = {**told, **more}
    fact = compose(WelfareFact, event, id=new_id(), subject=row.id, version=row.version, values=values, at=now)
    outbox.append(session, fact)
    return shown(row, now)
