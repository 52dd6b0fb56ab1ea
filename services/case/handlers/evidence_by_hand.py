"""Evidence that follows its case by hand: written into an archive where the case was released, taken in where it went.

The register of the files came with the case; a file is taken if it is in the register and is what that says.
Each file is one commit, so an archive may be cut off and given again. Only the receiver of a transfer can open what was
written for it; who carries it, and the operator who runs the commands, cannot."""

import hashlib
import os
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

from sqlmodel import Session, select

from contracts.case.evidence import EvidenceState
from contracts.case.transfers import Side, TransferStatus
from kernel import audit
from kernel.database import Database
from kernel.errors import BadInput, MoveRefused, refuse
from kernel.identity import Actor
from kernel.vault import seal, unseal
from services.case import evidence_archive as archive
from services.case import evidence_store, sealing
from services.case.handlers.evidence import parts_of
from services.case.handlers.letters import Post
from services.case.refusals import TransferNotFound
from services.case.tables import CaseRecord, Evidence, EvidencePart, Transfer
from services.case.transfer.machine import TAKEN

EXPORT: Final = "export_evidence"
IMPORT: Final = "import_evidence"
RELEASED: Final = frozenset({TransferStatus.RELEASED, TransferStatus.ACKNOWLEDGED})


@dataclass(frozen=True)
class Written:
    """What an archive holds. `elsewhere`: files of the case that are not here either, and are not in it."""

    number: str
    receiver: str
    files: int
    elsewhere: int


@dataclass
class TakenIn:
    """What came of an archive: taken now, here before, and not what the register says (or not in it)."""

    number: str
    sender: str
    files: int = 0
    before: int = 0
    refused: int = 0


def export_evidence(
    database: Database, out: BinaryIO, number: str, *, by: Actor, now: datetime, post: Post, directory: Path
) -> Written:
    """Write the files of the case that transfer `number` gave away. Raises `TransferNotFound`, `MoveRefused`,
    `NoSealKey`, `IdentityErased`, `EvidenceGone`."""
    with database.write_silently() as session:
        transfer = _released(session, number)
        rows = _files(session, transfer)
        audit.record(
            session, actor=by, action=EXPORT, subject=transfer.case_id or "", outcome="allowed", reason=number, at=now
        )
    key = os.urandom(32)
    kept = [row for row in rows if row.state is EvidenceState.KEPT]
    context = archive.context(transfer.id, post.node, transfer.receiver)
    sealed = b64encode(post.seal(key, context, to=transfer.receiver)).decode()
    files = [archive.File(row.id, parts_of(row)) for row in kept]
    header = archive.Header(transfer.id, transfer.number, post.node, transfer.receiver, sealed, files)
    archive.write_header(out, header)
    for file in files:
        _write_file(database, out, header, file, key, directory)
    archive.write_end(out)
    return Written(number, transfer.receiver, len(files), len(rows) - len(files))


def _released(session: Session, number: str) -> Transfer:
    found = select(Transfer).where(Transfer.number == number, Transfer.side == Side.SENDER)
    transfer = session.exec(found).first()
    if transfer is None or transfer.case_id is None:
        refuse(TransferNotFound, subject=number)
    if transfer.status not in RELEASED:
        raise MoveRefused("Evidence follows a case that was released.", current=transfer.status.value)
    return transfer


def _files(session: Session, transfer: Transfer) -> list[Evidence]:
    statement = select(Evidence).where(
        Evidence.case_id == transfer.case_id,
        Evidence.state.in_({EvidenceState.KEPT, EvidenceState.ELSEWHERE}),
    )
    return list(session.exec(statement.order_by(Evidence.id)).all())


def _write_file(
    database: Database, out: BinaryIO, header: archive.Header, file: archive.File, key: bytes, directory: Path
) -> None:
    with database.read() as session:
        row = session.get_one(Evidence, file.id)
        for part in range(file.parts):
            address = session.get_one(EvidencePart, (row.id, part)).address
            kept = evidence_store.get(directory, address)
            content = sealing.unseal_raw(session, row.case_id, f"evidence/{row.id}/{part}", kept)
            archive.write_record(out, seal(key, content, archive.place(header, file, part)))


def import_evidence(
    database: Database, source: BinaryIO, *, by: Actor, now: datetime, post: Post, directory: Path
) -> TakenIn:
    """Take in an archive that was written for this node. Raises `NotAnArchive`, `ArchiveCut`, `CannotOpen`,
    `TransferNotFound` and `MoveRefused` while the case is not here."""
    header = archive.read_header(source)
    if header.receiver != post.node:
        raise BadInput(f"This archive is for {header.receiver}.")
    context = archive.context(header.transfer, header.sender, header.receiver)
    key = post.open(header.sealed_key(), context, origin=header.sender)
    with database.read() as session:
        case_id = _arrived(session, header)
    done = TakenIn(header.number, header.sender)
    for file in header.files:
        _take_file(database, source, header, file, key, case_id, done, directory)
    archive.read_end(source)
    with database.write_silently() as session:
        audit.record(session, actor=by, action=IMPORT, subject=case_id, outcome="allowed", reason=header.number, at=now)
    return done


def _arrived(session: Session, header: archive.Header) -> str:
    transfer = session.get(Transfer, header.transfer)
    if transfer is None or transfer.side is not Side.RECEIVER or transfer.sender != header.sender:
        refuse(TransferNotFound, subject=header.number)
    if transfer.status not in TAKEN or transfer.case_id is None:
        raise MoveRefused("The case of this evidence is not here yet.", current=transfer.status.value)
    return transfer.case_id


def _take_file(
    database: Database,
    source: BinaryIO,
    header: archive.Header,
    file: archive.File,
    key: bytes,
    case_id: str,
    done: TakenIn,
    directory: Path,
) -> None:
    with database.read() as session:
        row = session.get(Evidence, file.id)
        wanted = row is not None and row.case_id == case_id and row.state is EvidenceState.ELSEWHERE
        taken = _parts(session, source, header, file, key, row if wanted else None, directory)
    if row is not None and row.case_id == case_id and row.state is EvidenceState.KEPT:
        done.before += 1
    elif taken is None or row is None:
        done.refused += 1
    else:
        _keep(database, row, taken, done)


def _parts(
    session: Session,
    source: BinaryIO,
    header: archive.Header,
    file: archive.File,
    key: bytes,
    row: Evidence | None,
    directory: Path,
) -> list[str] | None:
    """Read every part of a file; where they lie now, or None if it is not wanted or not what the register says."""
    whole, size, addresses = hashlib.sha256(), 0, []
    fits = row is not None and parts_of(row) == file.parts
    for part in range(file.parts):
        sealed = archive.read_part(source)
        if row is None or not fits:
            continue
        content = unseal(key, sealed, archive.place(header, file, part))
        fits = part > 0 or evidence_store.is_what_it_says(row.media_type, content)
        whole.update(content)
        size += len(content)
        own = sealing.seal_raw(session, row.case_id, f"evidence/{row.id}/{part}", content)
        addresses.append(evidence_store.put(directory, own))
    if row is None or not fits or size != row.size:
        return None
    said: dict[str, Any] = sealing.unseal(session, row.case_id, f"evidence/{row.id}", row.sealed or b"")
    return addresses if whole.hexdigest() == said["sha256"] else None


def _keep(database: Database, seen: Evidence, addresses: list[str], done: TakenIn) -> None:
    """The files lie there; from this commit on a row names them. Those of a file that another import kept are swept."""
    with database.write_silently() as session:
        session.get_one(CaseRecord, seen.case_id, with_for_update=True)
        row = session.get_one(Evidence, seen.id, with_for_update=True)
        if row.state is not EvidenceState.ELSEWHERE:
            done.before += row.state is EvidenceState.KEPT
            return
        row.state = EvidenceState.KEPT
        session.add(row)
        session.add_all(
            EvidencePart(evidence_id=row.id, part=part, address=address) for part, address in enumerate(addresses)
        )
        done.files += 1
