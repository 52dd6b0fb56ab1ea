"""Putting back what a node's recovery key opens: rows of its services and the keys that read them.

The journal must be one history again first (`jisr sync recover`): the copies are entries of it. Each service's rows go
back in one transaction, so that a command that was interrupted begins again.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Table, select, update
from sqlmodel import Session

from kernel import safekeeping
from kernel.crypto import OpeningKey, save_secret
from kernel.database import Database
from kernel.fact import Fact
from kernel.vault import IDENTITY_KEY, Vault, keys_in
from node.commands.databases import closed_afterwards
from node.commands.link import sync_database
from node.processes import Prepared
from services.case import sealing
from services.case.tables import CaseParty
from services.case.tables.columns import Base as CaseBase
from services.forum.tables import Base as ForumBase
from services.sync.journal import fact_of
from services.sync.tables import JournalEntry

BASES: dict[str, Any] = {"case": CaseBase, "forum": ForumBase}
RECOVERED = "recovered-keys"
WRAP_AT_ONCE = 1000

entries: Table = JournalEntry.__table__


def restore(prepared: Prepared, key: OpeningKey) -> dict[str, Any]:
    """Open every copy in this node's journal and put back what is missing or older here. Raises `CannotOpen`."""
    with closed_afterwards(), sync_database(prepared).read() as session:
        opened = safekeeping.open_all(prepared.node.id, _copies(session), key)
    keys = {name: raw for each in opened.keys for name, raw in each.items()}
    identities = [each[IDENTITY_KEY] for each in opened.keys if IDENTITY_KEY in each]
    rows = {service: _put_back(prepared, service, opened, identities) for service in BASES}
    saved = [_save(prepared.settings.home / RECOVERED / name, raw) for name, raw in sorted(keys.items())]
    return {**rows, "keys": saved, "sealed_to_another": opened.sealed_to_another}


def _copies(session: Session) -> Iterator[Fact]:
    statement = select(JournalEntry).where(entries.c.type == safekeeping.TYPE).order_by(entries.c.number)
    for row in session.scalars(statement.execution_options(yield_per=100)):
        if row.head:
            yield fact_of(row)


def _put_back(prepared: Prepared, service: str, opened: safekeeping.Opened, identities: list[bytes]) -> int:
    copies = opened.rows.get(service, [])
    if not copies:
        return 0
    database = Database(prepared.settings.database_url_of(service), service=service)
    present = keys_in(prepared.settings.keys_directory)
    database.info[sealing.VAULT] = Vault(lambda: [*present, *reversed(identities)])
    try:
        with database.write() as session:
            count = safekeeping.restore(session, BASES[service], copies)
        if service == "case":
            _read_again(database)
    finally:
        database.close()
    return count


def _read_again(database: Database) -> None:
    """Wrap what came back with this node's identity key, and let its persons be found again."""
    with database.write() as session:
        session.connection().execute(update(CaseParty).values(index_version=0))
    for step in (sealing.wrap_anew, sealing.index_anew):
        done = WRAP_AT_ONCE
        while done:
            with database.write() as session:
                done = step(session, limit=WRAP_AT_ONCE)


def _save(file: Path, raw: bytes) -> str:
    """For the operator to put in its place: keys of the node are never overwritten by a command."""
    file.parent.mkdir(mode=0o700, exist_ok=True)
    if not file.exists():
        save_secret(file, raw)
    return str(file)
