"""One receiver per peer: takes what comes from it, applies it on a lane, answers what is held.

Promise: a delivery is acknowledged to the broker only after the commit that holds what it brought; `held` follows.
Deliveries that arrive during a commit share the next one, within bounds. While the database is away the receiver
takes no more than the broker's prefetch, and tries the same deliveries again after a wait: nothing is requeued in a
loop. A message that is refused is kept aside with its reason and stops this origin alone.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlmodel import Session

from kernel import crash, metrics
from kernel.clock import now
from kernel.database import Database
from kernel.log import get_logger
from services.sync import records
from services.sync.lanes import Lane
from services.sync.line import Delivery
from services.sync.message import (
    BadMessage,
    Batch,
    Held,
    Hello,
    Message,
    Recall,
    Recalled,
    UnknownKind,
    Witness,
    open_message,
)
from services.sync.replicas import Outcome, Refused, Replicas
from services.sync.trust import Trust
from services.sync.wire import backoff

log = get_logger("receiver")

MOST_AT_ONCE = 8
MOST_BYTES_AT_ONCE = 512 * 1024  # compressed; some 4,000 facts a commit, 40 MiB while they are taken
RETRY_SECONDS = (1.0, 30.0)
LISTENS = timedelta(minutes=15)  # since its last word; to one that is away nothing is said on the clock


class Timers(Protocol):
    """What is used of pika's loop."""

    def call_later(self, delay: float, callback: Callable[[], Any]) -> Any: ...

    def remove_timeout(self, timer: Any) -> None: ...


@dataclass(frozen=True)
class _Read:
    """Deliveries after their signatures were checked."""

    messages: list[Hello | Batch]
    held: list[Held]
    refused: list[Refused]
    passed_over: int
    recalls: list[Recall] = field(default_factory=list)
    recalled: list[Recalled] = field(default_factory=list)


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
        timers: Timers,
        coalesce: float,
        say: Callable[[Held | Recalled], Any],
        on_held: Callable[[Held], None],
        on_recalled: Callable[[Recalled], None],
        recalled: Callable[[Session, Recall], Recalled],
        announce: Callable[[str, bytes], None],
    ) -> None:
        self.peer = peer
        self._replicas = replicas
        self._trust = trust
        self._database = database
        self._lane = lane
        self._timers = timers
        self._coalesce = coalesce
        self._say, self._on_held, self._announce = say, on_held, announce
        self._on_recalled, self._recalled = on_recalled, recalled
        self._pending: list[Delivery] = []
        self._busy = False
        self._failures = 0
        self._answer: Held | None = None
        self._answer_timer: Any = None
        self._answered_at = 0.0
        self.head: int | None = None
        self.heard_at: datetime | None = None

    @property
    def held(self) -> Held | None:
        """The last answer: where the replica stands."""
        return self._answer

    def start(self) -> None:
        """Learn where the replica stands, and try again what was parked: this may be a newer release."""

        def look() -> Outcome:
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
        self._kick()

    def on_gone(self) -> None:
        """The line was lost: the broker will deliver again what was not acknowledged."""
        self._pending.clear()

    def say_held(self) -> None:
        """Say what is held, now; on the clock and on each connection."""
        if self._answer_timer is not None:
            self._timers.remove_timeout(self._answer_timer)
            self._answer_timer = None
        if self._answer is not None:
            self._answered_at = time.monotonic()
            self._say(self._answer)

    def say_held_on_the_clock(self) -> None:
        """As `say_held`, but not to a peer that is away: weeks of words would wait for it in its queue.

        It says hello when it comes back, and that is answered.
        """
        if self.heard_at is not None and now() - self.heard_at <= LISTENS:
            self.say_held()

    def _kick(self) -> None:
        if self._busy or not self._pending:
            return
        self._busy = True
        taken = self._some()
        self._lane.run(lambda: self._apply(taken), lambda done: self._done(taken, *done), self._failed)

    def _some(self) -> list[Delivery]:
        """A bounded number of deliveries; one at the least."""
        taken: list[Delivery] = []
        size = 0
        for delivery in self._pending[:MOST_AT_ONCE]:
            size += len(delivery.body)
            if taken and size > MOST_BYTES_AT_ONCE:
                break
            taken.append(delivery)
        return taken

    def _apply(self, taken: list[Delivery]) -> tuple[_Read, Outcome]:
        """On the lane: check, judge, and write in one commit."""
        read = self._read(taken)
        if not read.messages and not read.refused:
            return read, Outcome()
        with self._database.write_silently() as session:
            outcome = self._replicas.take(session, read.messages, read.refused, now())
        if outcome.results["applied"]:
            crash.here("after_apply")
        return read, outcome

    def _read(self, taken: list[Delivery]) -> _Read:
        read = _Read([], [], [], 0)
        passed_over = 0
        for delivery in taken:
            try:
                message = self._open(delivery)
            except UnknownKind:
                passed_over += 1
                continue
            except BadMessage as error:
                read.refused.append(Refused(error.message, delivery.body, stops=error.signer == self.peer))
                continue
            if isinstance(message, Held):
                read.held.append(message)
            elif isinstance(message, Recall):
                read.recalls.append(message)
            elif isinstance(message, Recalled):
                read.recalled.append(message)
            elif isinstance(message, Witness):
                passed_over += 1  # only a directorate asks a directorate, on a line of its own
            else:
                read.messages.append(message)
        return replace(read, passed_over=passed_over)

    def _open(self, delivery: Delivery) -> Message:
        user = self._trust.publishes_as(self.peer)
        if user is not None and delivery.user != user:
            raise BadMessage(f"A message in the queue of {self.peer} was not published by its user {user}.")
        opened = open_message(delivery.body, delivery.headers, self._trust.ring)
        if opened.signer != self.peer:
            raise BadMessage(f"{opened.signer} signed a message that came by the queue of {self.peer}.", signer=None)
        return opened.message

    def _done(self, taken: list[Delivery], read: _Read, outcome: Outcome) -> None:
        self._busy = False
        self._failures = 0
        done = {id(delivery) for delivery in taken}
        self._pending = [delivery for delivery in self._pending if id(delivery) not in done]
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
            self._answer_soon(at_once=bool(outcome.results["hello"] or outcome.results["gap"]))
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

    def _measure(self, read: _Read, outcome: Outcome) -> None:
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
