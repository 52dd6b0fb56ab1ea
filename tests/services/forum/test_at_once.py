"""Two people at once: a move is made once, no number is given twice, and nobody waits for ever."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import contracts.forum as contract
from kernel.errors import MoveRefused
from services.forum import views
from services.forum.handlers import watch
from tests.services.forum.desk import DIRECTOR, PATIENCE, Desk, facilitator

PEOPLE = 4


def at_once(attempt: Callable[[], Any]) -> list[Any]:
    """What became of one attempt made by several people at the same moment: its value, or its refusal."""
    together = Barrier(PEOPLE)

    def person(_: int) -> Any:
        together.wait(PATIENCE)
        try:
            return attempt()
        except MoveRefused as refusal:
            return refusal

    with ThreadPoolExecutor(PEOPLE) as people:
        return list(people.map(person, range(PEOPLE), timeout=PATIENCE))


def test_a_meeting_is_held_once(desk: Desk) -> None:
    forum_id = desk.established()
    meeting_id = desk.planned(forum_id)
    outcomes = at_once(lambda: desk.hold(forum_id, meeting_id))
    assert sum(isinstance(outcome, MoveRefused) for outcome in outcomes) == PEOPLE - 1
    assert len(desk.facts("meeting.held")) == len(desk.facts("forum.activated")) == 1


def test_numbers_have_no_gap_and_no_double(desk: Desk) -> None:
    forum_id = desk.established()
    at_once(lambda: desk.planned(forum_id))
    shown = desk.list(views.meetings, contract.MeetingQuery, facilitator(forum_id), forum_id=forum_id)
    assert sorted(item["number"][10:16] for item in shown) == ["000001", "000002", "000003", "000004"]


def test_the_members_of_a_forum_are_counted_one_after_the_other(desk: Desk) -> None:
    forum_id = desk.established()
    at_once(lambda: desk.member(forum_id))
    told = [fact.statistical_values()["members"] for fact in desk.facts("forum.members_changed")]
    assert told == [1, 2, 3, 4]
    assert desk.forum(forum_id, DIRECTOR)["members_by_sector"] == {"women": 4}


def test_two_watches_tell_of_a_silent_forum_once(desk: Desk) -> None:
    desk.active()
    desk.later(days=61)
    outcomes = at_once(lambda: desk.tick(watch.watch_forums))
    assert sorted(outcomes) == [0, 0, 0, 1]
    assert len(desk.facts("forum.at_risk")) == 1
