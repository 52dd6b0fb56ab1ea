"""What the sync service keeps: this node's journal, its links, the replicas it holds and the records folded from them.

The numbers of entries are dense and given here, never by a sequence: a sequence commits out of order on PostgreSQL
and a reader of "everything after n" would lose rows. The same holds for arrivals, numbered from a locked row.
"""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, Text
from sqlalchemy.types import JSON, TypeDecorator
from sqlmodel import Field

from kernel.database import UtcDateTime, table_base

Base: Any = table_base()
Number = BigInteger().with_variant(Integer, "sqlite")  # only INTEGER is the row id itself on SQLite
ID = String(64)
NAME = String(64)


class JsonText(TypeDecorator[Any]):
    """A JSON column that takes the exact text the origin wrote: nothing is parsed and written again on the way in."""

    impl = JSON
    cache_ok = True

    def bind_processor(self, dialect: Any) -> Any:
        return None

    def coerce_compared_value(self, op: Any, value: Any) -> Any:
        return self.impl_instance.coerce_compared_value(op, value)


class JournalState(Base, table=True):
    """The one row that says where the journal ends. Whoever appends holds it locked.

    `parent_…`: where this life of the journal left the one before it. `doubt`: why nothing is sent (doubt.py).
    """

    __tablename__ = "journal_state"
    id: int = Field(default=1, primary_key=True)
    epoch: int
    number: int = Field(sa_column=Column(Number, nullable=False))
    digest: bytes = Field(sa_column=Column(LargeBinary(32), nullable=False))
    session: int = Field(sa_column=Column(Number, nullable=False))
    recorded_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))
    parent_number: int | None = Field(default=None, sa_column=Column(Number, nullable=True))
    parent_digest: bytes | None = Field(default=None, sa_column=Column(LargeBinary(32), nullable=True))
    doubt: str | None = Field(default=None, sa_column=Column(NAME, nullable=True))
    doubt_reason: str | None = Field(default=None, sa_column=Column(Text, nullable=True))
    doubt_about: str | None = Field(default=None, sa_column=Column(NAME, nullable=True))


class JournalEntry(Base, table=True):
    """One journal line: the exact bytes of a fact's parts and the digest of the chain up to it.

    `proof` stands in recovered lines for what nobody could give back: the commitment to the parts that are missing,
    or the leaf where not even the head is known; see entry.py.
    """

    __tablename__ = "journal_entry"
    number: int = Field(sa_column=Column(Number, primary_key=True, autoincrement=False))
    fact_id: str = Field(sa_column=Column(ID, nullable=False, unique=True))
    type: str = Field(sa_column=Column(String(128), nullable=False))
    head: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    statistical: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    operational: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    salt: bytes = Field(sa_column=Column(LargeBinary(16), nullable=False))
    restricted: bool
    digest: bytes = Field(sa_column=Column(LargeBinary(32), nullable=False))
    recorded_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    proof: bytes | None = Field(default=None, sa_column=Column(LargeBinary(32), nullable=True))


class OutboxSource(Base, table=True):
    """What the journal holds of each service's outbox: the last number and the fact that had it.

    `stream` names one life of that outbox; the fact's id betrays an outbox that was restored and numbers anew.
    """

    __tablename__ = "outbox_source"
    service: str = Field(sa_column=Column(NAME, primary_key=True))
    stream: str = Field(sa_column=Column(ID, primary_key=True))
    number: int = Field(sa_column=Column(Number, nullable=False))
    fact_id: str = Field(sa_column=Column(ID, nullable=False))


class Link(Base, table=True):
    """One link out of this node, as the engine last saw it.

    `paused` and `resumes` are an operator's word to the engine, which looks every second; the rest is the engine's.
    """

    __tablename__ = "link"
    destination: str = Field(sa_column=Column(NAME, primary_key=True))
    clearance: str = Field(sa_column=Column(NAME, nullable=False))
    paused: bool = False
    resumes: int = Field(default=0)
    held_number: int | None = Field(default=None, sa_column=Column(Number, nullable=True))
    held_digest: bytes | None = Field(default=None, sa_column=Column(LargeBinary(32), nullable=True))
    state: str = Field(sa_column=Column(NAME, nullable=False))
    reason: str | None = Field(default=None, sa_column=Column(Text, nullable=True))
    last_heard_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))
    behind_since: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))


class Replica(Base, table=True):
    """Where the verified copy of one origin's journal ends, and the last word from that origin.

    `begun`: the epoch in which its chain began; later lives continue the same chain."""

    __tablename__ = "replica"
    origin: str = Field(sa_column=Column(NAME, primary_key=True))
    epoch: int
    number: int = Field(sa_column=Column(Number, nullable=False))
    digest: bytes = Field(sa_column=Column(LargeBinary(32), nullable=False))
    state: str = Field(sa_column=Column(NAME, nullable=False))
    reason: str | None = Field(default=None, sa_column=Column(Text, nullable=True))
    head_number: int | None = Field(default=None, sa_column=Column(Number, nullable=True))
    head_digest: bytes | None = Field(default=None, sa_column=Column(LargeBinary(32), nullable=True))
    last_heard_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))
    behind_since: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))
    session: int = Field(default=0, sa_column=Column(Number, nullable=False))
    boot: str | None = Field(default=None, sa_column=Column(NAME, nullable=True))
    withheld: int = Field(default=0, sa_column=Column(Number, nullable=False))
    begun: int = Field(default=1, sa_column=Column(Number, nullable=False))


class Folded(Base, table=True):
    """How far the records of one origin's replica reach: every entry up to `number` was folded; see folding.py."""

    __tablename__ = "folded"
    origin: str = Field(sa_column=Column(NAME, primary_key=True))
    number: int = Field(sa_column=Column(Number, nullable=False))


class ReplicaEntry(Base, table=True):
    """One entry of a replica. `parts` are the exact bytes it arrived in, from which the leaf is computed again."""

    __tablename__ = "replica_entry"
    __table_args__: ClassVar[dict[str, Any]] = {"sqlite_with_rowid": False}
    origin: str = Field(sa_column=Column(NAME, primary_key=True))
    number: int = Field(sa_column=Column(Number, primary_key=True, autoincrement=False))
    disclosure: str = Field(sa_column=Column(String(16), nullable=False))
    parts: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    digest: bytes = Field(sa_column=Column(LargeBinary(32), nullable=False))


class Record(Base, table=True):
    """The current state of one subject. `operational` is NULL where this node may not see that part."""

    __tablename__ = "record"
    __table_args__: ClassVar[dict[str, Any]] = {"sqlite_with_rowid": False}
    origin: str = Field(sa_column=Column(NAME, primary_key=True))
    kind: str = Field(sa_column=Column(NAME, primary_key=True))
    subject: str = Field(sa_column=Column(ID, primary_key=True))
    version: int = Field(sa_column=Column(Number, nullable=False))
    type: str = Field(sa_column=Column(String(128), nullable=False))
    number: int = Field(sa_column=Column(Number, nullable=False))
    statistical: Any = Field(sa_column=Column(JsonText, nullable=False))
    operational: Any = Field(default=None, sa_column=Column(JsonText(none_as_null=True), nullable=True))
    updated_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class Parked(Base, table=True):
    """An entry that is held but could not be folded into a record; tried again when the engine starts.

    `skipped_at`: an operator decided not to wait for it, for `skipped_reason`.
    """

    __tablename__ = "parked"
    origin: str = Field(sa_column=Column(NAME, primary_key=True))
    number: int = Field(sa_column=Column(Number, primary_key=True, autoincrement=False))
    subject: str = Field(sa_column=Column(ID, nullable=False))
    reason: str = Field(sa_column=Column(Text, nullable=False))
    at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    skipped_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))
    skipped_reason: str | None = Field(default=None, sa_column=Column(Text, nullable=True))


class Quarantine(Base, table=True):
    """A message between nodes that was refused, with the reason. The body is cut to a bound; the table too."""

    __tablename__ = "quarantine"
    __table_args__: ClassVar[dict[str, Any]] = {"sqlite_autoincrement": True}
    id: int | None = Field(default=None, sa_column=Column(Number, primary_key=True))
    queue: str = Field(sa_column=Column(String(128), nullable=False))
    origin: str = Field(sa_column=Column(NAME, nullable=False))
    reason: str = Field(sa_column=Column(Text, nullable=False))
    header: str = Field(sa_column=Column(Text, nullable=False))
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class WitnessRound(Base, table=True):
    """The last time that another directorate was asked about every origin.

    `asks` counts an operator's words to the engine, `done` is the last that was followed.
    """

    __tablename__ = "witness_round"
    witness: str = Field(sa_column=Column(NAME, primary_key=True))
    asks: int = Field(default=0)
    done: int = Field(default=0)
    heard_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))


class Witnessed(Base, table=True):
    """How far another directorate was told the same story by an origin, and the first number where it was not."""

    __tablename__ = "witnessed"
    witness: str = Field(sa_column=Column(NAME, primary_key=True))
    origin: str = Field(sa_column=Column(NAME, primary_key=True))
    epoch: int
    agreed: int = Field(sa_column=Column(Number, nullable=False))
    differs_at: int | None = Field(default=None, sa_column=Column(Number, nullable=True))
    at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class ArrivalState(Base, table=True):
    """The one row from which arrivals take their numbers, so that they commit in the order of their numbers."""

    __tablename__ = "arrival_state"
    id: int = Field(default=1, primary_key=True)
    number: int = Field(sa_column=Column(Number, nullable=False))


class Arrival(Base, table=True):
    """A fact of another origin that is meant for this node. The broker announces it; this row is the truth."""

    __tablename__ = "arrival"
    number: int = Field(sa_column=Column(Number, primary_key=True, autoincrement=False))
    origin: str = Field(sa_column=Column(NAME, nullable=False))
    entry_number: int = Field(sa_column=Column(Number, nullable=False))
    fact_id: str = Field(sa_column=Column(ID, nullable=False, unique=True))
    type: str = Field(sa_column=Column(String(128), nullable=False))
    envelope: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    relayed_by: str | None = Field(default=None, sa_column=Column(NAME, nullable=True))
    digest: bytes | None = Field(default=None, sa_column=Column(LargeBinary(32), nullable=True))


class Relay(Base, table=True):
    """What is to be done about a fact of one governorate for another: carried on by a directorate, or, at the node
    where it arrived, acknowledged. `result` says what was done; see relays.py.
    """

    __tablename__ = "relay"
    fact_id: str = Field(sa_column=Column(ID, primary_key=True))
    origin: str = Field(sa_column=Column(NAME, nullable=False))
    number: int = Field(sa_column=Column(Number, nullable=False))
    task: str = Field(sa_column=Column(NAME, nullable=False))
    due_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    done_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True, index=True))
    result: str | None = Field(default=None, sa_column=Column(NAME, nullable=True))


class Peer(Base, table=True):
    """One signing key of a node that was admitted here, or refused; see peers.py. Rows are never deleted."""

    __tablename__ = "peer"
    node: str = Field(sa_column=Column(NAME, primary_key=True))
    key_id: str = Field(sa_column=Column(String(16), primary_key=True))
    key: bytes = Field(sa_column=Column(LargeBinary(32), nullable=False))
    broker_user: str = Field(sa_column=Column(NAME, nullable=False))
    serial: str = Field(sa_column=Column(NAME, nullable=False))
    expires_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))
    admitted_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    revoked_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))
    reason: str | None = Field(default=None, sa_column=Column(Text, nullable=True))


class Life(Base, table=True):
    """A later life of a journal, this node's own or that of an origin, and the position in which it began."""

    __tablename__ = "life"
    origin: str = Field(sa_column=Column(NAME, primary_key=True))
    epoch: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    parent_number: int = Field(sa_column=Column(Number, nullable=False))
    parent_digest: bytes = Field(sa_column=Column(LargeBinary(32), nullable=False))
    at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class Recall(Base, table=True):
    """What a holder of this node's journal is asked for, and where its copy stands; see recalls.py.

    `asks` counts the operator's questions, `done` is the last that was answered in full. `after`: where it shall begin;
    `until`: the last number to fetch, none where only the position is asked for.
    """

    __tablename__ = "recall"
    source: str = Field(sa_column=Column(NAME, primary_key=True))
    asks: int = Field(default=0)
    done: int = Field(default=0)
    after: int = Field(default=0, sa_column=Column(Number, nullable=False))
    until: int | None = Field(default=None, sa_column=Column(Number, nullable=True))
    epoch: int | None = None
    session: int = Field(default=0, sa_column=Column(Number, nullable=False))
    held_number: int | None = Field(default=None, sa_column=Column(Number, nullable=True))
    held_digest: bytes | None = Field(default=None, sa_column=Column(LargeBinary(32), nullable=True))
    at_number: int | None = Field(default=None, sa_column=Column(Number, nullable=True))
    at_digest: bytes | None = Field(default=None, sa_column=Column(LargeBinary(32), nullable=True))
    heard_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))
    problem: str | None = Field(default=None, sa_column=Column(Text, nullable=True))


class RecalledEntry(Base, table=True):
    """An entry of this node's own journal as a holder gave it back; kept until the recovery is done."""

    __tablename__ = "recalled_entry"
    __table_args__: ClassVar[dict[str, Any]] = {"sqlite_with_rowid": False}
    source: str = Field(sa_column=Column(NAME, primary_key=True))
    number: int = Field(sa_column=Column(Number, primary_key=True, autoincrement=False))
    parts: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    digest: bytes = Field(sa_column=Column(LargeBinary(32), nullable=False))


class Recovery(Base, table=True):
    """A recovery of this node's journal: entries `after` + 1 to `until` came back, `renumbered` follow them.

    `handed_at`: when the services had taken over the recovered facts; none while that is still to be done. `forks`: who
    holds another history than the followed one and after which number, `directorate-erbil:135`, with commas between.
    """

    __tablename__ = "recovery"
    epoch: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    after: int = Field(sa_column=Column(Number, nullable=False))
    until: int = Field(sa_column=Column(Number, nullable=False))
    renumbered: int = Field(sa_column=Column(Number, nullable=False))
    source: str = Field(sa_column=Column(NAME, nullable=False))
    at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    handed_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, nullable=True))
    forks: str = Field(default="", sa_column=Column(Text, nullable=False))

    def forked(self) -> dict[str, int | None]:
        """Who holds another history, and after which number; None where a release before this one wrote the row."""
        named = (each.partition(":") for each in self.forks.split(",") if each)
        return {destination: int(after) if after else None for destination, _, after in named}


class SetAside(Base, table=True):
    """An entry that a replica held and its origin's later life does not have. Kept for ever, counted nowhere."""

    __tablename__ = "set_aside"
    origin: str = Field(sa_column=Column(NAME, primary_key=True))
    digest: bytes = Field(sa_column=Column(LargeBinary(32), primary_key=True))
    number: int = Field(sa_column=Column(Number, nullable=False))
    disclosure: str = Field(sa_column=Column(String(16), nullable=False))
    parts: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
