"""A link that waits and goes back: what is not held is sent again, within bounds."""

import pytest

from services.sync.actions import SayHello, Send, Wait
from services.sync.pace import FIRST_BATCH, backoff
from tests.unit.sync.driven import Driven, place


def test_a_receiver_that_answers_but_does_not_progress_is_sent_again_after_a_minute() -> None:
    driven = Driven(head=10).answered()
    driven.send()
    driven.wait(59.0, number=0)
    assert not isinstance(driven.plan(), Send)
    driven.wait(1.0, number=0)
    action = driven.plan()
    assert isinstance(action, Send)
    assert action.after == place(0)
    assert driven.link.went_back == 1


def test_further_attempts_wait_longer_and_longer_and_send_little() -> None:
    driven = Driven(head=10**6).answered()
    gaps = []
    for _ in range(12):
        last = driven.now
        driven.send_all()
        while not isinstance(driven.plan(), Send):
            driven.wait(1.0, number=0)
        gaps.append(driven.now - last)
    assert gaps[0] == pytest.approx(60, abs=2)
    assert gaps[3] == pytest.approx(60 + backoff(3, jitter=lambda: 0.0), abs=3)
    assert gaps[-1] == pytest.approx(60 + 150, abs=3)
    driven.send_all()
    assert driven.link.outstanding <= FIRST_BATCH
    driven.hear(10)
    driven.send_all()
    assert driven.link.outstanding > FIRST_BATCH, "progress restores the whole window"


def test_a_receiver_that_is_away_gets_hellos_and_no_repeats() -> None:
    """What its broker took waits there; a day of repeats would fill its queue."""
    driven = Driven(head=10).answered()
    driven.send()
    driven.wait(86_400.0)
    assert driven.link.went_back == 0
    assert driven.link.state == "waiting"
    driven.hear(0)
    driven.wait(62.0, number=0)
    assert isinstance(driven.plan(), Send), "once it speaks, what is missing is sent again"


def test_a_reported_gap_is_filled_at_once_but_only_once() -> None:
    driven = Driven(head=10_000, window=100_000).answered()
    driven.send_all()
    driven.hear(0, reason="gap")
    action = driven.plan()
    assert isinstance(action, Send)
    assert action.after == place(0)
    driven.send_all()
    driven.hear(0, reason="gap")
    assert driven.link.went_back == 1
    assert isinstance(driven.plan(), Wait)


def test_a_gap_reported_together_with_progress_is_filled_at_once() -> None:
    driven = Driven(head=10_000, window=100_000).answered()
    driven.send_all()
    driven.hear(500, reason="gap")
    action = driven.plan()
    assert isinstance(action, Send)
    assert action.after == place(500)


def test_what_arrives_after_all_is_not_sent_again() -> None:
    driven = Driven(head=10_000, window=100_000).answered()
    driven.send_all()
    driven.hear(0, reason="gap")
    driven.hear(900)
    action = driven.plan()
    assert isinstance(action, Send)
    assert action.after == place(900)


def test_a_batch_read_before_going_back_is_not_admitted() -> None:
    driven = Driven(head=10_000, window=100_000).answered()
    driven.send()
    action = driven.plan()
    assert isinstance(action, Send)
    driven.hear(0, reason="gap")
    assert not driven.link.admit(action.after, 10)
    assert driven.link.admit(place(0), 10)


def test_one_lower_word_is_asked_about_and_the_second_believed() -> None:
    driven = Driven(head=10).answered()
    driven.send()
    driven.hear(10)
    driven.hear(4)
    assert driven.link.held == place(10)
    assert driven.plan() == SayHello()
    driven.link.on_hello_said(driven.now)
    driven.hear(4)
    assert driven.link.held == place(4)
    assert driven.link.restored == 1
    assert driven.send() == 10


def test_an_old_word_that_came_late_changes_nothing() -> None:
    driven = Driven(head=10).answered()
    driven.send()
    for number in (10, 4, 10, 3, 10):
        driven.hear(number)
    assert driven.link.restored == 0
    assert driven.link.held == place(10)


def reconnected(driven: Driven) -> Driven:
    """The connection is made again and a hello said; nothing was answered yet."""
    driven.link.on_disconnected(driven.now)
    driven.link.on_connected(driven.now)
    assert driven.plan() == SayHello()
    driven.link.on_hello_said(driven.now)
    return driven


def test_a_receiver_restored_while_the_line_was_down_is_asked_twice_and_counted_once() -> None:
    driven = reconnected(Driven(head=10).answered(10))
    driven.hear(4)
    assert (driven.link.held, driven.link.state) == (place(10), "connecting")
    assert driven.plan() == SayHello()
    driven.link.on_hello_said(driven.now)
    assert isinstance(driven.plan(), Wait), "nothing is sent from a place that may be an old word's"
    for _ in range(3):
        driven.hear(4)
    assert (driven.link.held, driven.link.restored) == (place(4), 1)
    assert driven.send() == 10


@pytest.mark.parametrize("old", [(4,), (4, 7), (4, 7, 9)])
def test_words_that_waited_in_the_queue_while_the_line_was_down_are_no_restoring(old: tuple[int, ...]) -> None:
    driven = reconnected(Driven(head=12).answered(10))
    for number in (*old, 10, 10):
        driven.hear(number)
    assert (driven.link.held, driven.link.restored) == (place(10), 0)
    action = driven.plan()
    assert driven.plan() == SayHello() or (isinstance(action, Send) and action.after == place(10))


def test_a_restored_receiver_that_still_takes_what_is_in_its_queue_is_believed_when_it_stands_still() -> None:
    driven = reconnected(Driven(head=10).answered(10))
    for number in (4, 5, 6):
        driven.hear(number)
        assert driven.plan() == SayHello()
        driven.link.on_hello_said(driven.now)
    assert driven.link.restored == 0
    driven.hear(6)
    assert (driven.link.held, driven.link.restored) == (place(6), 1)


def test_the_second_question_is_repeated_like_any_hello_when_its_answer_is_lost() -> None:
    driven = reconnected(Driven(head=10).answered(10))
    driven.hear(4)
    driven.link.on_hello_said(driven.now)
    driven.wait(31.0, number=4)
    assert (driven.link.held, driven.link.restored) == (place(4), 1)
