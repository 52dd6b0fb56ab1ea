"""Areas, forums and members: their life, their clock, and who they are."""

from dataclasses import replace
from datetime import date, timedelta
from functools import partial

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

import contracts.forum as contract
from contracts.numbers import check
from contracts.rules import ForumRules
from kernel.errors import BadInput, Conflict, MoveRefused, NotFound
from services.forum import found, views
from services.forum.handlers import areas, forums, members, watch
from services.forum.tables import Base
from tests.services.forum.desk import (
    DIRECTOR,
    MARKER,
    OFFICER,
    QUORATE,
    TODAY,
    UNKNOWN,
    Desk,
    facilitator,
    plain_member,
)


def test_an_area_belongs_to_a_district_of_this_governorate(desk: Desk) -> None:
    with pytest.raises(BadInput) as refusal:
        desk.area(district="ramadi")
    assert "mosul" in refusal.value.details["where"]["district"][0]


def test_an_area_stands_in_the_district_of_the_area_around_it(desk: Desk) -> None:
    mosul = desk.area(kind="sub_district")
    desk.area(parent_id=mosul)
    with pytest.raises(BadInput):
        desk.area(parent_id=mosul, district="sinjar")
    with pytest.raises(found.AreaNotFound):
        desk.area(parent_id=UNKNOWN)


def test_areas_are_listed_by_what_contains_them(desk: Desk) -> None:
    outer = desk.area(kind="sub_district")
    inner = desk.area(parent_id=outer)
    listed = desk.read(lambda session: views.areas(session, contract.AreaQuery().load({"parent_id": outer})))
    assert [item["id"] for item in listed["items"]] == [inner]
    assert listed["items"][0]["names"] == {"ar": "حي السلام", "ckb": None, "kmr": None, "en": "Salam"}


def test_the_facts_of_an_area_are_public(desk: Desk) -> None:
    desk.area()
    (fact,) = desk.facts("area.added")
    assert fact.statistical_values()["names"] == {"ar": "حي السلام", "en": "Salam"}


def test_a_forum_has_a_number_that_checks_and_no_number_is_left_out(desk: Desk) -> None:
    numbers = [desk.forum(desk.proposed())["number"] for _ in range(3)]
    assert [number[:16] for number in numbers] == ["F-NI-2026-000001", "F-NI-2026-000002", "F-NI-2026-000003"]
    assert all(check(number) for number in numbers)


def test_a_refused_proposal_takes_no_number(desk: Desk) -> None:
    with pytest.raises(found.AreaNotFound):
        desk.proposed(area_ids=[UNKNOWN])
    assert desk.forum(desk.proposed())["number"].startswith("F-NI-2026-000001")


def test_a_forum_covers_several_areas_and_stands_in_the_district_of_the_first(desk: Desk) -> None:
    covered = [desk.area(district="sinjar"), desk.area()]
    forum_id = desk.proposed(area_ids=covered)
    shown = desk.forum(forum_id)
    assert (shown["area_ids"], shown["district"]) == (covered, "sinjar")
    for area_id in covered:
        listed = desk.list(views.forums, contract.ForumQuery, DIRECTOR, area_id=area_id)
        assert [item["id"] for item in listed] == [forum_id]


def test_an_area_stands_once_in_a_forum(desk: Desk) -> None:
    area_id = desk.area()
    with pytest.raises(BadInput):
        desk.proposed(area_ids=[area_id, area_id])


def test_established_and_activated_are_different_days(desk: Desk) -> None:
    forum_id = desk.established()
    assert desk.forum(forum_id)["status"] == "established"
    ask = {"forum_id": forum_id, "activated_on": "2026-02-20"}
    desk.ask(forums.activate_forum, contract.ActivateForum, DIRECTOR, **ask)
    shown = desk.forum(forum_id)
    assert (shown["status"], shown["established_on"]) == ("active", date(2025, 1, 10))
    assert shown["activated_on"] == date(2026, 2, 20)


@pytest.mark.parametrize("day", ["2024-12-31", "2026-03-03"])
def test_a_forum_is_not_activated_before_it_was_established_nor_tomorrow(sqlite_desk: Desk, day: str) -> None:
    forum_id = sqlite_desk.established()
    with pytest.raises(BadInput) as refusal:
        sqlite_desk.ask(forums.activate_forum, contract.ActivateForum, DIRECTOR, forum_id=forum_id, activated_on=day)
    assert "activated_on" in refusal.value.details["where"]


def test_a_proposed_forum_cannot_be_activated(desk: Desk) -> None:
    with pytest.raises(MoveRefused) as refusal:
        desk.ask(
            forums.activate_forum,
            contract.ActivateForum,
            DIRECTOR,
            forum_id=desk.proposed(),
            activated_on="2026-02-01",
        )
    assert "established" in refusal.value.message


def test_an_unknown_forum_is_not_found(desk: Desk) -> None:
    with pytest.raises(found.ForumNotFound):
        desk.ask(forums.close_forum, contract.CloseForum, DIRECTOR, forum_id=UNKNOWN, reason="merged")


def test_the_first_meeting_with_quorum_activates_a_forum(desk: Desk) -> None:
    forum_id = desk.active()
    shown = desk.forum(forum_id)
    assert (shown["status"], shown["activated_on"], shown["last_activity_at"]) == ("active", TODAY, desk.now)
    assert [fact.type for fact in desk.facts("forum.")] == [
        "forum.proposed.v1",
        "forum.established.v1",
        "forum.activated.v1",
    ]


def test_sixty_silent_days_put_a_forum_at_risk_and_sixty_more_make_it_dormant(desk: Desk) -> None:
    forum_id = desk.active()
    desk.later(days=59, hours=23)
    assert desk.tick(watch.watch_forums) == 0
    desk.later(hours=1)
    assert desk.tick(watch.watch_forums) == 1
    assert desk.forum(forum_id)["status"] == "at_risk"
    assert desk.tick(watch.watch_forums) == 0
    desk.later(days=60)
    assert desk.tick(watch.watch_forums) == 1
    assert desk.forum(forum_id)["status"] == "dormant"
    assert [fact.type for fact in desk.facts("forum.")][-2:] == ["forum.at_risk.v1", "forum.dormant.v1"]


def test_a_node_that_was_off_for_a_year_tells_both_steps(desk: Desk) -> None:
    desk.active()
    desk.later(days=365)
    assert [desk.tick(watch.watch_forums) for _ in range(3)] == [1, 1, 0]
    assert [fact.version for fact in desk.facts("forum.")] == [1, 2, 3, 4, 5]


def test_one_pass_of_the_watch_is_bounded_and_takes_the_longest_silent_first(desk: Desk) -> None:
    first = desk.active()
    desk.later(days=1)
    desk.active()
    desk.later(days=90)
    assert desk.tick(watch.watch_forums, limit=1) == 1
    assert desk.forum(first)["status"] == "at_risk"
    assert desk.tick(watch.watch_forums, limit=5) == 1


def test_a_quarterly_forum_is_given_two_quarters(desk: Desk) -> None:
    desk.active(rhythm_days=90)
    desk.later(days=179)
    assert desk.tick(watch.watch_forums) == 0
    desk.later(days=1)
    assert desk.tick(watch.watch_forums) == 1


def test_a_changed_rule_sets_the_clocks_of_forums_anew(desk: Desk) -> None:
    forum_id = desk.active()
    assert desk.tick(watch.keep_time) == 0, "every clock is right"
    desk.rules = ForumRules(at_risk_days=20, dormant_days=40)
    assert [desk.tick(watch.keep_time) for _ in range(2)] == [1, 0]
    desk.later(days=20)
    assert desk.tick(watch.watch_forums) == 1
    desk.rules = ForumRules(at_risk_days=30, dormant_days=50)
    assert desk.tick(watch.keep_time) == 1
    assert desk.forum(forum_id)["status"] == "at_risk", "only an activity brings a forum back"
    desk.later(days=29)
    assert desk.tick(watch.watch_forums) == 0
    desk.later(days=1)
    assert desk.tick(watch.watch_forums) == 1
    assert desk.forum(forum_id)["status"] == "dormant"


def test_clocks_are_set_anew_in_bounded_passes_and_no_fact_is_told_of_it(desk: Desk) -> None:
    desk.active()
    desk.active()
    desk.established()
    told = len(desk.facts())
    desk.rules = ForumRules(rhythm_days=60)
    assert [desk.tick(watch.keep_time, limit=1) for _ in range(3)] == [1, 1, 0]
    assert len(desk.facts()) == told


def test_a_new_forum_begins_with_what_the_rules_say_unless_it_says_otherwise(desk: Desk) -> None:
    desk.rules = ForumRules(rhythm_days=14, quorum_people=9, quorum_women=3)
    left_out, stated = desk.forum(desk.proposed()), desk.forum(desk.proposed(rhythm_days=90, quorum={"women": 0}))
    assert (left_out["rhythm_days"], left_out["quorum"]) == (14, {"people": 9, "sectors": 2, "women": 3})
    assert (stated["rhythm_days"], stated["quorum"]) == (90, {"people": 9, "sectors": 2, "women": 0})


def dormant(desk: Desk) -> str:
    """The id of a forum that fell silent long ago."""
    forum_id = desk.active()
    desk.later(days=200)
    desk.tick(watch.watch_forums)
    desk.tick(watch.watch_forums)
    return forum_id


def test_a_dormant_forum_is_brought_back_by_a_meeting_and_not_by_a_word(desk: Desk) -> None:
    forum_id = dormant(desk)
    with pytest.raises(MoveRefused) as refusal:
        desk.ask(forums.activate_forum, contract.ActivateForum, DIRECTOR, forum_id=forum_id, activated_on="2026-09-01")
    assert "meeting held with quorum" in refusal.value.message
    desk.hold(forum_id, desk.planned(forum_id))
    shown = desk.forum(forum_id)
    assert (shown["status"], shown["activated_on"]) == ("active", TODAY)


def test_an_old_meeting_entered_late_moves_the_clock_but_brings_nobody_back(desk: Desk) -> None:
    forum_id = dormant(desk)
    long_ago = desk.now - timedelta(days=70)
    desk.hold(forum_id, desk.planned(forum_id), held_at=long_ago.isoformat())
    shown = desk.forum(forum_id)
    assert (shown["status"], shown["last_activity_at"]) == ("dormant", long_ago)


def test_a_meeting_without_quorum_is_no_activity(desk: Desk) -> None:
    forum_id = dormant(desk)
    desk.hold(forum_id, desk.planned(forum_id), attendance=QUORATE[:1])
    assert desk.forum(forum_id)["status"] == "dormant"


def test_a_closed_forum_is_closed_for_good(desk: Desk) -> None:
    forum_id = desk.active()
    desk.ask(forums.close_forum, contract.CloseForum, DIRECTOR, forum_id=forum_id, reason="merged")
    assert desk.forum(forum_id)["close_reason"] == "merged"
    with pytest.raises(MoveRefused) as refusal:
        desk.ask(forums.close_forum, contract.CloseForum, DIRECTOR, forum_id=forum_id, reason="other")
    assert "final" in refusal.value.message
    for attempt in (desk.planned, desk.member, desk.concern):
        with pytest.raises(found.ForumNotWorking):
            attempt(forum_id)
    desk.later(days=400)
    assert desk.tick(watch.watch_forums) == 0


def test_forums_are_listed_by_status_in_pages_that_do_not_overlap(desk: Desk) -> None:
    ids = [desk.proposed() for _ in range(5)]
    desk.established()
    seen: list[str] = []
    after = None
    while True:
        query = {"status": "proposed", "limit": 2, **({"after": after} if after else {})}
        asked = contract.ForumQuery().load(query)
        answer = desk.read(partial(views.forums, values=asked, by=OFFICER))
        seen += [item["id"] for item in answer["items"]]
        after = answer["next"]
        if after is None:
            break
    assert seen == ids


def test_members_are_counted_by_sector_and_never_named_in_a_fact(desk: Desk) -> None:
    forum_id = desk.established()
    desk.member(forum_id, "women")
    desk.member(forum_id, "women")
    leaving = desk.member(forum_id, "police")
    desk.ask(
        members.end_membership,
        contract.EndMembership,
        facilitator(forum_id),
        forum_id=forum_id,
        member_id=leaving,
        left_on="2026-03-01",
    )
    last = desk.facts("forum.members_changed")[-1].statistical_values()
    assert (last["members"], last["members_by_sector"]) == (2, {"women": 2})
    assert desk.forum(forum_id)["members_by_sector"] == {"women": 2}
    assert not any(MARKER.encode() in part for fact in desk.facts() for part in (fact.statistical, fact.operational))


def test_a_member_leaves_once_and_not_before_joining(desk: Desk) -> None:
    forum_id = desk.established()
    member_id = desk.member(forum_id)
    leave = {"forum_id": forum_id, "member_id": member_id}
    by = facilitator(forum_id)
    with pytest.raises(BadInput):
        desk.ask(members.end_membership, contract.EndMembership, by, **leave, left_on="2025-12-31")
    desk.ask(members.end_membership, contract.EndMembership, by, **leave, left_on="2026-02-01")
    with pytest.raises(members.MembershipEnded):
        desk.ask(members.end_membership, contract.EndMembership, by, **leave, left_on="2026-02-02")
    current = desk.list(views.members, contract.MemberQuery, by, forum_id=forum_id, current=True)
    past = desk.list(views.members, contract.MemberQuery, by, forum_id=forum_id, current=False)
    assert (len(current), [item["id"] for item in past]) == (0, [member_id])


def test_a_member_of_another_forum_is_not_found_in_this_one(desk: Desk) -> None:
    here, there = desk.established(), desk.established()
    with pytest.raises(NotFound):
        desk.ask(
            members.end_membership,
            contract.EndMembership,
            facilitator(here),
            forum_id=here,
            member_id=desk.member(there),
            left_on="2026-02-01",
        )


def test_an_account_is_one_member_of_a_forum(desk: Desk) -> None:
    forum_id = desk.established()
    desk.member(forum_id, account_id=UNKNOWN)
    with pytest.raises(Conflict):
        desk.member(forum_id, account_id=UNKNOWN)


def test_a_composition_is_counts_beside_the_older_ones(desk: Desk) -> None:
    forum_id = desk.established()
    by = facilitator(forum_id)
    for count in (4, 6):
        desk.ask(
            forums.declare_composition,
            contract.DeclareComposition,
            by,
            forum_id=forum_id,
            declared_on="2026-02-01",
            counts=[{"dimension": "sex", "group": "female", "count": count}],
        )
    listed = desk.list(views.compositions, contract.CompositionQuery, plain_member(forum_id), forum_id=forum_id)
    assert [item["counts"][0]["count"] for item in listed] == [4, 6]


def test_the_facilitator_is_named_to_those_who_may_see_names_only(desk: Desk) -> None:
    forum_id = desk.established()
    desk.ask(
        forums.appoint_facilitator,
        contract.AppointFacilitator,
        DIRECTOR,
        forum_id=forum_id,
        facilitator=f"{MARKER} Huda",
    )
    assert desk.forum(forum_id, DIRECTOR)["facilitator"] == f"{MARKER} Huda"
    assert desk.forum(forum_id, plain_member(forum_id))["facilitator"] == f"{MARKER} Huda"
    assert desk.forum(forum_id, OFFICER)["facilitator"] is None


def test_the_migrated_tables_are_those_of_the_code(desk: Desk) -> None:
    def ours(_object: object, name: str | None, kind: str, reflected: bool, other: object) -> bool:
        return kind != "table" or not reflected or other is not None

    with desk.database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": ours, "compare_type": False})
        assert compare_metadata(context, Base.metadata) == []


def test_areas_are_added_in_governorates_only(desk: Desk) -> None:
    with pytest.raises(BadInput) as refusal:
        desk.ask(
            areas.add_area,
            contract.AddArea,
            replace(DIRECTOR, node="directorate-erbil"),
            names={"ar": "x"},
            kind="district",
            district="mosul",
        )
    assert "governorates" in refusal.value.details["where"]["district"][0]


@pytest.mark.parametrize("cursor", ["AAAA", "!", "ٱ"])
def test_a_cursor_that_no_list_gave_is_refused(desk: Desk, cursor: str) -> None:
    asked = contract.ForumQuery().load({"after": cursor})
    with pytest.raises(BadInput) as refusal:
        desk.read(partial(views.forums, values=asked, by=OFFICER))
    assert "after" in refusal.value.details["where"]
