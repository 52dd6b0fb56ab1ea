"""What stands beside a case, as plain values that another node can keep, and rows of that node again.

Each table says which columns are sealed at rest (they are opened here and sealed anew under the receiver's key of the
case), which name accounts, and which mean nothing elsewhere. An account goes as a name that stands for it in this case
alone: it tells that two acts were one person's, and no more. What was written once and has no version is kept if it is
not there yet; what has one is brought up to date, because whoever releases a case has had it last.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from sqlalchemy import Boolean, Integer, String
from sqlmodel import Session, select

from contracts.case.evidence import EvidenceState
from kernel.errors import BadInput
from services.case import sealing
from services.case.tables import (
    Assistance,
    CaseConsent,
    CaseContactPlan,
    CaseNote,
    CaseParty,
    CaseRecord,
    Confirmation,
    Evidence,
    LegalHold,
    Mediation,
    Partner,
    Reclassification,
    Referral,
)

ELSEWHERE: Final = "node:"
HELD: Final = frozenset({EvidenceState.KEPT, EvidenceState.ELSEWHERE})

Values = dict[str, Any]


class ContentRefused(BadInput):
    """What was sealed to this node is not a case in any form known here."""

    code = "content_refused"


@dataclass(frozen=True)
class Beside:
    """A table of things that stand beside a case. `sealed`: column, and the place that it is sealed for."""

    table: type[Any]
    sealed: tuple[str, str] | None = None
    accounts: frozenset[str] = frozenset()
    left: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return str(self.table.__tablename__)

    @property
    def versioned(self) -> bool:
        return "version" in self.table.__table__.columns

    def place(self, row_id: str) -> str:
        return f"{self.sealed[1]}/{row_id}" if self.sealed else ""


BESIDE: Final = (
    Beside(CaseNote, ("sealed", "note"), frozenset({"author_id"})),
    Beside(CaseConsent, ("sealed", "consent"), frozenset({"recorded_by"})),
    Beside(CaseContactPlan, ("sealed", "contact_plan"), frozenset({"recorded_by"})),
    Beside(Reclassification, None, frozenset({"proposed_by", "decided_by"})),
    Beside(Confirmation, None, frozenset({"closed_by", "answered_by"})),
    Beside(
        Referral,
        None,
        frozenset({"sent_by", "sender_hash", "overridden_by"}),
        left=frozenset({"partner_id", "head_hash"}),
    ),
    Beside(Mediation, ("screen", "screen"), frozenset({"proposed_by", "approved_by"})),
    Beside(Assistance, None, frozenset({"sent_by"})),
    Beside(LegalHold, None, frozenset({"placed_by", "lifted_by"})),
    Beside(Evidence, ("sealed", "evidence"), frozenset({"added_by"})),
)
"""In the order in which they are kept: what refers to another comes after it."""

REFERS: Final[Mapping[str, tuple[type[Any], bool]]] = {
    "party_id": (CaseParty, True),
    "note_id": (CaseNote, True),
    "partner": (Partner, False),
    "suggested": (Partner, False),
}
"""Columns that name another row; and whether it must be of the same case, or may be unknown here."""


def taken_along(session: Session, case: CaseRecord, node: str) -> dict[str, list[Values]]:
    """Everything that stands beside `case`, by table. Raises `IdentityErased`."""
    return {each.name: [_values(session, each, row, node) for row in _rows(session, each, case)] for each in BESIDE}


def _rows(session: Session, beside: Beside, case: CaseRecord) -> list[Any]:
    table = beside.table
    rows = session.exec(select(table).where(table.case_id == case.id).order_by(table.id)).all()
    return [row for row in rows if not isinstance(row, Evidence) or row.state in HELD]


def _values(session: Session, beside: Beside, row: Any, node: str) -> Values:
    values = {name: getattr(row, name) for name in beside.table.model_fields if name not in beside.left}
    for name in beside.accounts:
        values[name] = stands_for(values[name], row.case_id, node)
    if beside.sealed is not None:
        column, _ = beside.sealed
        hidden = values.pop(column)
        values["hidden"] = sealing.unseal(session, row.case_id, beside.place(row.id), hidden) if hidden else None
    if isinstance(row, Evidence):
        values["state"] = EvidenceState.ELSEWHERE
    del values["case_id"]
    return values


def stands_for(account: str | None, case_id: str, node: str) -> str | None:
    """What names an account of `node` elsewhere, the same in all of one case and another one in the next."""
    if not account or account.startswith(ELSEWHERE):
        return account
    return f"{ELSEWHERE}{node}:{hashlib.sha256(f'{case_id}/{account}'.encode()).hexdigest()[:12]}"


def keep(session: Session, case: CaseRecord, along: Mapping[str, list[Values]]) -> None:
    """Write what came along with `case`, whose row, key and parties are there. Raises `ContentRefused`."""
    for beside in BESIDE:
        for values in along.get(beside.name, ()):
            _keep(session, beside, case, values)
        session.flush()


def _keep(session: Session, beside: Beside, case: CaseRecord, given: Values) -> None:
    values = typed(beside.table, given)
    _check(session, beside, case, values)
    row = session.get(beside.table, values["id"])
    if row is not None and row.case_id != case.id:
        raise ContentRefused(cause="another_case")
    if row is not None and not (beside.versioned and values["version"] >= row.version):
        return
    hidden = given.get("hidden")
    if row is None:
        if not needed(beside.table) <= set(values):
            raise ContentRefused(cause="missing")
        row = beside.table(**values, case_id=case.id)
    else:
        _bring_up_to_date(beside, row, values)
    if beside.sealed is not None and hidden is not None and getattr(row, beside.sealed[0]) is None:
        setattr(row, beside.sealed[0], sealing.seal(session, case.id, beside.place(row.id), hidden))
    session.add(row)


def _bring_up_to_date(beside: Beside, row: Any, values: Values) -> None:
    """An account that is known here by itself stays so."""
    for name, value in values.items():
        if name not in beside.accounts or getattr(row, name) is None:
            setattr(row, name, value)


def _check(session: Session, beside: Beside, case: CaseRecord, values: Values) -> None:
    """Refuse a row that refers to one of another case; forget what refers to a partner that is not known here."""
    for name, (table, of_case) in REFERS.items():
        if values.get(name) is None:
            continue
        found = session.get(table, values[name])
        if of_case and (found is None or found.case_id != case.id):
            raise ContentRefused(cause=f"{beside.name}.{name}")
        if found is None:
            values[name] = None


def typed(table: type[Any], values: Mapping[str, Any]) -> Values:
    """The columns of `table` among `values`, as they are stored. Raises `ContentRefused` for what does not fit them."""
    columns = table.__table__.columns
    try:
        found = {name: _typed(columns[name].type, value) for name, value in values.items() if name in columns}
    except (ValueError, TypeError, KeyError) as error:
        raise ContentRefused(cause=type(error).__name__) from error
    if any(found[name] is None for name in needed(table) & set(found)):
        raise ContentRefused(cause="empty")
    return found


def needed(table: type[Any]) -> set[str]:
    """The columns without which there is no row."""
    return {each.name for each in table.__table__.columns if not each.nullable} - {"case_id"}


def _typed(kind: Any, value: Any) -> Any:
    if value is None:
        return None
    if getattr(kind, "enum_class", None) is not None:
        return kind.enum_class(value)
    if type(kind).__name__ == "UtcDateTime":
        return datetime.fromisoformat(value).astimezone(UTC)
    if type(kind).__name__ == "Date":
        return date.fromisoformat(value)
    wanted = {Boolean: bool, Integer: int, String: str}.get(type(kind))
    if wanted is not None and type(value) is not wanted:
        raise TypeError(name_of(kind))
    if isinstance(kind, String) and kind.length is not None and len(value) > kind.length:
        raise ValueError(name_of(kind))
    return value


def name_of(kind: Any) -> str:
    """A column's type, for a message that shows no value."""
    return type(kind).__name__
