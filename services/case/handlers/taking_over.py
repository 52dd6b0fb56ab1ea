"""A released case taken in: its parts gathered, and when all are there, the case written and owned, in that commit.

Parts may come in any order and any number of times. Each is opened when it comes, because the key may change before the
last one does, and lies until then under a secret of this node. Nothing of the case is written, listed or owned before
the whole is there and is what its digest says."""

from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import delete
from sqlmodel import Session, select

from contracts.case import CaseStatus, RecordingClass
from contracts.rules import CaseRules
from kernel.vault import seal, unseal
from services.case import sealing
from services.case.handlers.steps import told
from services.case.tables import CaseIntake, CaseRecord, Transfer, TransferPart
from services.case.transfer import content, parts
from services.case.transfer.machine import Ownership, taken
from services.case.transfer.parts import Head

KEPT_UNDER: Final = "transfer_parts"


class Release(NamedTuple):
    """A whole release: the owner epoch that it gives, and the case."""

    epoch: int
    packed: bytes


def gathered(session: Session, transfer: Transfer, part: bytes, *, now: datetime) -> Release | None:
    """The whole release, if `part` was the last that was missing; else it is kept, and None.

    Raises `ReleaseRefused`; then nothing was kept.
    """
    head, piece = parts.read(part)
    pieces = {**_kept(session, transfer, head), head.part: piece}
    transfer.parts, transfer.parts_here = head.parts, len(pieces)
    whole = parts.joined(head, pieces)
    if whole is not None:
        session.connection().execute(delete(TransferPart).where(TransferPart.transfer_id == transfer.id))
        return Release(head.epoch, whole)
    if session.get(TransferPart, (transfer.id, head.digest, head.part)) is None:
        key = sealing.secret(session, KEPT_UNDER)
        sealed = seal(key, piece, _place(transfer, head.digest, head.part))
        row = TransferPart(transfer_id=transfer.id, digest=head.digest, part=head.part, sealed=sealed, arrived_at=now)
        session.add(row)
        session.flush()
    return None


def _kept(session: Session, transfer: Transfer, head: Head) -> dict[int, bytes]:
    """The parts of the same whole that came before."""
    statement = select(TransferPart).where(TransferPart.transfer_id == transfer.id, TransferPart.digest == head.digest)
    rows = session.exec(statement).all()
    if not rows:
        return {}
    key = sealing.secret(session, KEPT_UNDER)
    return {row.part: unseal(key, row.sealed, _place(transfer, row.digest, row.part)) for row in rows}


def _place(transfer: Transfer, digest: str, part: int) -> str:
    return f"transfer/{transfer.id}/{digest}/{part}"


def take_over(session: Session, row: Transfer, release: Release, *, now: datetime, rules: CaseRules) -> str:
    """Become the owner, if this release is newer than what is known of the case. Returns the case's id.

    Raises `ContentRefused`; then nothing was written.
    """
    whole = content.unpack(release.packed)
    values = content.row_of(whole)
    case = session.get(CaseRecord, values["id"], with_for_update=True)
    ownership = taken(Ownership(case.owner_epoch, case.owned) if case else None, release.epoch)
    if ownership is None:
        return str(values["id"])
    current: RecordingClass = values.pop("current_class")
    if case is None:
        case = _new_case(session, row, values, whole)
    else:
        _brought_back(case, values)
    case.owner_epoch, case.owned = ownership.epoch, ownership.mine
    case.status, case.unit = CaseStatus.RECEIVED, row.unit or case.unit
    case.units = sorted({*case.units, case.unit})
    case.handler_id = case.handler_hash = case.outcome = case.proposed_by = case.closed_at = None
    session.add(case)
    session.flush()
    content.keep(session, case, whole, by=f"node:{row.sender}", now=now)
    if whole.form == content.WHOLE:  # its reclassifications came along; the database asks for the approval
        case.current_class = current
        session.flush()
    told(session, case, "taken_over", now=now, rules=rules)
    return case.id


def _new_case(session: Session, row: Transfer, values: dict[str, Any], whole: content.Whole) -> CaseRecord:
    """A case begins with the class of its intake, whatever became of it later."""
    unit = row.unit or "transfers"
    case = CaseRecord(
        **values,
        current_class=values["recording_class"],
        version=0,  # its first fact counts as 1
        status=CaseStatus.RECEIVED,
        opened_by=f"node:{row.sender}",
        unit=unit,
        units=[unit],
        handlers=[],
        counted=False,
    )
    session.add(case)
    session.flush()
    intake = whole.intake
    session.add(
        CaseIntake(
            case_id=case.id,
            answers=intake.answers,
            recording_class=intake.recording_class,
            rule_version=intake.rule_version,
            answered_at=intake.answered_at,
        )
    )
    sealing.make_key(session, case.id)
    session.add(sealing.sealed_narrative(session, case.id, narrative=whole.narrative, place=whole.place))
    return case


def _brought_back(case: CaseRecord, values: dict[str, Any]) -> None:
    """A case that was here before stands as its last owner had it; what was frozen here stays."""
    for name, value in values.items():
        if name not in ("id", "number", "recording_class", "opened_at", "reported_at"):
            setattr(case, name, value)
