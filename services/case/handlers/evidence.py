"""Evidence: announced, sent in parts, checked, kept sealed; each view in the audit log. No fact tells of it."""

import base64
import hashlib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import delete, func
from sqlmodel import Session, select

from contracts.case.evidence import PART_BYTES, EvidenceState
from contracts.rules import CaseRules
from kernel import audit
from kernel.errors import BadInput, Conflict, NotFound, refuse
from kernel.identity import Actor
from kernel.ids import new_id
from kernel.paging import Page, page
from services.case import evidence_store, model, sealing
from services.case.handlers.finding import found
from services.case.handlers.reading import may_identify, to_read
from services.case.reach import Sight, sight, supervises
from services.case.refusals import GlassNeeded, NotTheHandler, ReasonNeeded
from services.case.tables import CaseRecord, Evidence, EvidencePart

AWAITED: Final = timedelta(days=7)  # a line may be cut for a week
SAID: Final = ("id", "case_id", "state", "media_type", "size", "added_by", "added_at")
READ_EVIDENCE: Final = "read_evidence"


class EvidenceNotFound(NotFound):
    """There is no evidence {subject} here."""

    code = "evidence_not_found"
    audited = True


class EvidenceTooLarge(BadInput):
    """Evidence has {most} MiB at the most."""

    code = "evidence_too_large"


class NotWhatItSays(BadInput):
    """This file is not the {media_type} that it was said to be."""

    code = "not_what_it_says"


class AnotherPart(Conflict):
    """Send part {wanted} next, of {size} bytes."""

    code = "another_part"


def begin_evidence(
    session: Session, values: dict[str, Any], *, by: Actor, now: datetime, rules: CaseRules
) -> dict[str, Any]:
    """Announce a file. Raises `EvidenceTooLarge`, and `MoveRefused` when the case has ended."""
    case = _to_add(session, values["case_id"], by=by)
    if values["size"] > rules.evidence_mib * 1024 * 1024:
        refuse(EvidenceTooLarge, most=rules.evidence_mib)
    row = Evidence(
        id=new_id(),
        case_id=case.id,
        state=EvidenceState.AWAITING,
        media_type=values["media_type"],
        size=values["size"],
        added_by=by.id,
        added_at=now,
    )
    told = {"title": values["title"], "sha256": values["sha256"]}
    row.sealed = sealing.seal(session, case.id, f"evidence/{row.id}", told)
    session.add(row)
    session.flush()
    return shown(session, row)


def add_part(session: Session, values: dict[str, Any], *, by: Actor, directory: Path) -> dict[str, Any]:
    """Keep a part; with the last one the whole is checked. What is not what it says is `refused`, for good.

    Raises `EvidenceNotFound`, `NotWhatItSays` for a first part of another type, `AnotherPart`."""
    row = session.get(Evidence, values["evidence_id"], with_for_update=True)
    if row is None or row.added_by != by.id:
        refuse(EvidenceNotFound, subject=values["evidence_id"])
    _to_add(session, row.case_id, by=by)
    wanted = next_part(session, row)
    if values["part"] < (wanted if wanted is not None else parts_of(row)):
        return shown(session, row)  # sent again: the answer was lost
    content: bytes = values["content"]
    size = min(PART_BYTES, row.size - values["part"] * PART_BYTES)
    if row.state is not EvidenceState.AWAITING or values["part"] != wanted or len(content) != size:
        refuse(AnotherPart, wanted=wanted, size=min(PART_BYTES, row.size - (wanted or 0) * PART_BYTES))
    if wanted == 0 and not evidence_store.is_what_it_says(row.media_type, content):
        refuse(NotWhatItSays, media_type=row.media_type.value)
    sealed = sealing.seal_raw(session, row.case_id, _context(row, wanted), content)
    session.add(EvidencePart(evidence_id=row.id, part=wanted, address=evidence_store.put(directory, sealed)))
    session.flush()
    if wanted + 1 == parts_of(row):
        row.state = EvidenceState.KEPT if _is_whole(session, row, directory) else EvidenceState.REFUSED
        if row.state is EvidenceState.REFUSED:
            session.connection().execute(delete(EvidencePart).where(EvidencePart.evidence_id == row.id))
        session.add(row)
    return shown(session, row)


def list_evidence(session: Session, values: dict[str, Any], *, by: Actor) -> Page[dict[str, Any]]:
    """That there are files, without what they show."""
    case = found(session, values["case_id"], by=by)
    statement = select(Evidence).where(Evidence.case_id == case.id)
    here = page(session, statement, key=Evidence.id, limit=values["limit"], after=values["after"])
    return Page([shown(session, row) for row in here.items], here.next)


def read_evidence(
    session: Session, values: dict[str, Any], *, by: Actor, now: datetime, directory: Path
) -> dict[str, Any]:
    """One part of a file, for who may read identity in the case. Raises `EvidenceNotFound`, `ReasonNeeded`."""
    row = session.get(Evidence, values["evidence_id"])
    if row is None or row.state is not EvidenceState.KEPT:
        refuse(EvidenceNotFound, subject=values["evidence_id"])
    case, seen = to_read(session, row.case_id, by=by, now=now)
    if not may_identify(seen, values["reason"]):
        refuse(ReasonNeeded if seen is Sight.IDENTITY_WITH_REASON else GlassNeeded)
    part = session.get(EvidencePart, (row.id, values["part"]))
    if part is None:
        refuse(EvidenceNotFound, subject=row.id)
    audit.record(
        session, actor=by, action=READ_EVIDENCE, subject=row.id, outcome="allowed", reason=values["reason"], at=now
    )
    told = sealing.unseal(session, case.id, f"evidence/{row.id}", row.sealed or b"")
    content = sealing.unseal_raw(
        session, case.id, _context(row, part.part), evidence_store.get(directory, part.address)
    )
    return {
        **told,
        "id": row.id,
        "part": part.part,
        "parts": parts_of(row),
        "media_type": row.media_type,
        "content": base64.b64encode(content).decode(),
    }


def drop_unfinished(session: Session, *, now: datetime) -> int:
    """Forget files whose parts did not come within a week; how many."""
    late = select(Evidence).where(Evidence.state == EvidenceState.AWAITING, Evidence.added_at < now - AWAITED)
    rows = session.exec(late).all()
    for row in rows:
        session.connection().execute(delete(EvidencePart).where(EvidencePart.evidence_id == row.id))
        row.state = EvidenceState.REFUSED
        session.add(row)
    return len(rows)


def shown(session: Session, row: Evidence) -> dict[str, Any]:
    """What is said of a file."""
    said = {name: getattr(row, name) for name in SAID}
    return {**said, "parts": parts_of(row), "next_part": next_part(session, row)}


def parts_of(row: Evidence) -> int:
    """Of how many parts a file is."""
    return -(-row.size // PART_BYTES)


def next_part(session: Session, row: Evidence) -> int | None:
    """The part that is waited for."""
    if row.state is not EvidenceState.AWAITING:
        return None
    counted = select(func.count()).select_from(EvidencePart).where(EvidencePart.evidence_id == row.id)
    return session.exec(counted).one()


def _to_add(session: Session, case_id: str, *, by: Actor) -> CaseRecord:
    case = found(session, case_id, by=by)
    if sight(by, case) is not Sight.IDENTITY and not supervises(by, case):
        refuse(NotTheHandler)
    model.check_open(case.status, what="evidence")
    return case


def _is_whole(session: Session, row: Evidence, directory: Path) -> bool:
    whole = hashlib.sha256()
    kept = select(EvidencePart).where(EvidencePart.evidence_id == row.id).order_by(EvidencePart.part)
    for part in session.exec(kept):
        sealed = evidence_store.get(directory, part.address)
        whole.update(sealing.unseal_raw(session, row.case_id, _context(row, part.part), sealed))
    said = sealing.unseal(session, row.case_id, f"evidence/{row.id}", row.sealed or b"")
    return bool(whole.hexdigest() == said["sha256"])


def _context(row: Evidence, part: int) -> str:
    return f"evidence/{row.id}/{part}"
