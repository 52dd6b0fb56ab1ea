"""What a node's file of rules says is what its running services do."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests

from contracts.roles import Role
from deploy.rabbitmq import PrivateRabbitMQ
from kernel.clock import now
from kernel.crypto import SigningKey
from kernel.identity import Actor, sign_actor
from tests.kit import wait
from tests.kit.nodes import Country, Node
from tests.kit.rabbitmq import new_vhost
from tests.services.case.office import HANDLER, INTAKE, OPENING, SUPERVISOR
from tests.services.forum.desk import DIRECTOR, facilitator
from tests.services.notify.office import Office

RULES = """
[forum]
rhythm_days = 10
at_risk_days = 15
dormant_days = 40
overdue_grace_days = 7
quorum_people = 2

[case]
referral_urgent_hours = 36
least_of_each_sex = 2

[notify]
news_days = 1
"""
SMALL = [{"sector": "police", "sex": "male", "count": 1}, {"sector": "women", "sex": "female", "count": 1}]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, rabbitmq: PrivateRabbitMQ) -> Iterator[Node]:
    """A node with rules of its own, and its services running."""
    vhost = new_vhost(rabbitmq)
    country = Country(tmp_path_factory.mktemp("rules"), lambda: vhost)
    ninewa = country.add("ninewa", rules="rules.toml")
    (ninewa.home / "rules.toml").write_text(RULES)
    ninewa.migrate()
    ninewa.start("services")
    yield ninewa
    country.kill()
    rabbitmq.delete_vhost(vhost.name)


def done(node: Node, service: str, door: str, by: Actor, **values: Any) -> dict[str, Any]:
    """The answer of a door that did what it was asked."""
    token = sign_actor(SigningKey.load(node.settings.keys_directory / "gateway.key"), by, now=now())
    headers = {"Authorization": f"Bearer {token}"}
    answer = requests.post(f"{node.url(service)}/doors/{door}", json=values, headers=headers, timeout=30)
    assert answer.ok, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def proposed(node: Node) -> str:
    area = done(node, "forum", "add_area", DIRECTOR, names={"ar": "حي السلام"}, kind="neighbourhood", district="mosul")
    forum = done(
        node, "forum", "propose_forum", DIRECTOR, names={"ar": "منتدى"}, founding="local", area_ids=[area["id"]]
    )
    forum_id: str = forum["id"]
    assert (forum["rhythm_days"], forum["quorum"]) == (10, {"people": 2, "sectors": 2, "women": 0})
    done(node, "forum", "establish_forum", DIRECTOR, forum_id=forum_id, established_on="2025-01-10")
    return forum_id


def test_a_forum_begins_with_the_quorum_and_keeps_the_time_of_its_node(node: Node) -> None:
    forum_id = proposed(node)
    of_meeting = {
        "forum_id": forum_id,
        "meeting_id": done(
            node,
            "forum",
            "plan_meeting",
            facilitator(forum_id),
            forum_id=forum_id,
            planned_at=now().isoformat(),
            place="the school",
        )["id"],
    }
    held = done(
        node,
        "forum",
        "hold_meeting",
        facilitator(forum_id),
        **of_meeting,
        held_at=now().isoformat(),
        attendance=SMALL,
        tension=1,
    )
    assert held["status"] == "held", "two people are a quorum here"
    forum = done(node, "forum", "get_forum", DIRECTOR, forum_id=forum_id)
    last = instant(forum["last_activity_at"])
    assert instant(forum["at_risk_at"]) - last == timedelta(days=15)
    assert instant(forum["dormant_at"]) - last == timedelta(days=40)


def test_an_answer_to_a_referral_is_due_when_the_rules_of_its_node_say(node: Node) -> None:
    case_id = done(node, "case", "open_case", INTAKE, **OPENING)["id"]
    done(node, "case", "triage", SUPERVISOR, case_id=case_id, risk="low", conflict_checked=True, scope_checked=True)
    done(node, "case", "assign", SUPERVISOR, case_id=case_id, handler_id=HANDLER.id)
    referral = done(
        node,
        "case",
        "send_referral",
        HANDLER,
        case_id=case_id,
        destination="health",
        office="the clinic",
        urgency="urgent",
        text="please see her",
        consent="given",
    )
    assert instant(referral["due_at"]) - instant(referral["sent_at"]) == timedelta(hours=36)


def test_notify_tells_no_news_that_its_rules_call_old(node: Node) -> None:
    office = Office(node)
    office.know("officer", Role.COMMUNITY_OFFICER)
    office.record(office.assigned("officer", at=now() - timedelta(days=2)), office.assigned("officer"))
    inbox = wait.until(lambda: office.inbox("officer", Role.COMMUNITY_OFFICER), seconds=60, what="the officer is told")
    assert len(inbox) == 1
