"""A link of a node that is not alone, whose journal is in doubt, or whose destination knows an earlier life of it."""

from dataclasses import replace

from contracts.sync import LinkState
from services.sync.actions import Send, Wait
from services.sync.link import Link
from services.sync.message import Held
from tests.unit.sync.driven import DESTINATION, ORIGIN, place


def test_who_is_told_of_a_later_session_stops_and_says_what_it_was_told() -> None:
    link = Link(ORIGIN, DESTINATION, 1, place(5), random=lambda: 0.0, session=3, boot="b3")
    link.on_connected(0.0)
    said = Held(ORIGIN, 1, place(2), 2**21, "ok", "", 3, "b3")
    link.on_held(said, lambda number: place(number).digest, 1.0)
    assert link.state is LinkState.SENDING
    link.on_held(replace(said, session=4, boot="b4"), lambda number: place(number).digest, 2.0)
    assert (link.state, link.told) == (LinkState.DUPLICATE, 4)
    assert not isinstance(link.plan(3.0), Send)
    link.resume(4.0)
    link.on_held(replace(said, session=2, boot="b2"), lambda number: place(number).digest, 5.0)
    assert link.state is LinkState.SENDING


def test_a_journal_in_doubt_is_sent_to_nobody_and_goes_on_afterwards() -> None:
    link = Link(ORIGIN, DESTINATION, 1, place(5), random=lambda: 0.0)
    link.on_connected(0.0)
    link.on_hello_said(0.0)
    link.on_held(Held(ORIGIN, 1, place(2), 2**21, "ok", ""), lambda number: place(number).digest, 1.0)
    link.doubt((LinkState.ROLLED_BACK, "elsewhere"))
    assert (link.state, link.reason, link.verdict) == (LinkState.ROLLED_BACK, "elsewhere", None)
    assert isinstance(link.plan(2.0), Wait)
    assert not link.admit(place(2), 10)
    link.doubt(None)
    assert isinstance(link.plan(3.0), Send)


def test_a_destination_in_an_earlier_life_is_sent_nothing_until_it_follows() -> None:
    link = Link(ORIGIN, DESTINATION, 2, place(5), random=lambda: 0.0, begun=1)
    link.on_connected(0.0)
    link.on_held(Held(ORIGIN, 1, place(2), 2**21, "ok", ""), lambda number: place(number).digest, 1.0)
    assert link.state == "connecting"
    link.on_held(Held(ORIGIN, 1, place(2), 2**21, "diverged", "Because."), lambda number: place(number).digest, 1.0)
    assert link.state == "diverged"
    link.on_held(Held(ORIGIN, 2, place(2), 2**21, "ok", ""), lambda number: place(number).digest, 2.0)
    assert link.state is LinkState.SENDING
