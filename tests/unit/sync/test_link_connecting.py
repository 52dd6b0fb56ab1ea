"""A link that is connecting: who speaks first, how often, and what is believed."""

from services.sync.actions import SayHello, Send, Wait
from tests.unit.sync.driven import Driven, place


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
