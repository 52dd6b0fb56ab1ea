"""What can be imported, and by which rules: past cases and partners."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from contracts import roles
from contracts.case import ListPartner, PastCase
from contracts.numbers import Numbering
from contracts.rules import CaseRules
from kernel.database import Database
from kernel.identity import Actor, require
from services.case.handlers.intake import Past, open_case
from services.case.handlers.partners import list_partner
from services.case.importing.mapping import ImportMapping
from services.case.importing.taking import Importer


@dataclass(frozen=True)
class Here:
    """The node at which an import runs."""

    node: str
    iso: str
    rules: CaseRules
    hashed: Callable[[str], str]


def of_cases(database: Database, mapping: ImportMapping, *, by: Actor, here: Here) -> Importer:
    """The importer of past cases, in the name of an account that may record cases. Raises `Forbidden`."""
    require(by, *roles.INTAKE)

    def take(session: Session, values: dict[str, Any], numbering: Numbering, now: datetime) -> str:
        past = Past(values.pop("outcome"), values.pop("closed_on"))
        return open_case(
            session, values, by=by, now=now, iso=here.iso, rules=here.rules, past=past, numbering=numbering
        ).id

    return Importer(database, mapping, PastCase(), take, here.iso, here.hashed, by, "import_cases")


def of_partners(database: Database, mapping: ImportMapping, *, by: Actor, here: Here) -> Importer:
    """The importer of partners; each has to be vetted by somebody else. Raises `Forbidden`."""
    require(by, *roles.PARTNER_LIST)

    def take(session: Session, values: dict[str, Any], _numbering: Numbering, now: datetime) -> str:
        return list_partner(session, values, by=by, now=now, node=here.node).id

    return Importer(database, mapping, ListPartner(), take, here.iso, here.hashed, by, "import_partners")
