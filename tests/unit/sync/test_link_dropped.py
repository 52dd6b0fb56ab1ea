"""A link whose connections end: what it sends is made smaller when nothing of it gets through, and only then."""

from itertools import pairwise

from services.sync.actions import SayHello, Send
from services.sync.pace import FIRST_BATCH, SMALLEST_BATCH
from tests.unit.sync.driven import Driven

BACKLOG = 10**6


def batch_of(driven: Driven) -> int:
    """Bytes of the batch that it would send now."""
    action = driven.plan()
    assert isinstance(action, Send)
    return action.max_bytes


def dropped(driven: Driven, holds: int) -> Driven:
    """The connection ends; the next one finds that the other side holds so much."""
    driven.link.on_disconnected(driven.now)
    driven.now += 1.0
    return driven.answered(holds)


def test_after_each_connection_that_carried_nothing_a_batch_is_half_as_large() -> None:
    driven, sizes = Driven(head=BACKLOG).answered(), []
    for _ in range(6):
        sizes.append(batch_of(driven))
        driven.send_all()
        dropped(driven, holds=0)
    assert sizes[0] == FIRST_BATCH
    assert all(before * 0.4 < after <= before / 2 for before, after in pairwise(sizes[:4]))
    assert sizes[-1] == batch_of(driven) == SMALLEST_BATCH


def test_a_connection_that_ends_before_anything_was_sent_changes_nothing() -> None:
    driven = Driven(head=BACKLOG).answered()
    for _ in range(9):
        dropped(driven, holds=0)
    driven.link.on_disconnected(driven.now)
    driven.link.on_connected(driven.now)
    driven.link.on_disconnected(driven.now)
    assert batch_of(driven.answered()) == FIRST_BATCH


def test_one_loss_counts_once_however_many_connections_end_before_the_next_word() -> None:
    driven = Driven(head=BACKLOG).answered()
    driven.send_all()
    for _ in range(9):
        driven.link.on_disconnected(driven.now)
        driven.link.on_connected(driven.now)
        assert driven.plan() == SayHello()
    assert FIRST_BATCH * 0.4 < batch_of(dropped(driven, holds=0)) <= FIRST_BATCH // 2
    assert FIRST_BATCH * 0.4 < batch_of(dropped(driven, holds=0)) <= FIRST_BATCH // 2


def test_a_batch_that_arrived_without_a_word_of_it_was_not_too_large() -> None:
    driven = Driven(head=BACKLOG).answered()
    first = driven.send()
    driven.send_all()
    assert batch_of(dropped(driven, holds=first)) == FIRST_BATCH


def test_a_line_that_carried_more_than_it_lost_is_not_sent_less_when_it_drops() -> None:
    driven = Driven(head=BACKLOG).answered()
    for _ in range(2):
        end = driven.send()
        driven.now += FIRST_BATCH / 50_000
        driven.hear(end)
        driven.link.on_hello_said(driven.now)
    size = batch_of(driven)
    driven.send_all()
    assert batch_of(dropped(driven, holds=end)) == size


def test_a_line_that_carried_less_than_it_lost_is_sent_less_although_it_carried_something() -> None:
    driven = Driven(head=BACKLOG).answered()
    end = driven.send()
    driven.now += 0.1
    driven.hear(end)
    size = batch_of(driven)
    assert size > FIRST_BATCH
    driven.send_all()
    assert size * 0.4 < batch_of(dropped(driven, holds=end)) <= size // 2


def test_a_repaired_line_is_sent_as_much_as_before() -> None:
    driven = Driven(head=BACKLOG).answered()
    for _ in range(6):
        driven.send_all()
        dropped(driven, holds=0)
    assert batch_of(driven) == SMALLEST_BATCH
    words = 0
    while batch_of(driven) < FIRST_BATCH:
        end = driven.send()
        driven.now += 0.05
        driven.hear(end)
        words += 1
    assert words <= 10
