"""Replication without a network: an origin's journal, replicas and the links between them, all in memory.

`Origin` stands for a node's database, `Path` for one link with its two queues and both its engines. What
would survive a restart is kept in `Origin` and in `Replica`; everything else a restart throws away.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256
from random import Random

from hypothesis import strategies as st

from kernel.crypto import SigningKey
from kernel.fact import Fact
from services.sync import message, replica
from services.sync.actions import SayHello, Send
from services.sync.disclosure import Clearance, decide, show
from services.sync.entry import Entry, Shown, audience, decode, encode, record
from services.sync.link import Link
from services.sync.message import ZSTD, BadMessage, Batch, Held, Hello, open_message, pack, sign
from services.sync.opened import Opened
from services.sync.position import Position, advance, start

HOME, OTHER = "directorate-baghdad", "directorate-erbil"
GOVERNORATES = frozenset({"anbar", "duhok"})
KEYS = {node: SigningKey(sha256(node.encode()).digest()) for node in ("ninewa", "anbar", HOME, OTHER)}
RING = message.ring({node: key.verify_key for node, key in KEYS.items()})


def judge(state: replica.ReplicaState, batch: Batch) -> replica.Judgement[Opened]:
    """As a receiver with a database on SQLite does."""
    return replica.judge(state, batch, partial(Opened, dialect="sqlite"))


def entries_of(opened: Opened) -> list[Shown]:
    """The entries as they are kept."""
    return [decode(parts)[0] for _origin, _number, _disclosure, parts, _digest in opened.rows.plain]


scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=12)
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=4,
)


@st.composite
def json_objects(draw: st.DrawFn) -> bytes:
    """A JSON object in one of the many ways to write it: spaces, escapes and order are the origin's own."""
    value = draw(st.dictionaries(st.text(max_size=6), json_values, max_size=4))
    separators = draw(st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", "\t: ")]))
    return json.dumps(value, ensure_ascii=draw(st.booleans()), separators=separators).encode()


@st.composite
def heads(draw: st.DrawFn) -> bytes:
    """A head addressed to everybody, to a directorate, or to a governorate."""
    named = draw(st.sampled_from([[], [], [HOME], [OTHER], ["duhok"], ["anbar", OTHER]]))
    subject = f"subject-{draw(st.integers(0, 9))}"
    head = {"id": draw(st.text(max_size=8)), "type": "case.opened.v1", "subject": subject, "version": 1}
    return json.dumps({**head, "audience": named}).encode()


facts = st.builds(
    Fact,
    head=heads(),
    statistical=st.just(b"") | json_objects(),
    operational=st.just(b"") | json_objects(),
    sealed=st.just(b"") | st.binary(max_size=60),
    restricted=st.booleans(),
)
clearances = st.sampled_from(Clearance)


def salt(number: int) -> bytes:
    """A salt that is the same in every run, so that a failure can be seen again."""
    return sha256(b"salt %d" % number).digest()[:16]


class Origin:
    """A journal, and the session number that a node keeps beside it."""

    def __init__(self, name: str = "ninewa", epoch: int = 1) -> None:
        self.name, self.epoch, self.session = name, epoch, 0
        self.starts = 0  # of any engine that ever spoke as this node
        self.parent: Position | None = None
        self.entries: list[Entry] = []
        self.positions: list[Position] = [start(name, epoch)]

    @property
    def head(self) -> Position:
        return self.positions[-1]

    def write(self, fact: Fact) -> None:
        entry = record(len(self.entries) + 1, fact, salt(len(self.entries)))
        self.entries.append(entry)
        self.positions.append(advance(self.head, entry.leaf))

    def write_all(self, facts: Sequence[Fact]) -> "Origin":
        for fact in facts:
            self.write(fact)
        return self

    def digest_at(self, number: int) -> bytes | None:
        return self.positions[number].digest if number < len(self.positions) else None

    def shown(self, clearance: Clearance, destination: str, after: int = 0, upto: int | None = None) -> list[Shown]:
        """Entries `after + 1` to `upto` as this link may carry them."""
        return [disclosed(entry, clearance, destination) for entry in self.entries[after:upto]]

    def batch(self, clearance: Clearance, destination: str, after: int, upto: int, most: int = 1 << 20) -> Batch:
        """What the sender would put between two positions."""
        shown = self.shown(clearance, destination, after, upto)
        digests = [position.digest for position in self.positions[after + 1 : upto + 1]]
        return pack(self.name, self.epoch, self.positions[after], shown, digests, most)


def disclosed(entry: Entry, clearance: Clearance, destination: str) -> Shown:
    return show(entry, decide(clearance, destination, audience(entry.head), entry.restricted, GOVERNORATES))


@dataclass
class Replica:
    """What a destination's database keeps of one origin."""

    state: replica.ReplicaState
    entries: list[Shown] = field(default_factory=list)


Carried = tuple[bytes, dict[str, str]]


class Path:
    """One link: the sender's engine, two queues, the receiver's engine. `window` is small, to be met often."""

    def __init__(self, origin: Origin, destination: str, clearance: Clearance, window: int = 3000) -> None:
        self.origin, self.destination, self.clearance, self.window = origin, destination, clearance, window
        self.replica = Replica(replica.begin(origin.name, origin.epoch))
        self.up: list[Carried] = []
        self.down: list[Carried] = []
        self.reading: Batch | None = None
        self.quarantined = 0
        self.now = 0.0
        self._checked = 0
        self._random = Random(7)
        self.restart_sender()

    # --- the sender

    def restart_sender(self) -> None:
        """SIGKILL and start: a new session, nothing remembered of the link."""
        self.origin.session += 1
        self.origin.starts += 1
        self.session, self.boot = self.origin.session, f"boot-{self.origin.starts}"
        self.reading = None
        self.link = Link(
            self.origin.name,
            self.destination,
            self.origin.epoch,
            self.origin.head,
            random=self._random.random,
            window=self.window,
            begun=1,
            session=self.session,
            boot=self.boot,
        )

    def turn(self) -> bool:
        """One round of the sender's loop; whether it did anything."""
        self.link.on_head(self.origin.head)
        if self.reading is not None:
            return self.finish_reading(self.reading)
        match self.link.plan(self.now):
            case SayHello():
                self.say_hello()
            case Send() as send:
                self.begin_reading(send)
            case _:
                return False
        return True

    def say_hello(self) -> None:
        origin, link = self.origin, self.link
        first = (origin.name, link.epoch, self.session, self.boot, link.head, "test")
        hello = Hello(*first, origin.parent, 1, link.told, link.disowned)
        self.up.append(sign(hello, KEYS[origin.name]))
        self.link.on_hello_said(self.now)

    def begin_reading(self, send: Send) -> None:
        """The reading ends in a later turn; anything may happen in between."""
        after = send.after.number
        upto = min(after + send.max_entries, len(self.origin.entries))
        self.reading = self.origin.batch(self.clearance, self.destination, after, upto, send.max_bytes)

    def finish_reading(self, batch: Batch) -> bool:
        self.reading = None
        body, headers = sign(batch, KEYS[self.origin.name])
        if not self.link.admit(batch.start, len(body)):
            return False
        alone = self.link.outstanding == 0
        self.up.append((body, headers))
        self.link.on_sent(batch.start, batch.end, len(body), self.now)
        assert self.link.outstanding <= self.window or (alone and batch.count == 1)
        return True

    def hear(self, carried: Carried) -> None:
        """The sender receives one `held`."""
        said = self._open(carried)
        if isinstance(said, Held):
            self.link.on_held(said, self.origin.digest_at, self.now)

    # --- the receiver

    def receive(self, carried: Carried, answers: bool = True) -> None:
        """The receiver commits what one message brings; without `answers` it dies before it says so."""
        said = self._open(carried)
        if isinstance(said, Hello):
            self.replica.state, _ = replica.on_hello(self.replica.state, said, self.window)
        reason = self._apply(said) if isinstance(said, Batch) else ""
        if said is not None and answers:
            held = replica.answer(self.replica.state, self.window, reason)
            self.down.append(sign(held, KEYS[self.destination]))

    def _apply(self, batch: Batch) -> str:
        """The reason for the answer."""
        match judge(self.replica.state, batch):
            case replica.Apply() as new:
                assert new.contents.after.number == len(self.replica.entries)
                self.replica.entries += entries_of(new.contents)
                self.replica.state = replica.applied(self.replica.state, new)
            case replica.Refuse(state, reason):
                self.quarantined += 1
                self.replica.state = replica.refuse(self.replica.state, state, reason)
            case replica.Gap():
                return replica.GAP
        return ""

    def _open(self, carried: Carried) -> message.Message | None:
        try:
            return open_message(*carried, RING).message
        except BadMessage:
            self.quarantined += 1
            return None

    # --- a link that works

    def heal(self, seconds: float = 900.0) -> None:
        """Let everything through in order until the replica holds the head. Fails if that takes longer than
        this.

        Nothing else is done for the sender: it must find by itself that it has to send again. The longest
        that may take is a hello (300 s), a wait (300 s), the minute without progress and a hello or two.
        """
        end = self.now + seconds
        while self.replica.state.held != self.origin.head or self.up or self.down or self.link.state != "idle":
            assert self.now < end, f"{self.link.state}: {self.link.reason}; {self.replica.state}"
            moved = self.turn()
            while self.up:
                self.receive(self.up.pop(0))
            while self.down:
                self.hear(self.down.pop(0))
            if not moved:
                self.now += 1.0

    def check(self) -> None:
        """What must be true at any moment: an exact prefix, shown as this link may show it."""
        held, entries = self.replica.state.held, self.replica.entries
        assert held == self.origin.positions[held.number]
        assert len(entries) == held.number
        known = self._checked  # what was compared before cannot have changed: entries are only ever added
        assert entries[known:] == self.origin.shown(self.clearance, self.destination, known, held.number)
        self._checked = held.number


def changed(data: bytes, at: int, by: int) -> bytes:
    """`data` with one byte changed: `at` wraps around, `by` is 1 to 255."""
    at %= len(data)
    return data[:at] + bytes([data[at] ^ by]) + data[at + 1 :]


def with_entries(batch: Batch, shown: Sequence[Shown]) -> Batch:
    """The same batch carrying these entries instead, between the same positions."""
    payload = message.compress(encode(shown))
    return replace(batch, payload=payload, count=len(shown), encoding=ZSTD)
