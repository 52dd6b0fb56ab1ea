"""A link that is blocked, stopped or paused: what stops it, and what lets it go on."""

import pytest

from services.sync.actions import SayHello, Send, Wait
from services.sync.link import Link
from services.sync.pace import backoff
from services.sync.position import Position
from tests.unit.sync.driven import DESTINATION, ORIGIN, Driven, digest_at, held, place


def test_a_full_queue_blocks_with_growing_waits_and_sends_again() -> None:
    driven = Driven(head=10).answered()
    waits = []
    for _ in range(4):
        driven.send()
        driven.link.on_nacked(driven.now)
        assert driven.link.state == "blocked"
        assert "full" in driven.link.reason
        action = driven.plan()
        assert isinstance(action, Wait)
        waits.append(action.seconds)
        driven.now += action.seconds
    assert waits == [0.5, 1.0, 2.0, 4.0]
    driven.send()
    driven.link.on_confirmed(driven.now)
    assert driven.link.state == "waiting"


def test_batches_refused_together_count_once() -> None:
    driven = Driven(head=10_000, window=400_000).answered()
    driven.send_all()
    for _ in range(5):
        driven.link.on_nacked(driven.now)
    assert driven.plan() == Wait(0.5)
    assert driven.link.outstanding == 0


def test_a_missing_queue_blocks_and_names_the_cause() -> None:
    driven = Driven(head=10).answered()
    driven.send()
    driven.link.on_returned(driven.now)
    assert driven.link.state == "blocked"
    assert "no queue" in driven.link.reason


def test_a_broker_in_alarm_is_left_alone_and_the_pause_is_nobodys_delay() -> None:
    driven = Driven(head=10).answered()
    driven.send()
    driven.hear(0)
    driven.link.on_blocked(driven.now)
    assert driven.link.state == "blocked"
    driven.now += 3600.0
    assert isinstance(driven.plan(), Wait)
    driven.link.on_unblocked(driven.now)
    assert driven.plan() == SayHello()
    driven.link.on_hello_said(driven.now)
    assert isinstance(driven.plan(), Wait)
    assert driven.link.went_back == 0


def test_a_differing_digest_stops_the_link_for_good() -> None:
    driven = Driven(head=10).answered()
    driven.hear(5, held=Position(5, bytes(32)))
    assert driven.link.state == "diverged"
    assert "5" in driven.link.reason
    driven.hear(5)
    assert driven.link.state == "diverged", "a person decides"
    assert isinstance(driven.plan(), Wait)
    driven.now += 30.0
    assert driven.plan() == SayHello(), "its head stays known"


def test_a_differing_digest_at_the_start_of_the_journal_is_noticed() -> None:
    driven = Driven(head=10)
    driven.link.on_connected(driven.now)
    driven.hear(0, held=Position(0, bytes(32)))
    assert driven.link.state == "diverged"


def test_more_held_than_recorded_means_that_this_node_was_restored() -> None:
    driven = Driven(head=10).answered(10)
    driven.link.on_disconnected(driven.now)
    driven.link.on_connected(driven.now)
    driven.hear(11)
    assert driven.link.state == "rolled_back"
    driven.link.on_head(place(12))
    driven.hear(11)
    assert driven.link.state == "rolled_back", "what is recorded since is not what was lost"


def test_resume_asks_again_and_stops_again_if_the_cause_remains() -> None:
    driven = Driven(head=10).answered()
    driven.hear(5, held=Position(5, bytes(32)))
    driven.link.resume(driven.now)
    assert driven.plan() == SayHello()
    driven.link.on_hello_said(driven.now)
    driven.hear(5, held=Position(5, bytes(32)))
    assert driven.link.state == "diverged"
    driven.link.resume(driven.now)
    driven.hear(5)
    assert isinstance(driven.plan(), SayHello)
    driven.link.on_hello_said(driven.now)
    assert driven.send() == 10


@pytest.mark.parametrize(
    ("word", "state"),
    [("refused", "refused"), ("diverged", "diverged"), ("duplicate", "duplicate"), ("of a later version", "refused")],
)
def test_a_receiver_that_takes_nothing_stops_the_link_until_it_says_otherwise(word: str, state: str) -> None:
    driven = Driven(head=10).answered()
    driven.hear(0, state=word, reason="It does not lead there.")
    assert driven.link.state == state
    assert driven.link.reason == "It does not lead there."
    assert isinstance(driven.plan(), Wait)
    driven.hear(0)
    assert isinstance(driven.plan(), Send)


def test_a_suspected_rollback_is_judged_by_the_position_and_not_by_the_word() -> None:
    driven = Driven(head=10).answered()
    driven.hear(3, state="rolled_back", reason="The origin's journal ends at 2; 3 is held here.")
    assert driven.link.state == "sending"


def test_another_epoch_is_refused_until_it_is_settled() -> None:
    driven = Driven(head=10).answered()
    driven.hear(0, epoch=2)
    assert driven.link.state == "refused"
    assert "epoch 2" in driven.link.reason
    driven.hear(0)
    assert driven.link.state == "sending"


def test_a_word_about_another_journal_is_passed_over() -> None:
    driven = Driven(head=10).answered()
    driven.hear(9, origin="anbar")
    assert driven.link.held == place(0)


def test_a_paused_link_says_hello_and_sends_nothing() -> None:
    driven = Driven(head=10).answered()
    driven.link.pause()
    assert driven.link.state == "paused"
    assert isinstance(driven.plan(), Wait)
    assert not driven.link.admit(place(0), 10)
    driven.now += 30.0
    assert driven.plan() == SayHello()
    driven.link.on_hello_said(driven.now)
    driven.link.resume(driven.now)
    assert driven.send() == 10


def test_a_link_that_was_paused_before_the_engine_started_stays_paused() -> None:
    link = Link(ORIGIN, DESTINATION, 1, place(5), random=lambda: 0.0, paused=True)
    link.on_connected(0.0)
    link.on_held(held(0), digest_at, 0.0)
    assert link.state == "paused"
    link.on_hello_said(0.0)
    assert isinstance(link.plan(0.0), Wait)


def test_digests_of_batches_in_flight_need_not_be_looked_up() -> None:
    driven = Driven(head=10).answered(4)
    driven.send()
    assert [driven.link.known_digest(number) is not None for number in (0, 4, 7, 10)] == [True, True, False, True]


def test_waits_double_up_to_five_minutes_and_half_is_left_to_chance() -> None:
    assert [backoff(attempt, jitter=lambda: 1.0) for attempt in (1, 2, 3, 9, 10, 1000)] == [1, 2, 4, 256, 300, 300]
    assert backoff(3, jitter=lambda: 0.0) == 2.0
