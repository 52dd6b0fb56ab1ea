"""The doors of a running case service, asked over HTTP by a signed actor, as the gateway does."""

import json
from datetime import timedelta

import pytest
import requests
from sqlmodel import select

from contracts.roles import Role
from kernel.audit import AuditEntry, verify_audit
from kernel.clock import now
from kernel.crypto import SigningKey
from kernel.database import Database
from kernel.identity import sign_actor
from tests.services.case.doors import DOORS, Doors
from tests.services.case.office import (
    ADMIN,
    DIRECTOR,
    FORCE,
    HANDLER,
    INSPECTOR,
    INTAKE,
    NO_TO_ALL,
    OFFICER,
    OPENING,
    OTHER_SUPERVISOR,
    PARTNER,
    REASON,
    SUPERVISOR,
    person,
)

SHUT_OUT = (Role.FORUM_FACILITATOR, Role.FORUM_MEMBER, Role.OPERATOR, Role.NODE_ADMIN, Role.FEDERAL_ANALYST)
REORDERED = {"role": "affected", "name": "\u202ex"}


def test_a_case_lives_through_its_doors(doors: Doors) -> None:
    opened = doors.done("open_case", INTAKE, **{**OPENING, "answers": FORCE, "narrative": "what happened"})
    case = {"case_id": opened["id"]}
    assert opened["number"].startswith("NI-")
    assert (opened["status"], opened["recording_class"], opened["version"]) == ("received", "crime_indicated", 1)
    triaged = doors.done("triage", SUPERVISOR, **{**DOORS["triage"], **case}, version=1)
    assert (triaged["status"], triaged["risk"]) == ("triaged", "low")
    assert doors.done("assign", SUPERVISOR, **case, handler_id=HANDLER.id)["handler_id"] == HANDLER.id
    assert doors.done("start", HANDLER, **case)["status"] == "in_progress"
    note = doors.done("add_note", HANDLER, **case, text="spoke to both")
    assert set(note) == {"id", "case_id", "kind", "written_at"}
    assert doors.done("list_notes", HANDLER, **case)["items"][0]["text"] == "spoke to both"
    asked = {**DOORS["send_referral"], **case, "partner_id": PARTNER.id}
    referral = {"referral_id": doors.done("send_referral", HANDLER, **asked)["id"]}
    assert doors.done("accept_referral", PARTNER, **referral)["status"] == "accepted"
    assert doors.done("begin_referral", PARTNER, **referral)["status"] == "in_service"
    assert doors.done("complete_referral", PARTNER, **referral)["status"] == "completed"
    assert [each["status"] for each in doors.done("list_referrals", SUPERVISOR, **case)["items"]] == ["completed"]
    tomorrow = (now() + timedelta(days=2)).date().isoformat()
    assert doors.done("hold", HANDLER, **case, reason="she is away", review_on=tomorrow)["review_on"] == tomorrow
    doors.done("resume", HANDLER, **case)
    doors.done("propose_resolution", HANDLER, **case, outcome="mediated_agreement", text="they agreed")
    closing = {**case, "informed": "yes", "text": "agreed"}
    assert doors.refused("close", SUPERVISOR, **closing) == (403, "outside_approval_needed")
    assert doors.done("close", DIRECTOR, **closing)["status"] == "closed"
    shown = doors.done("get_case", HANDLER, **case)
    assert shown["identity"]["narrative"] == "what happened"
    assert shown["answers"] == FORCE
    assert shown["recording_class"] == "crime_indicated"


def test_lists_are_pages_that_go_on_where_they_ended(doors: Doors) -> None:
    opened = [doors.opened(category="begging") for _ in range(5)]
    found: list[str] = []
    after = None
    while True:
        listed = doors.done("list_cases", DIRECTOR, category="begging", limit=2, after=after)
        assert set(listed) == {"items", "next"}
        found += [item["id"] for item in listed["items"]]
        after = listed["next"]
        if after is None:
            break
    assert found == opened
    assert all("identity" not in item for item in listed["items"])


@pytest.mark.parametrize("door", DOORS)
def test_forum_roles_administrators_operators_and_analysts_find_every_door_shut(doors: Doors, door: str) -> None:
    for role in SHUT_OUT:
        assert doors.refused(door, person("outsider", role), **DOORS[door]) == (403, "forbidden")


ABOUT_ONE = sorted(door for door, asked in DOORS.items() if not {"case_id", "referral_id"}.isdisjoint(asked))


@pytest.mark.parametrize("door", ABOUT_ONE)
def test_what_is_not_there_and_what_is_not_yours_look_the_same(doors: Doors, door: str) -> None:
    case_id = doors.at_work()
    referral_id = doors.done("send_referral", HANDLER, **{**DOORS["send_referral"], "case_id": case_id})["id"]
    stranger = OTHER_SUPERVISOR if door in ("triage", "assign", "close", "ask_for_handler") else OFFICER
    there = {"case_id": case_id} if "case_id" in DOORS[door] else {"referral_id": referral_id}
    missing, hidden = doors.refused(door, stranger, **DOORS[door]), doors.refused(door, stranger, **DOORS[door] | there)
    assert missing == hidden == (404, "case_not_found" if "case_id" in there else "referral_not_found")


def test_a_caller_without_a_valid_token_is_not_heard(doors: Doors) -> None:
    url = f"{doors.node.url('case')}/doors/list_cases"
    assert requests.post(url, data=b"{}", timeout=30).status_code == 401
    forged = sign_actor(SigningKey.new(), DIRECTOR, now=now())
    expired = sign_actor(doors.key, DIRECTOR, now=now() - timedelta(minutes=5))
    for token in (forged, expired):
        answer = requests.post(url, data=b"{}", headers={"Authorization": f"Bearer {token}"}, timeout=30)
        assert answer.status_code == 401


@pytest.mark.parametrize(
    ("body", "status", "code", "where"),
    [
        (b"{", 400, "malformed_request", None),
        (b"[]", 400, "malformed_request", None),
        (b"\xff", 400, "malformed_request", None),
        (json.dumps({**OPENING, "narrative": "x" * 1_100_000}).encode(), 413, "too_large", None),
        (json.dumps({**OPENING, "answers": {}}).encode(), 422, "bad_input", "answers"),
        (json.dumps({**OPENING, "tribe": "x"}).encode(), 422, "bad_input", "tribe"),
        (json.dumps({**OPENING, "recording_class": "non_crime"}).encode(), 422, "bad_input", "recording_class"),
        (json.dumps({**OPENING, "channel": 5}).encode(), 422, "bad_input", "channel"),
        (json.dumps({**OPENING, "parties": [REORDERED]}).encode(), 422, "bad_input", "parties"),
        (json.dumps({**OPENING, "reported_at": "0001-01-01T00:00:00+14:00"}).encode(), 422, "bad_input", "reported_at"),
        (json.dumps({**OPENING, "incident_from": "0001-01-01"}).encode(), 422, "bad_input", "incident_from"),
        (json.dumps({**OPENING, "reported_at": "2099-01-01T00:00:00Z"}).encode(), 422, "not_yet", None),
    ],
)
def test_bad_input_is_answered_with_what_and_where(
    doors: Doors, body: bytes, status: int, code: str, where: str | None
) -> None:
    answer = doors.ask("open_case", INTAKE, body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    if where:
        assert where in answer.json()["details"]["where"]


@pytest.mark.parametrize("since", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_list_is_not_asked_for_since_the_end_of_time(doors: Doors, since: str) -> None:
    assert doors.refused("list_cases", DIRECTOR, since=since) == (422, "bad_input")


def test_a_forbidden_move_and_a_stale_version_say_what_is_possible(doors: Doors) -> None:
    case_id = doors.at_work()
    answer = doors.ask("start", HANDLER, {"case_id": case_id})
    assert (answer.status_code, answer.json()["code"]) == (409, "move_refused")
    assert "on_hold, resolution_proposed, transferring, withdrawn" in answer.json()["message"]
    stale = doors.ask("hold", HANDLER, {**DOORS["hold"], "case_id": case_id, "version": 2})
    assert (stale.status_code, stale.json()["code"]) == (409, "stale_version")
    assert stale.json()["details"] == {"yours": 2, "current": 4}


def test_a_lost_answer_can_be_asked_for_again_and_opens_one_case(doors: Doors) -> None:
    key = {"Idempotency-Key": "the-same-case"}
    body = {**OPENING, "category": "corruption"}
    first, again = (doors.ask("open_case", INTAKE, body, **key) for _ in range(2))
    assert first.json() == again.json()
    assert len(doors.done("list_cases", INSPECTOR, category="corruption")["items"]) == 1
    other = doors.ask("open_case", INTAKE, {**body, "channel": "phone"}, **key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


def test_an_answer_with_identity_is_read_anew_each_time_even_with_a_key(doors: Doors, database: Database) -> None:
    case_id = doors.at_work()
    for _ in range(2):
        asked = {"case_id": case_id, "reason": REASON}
        answer = doors.ask("get_case", SUPERVISOR, asked, **{"Idempotency-Key": f"reading-{case_id}"})
        assert answer.json()["identity"] is not None
    with database.read() as session:
        lines = session.exec(select(AuditEntry).where(AuditEntry.subject == case_id)).all()
    readings = [(line.actor_id, line.action, line.reason) for line in lines if line.action == "read_identity"]
    assert readings == [(SUPERVISOR.id, "read_identity", REASON)] * 2


def test_every_refusal_is_in_a_whole_audit_log(doors: Doors, database: Database) -> None:
    case_id = doors.at_work()
    doors.refused("get_case", OFFICER, case_id=case_id)
    doors.refused("get_case", ADMIN, case_id=case_id)
    doors.refused("list_notes", SUPERVISOR, case_id=case_id)
    doors.refused("close", SUPERVISOR, case_id=case_id, informed="yes", text="x")  # a move refused: no secret
    with database.read() as session:
        lines = session.exec(select(AuditEntry).where(AuditEntry.subject == case_id)).all()
        assert verify_audit(session) is None
    assert [(line.actor_id, line.action, line.reason) for line in lines] == [
        (OFFICER.id, "get_case", "case_not_found"),
        (ADMIN.id, "get_case", "forbidden"),
        (SUPERVISOR.id, "list_notes", "reason_needed"),
    ]


def test_an_intake_where_nothing_is_asked_for_beyond_the_rules_is_enough(doors: Doors) -> None:
    shown = doors.done("open_case", INTAKE, **OPENING)
    assert shown["recording_class"] == "non_crime"
    unsure = doors.done("open_case", INTAKE, **{**OPENING, "answers": {**NO_TO_ALL, "weapon": "unknown"}})
    assert unsure["recording_class"] == "undetermined"
