"""Whatever is restored from a backup, on either side: nothing held is overwritten, and recovery ends with one history.

The machine does what `test_any_link` does to the transport (lost, repeated, late, crashes, purged queues), and puts the
origin or a directorate back to an earlier state at any moment. An operator recovers and sets aside as the documentation
says. After every step each replica holds a whole chain in forms that its clearance allows, and has lost nothing but
what was put back or set aside. At the end both replicas and the journal are the same chain, with every fact in it once.
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from contracts.sync import LinkState, ReplicaState
from contracts.topology import Clearance as Grant
from kernel.fact import Fact
from services.sync import recovery, replica
from services.sync.disclosure import Clearance
from services.sync.entry import Entry, Full, Shown, Statistical, Withheld, audience
from services.sync.position import Position, digests, start
from services.sync.recovery import Copy
from tests.replication.in_memory import HOME, OTHER, Origin, Path, disclosed

RANK: dict[type, int] = {Withheld: 0, Statistical: 1, Full: 2}
AUDIENCES = ("[]", "[]", f'["{HOME}"]', f'["{OTHER}"]', '["duhok"]')
which = st.sampled_from([0, 1])


def as_entry(number: int, one: Shown, *, restricted: bool) -> Entry:
    """An entry as a journal keeps it that knows no more of it than this."""
    if isinstance(one, Full):
        return Entry(number, one.head, one.statistical, one.operational, one.sealed, one.salt, restricted)
    if isinstance(one, Statistical):
        return Entry(number, one.head, one.statistical, b"", b"", b"", restricted, one.commitment)
    return Entry(number, b"", b"", b"", b"", b"", True, one.leaf)


class AnyLife(RuleBasedStateMachine):
    """One origin, two directorates with different clearance, and backups that are put back."""

    @initialize()
    def begin(self) -> None:
        self.origin = Origin()
        self.truth: dict[bytes, Entry] = {}  # every entry ever written, by its leaf
        self.ids = count(1)
        self.paths = [
            Path(self.origin, HOME, Clearance.OPERATIONAL),
            Path(self.origin, OTHER, Clearance.STATISTICAL),
        ]
        for path in self.paths:
            path.link.on_connected(path.now)
        self.forked: set[str] = set()  # who held something else when this life began
        self.kept = [0, 0]  # how many entries each replica must still have
        self.work(["[]"], None)
        self.backup = self._copy_of_origin()
        self.backups = [deepcopy(path.replica) for path in self.paths]

    def _copy_of_origin(self) -> tuple[list[Entry], list[Position], int, int, Position | None]:
        origin = self.origin
        return list(origin.entries), list(origin.positions), origin.epoch, origin.session, origin.parent

    # --- what happens

    @rule(audiences=st.lists(st.sampled_from(AUDIENCES), min_size=1, max_size=4), restricted=st.booleans())
    def write(self, audiences: Sequence[str], restricted: bool) -> None:
        for named in audiences:
            number = next(self.ids)
            head = f'{{"id":"{number}","type":"case.opened.v1","subject":"s{number}","version":1,"audience":{named}}}'
            self.origin.write(Fact(head.encode(), b'{"a":1}', b'{"b":%d}' % number, b"", restricted))
            entry = self.origin.entries[-1]
            self.truth[entry.leaf] = entry

    @rule(which=which, turns=st.integers(1, 12), fate=st.sampled_from(["arrives", "lost", "repeated", "late", "crash"]))
    def carry(self, which: int, turns: int, fate: str) -> None:
        """The sender has some turns; the first message each way meets its fate, the others arrive."""
        path = self.paths[which]
        for _ in range(turns):
            path.turn()
        self._doubt()
        if path.up and fate != "arrives":
            first = path.up.pop(0)
            if fate == "repeated":
                path.up += [first, first]
            elif fate == "late":
                path.up.append(first)
            elif fate == "crash":
                path.receive(first, answers=False)
        while path.up:
            path.receive(path.up.pop(0))
        while path.down:
            path.hear(path.down.pop(0))
        path.now += 1.0
        self._doubt()
        self.kept[which] = len(path.replica.entries)

    @rule(audiences=st.lists(st.sampled_from(AUDIENCES), min_size=1, max_size=3), only=st.sampled_from([None, 0, 1]))
    def work(self, audiences: Sequence[str], only: int | None) -> None:
        """A good hour, on both lines or on one of them."""
        self.write(audiences, restricted=False)
        for at in (0, 1) if only is None else (only,):
            for _ in range(3):
                self.carry(at, 6, "arrives")

    @rule(which=which)
    def crash(self, which: int) -> None:
        self._start(self.paths[which])

    @rule(which=which)
    def purge(self, which: int) -> None:
        path = self.paths[which]
        path.up.clear()
        path.down.clear()
        path.link.on_disconnected(path.now)
        path.link.on_connected(path.now)

    @rule(seconds=st.sampled_from([5.0, 40.0, 400.0]))
    def wait(self, seconds: float) -> None:
        for path in self.paths:
            path.now += seconds

    @rule()
    def back_up_origin(self) -> None:
        self.backup = self._copy_of_origin()

    @rule(mark=st.booleans())
    def restore_origin(self, mark: bool) -> None:
        """The node is put back; with its `mark` the number of its sessions goes on, without it that too goes back."""
        session = self.origin.session
        entries, positions, self.origin.epoch, self.origin.session, self.origin.parent = self.backup
        self.forked = set()
        self.origin.entries, self.origin.positions = list(entries), list(positions)
        if mark:
            self.origin.session = max(session, self.origin.session)
        self._start(*self.paths)

    @rule(mark=st.booleans(), lines=st.tuples(*[st.sampled_from([None, 0, 1])] * 3), long=st.booleans())
    def restore_and_use(self, mark: bool, lines: tuple[int | None, ...], long: bool) -> None:
        """A backup, work that is lost, the backup put back, and work after it, each on both lines or on one."""
        self.work(["[]"], lines[0])
        self.back_up_origin()
        self.work(AUDIENCES, lines[1])
        self.restore_origin(mark)
        self.work(AUDIENCES[:5] if long else AUDIENCES[:2], lines[2])

    @rule(which=which)
    def back_up_directorate(self, which: int) -> None:
        self.backups[which] = deepcopy(self.paths[which].replica)

    @rule(which=which)
    def restore_directorate(self, which: int) -> None:
        self.paths[which].replica = deepcopy(self.backups[which])
        self.kept[which] = len(self.backups[which].entries)

    def _start(self, *paths: Path) -> None:
        for path in paths:
            path.restart_sender()
            path.link.on_connected(path.now)
        self._doubt()

    def _doubt(self) -> None:
        """What one destination holds against the journal stops all links; as services/sync/journal_watch.py does."""
        verdicts = [path.link.verdict for path in self.paths if path.destination not in self.forked]
        word = next((each for each in verdicts if each and each[0] is not LinkState.DUPLICATE), None)
        if word is not None:
            for path in self.paths:
                path.link.doubt(word)

    # --- what an operator does

    @rule()
    @precondition(lambda self: any(path.link.verdict for path in self.paths))
    def recover(self) -> None:
        copies = [self._look(path) for path in self.paths]
        forms = {path.destination: path.replica.entries for path in self.paths}
        head = self.origin.head.number
        doubted = any(path.link.verdict and path.destination not in self.forked for path in self.paths)
        plan = recovery.plan(copies, self._agree, head, doubted=doubted)
        if plan is None or not plan.needed:
            return
        self.forked = {fork.source for fork in plan.forks}
        same = {fetch.source: fetch.agrees for fetch in plan.fetches}
        fetched = {fetch.source: (fetch.after, fetch.until) for fetch in plan.fetches}
        own = self.origin.entries[plan.after :]
        chain = []
        for number in range(plan.after + 1, plan.until.number + 1):
            shown = {
                source: forms[source][number - 1]
                for source, (after, until) in fetched.items()
                if after < number <= min(until, same[source])
            }
            assert shown, f"{number} is nowhere to be had: {plan}"
            chain.append(self._best(shown, own))
        tail = [
            self._best({fork.source: one}, own)
            for fork in plan.forks
            for one in forms[fork.source][fork.unknown_after : fork.held]
        ]
        self._rewrite(plan, chain, [*tail, *own])

    def _look(self, path: Path) -> Copy:
        state = path.replica.state
        ours, theirs = self.origin.digest_at, self._chain(path)
        high = min(state.held.number, self.origin.head.number)
        if ours(high) != theirs[high].digest:
            high = recovery.last_common(ours, lambda number: theirs[number].digest, 0, high)
        grant = Grant.OPERATIONAL if path.destination == HOME else Grant.STATISTICAL
        return Copy(path.destination, grant, state.epoch, state.session, state.held, high)

    def _agree(self, one: Copy, other: Copy) -> int:
        chains = [self._chain(path) for path in self.paths]
        least = min(one.held.number, other.held.number)
        if chains[0][least] == chains[1][least]:
            return least
        first, second = ((lambda number, chain=chain: chain[number].digest) for chain in chains)
        return recovery.last_common(first, second, 0, least)

    def _chain(self, path: Path) -> list[Position]:
        zero = start(self.origin.name, 1)
        folded = digests(zero, [one.leaf for one in path.replica.entries])
        return [zero, *(Position(number, digest) for number, digest in enumerate(folded, 1))]

    def _best(self, shown: dict[str, Shown], own: list[Entry]) -> Entry:
        best = max(shown.values(), key=lambda one: RANK[type(one)])
        for entry in own:
            if entry.leaf == best.leaf and entry.proof is None:
                return entry
        if isinstance(best, Withheld) or OTHER not in shown:
            return as_entry(0, best, restricted=True)
        named = audience(best.head)
        judged = not named or OTHER in named
        return as_entry(0, best, restricted=not judged or isinstance(shown[OTHER], Withheld))

    def _rewrite(self, plan: recovery.Plan, chain: list[Entry], rest: list[Entry]) -> None:
        leaves = {entry.leaf for entry in [*self.origin.entries[: plan.after], *chain]}
        for entry in rest:
            if entry.leaf not in leaves:
                leaves.add(entry.leaf)
                chain.append(entry)
        origin = self.origin
        del origin.entries[plan.after :]
        del origin.positions[plan.after + 1 :]
        for entry in chain:
            origin.entries.append(replace_number(entry, len(origin.entries) + 1))
            origin.positions.append(Position(len(origin.entries), digests(origin.head, [entry.leaf])[0]))
        assert origin.positions[plan.until.number] == plan.until
        origin.epoch, origin.parent = max(origin.epoch, plan.epoch) + 1, plan.until
        origin.session = max(origin.session, plan.session)
        self._start(*self.paths)

    @rule(which=which)
    @precondition(lambda self: any(path.replica.state.state in replica.STOPPED for path in self.paths))
    def decide(self, which: int) -> None:
        """At a directorate: set aside what the origin has left, or release one of two machines."""
        path = self.paths[which]
        if path.replica.state.state is ReplicaState.DIVERGED:
            common = self._look(path).common
            if common < len(path.replica.entries):
                del path.replica.entries[common:]
                path.replica.state = replace(path.replica.state, held=self._chain(path)[common])
                self.kept[which] = common
        path.replica.state = replica.release(path.replica.state)
        path.link.resume(path.now)
        for each in self.paths:  # resuming the link that raised a doubt ends it
            each.link.doubt(None)
        self._doubt()

    # --- what stays true

    @invariant()
    @precondition(lambda self: hasattr(self, "paths"))
    def a_replica_is_a_whole_chain_and_loses_nothing(self) -> None:
        for path, kept in zip(self.paths, self.kept, strict=True):
            assert self._chain(path)[-1] == path.replica.state.held
            assert len(path.replica.entries) >= kept

    @invariant()
    @precondition(lambda self: hasattr(self, "paths"))
    def nothing_is_shown_beyond_the_clearance(self) -> None:
        for path in self.paths:
            for one in path.replica.entries:
                allowed = disclosed(self.truth[one.leaf], path.clearance, path.destination)
                assert RANK[type(one)] <= RANK[type(allowed)]

    @invariant()
    @precondition(lambda self: hasattr(self, "paths"))
    def no_fact_stands_twice_in_the_journal(self) -> None:
        leaves = [entry.leaf for entry in self.origin.entries]
        assert len(set(leaves)) == len(leaves)

    def teardown(self) -> None:
        if not hasattr(self, "paths"):
            return
        for _ in range(8):
            self._settle()
            if all(path.replica.state.held == self.origin.head for path in self.paths):
                break
            held = {one.leaf for path in self.paths for one in path.replica.entries}
            own = {entry.leaf for entry in self.origin.entries}
            self.recover()
            assert held | own <= {entry.leaf for entry in self.origin.entries}
            self._settle()
            for at in (0, 1):
                self.decide(at)
        for path in self.paths:
            assert path.replica.state.held == self.origin.head, (path.link.state, path.link.reason, path.replica.state)
        self.a_replica_is_a_whole_chain_and_loses_nothing()
        self.nothing_is_shown_beyond_the_clearance()
        self.no_fact_stands_twice_in_the_journal()

    def _settle(self) -> None:
        """Let everything through, in order, for ten minutes."""
        for _ in range(60):
            for at in (0, 1):
                self.carry(at, 6, "arrives")
                self.paths[at].now += 9.0
            if all(path.replica.state.held == self.origin.head for path in self.paths):
                break


def replace_number(entry: Entry, number: int) -> Entry:
    """The same entry under another number."""
    parts = (entry.head, entry.statistical, entry.operational, entry.sealed, entry.salt)
    return Entry(number, *parts, entry.restricted, entry.proof)


@pytest.mark.timeout(300)
class TestAnyLife(AnyLife.TestCase):  # type: ignore[misc,valid-type]
    settings = settings(max_examples=40, stateful_step_count=15, print_blob=True, deadline=None)
