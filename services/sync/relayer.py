"""Relays and acknowledges what is due, a bounded pass at a time. The rows are the truth: what failed is tried again."""

from collections.abc import Callable
from typing import Any

from kernel import crash, metrics
from kernel.clock import now
from kernel.database import Database
from kernel.log import get_logger
from services.sync import relays
from services.sync.lanes import Lane
from services.sync.position import Position
from services.sync.receivers import Timers

log = get_logger("relayer")

EVERY_SECONDS = 1.0


class Relayer:
    """`on_head(position)` runs on the loop when the journal grew. `reached`: governorates at the end of a link."""

    def __init__(
        self,
        node: str,
        reached: frozenset[str],
        database: Database,
        lane: Lane,
        timers: Timers,
        on_head: Callable[[Position], Any],
    ) -> None:
        self._node = node
        self._reached = reached
        self._database = database
        self._lane = lane
        self._timers = timers
        self._on_head = on_head

    def start(self) -> None:
        """Do what is due, and again every second."""
        self._lane.run(self._pass, self._done, self._failed)

    def _pass(self) -> tuple[relays.Done, int]:
        """On the lane."""
        with self._database.read() as session:
            waiting = relays.waiting(session)
        if not waiting:
            return relays.Done(), 0
        with self._database.write_silently() as session:
            done = relays.do_some(session, self._node, self._reached, now())
        if done.head is not None:
            crash.here("after_relay")
        return done, waiting - done.results.total()

    def _done(self, outcome: tuple[relays.Done, int]) -> None:
        done, waiting = outcome
        metrics.RELAYS_WAITING.set(waiting)
        for result, count in done.results.items():
            metrics.RELAYS.labels(result).inc(count)
        if done.head is not None:
            metrics.JOURNAL_HEAD.set(done.head.number)
            self._on_head(done.head)
        more = done.results.total() == relays.AT_ONCE
        self._timers.call_later(0 if more else EVERY_SECONDS, self.start)

    def _failed(self, error: Exception) -> None:
        log.failure("relayer.waits", error)
        self._timers.call_later(EVERY_SECONDS, self.start)
