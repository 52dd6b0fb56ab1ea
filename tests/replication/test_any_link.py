"""Whatever a link does, a replica is an exact prefix of the disclosed journal, and in the end equals it.

The machine writes, drops, repeats, reorders, corrupts, cuts, restarts either side and lets time pass, on
two links of one origin with different clearances. After every step both replicas are exact prefixes and no
window is exceeded. At the end the links are let work, without a reconnection, and both replicas must come
to the same head.
"""

from collections.abc import Callable
from enum import StrEnum, auto
from functools import partial
from itertools import cycle

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kernel.fact import Fact
from services.sync.disclosure import Clearance
from tests.replication.in_memory import HOME, OTHER, Carried, Origin, Path, changed, facts


class Fate(StrEnum):
    """What may become of the message that is next in a queue."""

    ARRIVES = auto()
    IS_LOST = auto()
    IS_REPEATED = auto()  # it arrives, and a copy waits behind the others
    IS_LATE = auto()  # the others overtake it
    IS_DAMAGED = auto()
    FINDS_A_CRASH = auto()  # it is committed; the receiver dies before it answers and acknowledges


class Trouble(StrEnum):
    """What may befall a sender."""

    KILLED = auto()
    CUT_OFF = auto()
    BROKER_LOST = auto()  # with its data directory
    BROKER_SHORT = auto()  # of memory or disk, for some turns
    QUEUE_FULL = auto()
    NO_QUEUE = auto()
    PAUSED = auto()  # for some turns
    SILENCE = auto()


which = st.sampled_from([0, 1])
fates = st.lists(st.sampled_from([Fate.ARRIVES] * 4 + list(Fate)), min_size=1, max_size=12)
written = st.integers(0, 20)
turns = st.integers(0, 16)
damages = st.tuples(st.integers(0, 1 << 20), st.integers(1, 255))


def carry(
    queue: list[Carried], fate: Fate, damage: tuple[int, int], arrive: Callable[[Carried], None]
) -> list[Carried]:
    """The queue after its first message met its fate."""
    first, rest = queue[0], queue[1:]
    if fate is Fate.IS_LOST:
        return rest
    if fate is Fate.IS_LATE:
        return [*rest, first]
    if fate is Fate.IS_DAMAGED:
        first = (changed(first[0], *damage), first[1])
    arrive(first)
    if fate is Fate.FINDS_A_CRASH:
        return queue
    return [*rest, first] if fate is Fate.IS_REPEATED else rest


def killed(path: Path, _turns: int) -> None:
    path.restart_sender()
    path.link.on_connected(path.now)


def cut_off(path: Path, turns: int) -> None:
    path.link.on_disconnected(path.now)
    nothing_is_sent(path, turns)
    path.link.on_connected(path.now)


def broker_lost(path: Path, turns: int) -> None:
    path.up.clear()
    path.down.clear()
    cut_off(path, turns)


def broker_short(path: Path, turns: int) -> None:
    path.link.on_blocked(path.now)
    nothing_is_sent(path, turns)
    path.link.on_unblocked(path.now)


def paused(path: Path, turns: int) -> None:
    path.link.pause()
    for _ in range(turns):
        path.turn()
    path.link.resume(path.now)


def queue_full(path: Path, turns: int) -> None:
    """The last batches are refused, newest first, after an earlier one was taken."""
    path.link.on_confirmed(path.now)
    for _ in range(turns):
        if path.link.outstanding and path.up:
            path.up.pop()
            path.link.on_nacked(path.now)


def no_queue(path: Path, _turns: int) -> None:
    if path.link.outstanding:
        path.up.clear()
        path.link.on_returned(path.now)


def silence(path: Path, turns: int) -> None:
    """Nothing gets through for minutes; hellos go on."""
    for _ in range(turns):
        path.now += 100.0
        path.turn()


def nothing_is_sent(path: Path, turns: int) -> None:
    waiting = len(path.up)
    for _ in range(turns):
        path.turn()
    assert len(path.up) == waiting


TROUBLES: dict[Trouble, Callable[[Path, int], None]] = {
    Trouble.KILLED: killed,
    Trouble.CUT_OFF: cut_off,
    Trouble.BROKER_LOST: broker_lost,
    Trouble.BROKER_SHORT: broker_short,
    Trouble.QUEUE_FULL: queue_full,
    Trouble.NO_QUEUE: no_queue,
    Trouble.PAUSED: paused,
    Trouble.SILENCE: silence,
}


class AnyLink(RuleBasedStateMachine):
    """One origin, two directorates, and links that do their worst."""

    @initialize(pool=st.lists(facts, min_size=1, max_size=6))
    def begin(self, pool: list[Fact]) -> None:
        self.pool = cycle(pool)
        self.origin = Origin()
        self.paths = [
            Path(self.origin, HOME, Clearance.OPERATIONAL, window=6000),
            Path(self.origin, OTHER, Clearance.STATISTICAL, window=1500),
        ]
        for path in self.paths:
            path.link.on_connected(path.now)

    @rule(
        which=which,
        written=written,
        turns=turns,
        up=fates,
        down=fates,
        damage=damages,
        seconds=st.sampled_from([0, 31]),
    )
    def live(
        self,
        which: int,
        written: int,
        turns: int,
        up: list[Fate],
        down: list[Fate],
        damage: tuple[int, int],
        seconds: float,
    ) -> None:
        """The node works, the sender has some turns, messages each way meet their fates, time passes."""
        self.origin.write_all([next(self.pool) for _ in range(written)])
        path = self.paths[which]
        for _ in range(turns):
            path.turn()
        for fate in up[: len(path.up)]:
            answers = fate is not Fate.FINDS_A_CRASH
            path.up = carry(path.up, fate, damage, partial(path.receive, answers=answers))
        for fate in down[: len(path.down)]:
            path.down = carry(path.down, fate, damage, path.hear)
        path.now += seconds

    @rule(which=which, trouble=st.sampled_from(Trouble), turns=turns)
    def meet(self, which: int, trouble: Trouble, turns: int) -> None:
        path = self.paths[which]
        TROUBLES[trouble](path, turns)

    # --- what stays true

    @invariant()
    @precondition(lambda self: hasattr(self, "paths"))
    def replicas_are_exact_prefixes(self) -> None:
        for path in self.paths:
            path.check()

    @invariant()
    @precondition(lambda self: hasattr(self, "paths"))
    def an_honest_origin_is_never_accused(self) -> None:
        for path in self.paths:
            assert path.link.state not in {"diverged", "rolled_back", "refused", "duplicate"}, path.link.reason
            assert path.replica.state.state not in {"diverged", "refused", "duplicate"}, path.replica.state.reason

    def teardown(self) -> None:
        for path in getattr(self, "paths", []):
            path.link.resume(path.now)
            path.heal()
            path.check()
            assert path.replica.state.held == self.origin.head


@pytest.mark.timeout(120)
class TestAnyLink(AnyLink.TestCase):  # type: ignore[misc,valid-type]
    settings = settings(max_examples=80, stateful_step_count=30, print_blob=True, deadline=None)
