"""The doors of a running forum service, asked over HTTP by a signed actor, as the gateway does."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlmodel import select

from contracts.roles import Role
from deploy.rabbitmq import PrivateRabbitMQ
from kernel.audit import AuditEntry
from kernel.broker import FACTS, channel_to
from kernel.clock import now
from kernel.database import Database
from kernel.identity import Actor
from kernel.outbox import read_slice
from tests.kit import wait
from tests.kit.doors import ServiceDoors
from tests.kit.nodes import Country, Node
from tests.kit.rabbitmq import new_vhost
from tests.services.forum.desk import DIRECTOR, MARKER, OFFICER, QUORATE, UNKNOWN, actor, facilitator

AREA = {"names": {"ar": "حي السلام"}, "kind": "neighbourhood", "district": "mosul"}


class Doors(ServiceDoors):
    """Asks the doors of one node's forum service."""

    service = "forum"

    def established(self) -> str:
        """The id of a forum that exists on paper."""
        area = self.done("add_area", DIRECTOR, **AREA)
        forum = self.done(
            "propose_forum",
            DIRECTOR,
            names={"ar": "منتدى"},
            founding="local",
            area_ids=[area["id"]],
            facilitator=f"{MARKER} Facilitator",
        )
        self.done("establish_forum", DIRECTOR, forum_id=forum["id"], established_on="2025-01-10")
        forum_id: str = forum["id"]
        return forum_id

    def planned(self, forum_id: str, **values: Any) -> str:
        """The id of a planned meeting."""
        plan = {"planned_at": now().isoformat(), "place": f"{MARKER} school", **values}
        meeting_id: str = self.done("plan_meeting", facilitator(forum_id), forum_id=forum_id, **plan)["id"]
        return meeting_id


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, rabbitmq: PrivateRabbitMQ) -> Iterator[Node]:
    """A node whose forum service runs."""
    vhost = new_vhost(rabbitmq)
    country = Country(tmp_path_factory.mktemp("forum"), lambda: vhost)
    ninewa = country.add("ninewa")
    ninewa.migrate()
    ninewa.start("forum")
    yield ninewa
    country.kill()
    rabbitmq.delete_vhost(vhost.name)


@pytest.fixture
def doors(node: Node) -> Doors:
    """The doors of that service."""
    return Doors(node)


def test_a_forum_lives_through_its_doors(doors: Doors) -> None:
    forum_id = doors.established()
    by = facilitator(forum_id)
    judge = facilitator(forum_id, account="second facilitator")
    business = {"forum_id": forum_id}
    member = doors.done("add_member", by, **business, name=f"{MARKER} Huda", sector="women", joined_on="2026-01-01")
    meeting_id = doors.planned(forum_id)
    held_now = {"held_at": now().isoformat(), "attendance": QUORATE, "tension": 2}
    held = doors.done("hold_meeting", by, **business, meeting_id=meeting_id, **held_now)
    assert (held["status"], held["quorum_met"]) == ("held", True)
    concern = doors.done(
        "raise_concern",
        by,
        **business,
        meeting_id=meeting_id,
        category="municipal_service",
        text=f"{MARKER} lights",
        raised_by="women",
    )
    of_concern = {"concern_id": concern["id"]}
    doors.done("accept_concern", by, **of_concern)
    doors.done("own_concern", by, **of_concern, owner_kind="authority", owner_name=f"{MARKER} mayor")
    doors.done("answer_concern", by, **of_concern, answer=f"{MARKER} soon")
    assert doors.done("judge_concern", judge, **of_concern, satisfied=True)["status"] == "satisfied"
    action = doors.done(
        "propose_action",
        by,
        **business,
        **of_concern,
        title=f"{MARKER} lights",
        owner_kind="authority",
        owner_name=f"{MARKER} mayor",
        owner_sector="local_authority",
    )
    of_action = {"action_id": action["id"]}
    doors.done("agree_action", by, **of_action, due_on="2099-01-01")
    doors.done("start_action", by, **of_action)
    doors.done("claim_action", by, **of_action, evidence=f"{MARKER} photo")
    verified = doors.done("verify_action", judge, **of_action, member_id=member["id"])
    assert (verified["status"], verified["verified_by_sector"]) == ("verified", "women")
    shown = doors.done("get_forum", OFFICER, forum_id=forum_id)
    assert (shown["status"], shown["facilitator"], shown["members_by_sector"]) == ("active", None, {"women": 1})


def test_every_list_is_a_page(doors: Doors) -> None:
    forum_id = doors.established()
    doors.planned(forum_id)
    for door in ("list_members", "list_meetings", "list_concerns", "list_compositions"):
        assert set(doors.done(door, DIRECTOR, forum_id=forum_id)) == {"items", "next"}
    for door in ("list_areas", "list_forums", "list_actions"):
        assert set(doors.done(door, DIRECTOR, limit=1)) == {"items", "next"}


@pytest.mark.parametrize(
    ("door", "by", "values"),
    [
        ("propose_forum", OFFICER, {"names": {"ar": "x"}, "founding": "local", "area_ids": [UNKNOWN]}),
        ("list_members", OFFICER, {"forum_id": UNKNOWN}),
        ("plan_meeting", DIRECTOR, {"forum_id": UNKNOWN, "planned_at": "2026-01-01T10:00:00Z", "place": "x"}),
        ("verify_action", DIRECTOR, {"action_id": UNKNOWN}),
        ("add_area", facilitator(UNKNOWN), AREA),
        ("list_forums", actor("intake", Role.INTAKE_OFFICER), {}),
        ("list_forums", actor("operator", Role.OPERATOR), {}),
    ],
)
def test_a_wrong_role_is_refused(doors: Doors, door: str, by: Actor, values: dict[str, Any]) -> None:
    assert doors.refused(door, by, **values) == (403, "forbidden")


def test_the_facilitator_of_another_forum_is_refused(doors: Doors) -> None:
    forum_id, theirs = doors.established(), doors.established()
    plan = {"planned_at": now().isoformat(), "place": "school"}
    assert doors.refused("plan_meeting", facilitator(theirs), forum_id=forum_id, **plan) == (403, "not_your_forum")
    assert doors.refused("get_forum", facilitator(theirs), forum_id=forum_id) == (403, "not_your_forum")


def test_a_womens_session_is_not_there_for_the_director(doors: Doors) -> None:
    forum_id = doors.established()
    meeting_id = doors.planned(forum_id, session="women_only")
    asked = {"forum_id": forum_id, "meeting_id": meeting_id}
    assert doors.refused("get_meeting", DIRECTOR, **asked) == (404, "meeting_not_found")
    assert doors.done("list_meetings", DIRECTOR, forum_id=forum_id)["items"] == []
    assert doors.done("get_meeting", facilitator(forum_id), **asked)["session"] == "women_only"


@pytest.mark.parametrize(
    ("door", "values", "code"),
    [
        ("get_forum", {"forum_id": UNKNOWN}, "forum_not_found"),
        ("get_area", {"area_id": UNKNOWN}, "area_not_found"),
        ("get_concern", {"concern_id": UNKNOWN}, "concern_not_found"),
        ("get_action", {"action_id": UNKNOWN}, "action_not_found"),
    ],
)
def test_an_unknown_id_is_not_found(doors: Doors, door: str, values: dict[str, Any], code: str) -> None:
    assert doors.refused(door, DIRECTOR, **values) == (404, code)


def test_a_forbidden_move_says_what_is_possible(doors: Doors) -> None:
    forum_id = doors.established()
    answer = doors.ask("establish_forum", DIRECTOR, {"forum_id": forum_id, "established_on": "2025-01-10"})
    assert (answer.status_code, answer.json()["code"]) == (409, "move_refused")
    assert "active, closed" in answer.json()["message"]


@pytest.mark.parametrize(
    ("body", "status", "code", "where"),
    [
        (b"{", 400, "malformed_request", None),
        (b"[]", 400, "malformed_request", None),
        (b'{"limit": "many"}', 422, "bad_input", "limit"),
        (b'{"colour": "red"}', 422, "bad_input", "colour"),
        (b'{"status": "sleeping"}', 422, "bad_input", "status"),
        (b'{"area_id": "seven"}', 422, "bad_input", "area_id"),
        (b'{"after": "nowhere!"}', 422, "bad_input", "after"),
    ],
)
def test_bad_input_is_answered_with_what_and_where(
    doors: Doors, body: bytes, status: int, code: str, where: str | None
) -> None:
    answer = doors.ask("list_forums", DIRECTOR, body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    if where:
        assert where in answer.json()["details"]["where"]


def test_whoever_asks_for_what_a_private_session_keeps_is_in_the_audit_log(doors: Doors) -> None:
    forum_id = doors.established()
    meeting_id = doors.planned(forum_id, session="women_only")
    concern = {"category": "drugs", "text": "x", "raised_by": "women", "meeting_id": meeting_id}
    concern_id = doors.done("raise_concern", facilitator(forum_id), forum_id=forum_id, **concern)["id"]
    action = {"title": "x", "owner_kind": "unit", "owner_name": "x", "owner_sector": "police"}
    asked = {**action, "forum_id": forum_id, "concern_id": concern_id}
    action_id = doors.done("propose_action", facilitator(forum_id), **asked)["id"]
    for door, subject, values in (
        ("get_meeting", forum_id, {"forum_id": forum_id, "meeting_id": meeting_id}),
        ("get_concern", concern_id, {"concern_id": concern_id}),
        ("get_action", action_id, {"action_id": action_id}),
    ):
        hidden = doors.refused(door, OFFICER, **values)
        assert hidden == (404, f"{door.removeprefix('get_')}_not_found")
        assert (OFFICER.id, door, hidden[1]) in refusals(doors.node, subject)


def refusals(node: Node, subject: str) -> list[tuple[str | None, str, str | None]]:
    """Who was refused what about a record, and why."""
    database = Database(node.settings.database_url_of("forum"), service="forum")
    try:
        with database.read() as session:
            lines = session.exec(select(AuditEntry).where(AuditEntry.subject == subject)).all()
            return [(line.actor_id, line.action, line.reason) for line in lines if line.outcome == "refused"]
    finally:
        database.close()


def test_a_lost_answer_can_be_asked_for_again(doors: Doors) -> None:
    key = {"Idempotency-Key": "the-same-area"}
    first, again = (doors.ask("add_area", DIRECTOR, AREA, **key) for _ in range(2))
    assert first.json() == again.json()
    other = doors.ask("add_area", DIRECTOR, {**AREA, "code": "IQ-1"}, **key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


def test_what_happened_is_told_on_the_broker_and_names_nobody(doors: Doors) -> None:
    with channel_to(doors.node.settings.broker) as channel:
        channel.exchange_declare(FACTS, "topic", durable=True)
        queue = channel.queue_declare("", exclusive=True).method.queue
        channel.queue_bind(queue, FACTS, "forum")
        forum_id = doors.established()
        bodies: list[bytes] = []

        def told() -> bool:
            _, _, body = channel.basic_get(queue, auto_ack=True)
            if body:
                bodies.append(body)
            return any(forum_id.encode() in each and b"forum.established.v1" in each for each in bodies)

        wait.until(told, seconds=60, what="the establishment was told")
    assert all(read_slice(body).service == "forum" for body in bodies)
    assert not any(MARKER.encode() in body for body in bodies)
