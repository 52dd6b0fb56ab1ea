"""Batches of an origin, made without an engine, and a replica to take them."""

from collections.abc import Sequence
from datetime import datetime

from kernel.database import Database
from kernel.fact import Fact
from services.sync import arrivals
from services.sync.disclosure import Clearance, decide, show
from services.sync.entry import Entry, Shown, audience, record
from services.sync.message import Batch, Hello, pack
from services.sync.position import Position, digests, start
from services.sync.replicas import Outcome, Refused, Replicas
from tests.services.sync.facts import NOW

WINDOW = 2 * 1024 * 1024


class Origin:
    """A journal in memory."""

    def __init__(self, name: str = "ninewa", salt: bytes = b"s" * 16) -> None:
        self.name = name
        self.zero = start(name, 1)
        self.entries: list[Entry] = []
        self.digests: list[bytes] = []
        self._salt = salt

    def add(self, *facts: Fact) -> None:
        for one in facts:
            entry = record(len(self.entries) + 1, one, self._salt)
            self.digests += digests(self.head, [entry.leaf])
            self.entries.append(entry)

    @property
    def head(self) -> Position:
        return self.at(len(self.entries))

    def at(self, number: int) -> Position:
        return self.zero if number == 0 else Position(number, self.digests[number - 1])

    def batch(self, after: int, upto: int, clearance: Clearance = Clearance.OPERATIONAL, to: str = "d") -> Batch:
        shown: list[Shown] = [
            show(one, decide(clearance, to, audience(one.head), one.restricted)) for one in self.entries[after:upto]
        ]
        return pack(self.name, 1, self.at(after), shown, self.digests[after:upto], 10**6)

    def hello(self, session: int = 1, boot: str = "boot") -> Hello:
        return Hello(self.name, 1, session, boot, self.head, "test")


class Taker:
    """A replica in a real database."""

    def __init__(self, database: Database, origin: str = "ninewa", node: str = "directorate-baghdad") -> None:
        self.database = database
        self.replicas = Replicas(
            origin, f"jisr.up.{origin}", WINDOW, lambda one: arrivals.is_for(node, one, takes_unaddressed=False)
        )

    def take(self, *messages: Hello | Batch, refused: Sequence[Refused] = (), at: datetime = NOW) -> Outcome:
        with self.database.write() as session:
            return self.replicas.take(session, messages, refused, at)
