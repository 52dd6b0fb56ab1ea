"""Meetings, concerns and actions: their moves, who may make them, and what is told of them."""

from functools import partial

import pytest

import contracts.forum as contract
from contracts.roles import Role
from kernel.errors import BadInput, MoveRefused
from services.forum import access, found, views
from services.forum.handlers import actions, concerns, forums, meetings, watch
from tests.services.forum.desk import (
    DIRECTOR,
    MARKER,
    OFFICER,
    QUORATE,
    TODAY,
    UNKNOWN,
    Desk,
    actor,
    facilitator,
    plain_member,
)

OTHER_ACCOUNT = "0197c0de-0000-7000-8000-00000000beef"


# --- meetings


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


# --- what is private


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


# --- concerns


def ask_concern(desk: Desk, concern_id: str, by: access.Actor, step: str, **values: object) -> contract.ConcernStatus:
    """The status of a concern after one step."""
    handler, schema = {
        "accept": (concerns.accept_concern, contract.AcceptConcern),
        "own": (concerns.own_concern, contract.OwnConcern),
        "answer": (concerns.answer_concern, contract.AnswerConcern),
        "judge": (concerns.judge_concern, contract.JudgeConcern),
    }[step]
    status: contract.ConcernStatus = desk.ask(handler, schema, by, concern_id=concern_id, **values).status
    return status


def answered(desk: Desk, forum_id: str) -> str:
    """The id of a concern that the facilitator's account answered."""
    by, concern_id = facilitator(forum_id), desk.concern(forum_id)
    assert ask_concern(desk, concern_id, by, "accept") == "accepted"
    owner = {"owner_kind": "authority", "owner_name": f"{MARKER} mayor"}
    assert ask_concern(desk, concern_id, by, "own", **owner) == "with_owner"
    assert ask_concern(desk, concern_id, by, "answer", answer=f"{MARKER} lights come") == "answered"
    return concern_id


@pytest.mark.parametrize(("satisfied", "status"), [(True, "satisfied"), (False, "unsatisfied")])
def test_those_who_raised_a_concern_say_whether_the_answer_satisfies(desk: Desk, satisfied: bool, status: str) -> None:
    forum_id = desk.established()
    concern_id = answered(desk, forum_id)
    assert ask_concern(desk, concern_id, plain_member(forum_id), "judge", satisfied=satisfied) == status
    assert desk.facts("concern.")[-1].type == f"concern.{status}.v1"


def test_nobody_judges_their_own_answer(desk: Desk) -> None:
    forum_id = desk.established()
    concern_id = answered(desk, forum_id)
    with pytest.raises(access.OwnAct):
        ask_concern(desk, concern_id, facilitator(forum_id), "judge", satisfied=True)


def test_an_answer_is_an_activity(desk: Desk) -> None:
    forum_id = desk.established()
    answered(desk, forum_id)
    assert desk.forum(forum_id)["status"] == "active"


def test_a_concern_is_not_answered_before_somebody_takes_it_on(desk: Desk) -> None:
    forum_id = desk.established()
    concern_id = desk.concern(forum_id)
    with pytest.raises(MoveRefused) as refusal:
        ask_concern(desk, concern_id, facilitator(forum_id), "answer", answer="soon")
    assert refusal.value.details["possible"] == "accepted"


def test_a_concern_is_about_an_area_of_its_forum(desk: Desk) -> None:
    forum_id = desk.established()
    with pytest.raises(BadInput):
        desk.concern(forum_id, area_id=desk.area())
    listed = desk.list(views.concerns, contract.ConcernQuery, OFFICER, forum_id=forum_id)
    assert listed == []
    desk.concern(forum_id)
    (shown,) = desk.list(views.concerns, contract.ConcernQuery, OFFICER, forum_id=forum_id)
    assert shown["area_id"] == desk.forum(forum_id)["area_ids"][0]


def test_who_took_a_concern_on_is_named_to_those_who_may_see_names_only(desk: Desk) -> None:
    forum_id = desk.established()
    answered(desk, forum_id)
    owners = [
        desk.list(views.concerns, contract.ConcernQuery, by, forum_id=forum_id)[0]["owner_name"]
        for by in (DIRECTOR, plain_member(forum_id), OFFICER)
    ]
    assert owners == [f"{MARKER} mayor", f"{MARKER} mayor", None]


# --- actions


def verify(desk: Desk, action_id: str, by: access.Actor, **values: object) -> contract.ActionStatus:
    """The status of an action after somebody says they have seen that it is done."""
    status: contract.ActionStatus = desk.ask(
        actions.verify_action, contract.VerifyAction, by, action_id=action_id, **values
    ).status
    return status


def test_a_member_of_another_sector_verifies_through_their_own_account(desk: Desk) -> None:
    forum_id = desk.established()
    desk.member(forum_id, "women", account_id=OTHER_ACCOUNT)
    action_id = desk.claimed(forum_id)
    assert verify(desk, action_id, plain_member(forum_id, account=OTHER_ACCOUNT)) == "verified"
    told = desk.facts("action.verified")[0].statistical_values()
    assert (told["owner_sector"], told["verified_by_sector"]) == ("local_authority", "women")
    assert desk.forum(forum_id)["status"] == "active"


def test_a_member_of_the_owners_sector_cannot_verify(desk: Desk) -> None:
    forum_id = desk.established()
    desk.member(forum_id, "local_authority", account_id=OTHER_ACCOUNT)
    with pytest.raises(access.SameSector):
        verify(desk, desk.claimed(forum_id), plain_member(forum_id, account=OTHER_ACCOUNT))


def test_the_account_that_claimed_an_action_cannot_verify_it_for_anybody(desk: Desk) -> None:
    forum_id = desk.established()
    member_id = desk.member(forum_id, "women")
    with pytest.raises(access.OwnAct):
        verify(desk, desk.claimed(forum_id), facilitator(forum_id), member_id=member_id)


def test_another_facilitator_writes_down_what_a_member_without_account_has_seen(desk: Desk) -> None:
    forum_id = desk.established()
    member_id = desk.member(forum_id, "women")
    second = facilitator(forum_id, account="second facilitator")
    assert verify(desk, desk.claimed(forum_id), second, member_id=member_id) == "verified"


def test_nobody_speaks_for_a_member_who_has_an_account(desk: Desk) -> None:
    forum_id = desk.established()
    member_id = desk.member(forum_id, "women", account_id=OTHER_ACCOUNT)
    action_id = desk.claimed(forum_id)
    for by in (facilitator(forum_id, account="second facilitator"), plain_member(forum_id)):
        with pytest.raises(access.NotThatMember):
            verify(desk, action_id, by, member_id=member_id)


def test_a_member_account_speaks_for_no_other_member(desk: Desk) -> None:
    forum_id = desk.established()
    member_id = desk.member(forum_id, "women")
    with pytest.raises(access.NotThatMember):
        verify(desk, desk.claimed(forum_id), plain_member(forum_id), member_id=member_id)


def test_only_a_member_verifies(desk: Desk) -> None:
    forum_id = desk.established()
    action_id = desk.claimed(forum_id)
    with pytest.raises(found.MemberNotFound) as refusal:
        verify(desk, action_id, plain_member(forum_id))
    assert "member_id" in refusal.value.message
    elsewhere = desk.member(desk.established(), "women")
    with pytest.raises(found.MemberNotFound):
        verify(desk, action_id, facilitator(forum_id, account="second facilitator"), member_id=elsewhere)


def test_an_action_is_not_verified_before_it_is_claimed(desk: Desk) -> None:
    forum_id = desk.established()
    member_id = desk.member(forum_id, "women")
    with pytest.raises(MoveRefused) as refusal:
        verify(desk, desk.action(forum_id), facilitator(forum_id), member_id=member_id)
    assert refusal.value.details["possible"] == "agreed, dropped"


def test_what_is_missing_sends_an_action_back_to_work(desk: Desk) -> None:
    forum_id = desk.established()
    desk.member(forum_id, "women", account_id=OTHER_ACCOUNT)
    by, action_id = facilitator(forum_id), desk.claimed(forum_id)
    rejected = desk.ask(
        actions.reject_action,
        contract.RejectAction,
        plain_member(forum_id, account=OTHER_ACCOUNT),
        action_id=action_id,
        finding="two lamps are dark",
    )
    assert (rejected.status, rejected.finding) == ("not_verified", "two lamps are dark")
    assert desk.forum(forum_id)["status"] == "established"
    again = desk.ask(actions.start_action, contract.StartAction, by, action_id=action_id)
    assert again.status == "in_progress"


def test_an_agreed_action_has_a_day_and_not_a_past_one(desk: Desk) -> None:
    forum_id = desk.established()
    by, action_id = facilitator(forum_id), desk.action(forum_id, due_on=None)
    for day in (None, "2026-03-01"):
        with pytest.raises(BadInput) as refusal:
            desk.ask(actions.agree_action, contract.AgreeAction, by, action_id=action_id, due_on=day)
        assert "due_on" in refusal.value.details["where"]
    agreed = desk.ask(actions.agree_action, contract.AgreeAction, by, action_id=action_id, due_on="2026-03-02")
    assert agreed.due_on == TODAY


def test_a_dropped_action_says_why_and_stays(desk: Desk) -> None:
    forum_id = desk.established()
    action_id = desk.action(forum_id)
    desk.ask(
        actions.drop_action,
        contract.DropAction,
        facilitator(forum_id),
        action_id=action_id,
        reason="no_means",
    )
    (shown,) = desk.list(views.actions, contract.ActionQuery, OFFICER, status="dropped")
    assert (shown["id"], shown["drop_reason"], shown["owner_name"]) == (action_id, "no_means", None)


def test_a_claimed_action_waits_for_its_verifier_and_cannot_be_dropped(desk: Desk) -> None:
    forum_id = desk.established()
    with pytest.raises(MoveRefused):
        desk.ask(
            actions.drop_action,
            contract.DropAction,
            facilitator(forum_id),
            action_id=desk.claimed(forum_id),
            reason="other",
        )


def test_in_a_closed_forum_nothing_is_begun_but_what_was_begun_is_finished(desk: Desk) -> None:
    forum_id = desk.established()
    member_id = desk.member(forum_id, "women")
    waiting, claimed = desk.action(forum_id), desk.claimed(forum_id)
    desk.ask(forums.close_forum, contract.CloseForum, DIRECTOR, forum_id=forum_id, reason="programme_ended")
    with pytest.raises(found.ForumNotWorking):
        desk.ask(actions.agree_action, contract.AgreeAction, facilitator(forum_id), action_id=waiting)
    second = facilitator(forum_id, account="second facilitator")
    assert verify(desk, claimed, second, member_id=member_id) == "verified"
    assert desk.forum(forum_id)["status"] == "closed"


def test_an_action_comes_from_the_business_of_its_own_forum(desk: Desk) -> None:
    here, there = desk.established(), desk.established()
    with pytest.raises(found.MeetingNotFound):
        desk.action(here, meeting_id=desk.planned(there))
    by = facilitator(here, there)
    with pytest.raises(found.ConcernNotFound):
        desk.ask(
            actions.propose_action,
            contract.ProposeAction,
            by,
            forum_id=here,
            title="x",
            owner_kind="member",
            owner_name="x",
            owner_sector="police",
            concern_id=desk.concern(there),
        )


def test_an_overdue_action_is_told_once(desk: Desk) -> None:
    forum_id = desk.established()
    action_id = desk.action(forum_id)
    desk.ask(actions.agree_action, contract.AgreeAction, facilitator(forum_id), action_id=action_id)
    desk.later(days=18)  # the twentieth: the day itself is not late
    assert desk.tick(watch.watch_actions) == 0
    desk.later(days=1)
    assert [desk.tick(watch.watch_actions) for _ in range(2)] == [1, 0]
    (fact,) = desk.facts("action.overdue")
    assert fact.subject == action_id
    assert fact.statistical_values()["overdue"]
    assert fact.operational_values()["forum_id"] == forum_id
    for overdue, seen in ((True, 1), (False, 0)):
        assert len(desk.list(views.actions, contract.ActionQuery, OFFICER, overdue=overdue)) == seen


def test_what_nobody_agreed_to_is_never_overdue(desk: Desk) -> None:
    desk.action(desk.established())
    desk.later(days=100)
    assert desk.tick(watch.watch_actions) == 0
    assert len(desk.list(views.actions, contract.ActionQuery, OFFICER, overdue=False)) == 1


# --- who may


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
