"""Witnesses: two nodes that hold replicas of the same origins find out whether they were told the same story.

Both hold the same chain whatever they may see of it, so equal digests at one number mean equal histories up to there.
The asker names a position of each origin; the other side answers with its own at the lower of both numbers. Where the
digests differ, the asker halves the distance between the last number that agrees and the first known to differ, one
question at a time: some twenty for a million entries. The answering side keeps nothing, and nothing it says changes a
replica: a lie costs questions, and is an alarm at worst.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import msgspec

from services.sync.message import BadMessage, Witness, _Digest, _Epoch, _Node, _Number
from services.sync.position import Position, start

MOST_CLAIMS = 1000
MAX_PAYLOAD = 256 * 1024

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(list[tuple[_Node, _Epoch, _Number, _Digest]]).decode


@dataclass(frozen=True, slots=True)
class Claim:
    """That a node holds this position of the journal of `origin` in this epoch."""

    origin: str
    epoch: int
    position: Position


def say(node: str, claims: Iterable[Claim], *, asks: bool, question: int) -> Witness:
    """The message of `node` that asks about positions, or answers with them. The answer repeats `question`."""
    rows = [(each.origin, each.epoch, each.position.number, each.position.hex) for each in claims]
    return Witness(node, asks, question, _encode(rows))


def read(message: Witness) -> list[Claim]:
    """What a message holds. Raises `BadMessage`, its node as signer, for anything that `say` would not write."""
    try:
        rows = _decode(message.payload) if len(message.payload) <= MAX_PAYLOAD else None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadMessage(f"The positions of a witness cannot be read: {error}", signer=message.node) from error
    if rows is None or len(rows) > MOST_CLAIMS:
        raise BadMessage(f"A witness speaks of {MOST_CLAIMS} positions at most.", signer=message.node)
    return [Claim(origin, epoch, Position(number, bytes.fromhex(digest))) for origin, epoch, number, digest in rows]


def answer(
    asked: Iterable[Claim],
    held: Callable[[str], Claim | None],
    digest_at: Callable[[str, int], bytes | None],
) -> list[Claim]:
    """For each position asked about: ours at the lower of both numbers. `held`: our replica of an origin, if any."""
    found = []
    for each in asked:
        own = held(each.origin)
        number = min(each.position.number, own.position.number) if own else 0
        epoch = own.epoch if own else each.epoch
        digest = digest_at(each.origin, number) if number else start(each.origin, epoch).digest
        if digest is not None:
            found.append(Claim(each.origin, epoch, Position(number, digest)))
    return found


class Inquiry:
    """One origin: ask about `next` while `open`; then `agreed` and `differs_at` say what was found.

    `agreed` is None where nothing could be compared: another epoch, no answer, or one that cannot be.
    """

    def __init__(self, held: Claim) -> None:
        self.origin, self.epoch = held.origin, held.epoch
        self.next = held.position.number
        self.open = True
        self.agreed: int | None = None
        self.differs_at: int | None = None
        self._low = 0
        self._high: int | None = None

    def on_answer(self, theirs: Claim | None, digest_at: Callable[[str, int], bytes | None]) -> None:
        """Their position at `next` or lower. `digest_at`: ours, of an origin at a number from 1."""
        if theirs is None or theirs.epoch != self.epoch or not self._possible(theirs.position.number):
            self.open = False
            return
        number = theirs.position.number
        own = digest_at(self.origin, number) if number else start(self.origin, self.epoch).digest
        if own is None or (number == 0 and own != theirs.position.digest):
            self.open = False
        elif own == theirs.position.digest:
            self._agree(number)
        else:
            self._high = number
            self._narrow()

    def _possible(self, number: int) -> bool:
        """The first answer may be lower than what was asked; later ones are about numbers that both hold."""
        return number <= self.next if self._high is None else number == self.next

    def _agree(self, number: int) -> None:
        if self._high is None:
            self.agreed, self.open = number, False
        else:
            self._low = number
            self._narrow()

    def _narrow(self) -> None:
        high = self._high or 1
        if high - self._low <= 1:
            self.agreed, self.differs_at, self.open = self._low, high, False
        else:
            self.next = (self._low + high) // 2
