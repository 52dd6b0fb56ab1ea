"""The receiver: what a replica makes of what its origin says. The caller stores, acknowledges and answers.

A replica is an exact, verified prefix of its origin's journal. Nothing is applied unless its leaves, folded
from the position held, lead to the digest that the origin signed. So a repeat, a gap, an overlap or any
reordering can change *when* a replica grows, never *what* it holds.

Three words stop a replica until a person decides: `refused` (the origin signed what cannot be), `diverged` (the origin
tells another story about a number held here) and `duplicate` (two machines speak as one origin). The last two are also
ended by a later life of the journal that continues from what is held. `rolled_back` stops nothing by itself:
a hello can be overtaken by the batches that followed it, so the word is only the receiver's suspicion. The
sender judges by the position in `held`, and a batch that continues from here refutes it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

from contracts.sync import ReplicaState as Status
from services.sync.entry import Wire
from services.sync.message import BadMessage, Batch, Held, Hello
from services.sync.position import Position, digests, start

WINDOW = 2 * 1024 * 1024  # per origin at the most; less is granted while many have much to deliver (shares.py)
AT_ONCE = 128  # entries that go from step to step together, so that the processor has them at hand
GAP = "gap"
SILENT_AFTER = timedelta(seconds=90)  # three hellos
STOPPED = frozenset({Status.REFUSED, Status.DIVERGED, Status.DUPLICATE})
MOST_LIVES = 1000  # a life is begun by a person after a loss
TWO_MACHINES = "two machines with one identity, or a backup that was put back with everything around it."


@dataclass(frozen=True, slots=True)
class ReplicaState:
    """Where a replica stands and what it makes of its origin; kept with its entries, in the same commit."""

    origin: str
    epoch: int
    held: Position
    session: int = 0
    boot: str = ""
    state: Status = Status.SILENT
    reason: str = ""
    begun: int = 1  # the epoch in which the chain began


@dataclass(frozen=True, slots=True)
class Piece:
    """Some entries of a batch from number `first` on, their parts unread, with the digest of each."""

    first: int
    entries: Sequence[Wire]
    digests: list[bytes]

    def without(self, count: int) -> "Piece":
        """The same but the first `count` entries."""
        return Piece(self.first + count, self.entries[count:], self.digests[count:])


class Contents(Protocol):
    """What somebody made of the entries of a batch that follow position `after`."""

    @property
    def after(self) -> Position: ...


C = TypeVar("C", bound=Contents)
Opening = Callable[[Batch, int], C]  # without so many of its first entries; raises `BadMessage`, as `pieces` does


@dataclass(frozen=True, slots=True)
class Apply(Generic[C]):
    """New entries, in `contents`. Once they are stored, `end` is held in `epoch`."""

    contents: C
    end: Position
    epoch: int


@dataclass(frozen=True, slots=True)
class Repeat:
    """Nothing new: count it, answer `held`."""


@dataclass(frozen=True, slots=True)
class Gap:
    """It begins after what is held: drop it, answer `held` with the reason `gap`."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """The replica was stopped before; drop it without a look, answer `held`."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """Quarantine it, stop the replica with `refuse(...)`, answer `held`."""

    state: Status
    reason: str


Judgement = Apply[C] | Repeat | Gap | Stopped | Refuse


def begin(origin: str, epoch: int, begun: int | None = None) -> ReplicaState:
    """A replica of an origin from which nothing is held yet, with the epoch of its first message.

    `begun`: the epoch in which its chain began, if that is an earlier one.
    """
    begun = begun or epoch
    return ReplicaState(origin, epoch, start(origin, begun), begun=begun)


def begin_with(batch: Batch) -> ReplicaState:
    """As `begin`, for an origin that is heard by a batch first, out of a bundle; it shows when its chain began."""
    lives = range(1, min(batch.epoch, MOST_LIVES) + 1)
    begun = next((each for each in lives if start(batch.origin, each) == batch.start), None)
    return begin(batch.origin, batch.epoch, begun)


def answer(state: ReplicaState, window: int = WINDOW, reason: str = "") -> Held:
    """What to tell the origin. `reason` overrides the state's own, for `gap`."""
    said = (str(state.state), reason or state.reason, state.session, state.boot)
    return Held(state.origin, state.epoch, state.held, window, *said)


def on_hello(state: ReplicaState, hello: Hello, window: int = WINDOW) -> tuple[ReplicaState, Held]:
    """The state after `hello`, and the answer to it. The caller notes `hello.head` and the time by itself."""
    twins = "" if hello.epoch != state.epoch else _twins(state, hello)
    if hello.epoch != state.epoch:
        new = _other_epoch(state, hello)
    elif twins and state.state is not Status.REFUSED:
        new = refuse(state, Status.DUPLICATE, twins)
    elif state.state in STOPPED:
        new = state
    else:
        new = _same_epoch(state, hello)
    if new.epoch == hello.epoch and (hello.session > new.session or not new.boot):
        new = replace(new, session=hello.session, boot=hello.boot)
    return new, answer(new, window)


def _twins(state: ReplicaState, hello: Hello) -> str:
    """Why two machines must be speaking under this name; empty if nothing says so.

    A session that is not the latest proves nothing by itself: a hello can come late, or be repeated by a broker. One
    that was told of the later session, and speaks all the same, was alive after it.
    """
    if hello.session == state.session and state.boot and hello.boot != state.boot:
        return f"Two starts of an engine of {state.origin} both have session {hello.session}: {TWO_MACHINES}"
    if hello.session < hello.told and state.session <= hello.told and state.session:
        return f"It speaks in session {hello.session} although session {hello.told} was heard: {TWO_MACHINES}"
    return ""


def _other_epoch(state: ReplicaState, hello: Hello) -> ReplicaState:
    """A lower epoch is a life that is over, and changes nothing. A higher one must name the place where it began."""
    if hello.epoch < state.epoch and state.held.number:
        return state
    if hello.parent is not None and hello.epoch > state.epoch and state.state is not Status.REFUSED:
        return _new_life(state, hello, hello.parent)
    if state.held.number == 0 and state.state not in STOPPED:
        return replace(begin(state.origin, hello.epoch), state=Status.OK)
    if hello.epoch > state.epoch:
        return refuse(state, Status.REFUSED, _unknown_epoch(state, hello.epoch))
    return state


def _new_life(state: ReplicaState, hello: Hello, parent: Position) -> ReplicaState:
    """A person at the origin decided. That ends what was wrong with the life before, unless more is held of it."""
    held = state.held
    if held.number == 0:
        return replace(begin(state.origin, hello.epoch, hello.begun), state=Status.OK)
    if held.number < parent.number or held == parent:
        return replace(state, epoch=hello.epoch, state=Status.OK, reason="", session=0, boot="")
    reason = f"Epoch {hello.epoch} of this journal left the one before at {parent.number}; {held.number} is held here."
    return refuse(state, Status.DIVERGED, reason)


def _same_epoch(state: ReplicaState, hello: Hello) -> ReplicaState:
    head, held = hello.head, state.held
    if hello.disowned == held and held.number:
        return refuse(state, Status.DIVERGED, f"The origin has another digest at {held.number}.")
    if head.number == held.number:
        if head.digest != held.digest:
            return refuse(state, Status.DIVERGED, f"The origin has another digest at {held.number}.")
        return replace(state, state=Status.OK, reason="")
    if head.number < held.number and hello.session > state.session:
        reason = f"The origin's journal ends at {head.number}; {held.number} is held here."
        return replace(state, state=Status.ROLLED_BACK, reason=reason)
    if state.state is Status.SILENT:
        return replace(state, state=Status.OK)
    return state


def pieces(batch: Batch) -> Iterator[Piece]:
    """Open a batch and follow its chain: all that can be known of it without the replica, and most of the work.

    Nothing of it is proven before the last piece was followed by the end, and not by `BadMessage`.
    """
    place, wire = batch.start, batch.opened()
    for at in range(0, len(wire), AT_ONCE):
        some = wire[at : at + AT_ONCE]
        chain = digests(place, batch.leaves(some))
        yield Piece(place.number + 1, some, chain)
        place = Position(place.number + len(some), chain[-1])
    if place != batch.end:
        reason = f"The entries after {batch.start.number} do not lead to the digest at {batch.end.number}."
        raise BadMessage(reason, signer=batch.origin)


def judge(state: ReplicaState, batch: Batch, opening: Opening[C]) -> Judgement[C]:
    """What `batch` is to a replica in `state`. Opens the payload only if the header says that it holds
    something new. `opening`: where it may have been opened before.
    """
    held = state.held
    if state.state in STOPPED:
        return Stopped()
    if batch.epoch < state.epoch:
        return Repeat()
    if batch.epoch > state.epoch and held.number == 0:
        return Gap()  # the answer names the epoch held; the next hello settles it
    if batch.end.number <= held.number:
        return _diverged(held) if batch.end.number == held.number and batch.end != held else Repeat()
    if batch.start.number > held.number:
        return Gap()
    if batch.start.number == held.number and batch.start != held:
        return _diverged(held)
    try:
        contents = opening(batch, held.number - batch.start.number)
    except BadMessage as error:
        return Refuse(Status.REFUSED, error.message)
    return Apply(contents, batch.end, batch.epoch) if contents.after == held else _diverged(held)


def _diverged(held: Position) -> Refuse:
    return Refuse(Status.DIVERGED, f"The origin has another digest at {held.number}.")


def _unknown_epoch(state: ReplicaState, epoch: int) -> str:
    return f"Epoch {epoch} of this journal is not known here; epoch {state.epoch} is held."


def applied(state: ReplicaState, apply: Apply[C]) -> ReplicaState:
    """The state once `apply` is stored. A chain that continues from here refutes a suspected rollback, and is proof
    enough of a later life.
    """
    return replace(state, epoch=apply.epoch, held=apply.end, state=Status.OK, reason="")


def refuse(state: ReplicaState, word: Status, reason: str) -> ReplicaState:
    """The state stopped with `word`, until `release`."""
    return replace(state, state=word, reason=reason)


def release(state: ReplicaState) -> ReplicaState:
    """An operator's decision to listen again. What is held does not change; if the cause remains, it stops
    again. Which of two machines is the right one is told by who speaks next.
    """
    return replace(state, state=Status.SILENT, reason="", session=0, boot="")


def behind(
    head_heard: int | None,
    held: int,
    heard_at: datetime | None,
    now: datetime,
    silent_after: timedelta = SILENT_AFTER,
) -> int | None:
    """Entries that the origin has and we have not; None when that is unknown, which is never shown as zero.

    Unknown: nothing heard yet, nothing heard for longer than `silent_after`, or heard in the future (the
    clock was set).
    """
    if head_heard is None or heard_at is None or abs(now - heard_at) > silent_after:
        return None
    return max(0, head_heard - held)
