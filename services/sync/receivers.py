"""One receiver per peer: takes what comes from it, applies it on a lane, answers what is held.

Promise: a delivery is acknowledged to the broker only after the commit that holds what it brought; `held` follows.
Deliveries that arrive during a commit share the next one, within bounds; while the database works on that commit, they
are read ahead: signatures checked, batches opened and their chains followed, which is most of a receiver's work and
needs no database. One thread opens for all receivers, ahead or in its turn. How much of it is in memory is bounded for
all receivers together (shares.py): one that finds no room reads a batch when it takes it, and where many have much to
deliver each grants a smaller window. While the database is away the receiver takes no more than the broker's prefetch,
and tries the same deliveries again after a wait: nothing is requeued in a loop. A message that is refused is kept aside
with its reason and stops this origin alone. While an origin's head is not held, records follow the entries in larger
strokes; when nothing comes for a moment, and when the engine starts, what is left of them is folded.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import takewhile
from typing import Any, Protocol

from sqlmodel import Session

from kernel import crash, metrics
from kernel.clock import now
from kernel.database import Database
from kernel.log import get_logger
from services.sync import records
from services.sync.deliveries import Read, Reader, Seen, leading
from services.sync.lanes import Lane
from services.sync.line import Delivery
from services.sync.message import Batch, Held, NotSigned, Recall, Recalled
from services.sync.opened import Opened
from services.sync.pace import backoff
from services.sync.replicas import Outcome, Replicas
from services.sync.shares import OPENED, Shares
from services.sync.trust import Trust

log = get_logger("receiver")

MOST_AT_ONCE = 16
MOST_BYTES_AT_ONCE = 768 * 1024  # compressed; some 6,500 facts a commit, 25 MiB while they are taken
MOST_BYTES_AHEAD = 512 * 1024  # read, and waiting for the commit before it
READ_AT_ONCE = 256 * 1024  # so that a commit can begin with what is there
ANSWERS_A_WINDOW = 8  # a fast sender must not wait for the clock
LEAST_WINDOW = 512 * 1024  # two of the largest batches: 4 s of 1 Mbit/s
FOLD_SECONDS = 0.1  # ten commits of live facts; a catch-up that pauses for less folds in its larger strokes
RETRY_SECONDS = (1.0, 30.0)
LISTENS = timedelta(minutes=15)  # since its last word; to one that is away nothing is said on the clock


def _size(deliveries: Iterable[Delivery]) -> int:
    return sum(len(delivery.body) for delivery in deliveries)


class Timers(Protocol):
    """What is used of pika's loop."""

    def call_later(self, delay: float, callback: Callable[[], Any]) -> Any: ...

    def remove_timeout(self, timer: Any) -> None: ...


class Receiver:
    """`say(…)` publishes an answer; `on_held(held)` hands a peer's word to the link out, `on_recalled` what it gave
    back to whoever asked; all on the loop. `recalled` reads what a peer that asks is given back, on the lane.
    """

    def __init__(
        self,
        peer: str,
        *,
        replicas: Replicas,
        trust: Trust,
        database: Database,
        lane: Lane,
        lane_ahead: Lane,
        timers: Timers,
        coalesce: float,
        say: Callable[[Held | Recalled], Any],
        on_held: Callable[[Held], None],
        on_recalled: Callable[[Recalled], None],
        recalled: Callable[[Session, Recall], Recalled],
        announce: Callable[[str, bytes], None],
        shares: Shares,
    ) -> None:
        self.peer = peer
        self._replicas = replicas
        self._database = database
        self._opening = partial(replicas.open, dialect=database.dialect)
        self._trust, self._reader = trust, Reader(peer, trust, self._opening)
        self._lane, self._lane_ahead = lane, lane_ahead
        self._timers = timers
        self._coalesce = coalesce
        self._say, self._on_held, self._announce = say, on_held, announce
        self._on_recalled, self._recalled = on_recalled, recalled
        self._pending: list[Delivery] = []
        self._seen: dict[int, Seen] = {}  # of pending deliveries, by their id()
        self._taken: set[int] = set()  # their ids, while they are applied
        self._reading: list[Delivery] = []  # ahead
        self._ahead, self._delivered = shares.share(), shares.share()
        self._busy = False
        self._failures = 0
        self._unfolded = 0  # entries that are held and no records yet
        self._fold_timer: Any = None
        self._learned = 0  # times that whose keys are believed changed by what was applied
        self._unanswered = 0  # bytes
        self._answer: Held | None = None
        self._answer_timer: Any = None
        self._answered_at = 0.0
        self.head: int | None = None
        self.folded = 0  # how far the records reach
        self.heard_at: datetime | None = None

    @property
    def held(self) -> Held | None:
        """The last answer: where the replica stands."""
        return self._answer

    def start(self) -> None:
        """Learn where the replica stands, fold what was not, and try again what was parked: this may be a newer
        release.
        """

        def look() -> Outcome:
            records.known_types()  # it imports what every service publishes: not when the first batch is there
            left = 1
            while left:
                with self._database.write_silently() as session:
                    left = self._replicas.fold_some(session, now())
            after: int | None = 0
            while after is not None:
                with self._database.write_silently() as session:
                    _, after = records.refold(session, self.peer, after, now())
            with self._database.read() as session:
                return self._replicas.peek(session)

        self._lane.run(look, self._looked, self._look_failed)

    def _looked(self, outcome: Outcome) -> None:
        if self._answer is None and outcome.answer is not None:
            self._note(outcome)
            self.say_held()

    def _look_failed(self, error: Exception) -> None:
        log.failure("receiver.waits", error, peer=self.peer)
        self._timers.call_later(RETRY_SECONDS[1], self.start)

    def on_message(self, delivery: Delivery) -> None:
        """A delivery of the peer's queue."""
        self._pending.append(delivery)
        self._delivered.hold(_size(self._pending))
        self._kick()
        self._read_ahead()

    def on_gone(self) -> None:
        """The line was lost: the broker will deliver again what was not acknowledged."""
        self._pending.clear()
        self._seen.clear()
        self._kick()

    def say_held(self) -> None:
        """Say what is held, now; on the clock and on each connection."""
        if self._answer_timer is not None:
            self._timers.remove_timeout(self._answer_timer)
            self._answer_timer = None
        if self._answer is not None:
            self._answered_at, self._unanswered = time.monotonic(), 0
            self._say(replace(self._answer, window=self._window))

    def say_held_on_the_clock(self) -> None:
        """As `say_held`, but not to a peer that is away: weeks of words would wait for it in its queue.

        It says hello when it comes back, and that is answered.
        """
        if self.heard_at is not None and now() - self.heard_at <= LISTENS:
            self.say_held()

    @property
    def _window(self) -> int:
        """What is granted now, which is less than the settings say while many have much to deliver."""
        granted = self._answer.window if self._answer else 0
        return min(granted, max(LEAST_WINDOW, self._delivered.most))

    def _settle(self) -> None:
        """Give back what was held for deliveries that are not here any more."""
        self._delivered.hold(_size(self._pending))
        read = [*self._reading, *(one for one in self._pending if id(one) in self._seen)]
        self._ahead.hold(_size(read) * OPENED)

    def _kick(self) -> None:
        if self._busy:
            return
        self._settle()
        if not self._pending:
            self._fold_soon()
            return
        if self._reading and id(self._pending[0]) not in self._seen:
            return  # it is being read now
        self._busy = True
        taken = self._some()
        self._taken = {id(delivery) for delivery in taken}
        seen = [self._seen.get(id(delivery)) for delivery in taken]
        self._lane.run(lambda: self._apply(taken, seen), lambda done: self._done(taken, *done), self._failed)
        self._read_ahead()

    def _fold_soon(self) -> None:
        """Nothing waits: if nothing comes for a moment, let the records catch up with the entries."""
        if self._unfolded and self._fold_timer is None:
            self._fold_timer = self._timers.call_later(FOLD_SECONDS, self._fold)

    def _fold(self) -> None:
        self._fold_timer = None
        if self._busy or self._pending or not self._unfolded:
            return
        self._busy = True

        def fold() -> Outcome:
            with self._database.write_silently() as session:
                return self._replicas.take(session, [], [], now())

        def done(outcome: Outcome) -> None:
            self._busy = False
            self._failures = 0
            self._note(outcome)
            self._kick()

        self._lane.run(fold, done, self._failed)

    def _some(self) -> list[Delivery]:
        """A bounded number of deliveries, one at the least; where some were read ahead, those."""
        ready = list(takewhile(lambda delivery: id(delivery) in self._seen, self._pending))
        if ready:
            return leading(ready[:MOST_AT_ONCE], MOST_BYTES_AT_ONCE)
        return leading(self._pending[:MOST_AT_ONCE], READ_AT_ONCE)

    def _read_ahead(self) -> None:
        """While the database is busy: see what the deliveries are that wait for it."""
        if self._reading or not self._busy:
            return
        rest = [delivery for delivery in self._pending if id(delivery) not in self._taken]
        waiting = [delivery for delivery in rest if id(delivery) not in self._seen]
        ahead = _size(delivery for delivery in rest if id(delivery) in self._seen)
        taken, answer, learned = leading(waiting, READ_AT_ONCE), self._answer, self._learned
        if not taken or ahead >= MOST_BYTES_AHEAD or not self._ahead.take(_size(taken) * OPENED):
            return
        self._reading = taken

        def done(seen: list[Seen]) -> None:
            self._reading = []
            still = {id(delivery) for delivery in self._pending} if learned == self._learned else set()
            self._seen |= {id(one): it for one, it in zip(taken, seen, strict=True) if id(one) in still}
            self._kick()
            self._read_ahead()

        def failed(error: Exception) -> None:
            self._reading = []  # it will be read in its turn, and fail there if it must
            log.failure("receiver.cannot_read_ahead", error, peer=self.peer)
            self._kick()

        self._lane_ahead.run(lambda: [self._reader.see_ahead(delivery, answer) for delivery in taken], done, failed)

    def _apply(self, taken: list[Delivery], seen: list[Seen | None]) -> tuple[Read, Outcome]:
        """On the lane: check, judge, and write in one commit."""
        known = [one if one and one.message else self._reader.see(it) for it, one in zip(taken, seen, strict=True)]
        if any(isinstance(one.message, NotSigned) for one in known):
            self._learn()  # whoever was admitted a moment ago is known now
            known = [self._reader.see(it) for it in taken]
        read = self._reader.sort(taken, known)
        if not read.messages and not read.refused:
            return read, Outcome()
        opened = {id(one.message): one.opened for one in known if one.opened is not None}

        def opening(batch: Batch, already: int) -> Opened:
            ahead = opened.get(id(batch))
            if ahead is not None and not already:
                return ahead
            return self._lane_ahead.call(lambda: self._opening(batch, already))

        with self._database.write_silently() as session:
            outcome = self._replicas.take(session, read.messages, read.refused, now(), more=True, opening=opening)
        if outcome.results["applied"]:
            crash.here("after_apply")
        if outcome.unfolded:
            crash.here("before_fold")
        if outcome.learned:
            self._learn()
        return read, outcome

    def _learn(self) -> None:
        with self._database.read() as session:
            self._trust.read(session)

    def _done(self, taken: list[Delivery], read: Read, outcome: Outcome) -> None:
        self._busy = False
        self._failures = 0
        done, self._taken = self._taken, set()
        self._pending = [delivery for delivery in self._pending if id(delivery) not in done]
        self._seen = {one: it for one, it in self._seen.items() if one not in done}
        if outcome.learned:
            self._learned += 1
            self._seen.clear()
        taken[-1].acknowledge()
        if outcome.results["applied"]:
            crash.here("after_acknowledge")
        for held in read.held:
            self._on_held(held)
        for recalled in read.recalled:
            self._on_recalled(recalled)
        if read.recalls:  # who asks twice has lost patience with the first
            self._give_back(read.recalls[-1])
        if outcome.state is not None:
            self._note(outcome)
            self._unanswered += outcome.nbytes["applied"]
            fast = self._unanswered * ANSWERS_A_WINDOW >= self._window
            at_once = fast or outcome.results["hello"] or outcome.results["gap"]
            self._answer_soon(at_once=bool(at_once))
        for type_, message in outcome.announce:
            self._announce(type_, message)
        self._measure(read, outcome)
        self._kick()

    def _give_back(self, asked: Recall) -> None:
        """The peer asks for its own journal. If it cannot be read now, it will ask again."""

        def look() -> Recalled:
            with self._database.read() as session:
                return self._recalled(session, asked)

        def failed(error: Exception) -> None:
            log.failure("receiver.cannot_give_back", error, peer=self.peer)

        self._lane.run(look, self._say, failed)

    def _note(self, outcome: Outcome) -> None:
        self._answer = outcome.answer
        self.head, self.heard_at = outcome.head, outcome.heard_at
        self.folded, self._unfolded = outcome.folded, outcome.unfolded

    def _answer_soon(self, *, at_once: bool) -> None:
        wait = self._answered_at + self._coalesce - time.monotonic()
        if at_once or wait <= 0:
            self.say_held()
        elif self._answer_timer is None:
            self._answer_timer = self._timers.call_later(wait, self._answer_due)

    def _answer_due(self) -> None:
        self._answer_timer = None
        self.say_held()

    def _failed(self, error: Exception) -> None:
        self._failures += 1
        wait = backoff(self._failures, *RETRY_SECONDS)
        log.failure("receiver.waits", error, peer=self.peer, again_in=round(wait, 1))

        def again() -> None:
            self._busy = False
            self._kick()

        self._timers.call_later(wait, again)

    def _measure(self, read: Read, outcome: Outcome) -> None:
        for word, count in outcome.results.items():
            if word == "hello":
                continue
            metrics.BATCHES.labels(self.peer, "in", word).inc(count)
            metrics.BATCH_BYTES.labels(self.peer, "in", word).inc(outcome.nbytes[word])
        metrics.REPEATS.labels(self.peer).inc(outcome.results["repeat"])
        metrics.GAPS.labels(self.peer).inc(outcome.results["gap"])
        for reason in outcome.refusals:
            log.warning("receiver.refused", peer=self.peer, reason=reason)
            metrics.QUARANTINED.labels(self._replicas.queue, "refused").inc()
