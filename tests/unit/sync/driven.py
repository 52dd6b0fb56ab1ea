"""A link whose clock and journal a test holds in its hand."""

from dataclasses import replace
from hashlib import sha256

from services.sync.actions import SayHello, Send
from services.sync.link import Link
from services.sync.message import Held
from services.sync.position import Position, start

ORIGIN, DESTINATION = "ninewa", "directorate-baghdad"


def place(number: int) -> Position:
    """This journal's position at `number`."""
    return Position(number, sha256(b"%d" % number).digest()) if number else start(ORIGIN, 1)


def digest_at(number: int) -> bytes | None:
    return place(number).digest


def held(number: int, **other: object) -> Held:
    said = Held(ORIGIN, 1, place(number), 2**21, "ok", "")
    return replace(said, **other)  # type: ignore[arg-type]


class Driven:
    """A link with a clock of its own and a journal of `head` entries, 100 bytes each on the wire."""

    def __init__(self, head: int = 0, window: int = 2**21, nbytes: int = 100, patience: float = 60.0) -> None:
        self.now = 1000.0
        self.nbytes = nbytes
        self.link = Link(
            ORIGIN,
            DESTINATION,
            1,
            place(head),
            random=lambda: 0.0,
            window=window,
            no_progress_seconds=patience,
        )

    def answered(self, number: int = 0) -> "Driven":
        """Connected, hello said, and told that `number` is held."""
        self.link.on_connected(self.now)
        assert self.plan() == SayHello()
        self.link.on_hello_said(self.now)
        self.hear(number)
        return self

    def plan(self) -> object:
        return self.link.plan(self.now)

    def hear(self, number: int, **other: object) -> None:
        self.link.on_held(held(number, **other), digest_at, self.now)

    def send(self) -> int:
        """Carry out one Send; the number it ended with."""
        action = self.plan()
        assert isinstance(action, Send)
        fits = max(1, min(action.max_bytes // self.nbytes, action.max_entries))
        count = min(fits, self.link.head.number - action.after.number)
        assert self.link.admit(action.after, count * self.nbytes)
        end = place(action.after.number + count)
        self.link.on_sent(action.after, end, count * self.nbytes, self.now)
        return end.number

    def send_all(self) -> None:
        while isinstance(self.plan(), Send):
            self.send()

    def wait(self, seconds: float, number: int | None = None) -> None:
        """Time passes with hellos said when due, each answered with `number`, or by silence."""
        end = self.now + seconds
        while self.now < end:
            self.now = min(end, self.now + 1.0)
            if self.plan() == SayHello():
                self.link.on_hello_said(self.now)
                if number is not None:
                    self.hear(number)
