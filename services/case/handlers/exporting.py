"""Cases given out as a table: what the caller sees in lists anyway, without identity, and a line in the audit log."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlmodel import Session

from kernel import audit
from kernel.database import Database
from kernel.identity import Actor
from kernel.paging import MOST, Page
from services.case.handlers.reading import list_cases
from services.case.tables import CaseRecord

EXPORT_CASES = "export_cases"


def export_cases(session: Session, values: dict[str, Any], *, by: Actor, now: datetime) -> Page[CaseRecord]:
    """A page of what `by` reaches; the first one is noted as an export."""
    if values["after"] is None:
        asked = ", ".join(f"{name} {values[name]}" for name in ("status", "category") if values[name] is not None)
        audit.record(
            session, actor=by, action=EXPORT_CASES, subject="cases", outcome="allowed", reason=asked or None, at=now
        )
    return list_cases(session, values, by=by)


def every_case(database: Database, values: dict[str, Any], *, by: Actor, now: datetime) -> Iterator[CaseRecord]:
    """Every case that `by` reaches, a page in memory at a time."""
    values = {**values, "limit": MOST, "after": None}
    while True:
        with database.write_silently() as session:
            found = export_cases(session, values, by=by, now=now)
        yield from found.items
        if found.next is None:
            return
        values["after"] = found.next
