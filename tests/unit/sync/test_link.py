"""The sender decides from what the other side holds, and from nothing else."""

from dataclasses import replace
from hashlib import sha256

import pytest

from services.sync.link import Link, SayHello, Send, Wait
from services.sync.message import Held
from services.sync.pace import FIRST_BATCH, LEAST_BATCH, MOST_BATCH, backoff
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

    def __init__(self, head: int = 0, window: int = 2**21, nbytes: int = 100) -> None:
        self.now = 1000.0
        self.nbytes = nbytes
        self.link = Link(ORIGIN, DESTINATION, 1, place(head), random=lambda: 0.0, window=window)

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


# --- connecting


def test_nothing_is_sent_before_the_other_side_says_what_it_holds() -> None:
    driven = Driven(head=10)
    assert isinstance(driven.plan(), Wait)
    driven.link.on_connected(driven.now)
    assert driven.plan() == SayHello()
    driven.link.on_hello_said(driven.now)
    assert isinstance(driven.plan(), Wait)
    assert driven.link.state == "connecting"
    driven.hear(0)
    assert isinstance(driven.plan(), Send)


def test_it_sends_from_what_the_other_side_holds() -> None:
    action = Driven(head=10).answered(7).plan()
    assert isinstance(action, Send)
    assert action.after == place(7)


def test_after_a_reconnection_it_asks_again_and_sends_what_is_missing() -> None:
    driven = Driven(head=10).answered()
    assert driven.send() == 10
    driven.link.on_disconnected(driven.now)
    assert driven.link.state == "connecting"
    driven.answered(4)
    action = driven.plan()
    assert isinstance(action, Send)
    assert action.after == place(4)


def test_hellos_are_said_every_thirty_seconds() -> None:
    driven = Driven().answered()
    driven.now += 29.0
    assert driven.plan() == Wait(1.0)
    driven.now += 1.0
    assert driven.plan() == SayHello()


def test_a_hello_that_is_never_answered_is_said_again() -> None:
    driven = Driven(head=1)
    driven.link.on_connected(driven.now)
    driven.link.on_hello_said(driven.now)
    driven.now += 30.0
    assert driven.plan() == SayHello()


def test_unanswered_hellos_become_rarer_and_one_word_makes_them_regular_again() -> None:
    """A day of silence leaves some three hundred of them, not three thousand."""
    driven = Driven().answered()
    said = 0
    end = driven.now + 86_400.0
    while driven.now < end:
        action = driven.plan()
        if action == SayHello():
            driven.link.on_hello_said(driven.now)
            said += 1
        else:
            assert isinstance(action, Wait)
            assert 0 < action.seconds <= 300
            driven.now += action.seconds
    assert 280 < said < 300
    driven.hear(0)
    driven.now += 30.0
    assert driven.plan() == SayHello()


def test_a_broker_that_refuses_us_is_shown_until_it_lets_us_in() -> None:
    driven = Driven()
    driven.link.on_unauthorised("ACCESS_REFUSED", driven.now)
    assert (driven.link.state, driven.link.reason) == ("unauthorised", "ACCESS_REFUSED")
    driven.answered()
    assert (driven.link.state, driven.link.reason) == ("idle", "")


# --- window and pace


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
    assert driven.link.state == "waiting"
    driven.hear(0)
    assert isinstance(driven.plan(), Send)


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


# --- going back


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


# --- brokers in trouble


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


# --- stopped


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
