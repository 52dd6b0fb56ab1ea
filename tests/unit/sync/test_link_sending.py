"""A link that sends: never past the window, in batches that fit the line."""

from services.sync.actions import Send, Wait
from services.sync.link import GRANTS_NOTHING
from services.sync.pace import FIRST_BATCH, LEAST_BATCH, MOST_BATCH
from tests.unit.sync.driven import Driven, place


def test_new_facts_are_sent_at_once_and_the_link_is_idle_when_they_are_held() -> None:
    driven = Driven().answered()
    assert driven.link.state == "idle"
    driven.link.on_head(place(3))
    assert driven.link.state == "sending"
    assert driven.send() == 3
    assert driven.link.state == "waiting"
    driven.hear(3)
    assert driven.link.state == "idle"
    assert driven.link.held == place(3)


def test_it_stops_at_the_window_and_goes_on_when_more_is_held() -> None:
    driven = Driven(head=10_000, window=100_000).answered()
    driven.send_all()
    assert 50_000 < driven.link.outstanding <= 100_000
    assert driven.link.state == "waiting"
    driven.hear(700)
    assert driven.link.state == "sending"
    driven.send_all()
    assert driven.link.outstanding <= 100_000


def test_a_confirmation_by_the_broker_makes_no_room() -> None:
    driven = Driven(head=10_000, window=100_000).answered()
    driven.send_all()
    before = driven.link.outstanding
    driven.link.on_confirmed(driven.now)
    assert isinstance(driven.plan(), Wait)
    assert driven.link.outstanding == before


def test_the_other_sides_window_counts_if_it_is_smaller() -> None:
    driven = Driven(head=10_000).answered()
    driven.hear(0, window=10_000)
    driven.send_all()
    assert 0 < driven.link.outstanding <= 10_000


def test_a_window_of_nothing_stops_sending_until_it_opens() -> None:
    driven = Driven(head=10).answered()
    driven.hear(0, window=0)
    assert isinstance(driven.plan(), Wait)
    assert (driven.link.state, driven.link.reason) == ("waiting", GRANTS_NOTHING)
    driven.hear(0)
    assert isinstance(driven.plan(), Send)
    assert driven.link.reason == ""


def test_an_entry_larger_than_the_room_left_waits_and_goes_when_nothing_is_in_flight() -> None:
    driven = Driven(head=100, window=10_000).answered()
    driven.send()
    action = driven.plan()
    assert isinstance(action, Send)
    assert not driven.link.admit(action.after, 20_000)
    assert isinstance(driven.plan(), Wait), "asking again at once would be a busy loop"
    driven.hear(action.after.number)
    again = driven.plan()
    assert isinstance(again, Send)
    assert driven.link.admit(again.after, 20_000)


def test_batches_grow_on_a_fast_link_and_shrink_on_a_slow_one() -> None:
    driven = Driven(head=10**6).answered()
    first = driven.plan()
    assert isinstance(first, Send)
    assert first.max_bytes == FIRST_BATCH
    for _ in range(10):
        end = driven.send()
        driven.now += 0.1
        driven.hear(end)
    fast = driven.plan()
    assert isinstance(fast, Send)
    assert fast.max_bytes == MOST_BATCH
    for _ in range(10):
        end = driven.send()
        driven.now += 29.0
        driven.hear(end)
        driven.link.on_hello_said(driven.now)
    slow = driven.plan()
    assert isinstance(slow, Send)
    assert slow.max_bytes < FIRST_BATCH


def test_a_batch_settles_between_one_and_two_seconds_of_the_link() -> None:
    driven = Driven(head=10**6, nbytes=1).answered()
    rate = 100_000
    for _ in range(20):
        before = driven.link.outstanding
        end = driven.send()
        driven.now += (driven.link.outstanding - before) / rate
        driven.hear(end)
        driven.link.on_hello_said(driven.now)
    action = driven.plan()
    assert isinstance(action, Send)
    assert rate <= action.max_bytes <= 2 * rate


def test_a_trickle_of_live_facts_does_not_make_batches_small() -> None:
    driven = Driven().answered()
    for number in range(1, 30):
        driven.link.on_head(place(number))
        driven.send()
        driven.now += 0.5
        driven.hear(number)
    driven.link.on_head(place(10**6))
    action = driven.plan()
    assert isinstance(action, Send)
    assert action.max_bytes >= LEAST_BATCH
    assert action.max_bytes == FIRST_BATCH


def test_it_learns_how_many_entries_fit() -> None:
    driven = Driven(head=10**6, nbytes=1000).answered()
    before = driven.plan()
    for _ in range(20):
        end = driven.send()
        driven.now += 1.0
        driven.hear(end)
        driven.link.on_hello_said(driven.now)
    after = driven.plan()
    assert isinstance(before, Send)
    assert isinstance(after, Send)
    assert after.max_entries / after.max_bytes < before.max_entries / before.max_bytes / 10
