"""A directorate and the other directorates: once a day, and when an operator asks, each is asked what it holds.

One exchange for each of them. It uses whichever line is open: the one that the other dialled to this broker, or the one
this node dialled to the other's; so it is enough that one of the two can reach the other. What was found is kept for
people and measured; a difference is an alarm and changes no replica.
"""

import secrets
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlmodel import Session, select

from kernel import metrics
from kernel.clock import now
from kernel.database import Database
from kernel.log import get_logger
from services.sync import witness
from services.sync.lanes import Lane
from services.sync.line import Delivery, Line, Route
from services.sync.message import BadMessage, Signs, UnknownKind, Witness, open_message, sign
from services.sync.pace import backoff
from services.sync.position import Position
from services.sync.receivers import Timers
from services.sync.replicas import Refused, Replicas, position_at
from services.sync.tables import Replica, Witnessed, WitnessRound
from services.sync.trust import Trust
from services.sync.witness import Claim, Inquiry

log = get_logger("witness")

LOOK_SECONDS = 1.0
RETRY_SECONDS = 5.0
PATIENCE_SECONDS = 60.0  # for the answers of one round; then asked anew, ever more rarely
MOST_PENDING = 64


class Exchange:
    """With one other directorate. Lines, timers and `on_message` on the loop; the rest on the lane."""

    def __init__(
        self,
        node: str,
        peer: str,
        *,
        key: Signs,
        trust: Trust,
        database: Database,
        lane: Lane,
        timers: Timers,
        every_seconds: float,
        returned: Callable[[], None],
    ) -> None:
        self.peer = peer
        self._node, self._key, self._trust = node, key, trust
        self._database, self._lane, self._timers = database, lane, timers
        self._every = timedelta(seconds=every_seconds)
        self.near = self._line(Route.of_directorate(peer), returned)  # on this node's broker, if the other dials it
        self.far = self._line(Route.of_governorate(node), lambda: None)  # on the other's broker, if this node dials it
        self._pending: deque[tuple[Line, Delivery]] = deque(maxlen=MOST_PENDING)
        self._busy = False
        self._inquiries: dict[str, Inquiry] | None = None
        self._question = secrets.randbits(48)  # answers to an earlier start of this engine are not taken for new ones
        self._asks = 0
        self._attempts = 0
        self._patient_until = 0.0

    def _line(self, route: Route, returned: Callable[[], None]) -> Line:
        """`returned` is called when the broker has no queue for what was published."""

        def on_message(delivery: Delivery) -> None:
            self._pending.append((made, delivery))
            self._kick()

        made = Line(
            route,
            on_ready=self._lose_patience,
            on_gone=lambda _reason, _unauthorised: self._drop(made),
            on_message=on_message,
            on_confirm=lambda _token, verdict: returned() if verdict == "returned" else None,
            on_blocked=lambda _blocked: None,
        )
        return made

    def start(self) -> None:
        """Look every second whether it is time to ask."""
        self._timers.call_later(LOOK_SECONDS, self.start)
        line = self.far if self.far.ready else self.near
        if line.ready and not self._busy:
            self._run(self._look, partial(self._say, line))

    def _lose_patience(self) -> None:
        """A line was opened: what is due is asked now, however often it was in vain."""
        self._patient_until = 0.0

    def _drop(self, line: Line) -> None:
        """The broker will deliver again what was not acknowledged."""
        self._pending = deque((one for one in self._pending if one[0] is not line), maxlen=MOST_PENDING)

    def _kick(self) -> None:
        if self._pending and not self._busy:
            line, delivery = self._pending.popleft()

            def done(reply: Witness | None) -> None:
                delivery.acknowledge()
                self._say(line, reply)

            self._run(partial(self._take, line.route.queue, delivery), done)

    def _run(self, work: Callable[[], Witness | None], done: Callable[[Witness | None], None]) -> None:
        self._busy = True

        def finished(reply: Witness | None) -> None:
            self._busy = False
            done(reply)
            self._kick()

        def failed(error: Exception) -> None:
            log.failure("witness.waits", error, peer=self.peer)
            self._timers.call_later(RETRY_SECONDS, again)

        def again() -> None:
            self._lane.run(work, finished, failed)

        again()

    def _say(self, line: Line, said: Witness | None) -> None:
        if said is not None:
            line.publish(*sign(said, self._key))

    # --- on the lane

    def _look(self) -> Witness | None:
        """The first question of a round, if one is due."""
        with self._database.read() as session:
            row = session.get(WitnessRound, self.peer) or WitnessRound(witness=self.peer)
            asked = row.asks > max(row.done, self._asks)
            if not asked and (time.monotonic() < self._patient_until or not self._due(row)):
                return None
            inquiries = {held.origin: Inquiry(held) for held in _all_held(session)}
            self._attempts = 1 if asked else self._attempts + 1
            self._inquiries, self._asks = inquiries, row.asks
            self._patient_until = time.monotonic() + PATIENCE_SECONDS * backoff(self._attempts, jitter=lambda: 0.999)
            return self._ask(session, inquiries)

    def _due(self, row: WitnessRound) -> bool:
        return row.done < row.asks or row.heard_at is None or now() - row.heard_at >= self._every

    def _take(self, queue: str, delivery: Delivery) -> Witness | None:
        """Answer a question, or go on with the next one after an answer."""
        try:
            opened = open_message(delivery.body, delivery.headers, self._trust.ring)
            if opened.signer != self.peer or not isinstance(opened.message, Witness):
                raise BadMessage(f"Only {self.peer} speaks here, and only as a witness.")
            said = witness.read(opened.message)
        except UnknownKind:
            return None
        except BadMessage as error:
            self._put_aside(queue, Refused(error.message, delivery.body, stops=False))
            return None
        with self._database.read() as session:
            if opened.message.asks:
                own = {held.origin: held for held in _all_held(session)}
                answers = witness.answer(said, own.get, partial(position_at, session))
                return witness.say(self._node, answers, asks=False, question=opened.message.question)
            if self._inquiries is None or opened.message.question != self._question:
                return None  # an answer that came too late: the same was asked again
            next_question = self._heard(session, said, self._inquiries)
        if next_question is None:
            self._conclude(list(self._inquiries.values()))
            self._inquiries, self._attempts = None, 0
        return next_question

    def _put_aside(self, queue: str, refused: Refused) -> None:
        log.warning("witness.refused", peer=self.peer, reason=refused.reason)
        metrics.QUARANTINED.labels(queue, "refused").inc()
        with self._database.write_silently() as session:
            Replicas(self.peer, queue, 0, lambda _: False).take(session, [], [refused], now(), live=False)

    def _heard(self, session: Session, said: list[Claim], inquiries: dict[str, Inquiry]) -> Witness | None:
        theirs = {each.origin: each for each in said}
        for each in inquiries.values():
            if each.open:
                each.on_answer(theirs.get(each.origin), partial(position_at, session))
        return self._ask(session, inquiries) if any(each.open for each in inquiries.values()) else None

    def _ask(self, session: Session, inquiries: dict[str, Inquiry]) -> Witness:
        asked = []
        for each in inquiries.values():
            digest = position_at(session, each.origin, each.next) if each.next else None
            if each.open and digest is not None:
                asked.append(Claim(each.origin, each.epoch, Position(each.next, digest)))
        self._question += 1
        return witness.say(self._node, asked, asks=True, question=self._question)

    def _conclude(self, inquiries: list[Inquiry]) -> None:
        moment = now()
        with self._database.write_silently() as session:
            row = session.get(WitnessRound, self.peer) or WitnessRound(witness=self.peer)
            row.done, row.heard_at = max(row.done, self._asks), moment
            session.add(row)
            for each in inquiries:
                if each.agreed is not None:
                    session.merge(_row(self.peer, each, each.agreed, moment))
        for each in inquiries:
            if each.differs_at is not None:
                log.warning("witness.differs", witness=self.peer, origin=each.origin, number=each.differs_at)


def _row(peer: str, found: Inquiry, agreed: int, at: datetime) -> Witnessed:
    return Witnessed(
        witness=peer, origin=found.origin, epoch=found.epoch, agreed=agreed, differs_at=found.differs_at, at=at
    )


def _all_held(session: Session) -> list[Claim]:
    rows: Any = session.exec(select(Replica))
    return [Claim(row.origin, row.epoch, Position(row.number, row.digest)) for row in rows]


def ask(session: Session, peer: str) -> int:
    """Have the engine ask `peer` now; the number that `done` reaches when it was answered."""
    row = session.get(WitnessRound, peer, with_for_update=True) or WitnessRound(witness=peer)
    row.asks += 1
    session.add(row)
    return row.asks


def measure(session: Session) -> None:
    """Set the gauges from what is kept."""
    for row in session.exec(select(Witnessed)):
        metrics.WITNESS_AGREED.labels(row.witness, row.origin).set(row.agreed)
        if row.differs_at is not None:
            metrics.WITNESS_DIFFERS.labels(row.witness, row.origin).set(row.differs_at)
        else:
            metrics.WITNESS_DIFFERS.remove(row.witness, row.origin)
    for heard in session.exec(select(WitnessRound)):
        if heard.heard_at is not None:
            metrics.WITNESS_HEARD.labels(heard.witness).set(heard.heard_at.timestamp())
