"""The sender: one link of this node to one destination, as a state machine without clock, socket or database.

The loop around it tells what happened (`on_…`) and asks what to do (`plan`). The answer is one of

- `SayHello()`      publish a hello, then `on_hello_said`;
- `Send(after, …)`  read the journal after that position, `message.pack` it, ask `admit`, publish, `on_sent`.
                    The reading may take its time: if the world changed meanwhile, `admit` says no and `plan`
                    is asked again;
- `Wait(seconds)`   ask again then, or after any event.

What counts is only what the other side says it *holds*. A broker's confirmation means that a batch may
arrive, nothing more: brokers are allowed to lose everything. So there is one rule of repair, going back to
`held`, taken when a batch was returned or refused by the broker, when a `held` reports a gap, when the
connection was lost, or when nothing moved for a minute. Repeats cost bytes and nothing else.

Going back is bounded so that it cannot flood: a receiver that is away says nothing, and while it says
nothing only hellos are sent to it (its queue keeps what the broker took). Each word from it allows one more
going back, after the first with growing waits and one small batch at a time.
"""

from collections.abc import Callable

from contracts.sync import LinkState
from services.sync.actions import Action, SayHello, Send, Wait
from services.sync.flight import Flight
from services.sync.message import Held
from services.sync.pace import FIRST_BATCH, LONGEST_WAIT, Bucket, Pace, backoff
from services.sync.position import Position, start
from services.sync.replica import GAP, TWO_MACHINES

WINDOW = 2 * 1024 * 1024  # ahead of held: 16 s of 1 Mbit/s, 13 times what 300 ms of 4 Mbit/s keep in flight
HELLO_SECONDS = 30.0
NO_PROGRESS_SECONDS = 60.0  # two hellos and their answers
PATIENCE = 4  # unanswered hellos before they become rarer
GRANTS_NOTHING = "The other side grants nothing now: its disk is nearly full."
OUTSIDE_HOURS = "It sends in the hours that an operator set, and they have not begun."

APPLIES = frozenset({"ok", "silent", "rolled_back"})  # words of a receiver that takes what fits; see replica.py
WORDS = {"diverged": LinkState.DIVERGED, "duplicate": LinkState.DUPLICATE}


class Link:
    """The state of one link; for one thread. `now` is monotonic seconds of one clock in every call."""

    def __init__(
        self,
        origin: str,
        destination: str,
        epoch: int,
        head: Position,
        *,
        random: Callable[[], float],
        paused: bool = False,
        window: int = WINDOW,
        hello_seconds: float = HELLO_SECONDS,
        no_progress_seconds: float = NO_PROGRESS_SECONDS,
        rate: int | None = None,
        begun: int | None = None,
        session: int = 0,
        boot: str = "",
    ) -> None:
        """`begun`: the epoch in which the chain began, if an earlier one; `session`, `boot`: as hellos say them."""
        self.origin, self.destination, self.epoch, self.head = origin, destination, epoch, head
        self.session, self.boot = session, boot
        self.told = 0  # a session later than ours of which the other side told
        self.disowned: Position | None = None  # what it holds and this journal does not have
        self.held: Position | None = None  # what the other side last said, kept for show when it falls silent
        self.heard_at: float | None = None
        self.paused = paused
        self.went_back = 0
        self.restored = 0  # times the other side held less than it had said
        self._random = random
        self._hello_seconds, self._no_progress_seconds = hello_seconds, no_progress_seconds
        self._genesis = start(origin, begun or epoch)
        self._window = self._granted = window
        self._connected = self._blocked = self._answered = False
        self._suspect: Position | None = None  # less than it said before, and heard once
        self._unauthorised = self._held_back = ""
        self._verdict: tuple[LinkState, str] | None = None  # ours, until resume
        self._doubt: tuple[LinkState, str] | None = None  # about the whole journal, found elsewhere
        self._word: tuple[LinkState, str] | None = None  # theirs, until they say otherwise
        self._sent = self._genesis
        self._flying = Flight()
        self._hello_at = self._progress_at = self._quiet_until = 0.0
        self._attempts = self._refusals = self._needed = self._unanswered = 0
        self._gap_at = -1
        self._pace = Pace()
        self._bucket = Bucket(rate)
        self._opens_at: float | None = None  # outside its hours: when they begin

    # --- how it stands

    @property
    def state(self) -> LinkState:
        """One of the closed list, for people and metrics."""
        if self.paused:
            return LinkState.PAUSED
        if self._unauthorised:
            return LinkState.UNAUTHORISED
        if self._stopped:
            return self._stopped[0]
        if not self._answered:
            return LinkState.CONNECTING
        more = self._sent.number < self.head.number
        if self._blocked or (self._held_back and more):
            return LinkState.BLOCKED
        if more and not self._attempts and self._opens_at is None and self._room():
            return LinkState.SENDING
        return LinkState.WAITING if more or self._flying else LinkState.IDLE

    @property
    def reason(self) -> str:
        """A sentence on the state, empty where the state says it all."""
        if self._stopped:
            return self._stopped[1]
        if self._unauthorised or self._held_back:
            return self._unauthorised or self._held_back
        if self._opens_at is not None and self._sent.number < self.head.number:
            return OUTSIDE_HOURS
        if self._answered and not self._granted and self._sent.number < self.head.number:
            return GRANTS_NOTHING
        return "Nothing was acknowledged for a while; sending again." if self._attempts else ""

    @property
    def _stopped(self) -> tuple[LinkState, str] | None:
        return self._verdict or self._word or self._doubt

    @property
    def outstanding(self) -> int:
        """Bytes sent and not yet held."""
        return self._flying.outstanding

    @property
    def verdict(self) -> tuple[LinkState, str] | None:
        """What this side found wrong, with the reason; ended by `resume`."""
        return self._verdict

    def known_digest(self, number: int) -> bytes | None:
        """This journal's digest at `number` if it can be told without reading the journal."""
        places = (self._genesis, self.head, self._sent, self.held, *self._flying.ends)
        return next((place.digest for place in places if place and place.number == number), None)

    # --- what happened

    def on_connected(self, now: float) -> None:
        """The destination's broker can be published to; the other side must now say what it holds."""
        self._lose_connection()
        self._connected, self._unauthorised, self._word = True, "", None
        self._hello_at = self._quiet_until = now

    def on_disconnected(self, now: float) -> None:
        """The connection is gone, and with it perhaps whatever was on its way."""
        self._lose_connection()

    def on_unauthorised(self, reason: str, now: float) -> None:
        """The destination's broker does not let us in, or not do this. The loop goes on trying."""
        self._lose_connection()
        self._unauthorised = reason

    def _lose_connection(self) -> None:
        self._connected = self._blocked = self._answered = False
        self._suspect = None
        self._attempts = self._refusals = self._needed = self._unanswered = 0
        self._held_back, self._gap_at = "", -1
        self._flying.broken()

    def on_blocked(self, now: float) -> None:
        """The destination's broker takes nothing now (memory or disk alarm)."""
        self._blocked = True

    def on_unblocked(self, now: float) -> None:
        """It takes messages again; the time it did not is nobody's lack of progress."""
        self._blocked = False
        self._progress_at = now

    def pause(self) -> None:
        """An operator's word: hellos only."""
        self.paused = True

    def on_hours(self, opens_in: float, now: float) -> None:
        """The hours in which the operator lets this link send begin in so many seconds; 0: they have begun."""
        self._opens_at = now + opens_in if opens_in > 0 else None

    def resume(self, now: float) -> None:
        """An operator's word: go on. A stopped link asks again what is held, and may stop again."""
        self.paused = False
        if self._stopped:
            self._verdict = self._word = self.disowned = None
            self.told = 0
            self._answered = False
            self._hello_at = now

    def doubt(self, doubt: tuple[LinkState, str] | None) -> None:
        """Send nothing while the journal itself is in doubt; None: it is not."""
        self._doubt = doubt

    def on_head(self, head: Position) -> None:
        """The journal grew."""
        if head.number > self.head.number:
            self.head = head

    def on_hello_said(self, now: float) -> None:
        """A hello was published. One that is away for weeks must not find a hundred thousand of them."""
        self._unanswered += 1
        rarer = 2.0 ** min(self._unanswered - PATIENCE, 30) if self._unanswered > PATIENCE else 1.0
        self._hello_at = now + max(self._hello_seconds, min(LONGEST_WAIT, self._hello_seconds * rarer))

    def on_sent(self, start: Position, end: Position, nbytes: int, now: float) -> None:
        """An admitted batch was published."""
        if not self._flying:
            self._progress_at = now
        self._flying.add(end, nbytes)
        self._sent, self._needed = end, 0
        self.on_head(end)
        self._pace.sent(end.number - start.number, nbytes)
        self._bucket.take(nbytes, now)

    def on_confirmed(self, now: float) -> None:
        """The destination's broker took a batch (not a hello: those are small enough to fit a full queue)."""
        self._refusals, self._held_back = 0, ""

    def on_returned(self, now: float) -> None:
        """A batch came back: there is no queue for it."""
        self._refused_by_broker("The destination's broker has no queue for this link.", now)

    def on_nacked(self, now: float) -> None:
        """A batch was refused: the queue is full."""
        self._refused_by_broker("The queue at the destination is full.", now)

    def _refused_by_broker(self, reason: str, now: float) -> None:
        if not self._held_back or now >= self._quiet_until:  # those in flight with it do not count again
            self._refusals += 1
            self._quiet_until = now + backoff(self._refusals, jitter=self._random)
        self._held_back = reason
        self._go_back()

    def on_held(self, said: Held, digest_at: Callable[[int], bytes | None], now: float) -> None:
        """The other side said what it holds. `digest_at(number)`: this journal's digest there, None for none.

        The caller has checked that the destination signed this. A word about another journal is passed over.
        """
        if said.origin != self.origin or not self._connected:
            return
        self.heard_at = now
        self._unanswered = 0
        self._hello_at = min(self._hello_at, now + self._hello_seconds)
        self._granted = said.window
        if not self._consistent(said, digest_at):
            return
        self._word = _word(said)
        known = self.held.number if self.held else -1
        if said.held.number < known:
            self._less(said.held, now)
        elif not self._answered:
            self._begin(said.held, now)
        elif said.held.number > known:
            self._progress(said.held, now)
            self._gap(said)
        else:
            self._suspect = None
            self._gap(said)

    def _consistent(self, said: Held, digest_at: Callable[[int], bytes | None]) -> bool:
        number = said.held.number
        if said.epoch != self.epoch:
            self._word = self._other_epoch(said)
            return False
        if number > self.head.number:
            reason = f"It holds {number}, this journal ends at {self.head.number}: restored from an old backup?"
            self._verdict = (LinkState.ROLLED_BACK, reason)
            return False
        if (self.known_digest(number) or digest_at(number)) != said.held.digest:
            self._verdict = (LinkState.DIVERGED, f"It holds another digest at {number} than this journal.")
            self.disowned = said.held
            return False
        if self._is_twin(said):
            reason = f"It heard session {said.session} of this node, which is in session {self.session}: {TWO_MACHINES}"
            self._verdict, self.told = (LinkState.DUPLICATE, reason), said.session
            return False
        return True

    def _other_epoch(self, said: Held) -> tuple[LinkState, str] | None:
        """One that holds an earlier life hears of the present one by our hello; until then nothing is sent."""
        if said.epoch < self.epoch and said.state in APPLIES | set(WORDS):
            return _word(said)
        return LinkState.REFUSED, f"It holds epoch {said.epoch} of this journal, which is in epoch {self.epoch}."

    def _is_twin(self, said: Held) -> bool:
        """Whether somebody else spoke as this node after us: nobody is told of a session before it begins."""
        return self.session > 0 and (
            said.session > self.session or (said.session == self.session and said.boot != self.boot)
        )

    def _progress(self, held: Position, now: float) -> None:
        self._pace.acknowledged(self._flying.landed(held.number), now - self._progress_at)
        self.held = held
        if self._sent.number < held.number:
            self._sent = held
        self._suspect, self._gap_at, self._attempts, self._progress_at = None, -1, 0, now
        if not self._held_back:
            self._quiet_until = now

    def _begin(self, held: Position, now: float) -> None:
        """Send from there: the first word of a connection, or one that tells of less."""
        self._answered, self._suspect = True, None
        self.held, self._progress_at = held, now
        self._pace.reconnected(lost=self._flying.lost(held.number))
        self._go_back()

    def _less(self, held: Position, now: float) -> None:
        """It holds less than it said: an old word came late, or it was restored. Ask; one that says so twice was."""
        if self._suspect != held:
            self._suspect = held
            self._hello_at = now
            return
        self.restored += 1
        self._begin(held, now)

    def _gap(self, said: Held) -> None:
        """It missed a batch. Once for each place: those that were in flight behind it report the same gap."""
        if said.reason == GAP and said.held.number != self._gap_at:
            self._gap_at = said.held.number
            self._go_back()

    def _go_back(self) -> None:
        if self._flying:
            self.went_back += 1
        self._flying.forget()
        self._sent = self.held or self._genesis

    # --- what to do

    def plan(self, now: float) -> Action:
        """What to do now. Notices also that time has passed; never blocks."""
        if not self._connected or self._blocked:
            return Wait(self._hello_seconds)
        if now >= self._hello_at:
            return SayHello()
        wait = Wait(self._hello_at - now)
        if self.paused or self._stopped or not self._answered:
            return wait
        self._look_for_progress(now)
        quiet = max(self._quiet_until - now, self._bucket.wait(now), (self._opens_at or now) - now)
        if quiet > 0:
            return Wait(min(wait.seconds, quiet))
        room = self._room()
        if self._sent.number < self.head.number and room:
            return Send(self._sent, room, self._pace.entries_in(room), self._pace.level(self._bucket.rate))
        if self._flying:
            return Wait(min(wait.seconds, max(1.0, self._progress_until - now)))
        return wait

    def admit(self, start: Position, nbytes: int) -> bool:
        """Whether a batch read from `start` may be published: nothing changed since `plan`, and it fits.

        One that is larger than what is left of the window waits for room, or until nothing is in flight.
        """
        able = self._connected and self._answered and not (self._blocked or self.paused or self._stopped)
        if not able or self._opens_at is not None or start != self._sent:
            return False
        if self._flying and self.outstanding + nbytes > self._most():
            self._needed = nbytes
            return False
        return True

    def _look_for_progress(self, now: float) -> None:
        if not self._flying or now < self._progress_until:
            return
        if self.heard_at is None or self.heard_at <= self._progress_at:
            return  # it is away; what the broker took waits for it there
        self._attempts += 1
        self._progress_at = now
        self._go_back()
        if self._attempts > 1:
            self._quiet_until = now + backoff(self._attempts - 1, jitter=self._random)

    @property
    def _progress_until(self) -> float:
        """When something under way must have been held: the line is given the time that it takes."""
        return self._progress_at + self._no_progress_seconds + self._pace.seconds(self.outstanding)

    def _most(self) -> int:
        return min(self._window, self._granted, self._pace.flying_bytes)

    def _room(self) -> int:
        """Bytes of the next batch, half the window at most so that two follow each other; 0 while none fits."""
        most = self._most()
        size = max(1, min(self._bucket.batch(self._pace.batch_bytes), most // 2), self._needed)
        if self._attempts > 1:  # nobody knows whether this will move: one small batch, then wait
            return 0 if self._flying or not most else min(size, FIRST_BATCH)
        return size if most and (not self._flying or self.outstanding + size <= most) else 0


def _word(said: Held) -> tuple[LinkState, str] | None:
    """What a receiver that takes nothing makes of the link; a word we do not know is one of those."""
    if said.state in APPLIES:
        return None
    return WORDS.get(said.state, LinkState.REFUSED), said.reason or f"The other side says: {said.state}."
