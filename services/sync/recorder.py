"""The recorder: takes the slices that this node's services publish, and appends them to the journal.

Promise: a delivery is acknowledged, and its outbox answered, only after the commit that holds it. Deliveries that
arrive during a commit share the next one. While the database is away nothing is acknowledged, so the broker stops at
the prefetch bound and nothing is requeued in a loop. What is not a slice goes to the dead letters; its outbox keeps
the facts and says that they are pending.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import pika
from pika.channel import Channel

from kernel import crash, metrics
from kernel.broker import ARRIVALS, DEAD, FACTS, RECORDER, dead_queue, queue_arguments, recorded_queue
from kernel.clock import now
from kernel.database import Database
from kernel.errors import BadInput
from kernel.log import get_logger
from kernel.outbox import Recorded
from services.sync import journal
from services.sync.lanes import Lane
from services.sync.pace import backoff
from services.sync.wire import Wire, reason_of

log = get_logger("recorder")

PREFETCH = 32  # slices of up to 200 facts; about 5 MB of ordinary facts
RETRY_SECONDS = (1.0, 30.0)
COUNT_DEAD_SECONDS = 10.0


@dataclass(frozen=True)
class _Pending:
    channel: Channel
    tag: int
    body: bytes


@dataclass(frozen=True)
class _Recorded:
    appended: journal.Appended
    garbage: tuple[_Pending, ...]


class Recorder:
    """Consumes queue `recorder` of the node's own broker. `on_head(position)` runs on the loop after a commit."""

    def __init__(
        self, origin: str, database: Database, lane: Lane, call_later: Callable[[float, Any], Any], on_head: Any
    ) -> None:
        self._origin = origin
        self._database = database
        self._lane = lane
        self._call_later = call_later
        self._on_head = on_head
        self._channel: Channel | None = None
        self._pending: list[_Pending] = []
        self._busy = False
        self._failures = 0

    def open(self, wire: Wire) -> None:
        """Declare and consume, on a wire that is up."""

        def closed(_channel: Channel, error: Exception) -> None:
            self._pending.clear()
            self._channel = None
            if wire.up:
                wire.again(reason_of(error))

        def opened(channel: Channel) -> None:
            self._channel = channel
            channel.add_on_cancel_callback(lambda _frame: wire.again("the queue was deleted"))
            declare_recorder(channel)
            channel.basic_qos(prefetch_count=PREFETCH)
            channel.basic_consume(RECORDER, self._delivered, callback=lambda _ok: wire.worked())
            self._count_dead(channel)

        wire.channel(opened, closed)

    def _count_dead(self, channel: Channel) -> None:
        """Keep the gauge of this queue's dead letters, for as long as this channel is ours."""

        def counted(frame: Any) -> None:
            metrics.DEAD_LETTERS.labels(RECORDER).set(frame.method.message_count)
            self._call_later(COUNT_DEAD_SECONDS, lambda: self._count_dead(channel))

        ours = channel is self._channel
        if ours and channel.is_open:
            channel.queue_declare(dead_queue(RECORDER), passive=True, callback=counted)

    def announce(self, type_: str, body: bytes) -> None:
        """Publish on exchange `arrivals`, if the broker is there: a hint, the table is the truth."""
        if self._channel is not None and self._channel.is_open:
            self._channel.basic_publish(ARRIVALS, type_, body, pika.BasicProperties(delivery_mode=2))

    def _delivered(self, channel: Channel, method: Any, _properties: Any, body: bytes) -> None:
        self._pending.append(_Pending(channel, method.delivery_tag, body))
        self._kick()

    def _kick(self) -> None:
        if self._busy or not self._pending:
            return
        self._busy = True
        taken = tuple(self._pending)
        self._lane.run(lambda: self._record(taken), lambda result: self._done(taken, result), self._failed)

    def _record(self, taken: tuple[_Pending, ...]) -> _Recorded:
        """On the lane: read what was delivered and append it in one commit."""
        slices, garbage = [], []
        for pending in taken:
            try:
                slices.append(journal.take(pending.body))
            except BadInput as error:
                log.warning("recorder.not_a_slice", cause=error.code, bytes=len(pending.body))
                garbage.append(pending)
        with self._database.write_silently() as session:
            appended = journal.append(session, slices, origin=self._origin, now=now())
            if slices:
                crash.here("mid_journal")
        if slices:
            crash.here("after_journal_commit")
        return _Recorded(appended, tuple(garbage))

    def _done(self, taken: tuple[_Pending, ...], result: _Recorded) -> None:
        self._busy = False
        self._failures = 0
        self._settle(taken, result.garbage)
        appended = result.appended
        for source, number in appended.answers.items():
            service, stream = source
            self._answer(service, Recorded(stream, number, appended.lasts.get(source, ""), source in appended.gaps))
        for (service, outcome), count in result.appended.results.items():
            metrics.RECORDED.labels(service, outcome).inc(count)
        metrics.JOURNAL_HEAD.set(result.appended.head.number)
        self._on_head(result.appended.head)
        self._kick()

    def _settle(self, taken: tuple[_Pending, ...], garbage: tuple[_Pending, ...]) -> None:
        """Acknowledge what was committed, give what is no slice to the dead letters; forget both."""
        done = {id(pending) for pending in taken}
        self._pending = [pending for pending in self._pending if id(pending) not in done]
        for pending in garbage:
            metrics.RECORDED.labels("unknown", "garbage").inc()
            if pending.channel.is_open:
                pending.channel.basic_reject(pending.tag, requeue=False)
        last = taken[-1]
        if last.channel.is_open and len(garbage) < len(taken):
            good = [pending.tag for pending in taken if pending not in garbage]
            last.channel.basic_ack(max(good), multiple=True)

    def _answer(self, service: str, recorded: Recorded) -> None:
        if self._channel is not None and self._channel.is_open:
            self._channel.basic_publish("", recorded_queue(service), msgspec.json.encode(recorded))

    def _failed(self, error: Exception) -> None:
        """Nothing was committed and nothing is acknowledged: the same deliveries are tried again after a wait."""
        self._failures += 1
        wait = backoff(self._failures, *RETRY_SECONDS)
        log.failure("recorder.waits", error, again_in=round(wait, 1))

        def again() -> None:
            self._busy = False
            self._kick()

        self._call_later(wait, again)


def declare_recorder(channel: Channel) -> None:
    """The exchanges of a node, and queue `recorder` with its dead letters; without waiting for answers."""
    for exchange in (FACTS, ARRIVALS, DEAD):
        channel.exchange_declare(exchange, exchange_type="topic", durable=True)
    channel.queue_declare(dead_queue(RECORDER), durable=True)
    channel.queue_bind(dead_queue(RECORDER), DEAD, routing_key=RECORDER)
    channel.queue_declare(RECORDER, durable=True, arguments=queue_arguments(RECORDER))
    channel.queue_bind(RECORDER, FACTS, routing_key="#")
