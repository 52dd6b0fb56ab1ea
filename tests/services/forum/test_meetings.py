"""Meetings, and what is private in a forum."""

from functools import partial

import pytest

import contracts.forum as contract
from kernel.errors import BadInput, MoveRefused
from services.forum import access, found, views
from services.forum.handlers import meetings
from tests.services.forum.desk import (
    DIRECTOR,
    OFFICER,
    TODAY,
    UNKNOWN,
    Desk,
    facilitator,
    plain_member,
)


def test_a_meeting_with_quorum_is_held_and_its_counts_are_shown(desk: Desk) -> None:
    forum_id = desk.established()
    meeting_id = desk.planned(forum_id, agenda=["lights", "school"])
    held = desk.hold(forum_id, meeting_id, guests=2)
    shown = desk.read(lambda session: views.meeting(session, held))
    assert (shown["status"], shown["quorum_met"], shown["guests"], shown["tension"]) == ("held", True, 2, 2)
    assert [(line["sector"], line["count"]) for line in shown["attendance"]] == [("police", 3), ("women", 4)]
    assert shown["number"].startswith("M-NI-2026-000001-")


def test_quorum_is_computed_by_the_forums_own_rule(desk: Desk) -> None:
    forum_id = desk.established(quorum={"people": 3, "sectors": 1, "women": 5})
    held = desk.hold(forum_id, desk.planned(forum_id))
    assert (held.status, held.quorum_met) == ("no_quorum", False)


def test_a_meeting_cannot_be_held_twice_nor_cancelled_afterwards(desk: Desk) -> None:
    forum_id = desk.established()
    meeting_id = desk.planned(forum_id)
    desk.hold(forum_id, meeting_id)
    with pytest.raises(MoveRefused):
        desk.hold(forum_id, meeting_id)
    with pytest.raises(MoveRefused) as refusal:
        desk.ask(
            meetings.cancel_meeting,
            contract.CancelMeeting,
            facilitator(forum_id),
            forum_id=forum_id,
            meeting_id=meeting_id,
            reason="weather",
        )
    assert "held" in refusal.value.message


def test_a_meeting_is_not_held_in_the_future(desk: Desk) -> None:
    forum_id = desk.established()
    with pytest.raises(BadInput) as refusal:
        desk.hold(forum_id, desk.planned(forum_id), held_at="2026-03-02T12:00:01+03:00")
    assert "held_at" in refusal.value.details["where"]


def test_a_cancelled_meeting_says_why(desk: Desk) -> None:
    forum_id = desk.established()
    cancelled = desk.ask(
        meetings.cancel_meeting,
        contract.CancelMeeting,
        facilitator(forum_id),
        forum_id=forum_id,
        meeting_id=desk.planned(forum_id),
        reason="insecurity",
    )
    assert (cancelled.status, cancelled.cancel_reason) == ("cancelled", "insecurity")
    assert desk.facts("meeting.cancelled")[0].statistical_values()["cancel_reason"] == "insecurity"


def test_a_proposed_forum_does_not_meet_yet(desk: Desk) -> None:
    with pytest.raises(found.ForumNotWorking):
        desk.planned(desk.proposed())


def test_a_meeting_is_found_in_its_own_forum_only(desk: Desk) -> None:
    here, there = desk.established(), desk.established()
    with pytest.raises(found.MeetingNotFound):
        desk.hold(here, desk.planned(there))
    with pytest.raises(found.MeetingNotFound):
        desk.hold(here, UNKNOWN)


def test_the_fact_of_a_meeting_counts_people_by_sector_and_by_sex(desk: Desk) -> None:
    forum_id = desk.established()
    desk.hold(forum_id, desk.planned(forum_id))
    (fact,) = desk.facts("meeting.held")
    told = fact.statistical_values()
    assert told["attendance_by_sector"] == {"police": 3, "women": 4}
    assert told["attendance_by_sex"] == {"female": 4, "male": 3}
    assert (told["week"], told["district"], told["suppressed"]) == ("2026-W10", "mosul", False)
    assert fact.operational_values()["held_on"] == TODAY.isoformat()
    assert not {"held_on", "planned_on", "number", "forum_id"} & set(told)


@pytest.mark.parametrize("session", ["closed", "women_only"])
def test_a_private_session_is_there_for_its_own_forum_only(desk: Desk, session: str) -> None:
    forum_id = desk.established()
    desk.planned(forum_id)
    private = desk.planned(forum_id, session=session)

    def listed(by: access.Actor) -> int:
        return len(desk.list(views.meetings, contract.MeetingQuery, by, forum_id=forum_id))

    assert (listed(facilitator(forum_id)), listed(plain_member(forum_id))) == (2, 2)
    assert (listed(DIRECTOR), listed(OFFICER)) == (1, 1)
    with pytest.raises(found.MeetingNotFound):
        desk.read(lambda opened: found.meeting(opened, forum_id, private, by=DIRECTOR))
    assert desk.read(lambda opened: found.meeting(opened, forum_id, private, by=plain_member(forum_id)))


def test_what_comes_out_of_a_private_session_is_as_private(desk: Desk) -> None:
    forum_id = desk.established()
    meeting_id = desk.planned(forum_id, session="women_only")
    concern_id = desk.concern(forum_id, meeting_id=meeting_id)
    from_concern = desk.action(forum_id, concern_id=concern_id)
    from_meeting = desk.action(forum_id, meeting_id=meeting_id)
    inside = plain_member(forum_id)
    for by, seen in ((inside, 1), (DIRECTOR, 0), (OFFICER, 0)):
        assert len(desk.list(views.concerns, contract.ConcernQuery, by, forum_id=forum_id)) == seen
        assert len(desk.list(views.actions, contract.ActionQuery, by, forum_id=forum_id)) == 2 * seen
        assert len(desk.list(views.actions, contract.ActionQuery, by)) == 2 * seen
    with pytest.raises(found.ConcernNotFound):
        desk.read(lambda session: found.concern(session, concern_id, by=DIRECTOR))
    for action_id in (from_concern, from_meeting):
        with pytest.raises(found.ActionNotFound):
            desk.read(partial(found.action, action_id=action_id, by=DIRECTOR))


def test_the_fact_of_a_private_session_shows_neither_who_came_nor_what_it_was_about(desk: Desk) -> None:
    forum_id = desk.established()
    meeting_id = desk.planned(forum_id, session="women_only")
    desk.hold(forum_id, meeting_id, tension=5)
    desk.concern(forum_id, meeting_id=meeting_id, category="harassment")
    held = desk.facts("meeting.held")[0].statistical_values()
    assert held["suppressed"]
    assert [held[name] for name in ("attendance_by_sector", "attendance_by_sex", "tension")] == [None] * 3
    raised = desk.facts("concern.raised")[0].statistical_values()
    assert raised["suppressed"]
    assert [raised[name] for name in ("category", "priority", "raised_by")] == [None] * 3
