"""One sender per link: carries out what `link.py` decides, and tells it what happened.

The loop publishes and keeps the clock; a lane reads the journal, discloses, packs and signs. One batch is prepared at
a time and published only if the link still admits it, so memory holds one batch a link, whatever the backlog.
"""

import time
from collections import deque
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from contracts.sync import LinkState
from contracts.topology import LinkSpec
from kernel import crash, metrics
from kernel.clock import now
from kernel.crypto import SigningKey
from kernel.database import Database
from kernel.log import get_logger
from services.sync import journal
from services.sync.actions import SayHello, Send, Wait
from services.sync.batches import next_batch
from services.sync.hours import ALWAYS, Hours
from services.sync.lanes import Lane
from services.sync.line import Verdict
from services.sync.link import Link
from services.sync.message import Batch, Held, Hello, Message, sign
from services.sync.own_keys import OwnKeys
from services.sync.position import Position
from services.sync.receivers import Timers

log = get_logger("sender")

MOST_WORDS = 16
RETRY_SECONDS = 2.0
HELLO, BATCH, HELD = 1, 2, 3  # tokens of what was published

Publish = Callable[[bytes, dict[str, str], int], bool]


@dataclass(frozen=True)
class Who:
    """What a hello says of this start of the engine."""

    life: journal.Life
    boot: str
    software: str
    keys: OwnKeys
    told: Mapping[str, int] = field(default_factory=dict)  # what each destination held when this start began


@dataclass(frozen=True)
class _Prepared:
    batch: Batch
    body: bytes
    headers: dict[str, str]


@dataclass(frozen=True)
class Snapshot:
    """How a link stands, as it is kept for people."""

    held: Position | None
    state: LinkState
    reason: str | None
    heard_at: datetime | None
    behind_since: datetime | None


class Sender:
    """Drives one `Link`. All methods run on the loop; only `_prepare` and the look-up of digests run on the lane."""

    def __init__(
        self,
        spec: LinkSpec,
        who: Who,
        link: Link,
        *,
        database: Database,
        lane: Lane,
        timers: Timers,
        publish: Publish,
        relays_to: Set[str],
        hours: Hours = ALWAYS,
    ) -> None:
        self.spec = spec
        self.link = link
        self.note: str | None = None  # what an operator should know beside the link's own reason
        self._who = who
        self._database = database
        self._lane = lane
        self._timers = timers
        self._publish = publish
        self._relays_to = relays_to
        self._hours = hours
        self._timer: Any = None
        self._reading = False
        self._words: deque[Held] = deque(maxlen=MOST_WORDS)
        self._looking = False
        self._heard_at: datetime | None = None
        self._unheard = 0  # hellos since the other side spoke
        self._behind_since: datetime | None = None
        self._restored = 0  # times that the destination's restoring was counted
        self.on_verdict: Callable[[Sender], None] = lambda _sender: None

    # --- what happened

    def on_ready(self) -> None:
        """The line is open."""
        self._unheard = 0
        self.link.on_connected(time.monotonic())
        self.step()

    def on_gone(self, reason: str, unauthorised: bool) -> None:
        """The line is lost."""
        if unauthorised:
            self.link.on_unauthorised(f"The other side's broker does not let us in: {reason}.", time.monotonic())
        else:
            self.link.on_disconnected(time.monotonic())
        self._words.clear()
        self.step()

    def on_blocked(self, blocked: bool) -> None:
        """The broker takes nothing now, or takes messages again."""
        (self.link.on_blocked if blocked else self.link.on_unblocked)(time.monotonic())
        self.step()

    def on_head(self, head: Position) -> None:
        """The journal grew."""
        self.link.on_head(head)
        self._note_lag()
        self.step()

    def on_word(self, *, paused: bool, resumed: bool) -> None:
        """An operator's word, as it stands in the database."""
        if paused and not self.link.paused:
            self.link.pause()
        elif not paused and (self.link.paused or resumed):
            self.link.resume(time.monotonic())
        self.step()

    def on_confirm(self, token: int, verdict: Verdict) -> None:
        """What the broker made of something that was published."""
        if token != BATCH:
            return
        moment = time.monotonic()
        metrics.BATCHES.labels(self.spec.destination, "out", verdict.value).inc()
        if verdict is Verdict.CONFIRMED:
            self.link.on_confirmed(moment)
        elif verdict is Verdict.RETURNED:
            self.link.on_returned(moment)
        else:
            self.link.on_nacked(moment)
        self.step()

    def on_held(self, said: Held) -> None:
        """The destination's word; words are taken one after another, because a digest may have to be looked up."""
        if said.origin != self.spec.origin:
            return
        self._words.append(said)
        self._take_words()

    def _take_words(self) -> None:
        while self._words and not self._looking:
            said = self._words.popleft()
            number = said.held.number
            known = self.link.known_digest(number)
            if known is not None or number > self.link.head.number:
                self._heard(said, known)
            else:
                self._look_up(said)

    def _look_up(self, said: Held) -> None:
        self._looking = True
        life = self._who.life

        def look() -> Position | None:
            with self._database.read() as session:
                return journal.position_at(session, life.origin, said.held.number)

        def found(place: Position | None) -> None:
            self._looking = False
            self._heard(said, place.digest if place else None)
            self._take_words()

        def failed(error: Exception) -> None:
            self._looking = False  # the other side says it again within half a minute
            log.failure("sender.waits", error, destination=self.spec.destination)

        self._lane.run(look, found, failed)

    def on_doubt(self, doubt: tuple[LinkState, str] | None) -> None:
        """Whether the journal itself is in doubt."""
        self.link.doubt(doubt)
        self.step()

    def _heard(self, said: Held, digest: bytes | None) -> None:
        before = self.link.verdict
        self._unheard = 0
        self.link.on_held(said, lambda _number: digest, time.monotonic())
        if self.link.verdict is not None and before is None:
            self.on_verdict(self)
        self._heard_at = now()
        self._note_lag()
        self.step()

    def _note_lag(self) -> None:
        held = self.link.held
        if held is not None and held.number < self.link.head.number:
            self._behind_since = self._behind_since or now()
        else:
            self._behind_since = None

    # --- what to do

    def step(self) -> None:
        """Do what the link plans until it waits."""
        if self._timer is not None:
            self._timers.remove_timeout(self._timer)
            self._timer = None
        while True:
            self.link.on_hours(self._hours.opens_in(now()), time.monotonic())
            action = self.link.plan(time.monotonic())
            if isinstance(action, SayHello):
                self._say_hello()
            elif isinstance(action, Send):
                if not self._reading:
                    self._read(action)
                return
            else:
                self._wait(action)
                return

    def _wait(self, action: Wait) -> None:
        self._timer = self._timers.call_later(max(0.001, action.seconds), self._due)

    def _due(self) -> None:
        self._timer = None
        self.step()

    def _say_hello(self) -> None:
        who = self._who
        life, link = who.life, self.link
        first = (life.origin, life.epoch, life.session, who.boot, link.head, who.software)
        self.say(Hello(*first, life.parent, journal.FIRST_EPOCH, link.told, link.disowned), HELLO)
        self._unheard += 1
        self.link.on_hello_said(time.monotonic())

    def say(self, message: Message, token: int = HELD) -> bool:
        """Publish a small message; whether the line is open. If it is not, it is said again later anyway."""
        return self._publish(*sign(message, self.speaking()), token)

    def speaking(self) -> SigningKey:
        """The key that the destination knows, as far as we know."""
        held = self.link.held.number if self.link.held else self._who.told.get(self.spec.destination, 0)
        return self._who.keys.speaking(held, self._unheard)

    def _read(self, action: Send) -> None:
        self._reading = True
        held = self.link.held.number if self.link.held else 0
        self._lane.run(lambda: self._prepare(action, held), self._prepared, self._not_prepared)

    def _prepare(self, action: Send, held: int) -> _Prepared | None:
        """On the lane: read, disclose, pack, sign. A key is used once the entry that names it is held."""
        life = self._who.life
        since, key, until = self._who.keys.carrying(action.after.number)
        if since > held:
            return None
        most = action.max_entries if until is None else min(action.max_entries, until - action.after.number)
        with self._database.read() as session:
            batch = next_batch(
                session,
                self.spec,
                life.epoch,
                action.after,
                max_bytes=action.max_bytes,
                max_entries=most,
                relays_to=self._relays_to,
                level=action.level,
            )
        if batch is None:
            return None
        body, headers = sign(batch, key)
        return _Prepared(batch, body, headers)

    def _prepared(self, prepared: _Prepared | None) -> None:
        self._reading = False
        if prepared is None:  # the head was told before its commit could be read, or the next key is not known there
            self._timers.call_later(RETRY_SECONDS, self.step)
            return
        batch, size = prepared.batch, len(prepared.body)
        if self.link.admit(batch.start, size) and self._publish(prepared.body, prepared.headers, BATCH):
            self.link.on_sent(batch.start, batch.end, size, time.monotonic())
            metrics.BATCH_BYTES.labels(self.spec.destination, "out", "sent").inc(size)
            self._timers.call_later(0, lambda: crash.here("after_publish"))
        self.step()

    def _not_prepared(self, error: Exception) -> None:
        log.failure("sender.waits", error, destination=self.spec.destination)

        def again() -> None:
            self._reading = False
            self.step()

        self._timers.call_later(RETRY_SECONDS, again)

    # --- how it stands

    def snapshot(self) -> Snapshot:
        """How the link stands now."""
        return Snapshot(
            self.link.held, self.link.state, self.link.reason or self.note, self._heard_at, self._behind_since
        )

    def measure(self) -> None:
        """Set the gauges of this link."""
        destination, link = self.spec.destination, self.link
        metrics.LINK_RESTORED.labels(destination).inc(link.restored - self._restored)
        self._restored = link.restored
        metrics.LINK_HEAD.labels(destination).set(link.head.number)
        for state in LinkState:
            metrics.LINK_STATE.labels(destination, state.value).set(float(state is link.state))
        if link.held is not None:
            metrics.LINK_HELD.labels(destination).set(link.held.number)
        if self._heard_at is not None:
            metrics.LINK_HEARD.labels(destination).set(self._heard_at.timestamp())
