"""Telling notify who works here: at least once, in the order of an account's versions, however long notify is away.

The row in `contact_due` is written with the change itself and deleted when notify has answered for that very version;
a change that comes in between leaves it standing. Notify takes no older version over a newer one, so repeats are
harmless.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event, Thread
from typing import Any

from sqlmodel import select

from contracts import notify as contract
from contracts.roles import Role
from kernel.clock import now
from kernel.database import Database
from kernel.errors import JisrError
from kernel.identity import Actor
from kernel.log import get_logger
from services.gateway.doors import Doors
from services.gateway.tables import Account, ContactDue

AT_ONCE = 50
IDLE_SECONDS = 1.0  # how soon an account that another process (`jisr user add`) made is noticed
FIRST_RETRY = timedelta(seconds=2)
LONGEST_RETRY = timedelta(minutes=5)

log = get_logger("gateway.contacts")


@dataclass(frozen=True)
class _Due:
    account_id: str
    version: int
    values: dict[str, Any]


class Contacts:
    """Pushes due contacts to notify. `tell_once` does a bounded amount; `run` calls it until told to stop."""

    def __init__(self, database: Database, doors: Doors, *, node: str) -> None:
        self.database = database
        self.doors = doors
        self.actor = Actor(contract.GATEWAY, "the gateway", frozenset({Role.NODE_ADMIN}), node)
        self._wake = Event()
        self._stopping = False

    def tell_once(self, at: datetime) -> int:
        """Tell notify of up to fifty accounts that are due; how many it has answered for."""
        told = 0
        for due in self._due(at):
            if not self._tell(due, at):
                break  # notify is away or refuses: the others would fare no better
            told += 1
        return told

    def _due(self, at: datetime) -> list[_Due]:
        with self.database.read() as session:
            rows = session.exec(
                select(Account)
                .join(ContactDue, ContactDue.account_id == Account.id)  # type: ignore[arg-type]
                .where(ContactDue.next_at <= at)
                .order_by(ContactDue.next_at)  # type: ignore[arg-type]
                .limit(AT_ONCE)
            ).all()
            return [_Due(row.id, row.version, _values(row)) for row in rows]

    def _tell(self, due: _Due, at: datetime) -> bool:
        try:
            self.doors.call("notify", "put_contact", due.values, actor=self.actor)
        except JisrError as error:
            log.warning("gateway.contact_waits", code=error.code)
            self._later(due, at)
            return False
        with self.database.write_silently() as session:
            row = session.get(ContactDue, due.account_id)
            account = session.get(Account, due.account_id)
            if row is not None and account is not None and account.version == due.version:
                session.delete(row)
        return True

    def _later(self, due: _Due, at: datetime) -> None:
        with self.database.write_silently() as session:
            row = session.get(ContactDue, due.account_id)
            if row is not None:
                row.attempts += 1
                row.next_at = at + min(FIRST_RETRY * 2 ** min(row.attempts - 1, 10), LONGEST_RETRY)

    def run(self) -> None:
        """Tell until `stop`; a database that is away is asked again later."""
        while not self._stopping:
            try:
                told = self.tell_once(now())
            except JisrError as error:
                log.warning("gateway.contacts_wait", code=error.code)
                told = 0
            if not told:
                self._wake.wait(IDLE_SECONDS)
                self._wake.clear()

    def start(self) -> Thread:
        """Run in a thread of its own, woken by every commit."""
        self.database.on_commit.append(self._wake.set)
        thread = Thread(target=self.run, name="contacts", daemon=True)
        thread.start()
        return thread

    def stop(self) -> None:
        """Ask `run` to return."""
        self._stopping = True
        self._wake.set()


def _values(account: Account) -> dict[str, Any]:
    return {
        "account_id": account.id,
        "version": account.version,
        "roles": account.roles,
        "unit": account.unit,
        "forums": account.forums,
        "language": account.language,
        "email": account.email,
        "active": account.active,
    }
