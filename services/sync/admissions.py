"""What a node keeps of its admissions outside the database: whom it believes and, above all, whom it refuses for ever.

A database that was lost, or put back from a backup older than a revocation, would believe a stolen server's key again
and have the broker's user made anew. So each row of the table `peer` stands also in a file of `{home}/admissions`, one
for each signing key, written after the commit that says the same; what a crash left out is written at the next start of
the engine. Where the two differ the refusal wins, whichever of them has it: at every start of the engine and with every
command about admissions, by nobody's order. An admission that only a file has is taken up by an operator's command and
not before (`jisr readmit`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec
from sqlmodel import Session

from contracts.sync import Operation
from kernel import audit, authority
from kernel.crypto import VerifyKey
from kernel.errors import SettingsError
from kernel.log import get_logger
from services.sync import peers
from services.sync.enrolment import Node
from services.sync.operations import MOST_REASON
from services.sync.tables import Peer

log = get_logger("admissions")

DIRECTORY = "admissions"

Instant = Annotated[datetime, msgspec.Meta(tz=True)]


class Kept(msgspec.Struct, frozen=True):
    """One file: a row of `peer`."""

    node: Node
    key: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
    user: Annotated[str, msgspec.Meta(pattern=r"^([a-z][a-z0-9-]{1,62}(\.[0-9]{1,4})?)?\Z")]  # none where only pinned
    serial: Annotated[str, msgspec.Meta(max_length=64)]
    admitted_at: Instant
    expires_at: Instant | None
    revoked_at: Instant | None
    reason: str | None

    @property
    def key_id(self) -> str:
        """The id of the key."""
        return VerifyKey(bytes.fromhex(self.key)).key_id

    def row(self) -> Peer:
        """The row that this was written from."""
        return Peer(
            node=self.node,
            key_id=self.key_id,
            key=bytes.fromhex(self.key),
            broker_user=self.user,
            serial=self.serial,
            admitted_at=self.admitted_at,
            expires_at=self.expires_at,
            revoked_at=self.revoked_at,
            reason=self.reason,
        )


_decode = msgspec.json.Decoder(Kept).decode


@dataclass(frozen=True)
class Difference:
    """How the files differ from the table."""

    refused: Sequence[Kept] = ()  # by a file, and not by the table
    missing: Sequence[Kept] = ()  # believed by a file, and unknown to the table
    unkept: Sequence[Peer] = ()  # rows that no file says as they are
    unreadable: Sequence[Path] = ()


def keep(home: Path, rows: Iterable[Peer]) -> None:
    """Write the files of these rows; on the disk when this returns. Raises `SettingsError`."""
    directory = home / DIRECTORY
    for row in rows:
        times = (row.admitted_at, row.expires_at, row.revoked_at)
        said = Kept(row.node, row.key.hex(), row.broker_user, row.serial, *times, row.reason)
        try:
            authority.replace(directory / f"{row.node}.{row.key_id}.json", msgspec.json.encode(said), mode=0o600)
        except OSError as error:
            raise SettingsError(f"What was admitted cannot be kept in {directory}: {error.strerror}.") from error


def difference(session: Session, home: Path) -> Difference:
    """Compare files and table; changes nothing."""
    kept, unreadable = _read(home / DIRECTORY)
    rows = {(row.node, row.key_id): row for row in peers.listed(session)}
    refused, missing = [], []
    for place, one in kept.items():
        row = rows.get(place)
        if one.revoked_at is not None and (row is None or row.revoked_at is None):
            refused.append(one)
        elif row is None:
            missing.append(one)
    unkept = [row for place, row in rows.items() if _is_unkept(row, kept.get(place))]
    return Difference(refused, missing, unkept, unreadable)


def refuse_kept(session: Session, found: Difference, now: datetime) -> None:
    """Refuse in the table whom a file refuses."""
    for one in found.refused:
        row = session.get(Peer, (one.node, one.key_id)) or one.row()
        row.revoked_at, row.reason = one.revoked_at, one.reason
        session.add(row)
        reason = f"kept in {DIRECTORY}: {one.reason or ''}"[:MOST_REASON]
        action, subject = Operation.REVOKE_NODE, one.node
        audit.record(session, actor=None, action=action, subject=subject, outcome="allowed", reason=reason, at=now)
    session.flush()


def level(session: Session, home: Path, now: datetime) -> Difference:
    """Let the table refuse whom a file refuses, and the files say what the table says; return what differed before.

    Raises `SettingsError` when a file cannot be written; the table is right by then.
    """
    found = difference(session, home)
    refuse_kept(session, found, now)
    keep(home, found.unkept)
    return found


def at_start(session: Session, home: Path, now: datetime) -> None:
    """As `level`, for an engine: what cannot be read or written is told in the log, and stops nothing."""
    try:
        found = level(session, home, now)
    except SettingsError as error:
        log.failure("admissions.unkept", error)
        return
    if found.refused:
        log.warning("admissions.refused", nodes=sorted({one.node for one in found.refused}))
    if found.missing:
        log.warning("admissions.not_in_database", nodes=sorted({one.node for one in found.missing}))
    if found.unreadable:
        log.error("admissions.unreadable", files=[file.name for file in found.unreadable])


def _is_unkept(row: Peer, one: Kept | None) -> bool:
    if one is None or one.revoked_at is not None:
        return one is None
    return row.revoked_at is not None or (one.serial, one.expires_at) != (row.serial, row.expires_at)


def _read(directory: Path) -> tuple[dict[tuple[str, str], Kept], list[Path]]:
    """The files by node and key, and those that cannot be read."""
    found, unreadable = {}, []
    for file in sorted(directory.glob("*.json")):
        try:
            one = _decode(file.read_bytes())
        except (OSError, ValueError):
            unreadable.append(file)
        else:
            found[one.node, one.key_id] = one
    return found, unreadable
