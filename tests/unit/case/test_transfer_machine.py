"""Never two owners, and what was released arrives: searched by property over lost, repeated, late and reordered
messages, crashes, and cases that go on and come back."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.case.transfers import Side, TransferEvent, TransferStatus
from kernel.errors import MoveRefused
from services.case.transfer.machine import GIVEN_AWAY, TAKEN, UNDECIDED, Ownership, act, hear, may_release_again, taken

PARTS = 3
NODES = ("ninewa", "duhok", "erbil")
S, E = TransferStatus, TransferEvent


@dataclass(frozen=True)
class Letter:
    """A fact in a journal: it is there for ever, and may be delivered any number of times."""

    transfer: int
    event: TransferEvent
    sender: str
    receiver: str
    to: str
    epoch: int | None = None
    release: int = 0
    part: int = 0


@dataclass
class Country:
    """What every node has committed. A crash undoes nothing of it: state and letter are one commit."""

    owns: dict[str, Ownership] = field(default_factory=lambda: {"ninewa": Ownership(1, mine=True)})
    rows: dict[tuple[str, int], TransferStatus] = field(default_factory=dict)
    letters: list[Letter] = field(default_factory=list)
    transfers: list[tuple[str, str]] = field(default_factory=list)
    released: dict[int, int] = field(default_factory=dict)
    sealed: int = 0
    here: dict[tuple[str, int], set[int]] = field(default_factory=dict)
    counted: str = "ninewa"

    def propose(self, sender: str, receiver: str) -> None:
        busy = any(
            self.rows.get((sender, number)) in UNDECIDED
            for number, (begun, _) in enumerate(self.transfers)
            if begun == sender
        )
        if sender == receiver or busy or not self.owns.get(sender, Ownership(0, mine=False)).mine:
            return
        self.transfers.append((sender, receiver))
        self.rows[sender, len(self.transfers) - 1] = S.PROPOSED

    def do(self, number: int, side: Side, event: TransferEvent) -> None:
        sender, receiver = self.transfers[number]
        me, other = (sender, receiver) if side is Side.SENDER else (receiver, sender)
        status = self.rows.get((me, number))
        if status is None:
            return
        try:
            after = act(side, status, event)
            epoch = None
            if event is E.RELEASED:
                self.owns[me] = self.owns[me].released()
                epoch = self.owns[me].epoch
                self.released[number] = epoch
        except MoveRefused:
            return
        self.rows[me, number] = after
        if epoch is not None:
            self.seal(number, epoch)
        else:
            self.letters.append(Letter(number, event, sender, receiver, other))

    def seal(self, number: int, epoch: int) -> None:
        """Every part of a release, in one commit."""
        sender, receiver = self.transfers[number]
        self.sealed += 1
        self.letters += [
            Letter(number, E.RELEASED, sender, receiver, receiver, epoch, self.sealed, part) for part in range(PARTS)
        ]

    def again(self, number: int) -> None:
        sender, _ = self.transfers[number]
        status = self.rows[sender, number]
        if may_release_again(status, self.owns[sender]):
            self.seal(number, self.released[number])

    def deliver(self, letter: Letter) -> None:
        side = Side.SENDER if letter.to == letter.sender else Side.RECEIVER
        whole = True
        if letter.event is E.RELEASED:
            here = self.here.setdefault((letter.to, letter.release), set())
            here.add(letter.part)
            whole = len(here) == PARTS
        heard = hear(side, self.rows.get((letter.to, letter.transfer)), letter.event, whole=whole)
        if heard.status is None:
            return
        self.rows[letter.to, letter.transfer] = heard.status
        if letter.event is E.RELEASED and heard.answer is E.RECEIVED:
            assert letter.epoch is not None
            now = taken(self.owns.get(letter.to), letter.epoch)
            if now is not None:
                self.owns[letter.to] = now
        if heard.answer is not None:
            other = letter.receiver if letter.to == letter.sender else letter.sender
            self.letters.append(
                Letter(letter.transfer, heard.answer, letter.sender, letter.receiver, other, letter.epoch)
            )

    def owners(self) -> list[str]:
        return [node for node, ownership in self.owns.items() if ownership.mine]


def settled(country: Country) -> None:
    """Every journal is read to its end by everybody, in its own order; whatever is answered is read too."""
    at = 0
    while at < len(country.letters):
        country.deliver(country.letters[at])
        at += 1


acts = st.one_of(
    st.tuples(st.just("propose"), st.sampled_from(NODES), st.sampled_from(NODES)),
    st.tuples(st.just("do"), st.integers(0, 5), st.sampled_from(Side), st.sampled_from(TransferEvent)),
    st.tuples(st.just("again"), st.integers(0, 5)),
    st.tuples(st.just("deliver"), st.integers(0, 200)),
    st.tuples(st.just("deliver"), st.integers(0, 200)),
)


def run(country: Country, steps: list[tuple[object, ...]]) -> None:
    for what, *values in steps:
        if what == "propose":
            country.propose(*values)  # type: ignore[arg-type]
        elif what == "do" and country.transfers:
            number, side, event = values
            country.do(number % len(country.transfers), side, event)  # type: ignore[operator,arg-type]
        elif what == "again" and country.transfers:
            (number,) = values
            country.again(number % len(country.transfers))  # type: ignore[operator]
        elif what == "deliver" and country.letters:
            (which,) = values
            country.deliver(country.letters[which % len(country.letters)])  # type: ignore[operator]
        assert len(country.owners()) <= 1, "two nodes own one case"


@settings(max_examples=400)
@given(st.lists(acts, max_size=120))
def test_never_two_owners_and_what_was_released_arrives(steps: list[tuple[object, ...]]) -> None:
    country = Country()
    run(country, steps)
    settled(country)
    assert len(country.owners()) == 1, "whatever was released has arrived"
    for number in country.released:
        sender, receiver = country.transfers[number]
        assert country.rows[sender, number] in GIVEN_AWAY
        assert country.rows[receiver, number] in TAKEN
    assert country.counted == "ninewa"


@given(st.lists(acts, max_size=80))
def test_both_sides_end_with_the_same_word(steps: list[tuple[object, ...]]) -> None:
    country = Country()
    run(country, steps)
    settled(country)
    settled(country)
    for number, (sender, receiver) in enumerate(country.transfers):
        mine, theirs = country.rows[sender, number], country.rows.get((receiver, number))
        if mine is S.PROPOSED:
            assert theirs is None
        elif theirs is not None:
            assert (
                {mine, theirs} <= {mine}
                or (mine, theirs) == (S.REVOKED, S.REJECTED)
                or (mine in (S.REVOKED, S.EXPIRED) and theirs is S.REJECTED)
            )


@given(st.sampled_from(Side), st.one_of(st.none(), st.sampled_from(TransferStatus)), st.sampled_from(TransferEvent))
def test_what_was_heard_once_is_heard_again_in_vain(
    side: Side, status: TransferStatus | None, event: TransferEvent
) -> None:
    once = hear(side, status, event)
    again = hear(side, once.status, event)
    assert again.status is once.status
    assert again.answer is None or once.status is status


@given(st.sampled_from(TransferStatus), st.sampled_from(TransferEvent))
def test_nobody_acts_for_the_other_side(status: TransferStatus, event: TransferEvent) -> None:
    mine = {E.OFFERED, E.REVOKED, E.EXPIRED, E.RELEASED}
    for side, own in ((Side.SENDER, mine), (Side.RECEIVER, {E.ACCEPTED, E.REJECTED})):
        if event not in own:
            with pytest.raises(MoveRefused):
                act(side, status, event)


def test_only_an_owner_releases_and_an_old_release_gives_nothing() -> None:
    mine = Ownership(1, mine=True)
    given_away = mine.released()
    assert given_away == Ownership(2, mine=False)
    with pytest.raises(MoveRefused):
        given_away.released()
    assert taken(given_away, 2) is None
    assert taken(given_away, 3) == Ownership(3, mine=True)
    assert taken(None, 2) == Ownership(2, mine=True)
