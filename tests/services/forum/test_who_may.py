"""Who may read and write what, and what no fact holds."""

import pytest

import contracts.forum as contract
from contracts.roles import Role
from services.forum import access, found, views
from services.forum.handlers import actions, concerns, forums, meetings, watch
from tests.services.forum.desk import (
    DIRECTOR,
    MARKER,
    QUORATE,
    Desk,
    actor,
    facilitator,
    plain_member,
)
from tests.services.forum.steps import OTHER_ACCOUNT, answered, ask_concern, verify


def test_the_facilitator_of_another_forum_writes_and_reads_nothing_here(desk: Desk) -> None:
    forum_id, theirs = desk.established(), desk.established()
    other = facilitator(theirs, account="other")
    concern_id, action_id = desk.concern(forum_id), desk.action(forum_id)
    meeting_id = desk.planned(forum_id)
    plan = {"forum_id": forum_id, "planned_at": desk.now.isoformat(), "place": "school"}
    hold = {"forum_id": forum_id, "meeting_id": meeting_id, "held_at": desk.now.isoformat(), "tension": 1}
    for attempt in (
        lambda: desk.ask(meetings.plan_meeting, contract.PlanMeeting, other, **plan),
        lambda: desk.ask(meetings.hold_meeting, contract.HoldMeeting, other, **hold, attendance=QUORATE),
        lambda: desk.ask(concerns.accept_concern, contract.AcceptConcern, other, concern_id=concern_id),
        lambda: desk.ask(actions.agree_action, contract.AgreeAction, other, action_id=action_id),
        lambda: desk.ask(actions.verify_action, contract.VerifyAction, other, action_id=action_id),
        lambda: desk.list(views.meetings, contract.MeetingQuery, other, forum_id=forum_id),
        lambda: desk.list(views.actions, contract.ActionQuery, other, forum_id=forum_id),
        lambda: desk.list(views.members, contract.MemberQuery, other, forum_id=forum_id),
        lambda: desk.read(lambda session: found.action(session, action_id, by=other)),
    ):
        with pytest.raises(access.NotYourForum):
            attempt()
    assert [item["id"] for item in desk.list(views.forums, contract.ForumQuery, other)] == [theirs]
    assert desk.list(views.actions, contract.ActionQuery, other) == []


def test_a_member_reads_their_forum_and_does_not_write_it(desk: Desk) -> None:
    forum_id = desk.established()
    by, concern_id = plain_member(forum_id), desk.concern(forum_id)
    assert desk.forum(forum_id, by)["id"] == forum_id
    with pytest.raises(access.NotYourForum):
        ask_concern(desk, concern_id, by, "accept")


def test_a_forum_in_an_account_without_a_forum_role_opens_nothing_private(desk: Desk) -> None:
    forum_id = desk.established()
    desk.planned(forum_id, session="closed")
    by = actor("officer", Role.COMMUNITY_OFFICER, forums=(forum_id,))
    assert desk.list(views.meetings, contract.MeetingQuery, by, forum_id=forum_id) == []


def test_no_fact_of_a_whole_life_holds_a_name_a_contact_or_a_sentence(desk: Desk) -> None:
    forum_id = desk.established()
    desk.member(forum_id, "women", account_id=OTHER_ACCOUNT)
    desk.hold(forum_id, desk.planned(forum_id, agenda=[f"{MARKER} item"]))
    answered(desk, forum_id)
    verify(desk, desk.claimed(forum_id), plain_member(forum_id, account=OTHER_ACCOUNT))
    desk.ask(
        forums.appoint_facilitator,
        contract.AppointFacilitator,
        DIRECTOR,
        forum_id=forum_id,
        facilitator=f"{MARKER} New",
    )
    desk.later(days=200)
    desk.tick(watch.watch_forums)
    facts = desk.facts()
    assert len({fact.kind for fact in facts}) == 5
    for fact in facts:
        everything = fact.head + fact.statistical + fact.operational + fact.sealed
        assert MARKER.encode() not in everything
        assert OTHER_ACCOUNT.encode() not in everything


def test_each_subject_counts_its_own_versions_without_a_gap(desk: Desk) -> None:
    forum_id = desk.active()
    desk.claimed(forum_id)
    versions: dict[str, list[int]] = {}
    for fact in desk.facts():
        versions.setdefault(fact.subject, []).append(fact.version)
    assert all(seen == list(range(1, len(seen) + 1)) for seen in versions.values())
