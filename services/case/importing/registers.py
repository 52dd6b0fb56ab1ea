"""What can be imported, and by which rules: past cases and partners."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any, ClassVar, Final, Protocol

from marshmallow import Schema
from sqlmodel import Session

from contracts import roles
from contracts.case import ListPartner, PastCase
from contracts.numbers import Numbering
from contracts.rules import CaseRules
from kernel import outbox
from kernel.crypto import KEY_BYTES
from kernel.database import Database
from kernel.identity import Actor, require
from kernel.ids import new_id
from services.case import index, sealing, wall
from services.case.handlers.facts import case_fact
from services.case.handlers.intake import Past, keep_told, standing
from services.case.handlers.partners import list_partner
from services.case.tables import CaseRecord, NumberSequence
from services.case.writing import Gathering, Values, write

CASES: Final[str] = CaseRecord.__tablename__
_AT_FIRST: Final = {
    name: field.get_default(call_default_factory=True)
    for name, field in CaseRecord.model_fields.items()
    if not field.is_required()
}


@dataclass(frozen=True)
class Here:
    """The node at which an import runs."""

    node: str
    iso: str
    rules: CaseRules
    hashed: Callable[[str], str]


@dataclass(frozen=True)
class Prepared:
    """What a row becomes, ready to be written: the id of what it records, and its rows by table."""

    subject: str
    rows: dict[str, list[Values]]


class Kind(Protocol):
    """One kind of thing that is imported. It is sent to the processes that prepare rows."""

    shape: ClassVar[type[Schema]]
    action: ClassVar[str]

    def begin(self, database: Database, *, dry_run: bool) -> dict[str, bytes]:
        """The secrets of the node that preparing needs, by name."""

    def prepare(self, gathering: Gathering, values: dict[str, Any], now: datetime) -> str:
        """Gather the rows of a loaded request; the id of what it records. Raises `JisrError` for what the rules refuse.

        No database is asked."""

    def enter(self, session: Session, prepared: Sequence[Prepared], now: datetime) -> None:
        """Write what was prepared, with its numbers and its facts."""


@dataclass(frozen=True)
class Cases:
    """Past cases."""

    by: Actor
    iso: str
    rules: CaseRules
    shape: ClassVar[type[Schema]] = PastCase
    action: ClassVar[str] = "import_cases"

    def begin(self, database: Database, *, dry_run: bool) -> dict[str, bytes]:
        """The secret of the search index; a dry run makes none that lasts."""
        with database.read() as session:
            known = sealing.known_secret(session, index.KEYED_BY)
        if known is None and not dry_run:
            with database.write_silently() as session:
                known = sealing.secret(session, index.KEYED_BY)
        return {index.KEYED_BY: known or os.urandom(KEY_BYTES)}

    def prepare(self, gathering: Gathering, values: dict[str, Any], now: datetime) -> str:
        """As `open_case` records it, but for its number."""
        past = Past(values.pop("outcome"), values.pop("closed_on"))
        new = standing(values, by=self.by, now=now, rules=self.rules, case_id=new_id(), past=past)
        case: Any = SimpleNamespace(**{**_AT_FIRST, **new})
        keep_told(gathering.as_session(), case, values, by=self.by, now=now, rules=self.rules)
        gathering.put(CASES, [vars(case)])
        return str(case.id)

    def enter(self, session: Session, prepared: Sequence[Prepared], now: datetime) -> None:
        """Number them, write them, and tell of each."""
        numbering = Numbering(session, NumberSequence, iso=self.iso, at=now)
        facts = []
        for each in prepared:
            (values,) = each.rows[CASES]
            case: Any = SimpleNamespace(**values)
            case.number = values["number"] = numbering.next(wall.prefix(case))
            facts.append(case_fact(case, "imported", at=now))
        write(session, (each.rows for each in prepared))
        outbox.append_all(session, facts)
        numbering.finish()


@dataclass(frozen=True)
class Partners:
    """Partners; each has to be vetted by somebody else."""

    by: Actor
    node: str
    shape: ClassVar[type[Schema]] = ListPartner
    action: ClassVar[str] = "import_partners"

    def begin(self, database: Database, *, dry_run: bool) -> dict[str, bytes]:
        """Nothing of a partner is sealed."""
        return {}

    def prepare(self, gathering: Gathering, values: dict[str, Any], now: datetime) -> str:
        """Listed as over the API."""
        return list_partner(gathering.as_session(), values, by=self.by, now=now, node=self.node).id

    def enter(self, session: Session, prepared: Sequence[Prepared], now: datetime) -> None:
        """Write them."""
        write(session, (each.rows for each in prepared))


def of_cases(*, by: Actor, here: Here) -> Cases:
    """Past cases, in the name of an account that may record cases. Raises `Forbidden`."""
    require(by, *roles.INTAKE)
    return Cases(by, here.iso, here.rules)


def of_partners(*, by: Actor, here: Here) -> Partners:
    """Partners, in the name of an account that may list them. Raises `Forbidden`."""
    require(by, *roles.PARTNER_LIST)
    return Partners(by, here.node)
