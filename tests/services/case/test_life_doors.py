"""The doors of the whole life of a case, asked over HTTP: who may, what is refused and how, and asked twice."""

from typing import Any

import pytest

from contracts.roles import Role
from tests.services.case.doors import UNKNOWN, Doors
from tests.services.case.life import MAN, SAFE, WOMAN
from tests.services.case.office import (
    DIRECTOR,
    FORCE,
    HANDLER,
    INSPECTOR,
    OFFICER,
    SUPERVISOR,
    person,
)

NOBODY = person("nobody-of-cases", Role.FORUM_MEMBER, Role.FORUM_FACILITATOR, Role.OPERATOR, Role.FEDERAL_ANALYST)
ADMIN = person("administrator", Role.NODE_ADMIN)
CONSENT = {"purpose": "mediation", "state": "given", "alone": "yes"}
OF_CASE: dict[str, dict[str, Any]] = {
    "record_consent": {"party_id": UNKNOWN, **CONSENT},
    "change_contact_plan": {"means": "none"},
    "name_staff": {"staff_unit": "x"},
    "propose_reclassification": {"to_class": "non_crime", "ground": "other", "text": "x"},
    "reopen": {"text": "x"},
    "mark_duplicate": {"original_id": UNKNOWN, "text": "x"},
    "separate": {"text": "x"},
    "propose_mediation": {"parties": [UNKNOWN, UNKNOWN[:-1] + "1"], "mediator": "forum", "text": "x"},
    "list_mediations": {},
    "request_assistance": {"station": "x", "text": "x"},
    "list_assistance": {},
}
BESIDE: dict[str, dict[str, Any]] = {
    "approve_reclassification": {"reclassification_id": UNKNOWN, "text": "x"},
    "refuse_reclassification": {"reclassification_id": UNKNOWN, "text": "x"},
    "get_confirmation": {"confirmation_id": UNKNOWN},
    "record_confirmation": {"confirmation_id": UNKNOWN, "answer": "confirmed"},
    "screen_mediation": {"mediation_id": UNKNOWN, "screen": SAFE, "asked_alone": True},
    "approve_mediation": {"mediation_id": UNKNOWN, "own_wish": True, "wish_heard_alone": True, "text": "x"},
    "hold_mediation": {"mediation_id": UNKNOWN, "text": "x"},
    "follow_up_mediation": {"mediation_id": UNKNOWN, "kept": "kept", "still_safe": "yes"},
    "report_breach": {"mediation_id": UNKNOWN, "text": "x"},
    "stop_mediation": {"mediation_id": UNKNOWN, "stop_reason": "other"},
    "acknowledge_assistance": {"assistance_id": UNKNOWN},
    "arrive_assistance": {"assistance_id": UNKNOWN},
    "end_assistance": {"assistance_id": UNKNOWN, "result": "calmed"},
    "refuse_assistance": {"assistance_id": UNKNOWN, "refusal": "other"},
    "get_welfare": {"welfare_id": UNKNOWN},
    "check_documents": {"welfare_id": UNKNOWN, "present": []},
    "submit_welfare": {"welfare_id": UNKNOWN},
    "hand_over_welfare": {"welfare_id": UNKNOWN, "office": "x"},
    "decide_welfare": {"welfare_id": UNKNOWN, "decision": "approved"},
    "appeal_welfare": {"welfare_id": UNKNOWN, "remark": "x"},
    "pay_welfare": {"welfare_id": UNKNOWN},
    "close_welfare": {"welfare_id": UNKNOWN},
}
LISTS: dict[str, dict[str, Any]] = {
    "list_reclassifications": {},
    "list_next_steps": {},
    "list_confirmations": {},
    "list_audit": {},
    "list_welfare": {},
    "start_welfare": {"benefit": "land", "applicant": "officer", "applicant_name": "C"},
}
EVERY = {**{name: {"case_id": UNKNOWN, **values} for name, values in OF_CASE.items()}, **BESIDE, **LISTS}
ALL_CASE_ROLES = person(
    "everything", Role.CASE_WORKER, Role.UNIT_SUPERVISOR, Role.PROVINCIAL_DIRECTOR, Role.INSPECTORATE,
    Role.CONFIRMATION_INTERVIEWER, unit="ninewa-9",
)  # fmt: skip


def test_forum_roles_administrators_operators_and_analysts_find_every_door_shut(doors: Doors) -> None:
    for name, values in EVERY.items():
        for stranger in (NOBODY, ADMIN):
            assert doors.refused(name, stranger, **values) == (403, "forbidden"), name


def test_what_is_not_there_is_404_at_every_door_whatever_role_asks(doors: Doors) -> None:
    for name in {**OF_CASE, **BESIDE}:
        status, code = doors.refused(name, ALL_CASE_ROLES, **EVERY[name])
        assert (status, code.endswith("_not_found")) == (404, True), name


def test_what_is_not_yours_looks_as_if_it_were_not_there(doors: Doors) -> None:
    case_id = doors.at_work()
    for name, values in OF_CASE.items():
        stranger = OFFICER if name not in ("reopen", "mark_duplicate", "separate") else INSPECTOR
        assert doors.refused(name, stranger, **{**values, "case_id": case_id}) == (404, "case_not_found"), name


def test_a_case_lives_on_through_its_doors(doors: Doors) -> None:
    case_id = doors.at_work(answers=FORCE, parties=[WOMAN, MAN])
    case = {"case_id": case_id}
    parties = [party["id"] for party in doors.done("get_case", HANDLER, **case)["identity"]["parties"]]
    proposed = doors.done("propose_reclassification", HANDLER, **{**EVERY["propose_reclassification"], **case})
    decision = {"reclassification_id": proposed["id"], "text": "seen"}
    stale = doors.ask("approve_reclassification", DIRECTOR, {**decision, "version": 5})
    assert (stale.status_code, stale.json()["code"]) == (409, "stale_version")
    assert stale.json()["details"] == {"yours": 5, "current": 1}
    assert doors.refused("approve_reclassification", ALL_CASE_ROLES, **decision, version=5)[0] == 409
    assert doors.done("approve_reclassification", DIRECTOR, **decision)["status"] == "approved"
    assert doors.refused("approve_reclassification", DIRECTOR, **decision) == (409, "move_refused")
    shown = doors.done("get_case", HANDLER, **case)
    assert (shown["recording_class"], shown["current_class"]) == ("crime_indicated", "non_crime")
    lines = doors.done("list_reclassifications", DIRECTOR, of_case_id=case_id)["items"]
    assert [(line["from_class"], line["to_class"], line["text"]) for line in lines] == [
        ("crime_indicated", "non_crime", "x")
    ]
    mediation = {"parties": parties, "mediator": "forum", "text": "the wall"}
    row = {"mediation_id": doors.done("propose_mediation", HANDLER, **case, **mediation)["id"]}
    doors.done("screen_mediation", HANDLER, **row, screen=SAFE, asked_alone=True)
    assert doors.refused("hold_mediation", HANDLER, **row, text="x") == (409, "consent_missing")
    for party in parties:
        doors.done("record_consent", HANDLER, **case, party_id=party, **CONSENT)
    held = doors.done("hold_mediation", HANDLER, **row, terms=[{"text": "no shouting"}], text="they met")
    assert (held["status"], held["terms"]) == ("agreed", 1)
    assert [each["status"] for each in doors.done("list_mediations", SUPERVISOR, **case)["items"]] == ["agreed"]
    call = doors.done("request_assistance", SUPERVISOR, **case, station="the station", text="help")
    doors.done("arrive_assistance", HANDLER, assistance_id=call["id"])
    assert doors.done("list_assistance", SUPERVISOR, **case)["items"][0]["status"] == "on_scene"
    doors.done("change_contact_plan", HANDLER, **case, means="none")
    seen = doors.done("get_case", HANDLER, **case)["identity"]
    assert seen["contact_plan"]["means"] == "none"
    assert [consent["purpose"] for consent in seen["consents"]] == ["mediation", "mediation"]
    due = doors.done("list_next_steps", HANDLER, assigned_to_me=True, limit=200)["items"]
    assert case_id in [each["id"] for each in due]
    other = doors.at_work(answers=FORCE)
    assert doors.refused("mark_duplicate", SUPERVISOR, case_id=other, original_id=case_id, text="x") == (
        409,
        "class_would_be_lost",
    )


def test_a_step_asked_for_twice_with_one_key_is_taken_once(doors: Doors) -> None:
    case_id = doors.at_work()
    body = {**EVERY["request_assistance"], "case_id": case_id}
    key = {"Idempotency-Key": f"call-{case_id}"}
    first, again = (doors.ask("request_assistance", HANDLER, body, **key) for _ in range(2))
    assert first.json() == again.json()
    assert len(doors.done("list_assistance", HANDLER, case_id=case_id)["items"]) == 1


@pytest.mark.parametrize(
    ("door", "by", "change", "where"),
    [
        ("propose_reclassification", HANDLER, {"to_class": "arrest"}, "to_class"),
        ("propose_mediation", HANDLER, {"parties": [UNKNOWN]}, "parties"),
        ("propose_mediation", HANDLER, {"parties": [UNKNOWN, UNKNOWN]}, "parties"),
        ("screen_mediation", HANDLER, {"asked_alone": False}, "asked_alone"),
        ("screen_mediation", HANDLER, {"screen": {"fear": "no"}}, "screen"),
        ("approve_mediation", DIRECTOR, {"own_wish": False}, "own_wish"),
        ("record_consent", HANDLER, {"purpose": "everything"}, "purpose"),
        ("end_assistance", HANDLER, {"result": "arrested"}, "result"),
        ("check_documents", SUPERVISOR, {"present": ["passport"]}, "present"),
        ("start_welfare", SUPERVISOR, {"applicant_name": "\u202ex"}, "applicant_name"),
        ("name_staff", HANDLER, {"staff_unit": None}, "staff_account"),
        ("list_next_steps", HANDLER, {"limit": 201}, "limit"),
        ("record_consent", HANDLER, {"tribe": "x"}, "tribe"),
    ],
)
def test_bad_input_is_refused_with_what_and_where(
    doors: Doors, door: str, by: Any, change: dict[str, Any], where: str
) -> None:
    answer = doors.ask(door, by, {**EVERY[door], **change})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_input")
    assert where in answer.json()["details"]["where"]


def test_an_interview_answer_says_why_if_and_only_if_it_stays_unconfirmed(doors: Doors) -> None:
    for change in ({"answer": "unconfirmed"}, {"answer": "confirmed", "unasked": "declined"}, {"unasked": "lapsed"}):
        answer = doors.ask("record_confirmation", ALL_CASE_ROLES, {**EVERY["record_confirmation"], **change})
        assert answer.status_code == 422
