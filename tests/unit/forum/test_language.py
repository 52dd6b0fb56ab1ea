"""The published language: what a request may hold, and what a fact may not."""

from typing import Any

import pytest
from marshmallow import Schema, ValidationError

import contracts.forum as contract
from contracts.roles import CASE_READ, FORUM_ROLES, INTAKE, Role
from kernel.fact import FactSchema

FORUM = "0197c0de-0000-7000-8000-000000000001"
FACTS = (
    contract.AreaFact,
    contract.ForumFact,
    contract.MeetingFact,
    contract.ConcernFact,
    contract.ActionFact,
)
SCHEMAS = [
    getattr(contract, name)
    for name in contract.__all__
    if isinstance(getattr(contract, name), type) and issubclass(getattr(contract, name), Schema)
]
HELD = {"forum_id": FORUM, "meeting_id": FORUM, "held_at": "2026-01-05T10:00:00+03:00", "tension": 2}
CAME = {"sector": "police", "sex": "male", "count": 3}


def problems(schema: type[Schema], values: dict[str, Any]) -> Any:
    """What is wrong with a request, by field."""
    with pytest.raises(ValidationError) as refusal:
        schema().load(values)
    return refusal.value.messages


@pytest.mark.parametrize("schema", [each for each in SCHEMAS if not issubclass(each, FactSchema)])
def test_every_field_of_a_request_and_a_view_says_how_sensitive_it_is(schema: type[Schema]) -> None:
    unmarked = [name for name, field in schema().fields.items() if "sensitivity" not in field.metadata]
    assert not unmarked


@pytest.mark.parametrize("schema", FACTS)
def test_no_personal_field_of_a_view_is_in_a_fact(schema: type[FactSchema]) -> None:
    personal = {
        name
        for view in SCHEMAS
        if not issubclass(view, FactSchema)
        for name, field in view().fields.items()
        if field.metadata["sensitivity"] == "C2" and name != "items"
    }
    assert {"name", "contact", "owner_name", "facilitator", "account_id"} <= personal
    assert not personal & set(schema().fields)


@pytest.mark.parametrize("schema", FACTS)
def test_no_sentence_of_a_forum_is_in_a_fact(schema: type[FactSchema]) -> None:
    sentences = {"text", "answer", "title", "evidence", "finding", "agenda", "place"}
    assert not sentences & set(schema().fields)


def test_a_name_needs_arabic_or_kurdish() -> None:
    values = {"names": {"en": "Qaraqosh"}, "kind": "sub_district", "district": "hamdaniya"}
    assert "Arabic" in problems(contract.AddArea, values)["names"]["ar"][0]


def test_an_unknown_field_is_named() -> None:
    assert "tribe" in problems(contract.AddMember, {"forum_id": FORUM, "tribe": "x"})


def test_a_moment_without_a_time_zone_is_refused() -> None:
    values = {"forum_id": FORUM, "planned_at": "2026-01-05T10:00:00", "place": "school"}
    assert "planned_at" in problems(contract.PlanMeeting, values)


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_a_moment_outside_living_memory_is_refused(moment: str) -> None:
    assert "held_at" in problems(contract.HoldMeeting, {**HELD, "attendance": [CAME], "held_at": moment})
    assert "due_on" in problems(contract.AgreeAction, {"action_id": FORUM, "due_on": moment[:10]})


def test_a_pair_of_sector_and_sex_is_counted_once() -> None:
    assert "attendance" in problems(contract.HoldMeeting, {**HELD, "attendance": [CAME, CAME]})


@pytest.mark.parametrize(("field", "value"), [("tension", 6), ("tension", 0), ("guests", -1), ("tension", "two")])
def test_a_number_outside_its_bounds_is_refused(field: str, value: object) -> None:
    assert field in problems(contract.HoldMeeting, {**HELD, "attendance": [CAME], field: value})


def test_a_group_stands_once_in_a_dimension() -> None:
    line = {"dimension": "sex", "group": "female", "count": 3}
    values = {"forum_id": FORUM, "declared_on": "2026-01-05", "counts": [line, line]}
    assert "counts" in problems(contract.DeclareComposition, values)


def test_an_action_comes_from_a_meeting_or_a_concern() -> None:
    values = {
        "forum_id": FORUM,
        "title": "street lights",
        "owner_kind": "authority",
        "owner_name": "municipality",
        "owner_sector": "local_authority",
    }
    assert "meeting_id" in problems(contract.ProposeAction, values)


def test_forum_roles_open_no_case_and_administrators_read_none() -> None:
    assert not FORUM_ROLES & (CASE_READ | INTAKE)
    assert Role.NODE_ADMIN not in CASE_READ | INTAKE
