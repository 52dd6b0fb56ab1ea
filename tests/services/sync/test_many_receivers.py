"""Many receivers of one engine share what may be in memory; none of them waits for another."""

from collections import deque
from collections.abc import Callable
from typing import Any, cast

import pytest

from kernel.crypto import SigningKey
from kernel.database import Database
from services.sync.folding import reached
from services.sync.lanes import Lane
from services.sync.line import Delivery
from services.sync.message import Batch, Held, Hello, sign
from services.sync.receivers import LEAST_WINDOW, Receiver
from services.sync.replicas import Replicas
from services.sync.shares import OPENED, TOTAL, Shares
from services.sync.trust import Trust
from tests.conftest import MakeDatabase
from tests.services.sync.facts import fact
from tests.services.sync.replica_kit import WINDOW, Origin

ENTRIES = 12


@pytest.fixture
def database(make_database: MakeDatabase) -> Database:
    return make_database("sync")


class Later:
    """Lanes and timers whose work is done when a test says so, in the order in which it was given."""

    def __init__(self) -> None:
        self._jobs: deque[Callable[[], None]] = deque()

    def run(self, job: Callable[[], Any], done: Callable[[Any], None], _failed: Callable[[Exception], None]) -> None:
        self._jobs.append(lambda: done(job()))

    def call(self, job: Callable[[], Any]) -> Any:
        return job()

    def call_later(self, _delay: float, callback: Callable[[], Any]) -> object:
        self._jobs.append(callback)
        return callback

    def remove_timeout(self, timer: Any) -> None:
        self._jobs.remove(timer)

    def work(self) -> bool:
        """Do the first that waits; whether there was any."""
        if self._jobs:
            self._jobs.popleft()()
            return True
        return False


class Channel:
    is_open = True

    def basic_ack(self, _tag: int, *, multiple: bool) -> None:
        assert multiple


class Peer:
    """A governorate with a backlog, and the receiver that a directorate has for it."""

    def __init__(self, name: str, database: Database, later: Later, shares: Shares) -> None:
        self.origin, self.said = Origin(name), list[Held]()
        self.origin.add(*(fact(f"{name}-{number % 5}", version=number) for number in range(1, ENTRIES + 1)))
        self._key = SigningKey.new()
        self.receiver = Receiver(
            name,
            replicas=Replicas(name, f"jisr.up.{name}", WINDOW, lambda _one: False, shares=shares),
            trust=Trust({name: self._key.verify_key}),
            database=database,
            lane=cast("Lane", later),
            lane_ahead=cast("Lane", later),
            timers=later,
            coalesce=0.0,
            say=lambda said: self.said.append(cast("Held", said)),
            on_held=lambda _held: None,
            on_recalled=lambda _recalled: None,
            recalled=cast("Any", None),
            announce=lambda _type, _message: None,
            shares=shares,
        )

    def sends(self, message: Hello | Batch) -> int:
        body, headers = sign(message, self._key)
        self.receiver.on_message(Delivery(cast("Any", Channel()), 1, body, dict(headers)))
        return len(body)

    def sends_all(self) -> int:
        """What it has, one entry at a time; the bytes."""
        return sum(self.sends(self.origin.batch(after, after + 1)) for after in range(ENTRIES))


def test_many_that_catch_up_at_once_share_the_memory_and_all_arrive(database: Database) -> None:
    total = OPENED * 14_000  # room for all deliveries, and for a dozen of a hundred and forty batches
    later, shares = Later(), Shares(total)
    peers = [Peer(f"governorate-{number}", database, later, shares) for number in range(12)]
    for peer in peers:
        peer.sends(peer.origin.hello())
    while later.work():
        pass
    for peer in peers:
        peer.sends_all()
    left = [shares.left]
    while later.work():
        left.append(shares.left)
    assert 0 <= min(left) < total // 4
    assert shares.left == total
    for peer in peers:
        held = peer.receiver.held
        assert held is not None
        assert held.held == peer.origin.head
        with database.read() as session:
            assert reached(session, peer.receiver.peer) == ENTRIES


def test_one_that_finds_no_room_takes_its_batches_in_their_turn(database: Database) -> None:
    later, shares = Later(), Shares(0)
    peer = Peer("ninewa", database, later, shares)
    peer.sends(peer.origin.hello())
    peer.sends_all()
    while later.work():
        pass
    assert (peer.said[-1].held, shares.left) == (peer.origin.head, 0)


def test_a_window_is_smaller_while_others_have_much_to_deliver_and_whole_afterwards(database: Database) -> None:
    later, shares = Later(), Shares()
    peer, other = Peer("ninewa", database, later, shares), shares.share()
    peer.sends(peer.origin.hello())
    while later.work():
        pass
    assert peer.said[-1].window == WINDOW
    say = peer.receiver.say_held
    other.hold(TOTAL - WINDOW)
    say()
    assert LEAST_WINDOW < peer.said[-1].window < WINDOW
    other.hold(TOTAL)
    say()
    assert peer.said[-1].window == LEAST_WINDOW
    other.hold(0)
    say()
    assert peer.said[-1].window == WINDOW


def test_what_a_lost_line_had_brought_is_given_back(database: Database) -> None:
    later, shares = Later(), Shares()
    peer = Peer("ninewa", database, later, shares)
    peer.sends(peer.origin.hello())
    while later.work():
        pass
    peer.sends_all()
    later.work()
    assert shares.left < TOTAL
    peer.receiver.on_gone()
    while later.work():
        pass
    assert shares.left == TOTAL
    peer.sends(peer.origin.batch(0, ENTRIES))
    while later.work():
        pass
    assert (peer.said[-1].held, shares.left) == (peer.origin.head, TOTAL)
