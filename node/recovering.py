"""Recovery as an operator's command carries it out: ask every holder, decide, fetch, rewrite.

The engine does the asking on its links, driven by the table `recall`; what it has fetched is kept, so the command may
be interrupted and run again.
"""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from contracts.sync import LinkState, Operation
from contracts.topology import LinkSpec
from kernel.clock import now
from kernel.database import Database
from kernel.errors import JisrError, Unavailable
from node.commands.link import operator, sync_database
from node.processes import Prepared
from services.sync import doubt, journal, operations, recalls, recovery
from services.sync.doubt import Doubt
from services.sync.position import Position
from services.sync.recovery import Copy, Fetch, Plan
from services.sync.rewriting import Rewritten, rewrite
from services.sync.tables import Recall

LOOK_SECONDS = 0.05
COMMAND = "recover"  # what raised the doubt, where nothing had raised one before

Progress = Callable[[str, int, int], None]
"""Source, entries fetched, entries wanted."""


class NoAnswer(Unavailable):
    """No answer from {sources} within {seconds} s. Does the engine run, and the line? Without it: --without."""

    code = "no_answer"


class NotGivenBack(JisrError):
    """What {source} gave back cannot be used: {problem}"""

    code = "not_given_back"


@dataclass(frozen=True)
class Found:
    """What every holder said and what follows from it; no plan when nothing is to be done."""

    copies: list[Copy]
    plan: Plan | None


class Recovering:
    """One run of the command at one node. `wait`: seconds of patience with each answer."""

    def __init__(self, prepared: Prepared, *, wait: float, without: Collection[str] = ()) -> None:
        self.node = prepared.node.id
        self._prepared, self._wait = prepared, wait
        self._database: Database = sync_database(prepared)
        links = prepared.topology.links_from(self.node)
        self._links: dict[str, LinkSpec] = {link.destination: link for link in links if link.destination not in without}
        self._digests: dict[tuple[str, int], bytes] = {}

    # --- looking

    def look(self) -> Found:
        """Ask everybody who holds a copy, and decide. Raises `NoAnswer`."""
        with self._database.read() as session:
            head = journal.head(session, self.node)
            doubted = doubt.read(session) is not None
        self._ask(dict.fromkeys(self._links, head.number))
        copies = [self._copy(link) for link in self._links.values()]
        if not copies:
            return Found([], None)
        return Found(copies, recovery.plan(copies, self._agree, head.number, doubted=doubted))

    def _copy(self, link: LinkSpec) -> Copy:
        row = self._row(link.destination)
        at = row.at_number or 0
        held = Position(row.held_number or 0, row.held_digest or b"")
        if self._ours(at) == row.at_digest:
            common = at
        else:
            common = recovery.last_common(self._ours, lambda number: self._theirs(link.destination, number), 0, at)
        return Copy(link.destination, link.clearance, row.epoch or 1, row.session, held, common)

    def _agree(self, one: Copy, other: Copy) -> int:
        """The last number where two copies hold the same."""
        least = min(one.held.number, other.held.number)
        if self._theirs(one.source, least) == self._theirs(other.source, least):
            return least
        return recovery.last_common(
            lambda number: self._theirs(one.source, number),
            lambda number: self._theirs(other.source, number),
            min(one.common, other.common, least),
            least,
        )

    def _ours(self, number: int) -> bytes | None:
        with self._database.read() as session:
            place = journal.position_at(session, self.node, number)
        return place.digest if place else None

    def _theirs(self, source: str, number: int) -> bytes:
        if (source, number) not in self._digests:
            self._ask({source: number})
            self._digests[source, number] = self._row(source).at_digest or b""
        return self._digests[source, number]

    def _row(self, source: str) -> Recall:
        with self._database.read() as session:
            return session.get_one(Recall, source)

    def _ask(self, numbers: Mapping[str, int], untils: Mapping[str, int] | None = None) -> None:
        """Have the engine ask, and wait for every answer."""
        with self._database.write_silently() as session:
            asked = {
                source: recalls.ask(session, source, number, (untils or {}).get(source))
                for source, number in numbers.items()
            }
        self._await(asked, lambda: None)

    def _await(self, asked: Mapping[str, int], step: Callable[[], object]) -> None:
        """Wait until all is answered; patience begins anew whenever `step` returns something else."""
        deadline, before = time.monotonic() + self._wait, step()
        while missing := [source for source, number in asked.items() if self._row(source).done < number]:
            if (moved := step()) != before:
                deadline, before = time.monotonic() + self._wait, moved
            if time.monotonic() >= deadline:
                raise NoAnswer(sources=", ".join(sorted(missing)), seconds=f"{self._wait:g}")
            time.sleep(LOOK_SECONDS)

    # --- doing

    def fetch(self, plan: Plan, progress: Progress) -> None:
        """Fetch what `plan` needs and no earlier run fetched. Raises `NoAnswer`, `NotGivenBack`."""
        self._doubt(plan)
        with self._database.write_silently() as session:
            for each in plan.fetches:
                recalls.begin(session, each.source, each.after)
            asked = {each.source: recalls.ask(session, each.source, each.after, each.until) for each in plan.fetches}
        self._await(asked, lambda: [self._fetched(each, progress) for each in plan.fetches])
        for each in plan.fetches:
            problem = self._row(each.source).problem
            if problem is None and self._fetched(each, progress) < each.count:
                problem = "It does not hold that any more."
            if problem:
                raise NotGivenBack(source=each.source, problem=problem)

    def _fetched(self, fetch: Fetch, progress: Progress) -> int:
        with self._database.read() as session:
            count = max(0, recalls.fetched(session, fetch.source) - fetch.after)
        progress(fetch.source, count, fetch.count)
        return count

    def _doubt(self, plan: Plan) -> None:
        """From here on no link sends, whatever raised it."""
        state = LinkState.ROLLED_BACK if plan.after == plan.head else LinkState.DIVERGED
        with self._database.write_silently() as session:
            doubt.raise_(session, Doubt(state, "A recovery of this journal is under way.", COMMAND))

    def apply(self, plan: Plan) -> Rewritten:
        """Rewrite the journal; the engine begins again within a second. Raises `JournalMoved`."""
        clearances = {link.destination: link.clearance for link in self._links.values()}
        with self._database.write() as session:
            done = rewrite(session, plan, origin=self.node, clearances=clearances, now=now())
            operations.note(
                session,
                Operation.RECOVER_JOURNAL,
                plan.source,
                by=operator(self.node),
                now=now(),
                audience=operations.readers(self._prepared.topology, self.node),
                count=done.recovered,
            )
        return done
