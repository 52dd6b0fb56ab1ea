"""Concerns and actions: their moves, and that nobody verifies their own act."""

import pytest

import contracts.forum as contract
from contracts.rules import ForumRules
from kernel.errors import BadInput, MoveRefused
from services.forum import access, found, views
from services.forum.handlers import actions, forums, watch
from tests.services.forum.desk import (
    DIRECTOR,
    MARKER,
    OFFICER,
    TODAY,
    Desk,
    facilitator,
    plain_member,
)
from tests.services.forum.steps import OTHER_ACCOUNT, answered, ask_concern, verify


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


def test_an_action_is_late_only_after_the_grace_that_the_rules_give(desk: Desk) -> None:
    desk.rules = ForumRules(overdue_grace_days=5)
    forum_id = desk.established()
    desk.ask(actions.agree_action, contract.AgreeAction, facilitator(forum_id), action_id=desk.action(forum_id))
    desk.later(days=23)  # five days after the twentieth
    assert desk.tick(watch.watch_actions) == 0
    assert desk.list(views.actions, contract.ActionQuery, OFFICER, overdue=True) == []
    desk.later(days=1)
    assert desk.tick(watch.watch_actions) == 1
    (shown,) = desk.list(views.actions, contract.ActionQuery, OFFICER, overdue=True)
    assert shown["overdue"]


def test_what_nobody_agreed_to_is_never_overdue(desk: Desk) -> None:
    desk.action(desk.established())
    desk.later(days=100)
    assert desk.tick(watch.watch_actions) == 0
    assert len(desk.list(views.actions, contract.ActionQuery, OFFICER, overdue=False)) == 1
