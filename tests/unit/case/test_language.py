"""The published language of the case service: what it refuses, and what its facts can never carry."""

from typing import Any

import pytest
from marshmallow import Schema, ValidationError, fields

from contracts import case as contract
from contracts.case import GROUP, RESTRICTED, Category, CategoryGroup, Question
from contracts.case import requests as request_shapes
from contracts.case import views as view_shapes
from contracts.case.assistance import AssistanceFact, RestrictedAssistanceFact
from contracts.case.endings import ConfirmationFact, RestrictedConfirmationFact
from contracts.case.mediation import MediationFact, RestrictedMediationFact
from contracts.case.reclassification import ReclassificationFact, RestrictedReclassificationFact
from contracts.case.welfare import WelfareFact
from kernel.fact import Part
from kernel.schema import Strict

PAIRS = (
    (contract.CaseFact, contract.RestrictedCaseFact),
    (contract.ReferralFact, contract.RestrictedReferralFact),
    (ReclassificationFact, RestrictedReclassificationFact),
    (ConfirmationFact, RestrictedConfirmationFact),
    (MediationFact, RestrictedMediationFact),
    (AssistanceFact, RestrictedAssistanceFact),
)
FACTS = (*(shape for pair in PAIRS for shape in pair), WelfareFact)
PERSONAL = {"C2", "C3", "C4"}
OPENING: dict[str, Any] = {
    "answers": {question.value: "no" for question in Question},
    "category": "neighbour_dispute",
    "channel": "walk_in",
    "district": "mosul",
}


def schemas(module: Any) -> list[type[Schema]]:
    return [shape for shape in vars(module).values() if isinstance(shape, type) and issubclass(shape, Strict)]


def personal_fields() -> set[str]:
    return {
        name
        for shape in (*schemas(request_shapes), *schemas(view_shapes))
        for name, field in shape().fields.items()
        if field.metadata.get("sensitivity") in PERSONAL
    }


def told(shape: type[Schema], part: Part) -> set[str]:
    return {name for name, field in shape().fields.items() if field.metadata["part"] == part}


def test_restricted_categories_are_those_of_the_language() -> None:
    assert {category.value for category in RESTRICTED} == {
        "sexual_violence",
        "trafficking_in_persons",
        "reprisal_stigma",
        "child_protection",
        "self_harm_risk",
        "domestic_abuse",
    }
    assert set(GROUP) == set(Category)
    assert {category for category in Category if GROUP[category] is CategoryGroup.PROTECTION} == RESTRICTED


def test_what_is_restricted_has_one_coarse_statistical_form() -> None:
    for _, shape in PAIRS:
        assert told(shape, Part.STATISTICAL) == {"month", "category_group"}


def test_a_restricted_case_never_tells_where_what_or_when_it_was() -> None:
    untold = {"district", "week", "category", "channel", "reported_at", "incident_from", "incident_until", "age_band"}
    assert untold.isdisjoint(contract.RestrictedCaseFact().fields)
    assert {"category", "destination"}.isdisjoint(contract.RestrictedReferralFact().fields)


def test_a_restricted_shape_declares_nothing_that_the_open_one_does_not() -> None:
    for shape, restricted in PAIRS:
        assert set(restricted().fields) < set(shape().fields)


@pytest.mark.parametrize("shape", FACTS, ids=lambda shape: shape.__name__)
def test_no_fact_has_a_field_that_is_personal_in_a_request_or_a_view(shape: type[Schema]) -> None:
    assert personal_fields().isdisjoint(shape().fields)


@pytest.mark.parametrize("shape", FACTS, ids=lambda shape: shape.__name__)
def test_no_fact_has_free_text(shape: type[Schema]) -> None:
    texts = {name for name, field in shape().fields.items() if type(field) is fields.String}
    assert texts <= {
        "district", "week", "month", "case", "case_number", "referral_number", "welfare_number", "unit",
        "interviewing_unit", "handler", "proposer", "sender", "head", "partner", "duplicate_of",
    }  # fmt: skip


def test_no_person_has_a_field_for_what_group_they_belong_to() -> None:
    assert set(contract.Party().fields) == {
        "role", "name", "sex", "birth_date", "age", "phone", "address", "consents",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"answers": {**OPENING["answers"], "force": "perhaps"}}, "answers"),
        ({"answers": dict.fromkeys(("force", "threat"), "no")}, "answers"),
        ({"answers": {**OPENING["answers"], "tribe": "yes"}}, "answers"),
        ({"answers": "no"}, "answers"),
        ({"category": "arrest"}, "category"),
        ({"district": "atlantis"}, "district"),
        ({"channel": None}, "channel"),
        ({"recording_class": "non_crime"}, "recording_class"),
        ({"number": "NI-2026-000001-J"}, "number"),
        ({"reported_at": "2026-03-10T09:00:00"}, "reported_at"),
        ({"incident_from": "2026-03-10", "incident_until": "2026-03-09"}, "incident_until"),
        ({"incident_until": "2026-03-09"}, "incident_until"),
        ({"parties": [{"role": "affected", "ethnicity": "x"}]}, "parties"),
        ({"parties": [{"role": "suspect"}]}, "parties"),
        ({"parties": [{"role": "affected", "age": 30, "birth_date": "1996-01-01"}]}, "parties"),
        ({"parties": [{"role": "affected", "age": 121}]}, "parties"),
        ({"parties": [{"role": "affected", "age": "30"}]}, "parties"),
        ({"parties": [{"role": "affected", "name": "\u202egnp.exe"}]}, "parties"),
        ({"parties": [{"role": "affected"}] * 31}, "parties"),
        ({"narrative": "x" * 20_001}, "narrative"),
        ({"narrative": "\x00"}, "narrative"),
        ({"narrative": "   "}, "narrative"),
        ({"narrative": 5}, "narrative"),
        ({"interpreter": "perhaps"}, "interpreter"),
    ],
)
def test_a_bad_intake_is_refused_and_says_where(change: dict[str, Any], where: str) -> None:
    with pytest.raises(ValidationError) as refused:
        contract.OpenCase().load({**OPENING, **change})
    assert where in refused.value.normalized_messages()


@pytest.mark.parametrize("missing", ["answers", "category", "channel", "district"])
def test_an_intake_without_what_is_needed_is_refused(missing: str) -> None:
    with pytest.raises(ValidationError) as refused:
        contract.OpenCase().load({key: value for key, value in OPENING.items() if key != missing})
    assert missing in refused.value.normalized_messages()


CASE_ID = "0198c3a0-0000-7000-8000-000000000000"
REFERRING = {"destination": "health", "office": "x", "urgency": "urgent", "text": "x"}


@pytest.mark.parametrize(
    ("shape", "values", "where"),
    [
        (contract.GetCase, {"case_id": "1"}, "case_id"),
        (contract.GetCase, {"case_id": CASE_ID, "reason": "x"}, "reason"),
        (contract.Triage, {"risk": "low", "conflict_checked": False, "scope_checked": True}, "conflict_checked"),
        (contract.Triage, {"risk": "low", "conflict_checked": True, "scope_checked": False}, "scope_checked"),
        (contract.Triage, {"conflict_checked": True, "scope_checked": True}, "risk"),
        (contract.Assign, {}, "handler_id"),
        (contract.Start, {"version": 0}, "version"),
        (contract.Start, {"version": "1"}, "version"),
        (contract.Start, {"first_contact_at": "yesterday"}, "first_contact_at"),
        (contract.Hold, {"reason": "waits"}, "review_on"),
        (contract.ProposeResolution, {"outcome": "withdrawn", "text": "x"}, "outcome"),
        (contract.ProposeResolution, {"outcome": "duplicate", "text": "x"}, "outcome"),
        (contract.ProposeResolution, {"outcome": "advice_given"}, "text"),
        (contract.Close, {"text": "x"}, "informed"),
        (contract.Close, {"text": "x", "informed": True}, "informed"),
        (contract.Withdraw, {"asked_by": "affected", "alone": "yes"}, "pressure"),
        (contract.AddNote, {"text": ""}, "text"),
        (contract.AddNote, {"text": "x" * 8001}, "text"),
        (contract.SendReferral, {**REFERRING, "destination": "prison"}, "destination"),
        (contract.SendReferral, {**REFERRING, "urgency": "soon"}, "urgency"),
        (contract.CaseQuery, {"limit": 201}, "limit"),
        (contract.CaseQuery, {"status": "open"}, "status"),
        (contract.CaseQuery, {"since": "2026-03-10"}, "since"),
        (contract.RejectReferral, {"referral_id": CASE_ID}, "reason"),
    ],
)
def test_a_bad_request_is_refused_and_says_where(shape: type[Schema], values: dict[str, Any], where: str) -> None:
    whole = values if "referral_id" in values or shape is contract.CaseQuery else {"case_id": CASE_ID, **values}
    with pytest.raises(ValidationError) as refused:
        shape().load(whole)
    assert where in refused.value.normalized_messages()
