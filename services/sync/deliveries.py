"""What the deliveries of one peer are: signatures checked, batches opened, messages sorted by what is to be done.

Nothing here needs the database, so it can be done ahead of the commit that will take them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

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
from services.sync.opened import Opened
from services.sync.replica import STOPPED, Opening
from services.sync.replicas import Refused
from services.sync.trust import Trust


@dataclass(frozen=True)
class Seen:
    """One delivery after its signature was checked; `opened`: what is in it, if it is a batch that was read ahead."""

    message: Message | BadMessage | None
    opened: Opened | None = None


NOT_YET = Seen(None)  # it is read in its turn


@dataclass(frozen=True)
class Read:
    """Deliveries after their signatures were checked."""

    messages: list[Hello | Batch]
    held: list[Held]
    refused: list[Refused]
    passed_over: int
    recalls: list[Recall] = field(default_factory=list)
    recalled: list[Recalled] = field(default_factory=list)


class Reader:
    """Reads what comes by the queue of `peer`, with the keys that are believed."""

    def __init__(self, peer: str, trust: Trust, opening: Opening[Opened]) -> None:
        self._peer = peer
        self._trust = trust
        self._opening = opening

    def see_ahead(self, delivery: Delivery, answer: Held | None) -> Seen:
        """Open a batch of which the last `answer` says that all it holds must be new."""
        seen = self.see(delivery)
        if isinstance(seen.message, BadMessage):
            return NOT_YET  # what is being applied may change whose keys are believed
        if not isinstance(seen.message, Batch) or answer is None or answer.state in STOPPED:
            return seen
        if seen.message.start.number < answer.held.number:
            return seen
        try:
            return replace(seen, opened=self._opening(seen.message, 0))
        except BadMessage:
            return seen  # in its turn it is refused, if it is looked at

    def see(self, delivery: Delivery) -> Seen:
        """Check who signed it, and read its header."""
        try:
            return Seen(self._open(delivery))
        except BadMessage as error:
            return Seen(error)

    def sort(self, taken: Sequence[Delivery], seen: Sequence[Seen]) -> Read:
        """What was seen of the deliveries `taken`, by what is to be done with it."""
        read = Read([], [], [], 0)
        passed_over = 0
        for delivery, message in ((delivery, one.message) for delivery, one in zip(taken, seen, strict=True)):
            if isinstance(message, UnknownKind):
                passed_over += 1
            elif isinstance(message, BadMessage):
                read.refused.append(Refused(message.message, delivery.body, stops=message.signer == self._peer))
            elif isinstance(message, Held):
                read.held.append(message)
            elif isinstance(message, Recall):
                read.recalls.append(message)
            elif isinstance(message, Recalled):
                read.recalled.append(message)
            elif isinstance(message, Witness):
                passed_over += 1  # only a directorate asks a directorate, on a line of its own
            elif message is not None:
                read.messages.append(message)
        return replace(read, passed_over=passed_over)

    def _open(self, delivery: Delivery) -> Message:
        user = self._trust.publishes_as(self._peer)
        if user is not None and delivery.user != user:
            raise BadMessage(f"A message in the queue of {self._peer} was not published by its user {user}.")
        opened = open_message(delivery.body, delivery.headers, self._trust.ring)
        if opened.signer != self._peer:
            raise BadMessage(f"{opened.signer} signed a message that came by the queue of {self._peer}.", signer=None)
        return opened.message


def leading(deliveries: Sequence[Delivery], most_bytes: int) -> list[Delivery]:
    """As many as have `most_bytes` together; one at the least."""
    taken: list[Delivery] = []
    size = 0
    for delivery in deliveries:
        size += len(delivery.body)
        if taken and size > most_bytes:
            break
        taken.append(delivery)
    return taken
