"""The audit log: who did and who looked. Append-only and hash-chained, so that a changed or removed line is found.

`digest[n] = SHA-256(digest[n-1] ‖ canonical JSON of line n)`, `digest[0]` is 32 zero bytes. The log stands in the
service's own database and never leaves the node.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, select, text
from sqlmodel import Field, Session

from kernel.clock import iso
from kernel.database import KernelTable, UtcDateTime
from kernel.fact import canonical
from kernel.identity import Actor

START = bytes(32)
AUDIT_LOCK = 0x61756469  # "audi": one audit line after the other on PostgreSQL


class AuditEntry(KernelTable, table=True):
    """One line: who did what to which subject, allowed or refused, and why they said they needed it."""

    __tablename__ = "audit_entry"

    number: int = Field(
        sa_column=Column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False)
    )
    at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    actor_id: str | None = Field(default=None, sa_column=Column(String(64), index=True))
    action: str = Field(sa_column=Column(String(64), nullable=False))
    subject: str = Field(sa_column=Column(String(64), nullable=False, index=True))
    outcome: str = Field(sa_column=Column(String(16), nullable=False))
    reason: str | None = Field(default=None, sa_column=Column(String(500)))
    digest: bytes = Field(sa_column=Column(LargeBinary(32), nullable=False))


def record(
    session: Session,
    *,
    actor: Actor | None,
    action: str,
    subject: str,
    outcome: str,
    reason: str | None,
    at: datetime,
) -> None:
    """Append a line in the caller's transaction. `outcome` is `allowed` or `refused`."""
    record_each(session, [subject], actor=actor, action=action, outcome=outcome, reason=reason, at=at)


def record_each(
    session: Session,
    subjects: Iterable[str],
    *,
    actor: Actor | None,
    action: str,
    outcome: str,
    reason: str | None,
    at: datetime,
) -> None:
    """Append a line for each subject, together: one look for the end of the chain."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text(f"SELECT pg_advisory_xact_lock({AUDIT_LOCK})"))
    last = session.scalars(select(AuditEntry).order_by(AuditEntry.number.desc()).limit(1)).first()
    number, previous = (last.number, last.digest) if last else (0, START)
    for subject in subjects:
        number += 1
        line = {
            "number": number,
            "at": iso(at),
            "actor_id": actor.id if actor else None,
            "action": action,
            "subject": subject,
            "outcome": outcome,
            "reason": reason,
        }
        previous = _digest(previous, line)
        session.add(AuditEntry(**{**line, "at": at}, digest=previous))
    session.flush()


def verify_audit(session: Session) -> int | None:
    """The number of the first line that was altered, removed or inserted; None when the log is whole."""
    previous = START
    expected = 1
    for entry in session.scalars(select(AuditEntry).order_by(AuditEntry.number)).yield_per(1000):
        line = {
            "number": entry.number,
            "at": iso(entry.at),
            "actor_id": entry.actor_id,
            "action": entry.action,
            "subject": entry.subject,
            "outcome": entry.outcome,
            "reason": entry.reason,
        }
        if entry.number != expected or entry.digest != _digest(previous, line):
            return expected
        previous, expected = entry.digest, expected + 1
    return None


def _digest(previous: bytes, line: dict[str, Any]) -> bytes:
    return hashlib.sha256(previous + canonical(line)).digest()
