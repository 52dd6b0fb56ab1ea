"""What a transfer may do, what it does when the other side is heard, and who owns the case. Pure and total.

| | sender | receiver |
|---|---|---|
| its own acts | propose, send, revoke, expire, release | accept, reject |
| what it hears | accepted, rejected, received | offered, revoked, expired, released, acknowledged |

Hearing never fails: what has no meaning any more (a second acceptance, an answer after a revocation, an offer that was
revoked before it arrived) changes nothing. `released` alone always counts until it was taken in: whoever sent it has
given the case away. It comes in parts; until the last is there the receiver stands at `released` and owns nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from contracts.case.transfers import Side, TransferEvent, TransferStatus
from kernel.errors import MoveRefused

S, E = TransferStatus, TransferEvent

ACTS: Final[Mapping[tuple[Side, TransferEvent], tuple[frozenset[TransferStatus], TransferStatus]]] = {
    (Side.SENDER, E.OFFERED): (frozenset({S.PROPOSED}), S.SENT),
    (Side.SENDER, E.REVOKED): (frozenset({S.PROPOSED, S.SENT, S.ACCEPTED}), S.REVOKED),
    (Side.SENDER, E.EXPIRED): (frozenset({S.SENT, S.ACCEPTED}), S.EXPIRED),
    (Side.SENDER, E.RELEASED): (frozenset({S.ACCEPTED}), S.RELEASED),
    (Side.RECEIVER, E.ACCEPTED): (frozenset({S.SENT}), S.ACCEPTED),
    (Side.RECEIVER, E.REJECTED): (frozenset({S.SENT}), S.REJECTED),
}
"""What a person, or a clock, may do: from which states, to which."""

TAKEN: Final = frozenset({S.RECEIVED, S.ACKNOWLEDGED})
GIVEN_AWAY: Final = frozenset({S.RELEASED, S.ACKNOWLEDGED})
UNDECIDED: Final = frozenset({S.PROPOSED, S.SENT, S.ACCEPTED})
"""While a transfer of a case is one of these, or released, no other can begin."""


@dataclass(frozen=True)
class Heard:
    """The state after a message, and what is answered in the same commit; nothing for what has no meaning any more."""

    status: TransferStatus | None
    answer: TransferEvent | None = None


def act(side: Side, status: TransferStatus, event: TransferEvent) -> TransferStatus:
    """The state after an act of this side. Raises `MoveRefused`."""
    sources, target = ACTS.get((side, event), (frozenset[TransferStatus](), status))
    if status not in sources:
        possible = [end.value for (whose, _), (begin, end) in ACTS.items() if whose is side and status in begin]
        raise MoveRefused(
            subject="transfer",
            current=status.value,
            target=event.value,
            possible=", ".join(sorted(possible)) or "nothing by hand",
        )
    return target


def hear(side: Side, status: TransferStatus | None, event: TransferEvent, *, whole: bool = True) -> Heard:
    """What a message of the other side does; `status` None: nothing was known of this transfer.

    `whole`: with this message every part of a release is there.
    """
    return _sender_hears(status, event) if side is Side.SENDER else _receiver_hears(status, event, whole)


def awaits_release(status: TransferStatus | None) -> bool:
    """Whether a part of a release still means something to the receiver."""
    return status not in TAKEN


def may_release_again(status: TransferStatus, known: "Ownership") -> bool:
    """Whether the sender may seal the same release once more: given away, not taken in as far as it has heard, and not
    come back meanwhile. It is the same epoch to the same node, so whichever arrives first is taken, and one only."""
    return status is S.RELEASED and not known.mine


def _sender_hears(status: TransferStatus | None, event: TransferEvent) -> Heard:
    if event is E.ACCEPTED and status is S.SENT:
        return Heard(S.ACCEPTED)
    if event is E.REJECTED and status is S.SENT:
        return Heard(S.REJECTED)
    if event is E.RECEIVED and status is S.RELEASED:
        return Heard(S.ACKNOWLEDGED, E.ACKNOWLEDGED)
    return Heard(status)


def _receiver_hears(status: TransferStatus | None, event: TransferEvent, whole: bool) -> Heard:
    if event is E.RELEASED:
        if not awaits_release(status):
            return Heard(status)
        return Heard(S.RECEIVED, E.RECEIVED) if whole else Heard(S.RELEASED)
    if event is E.ACKNOWLEDGED:
        return Heard(S.ACKNOWLEDGED if status is S.RECEIVED else status)
    if event is E.OFFERED:
        return Heard(S.SENT if status is None else status)
    withdrawn = {E.REVOKED: S.REVOKED, E.EXPIRED: S.EXPIRED}.get(event)
    if withdrawn is not None and status in (None, S.SENT, S.ACCEPTED):
        return Heard(withdrawn)
    return Heard(status)


@dataclass(frozen=True)
class Ownership:
    """What a node knows of who owns a case: the highest epoch it has seen, and whether it is the owner in it."""

    epoch: int
    mine: bool

    def released(self) -> "Ownership":
        """Given away. Raises `MoveRefused` for a case that is not ours to give."""
        if not self.mine:
            raise MoveRefused("The case is not owned here; only its owner releases it.", current="not_owned")
        return Ownership(self.epoch + 1, mine=False)


def taken(known: Ownership | None, epoch: int) -> Ownership | None:
    """The ownership after a case of this epoch was received; None when it is older than what is known here."""
    return Ownership(epoch, mine=True) if known is None or epoch > known.epoch else None
