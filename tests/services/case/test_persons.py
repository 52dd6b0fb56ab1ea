"""Consent by purpose, contact plan, persons under age, and staff named at intake or later."""

from typing import Any

import pytest
from marshmallow import ValidationError

from contracts.case import CaseStatus, NoteKind, parties
from contracts.case.parties import ConsentState, Purpose
from contracts.roles import Role
from services.case import handlers
from services.case.refusals import (
    CaseNotFound,
    ConflictOfInterest,
    GuardianNeeded,
    HandlingRefused,
    PartyNotFound,
)
from services.case.tables import CaseConsent, CaseContactPlan
from tests.services.case import life
from tests.services.case.office import HANDLER, INSPECTOR, INTAKE, OFFICER, SUPERVISOR, Office, person

GIRL = {"role": "affected", "name": "D", "sex": "female", "age": 15}
AGREES = {"purpose": "handling", "state": "given"}


def test_an_intake_takes_everything_that_is_asked(office: Office) -> None:
    case = office.open(
        channel="hotline_497",
        language="kmr",
        interpreter=True,
        handler_preference="woman",
        prior_resort="tribe",
        pressure_reported=True,
        parties=[
            {**life.WOMAN, "consents": [{**AGREES, "withhold_from": ["family", "employer"], "consent_text": "you"}]},
            life.MAN,
        ],
        contact_plan=life.PLAN,
    )
    identity = office.get(case, INTAKE).identity
    assert identity is not None
    (said,) = identity.consents
    assert (said["purpose"], said["state"], said["withhold_from"]) == (
        Purpose.HANDLING,
        ConsentState.GIVEN,
        ["family", "employer"],
    )
    assert identity.contact_plan is not None
    assert {name: identity.contact_plan[name] for name in ("means", "contact", "from_hour", "until_hour")} == {
        name: value for name, value in life.PLAN.items() if name != "caution"
    }
    assert {note.kind for note in office.notes(case, INTAKE)} == {NoteKind.CONSENT, NoteKind.CONTACT}
    told = office.last_fact()
    assert not any(word in told.operational + told.statistical for word in (b"employer", b"0770", b"school"))


@pytest.mark.parametrize("channel", ["hotline_497", "forum", "anonymous_box"])
def test_a_case_comes_in_by_hotline_forum_or_box_without_any_person(office: Office, channel: str) -> None:
    case = office.open(channel=channel)
    assert case.status is CaseStatus.RECEIVED
    assert office.last_fact().operational_values()["channel"] == channel


def test_what_a_person_said_before_stays_and_what_they_said_last_holds(office: Office) -> None:
    case = office.at_work(parties=[{**life.WOMAN, "consents": [AGREES]}])
    (party,) = life.party_ids(office, case)
    life.consent(office, case, party, purpose="referral")
    office.wait(minutes=1)
    life.consent(office, case, party, purpose="referral", state="withdrawn")
    identity = office.get(case, HANDLER).identity
    assert identity is not None
    assert [(said["purpose"], said["state"]) for said in identity.consents] == [
        (Purpose.HANDLING, ConsentState.GIVEN),
        (Purpose.REFERRAL, ConsentState.WITHDRAWN),
    ]
    assert life.count(office, CaseConsent) == 3


def test_one_under_age_does_not_agree_alone(office: Office) -> None:
    with pytest.raises(GuardianNeeded):
        office.open(parties=[{**GIRL, "consents": [AGREES]}])
    duty = {**AGREES, "given_by": "best_interest", "consent_text": "nobody at home is safe"}
    for consent in ({**AGREES, "given_by": "guardian"}, duty, {**AGREES, "state": "refused"}):
        assert office.open(parties=[{**GIRL, "consents": [consent]}]).minors
    assert office.open(parties=[{**life.WOMAN, "consents": [AGREES]}]).minors is False


def test_what_the_affected_person_does_not_want_handled_needs_a_reason(office: Office) -> None:
    case = office.open(parties=[{**life.WOMAN, "consents": [{**AGREES, "state": "refused"}]}])
    office.triage(case)
    office.assign(case)
    with pytest.raises(HandlingRefused):
        office.start(case)
    office.start(case, without_consent_reason="her child is in danger")
    assert NoteKind.WITHOUT_CONSENT in {note.kind for note in office.notes(case, HANDLER)}


def test_a_contact_plan_is_replaced_and_the_old_one_stays(office: Office) -> None:
    case = office.at_work(contact_plan=life.PLAN)
    office.wait(minutes=1)
    shape = parties.ChangeContactPlan
    office.do(handlers.change_contact_plan, shape, HANDLER, case_id=case.id, means="none")
    identity = office.get(case, HANDLER).identity
    assert identity is not None
    assert identity.contact_plan is not None
    assert identity.contact_plan["means"] == "none"
    assert life.count(office, CaseContactPlan) == 2
    assert office.last_fact().type == "case.contact_changed.v1"


def test_the_consent_of_somebody_in_another_case_is_refused(office: Office) -> None:
    mine, other = office.at_work(parties=[life.WOMAN]), office.at_work(parties=[life.MAN])
    with pytest.raises(PartyNotFound):
        life.consent(office, mine, life.party_ids(office, other)[0])


def test_somebody_named_in_a_case_is_never_its_handler(office: Office) -> None:
    case = office.open(staff=[{"staff_account": OFFICER.id}])
    office.triage(case, by=INSPECTOR)
    with pytest.raises(ConflictOfInterest):
        office.assign(case, to=OFFICER, by=INSPECTOR)
    assert office.assign(case, by=INSPECTOR).handler_id == HANDLER.id


def test_a_case_that_names_staff_later_stands_behind_the_wall_from_then_on(office: Office) -> None:
    case = office.at_work()
    assert office.listed(SUPERVISOR) == [case.id]
    life.name_staff(office, case, staff_account=SUPERVISOR.id, staff_name="Captain E", post="officer")
    assert office.listed(SUPERVISOR) == []
    assert office.listed(INSPECTOR) == [case.id]
    assert office.listed(HANDLER) == [case.id]
    with pytest.raises(CaseNotFound):
        office.get(case, SUPERVISOR, reason="I want to know")
    told = office.last_fact()
    assert told.operational_values()["walled"] is True
    assert b"Captain" not in told.operational
    assert SUPERVISOR.id.encode() not in told.operational


def refused_intake(office: Office, **values: Any) -> None:
    with pytest.raises(ValidationError):
        office.open(**values)


def test_what_cannot_be_an_intake_is_refused_before_anything_is_kept(office: Office) -> None:
    refused_intake(office, contact_plan={"means": "call"})
    refused_intake(office, contact_plan={**life.PLAN, "from_hour": 12, "until_hour": 12})
    refused_intake(office, staff=[{"post": "officer"}])
    refused_intake(office, parties=[{**life.WOMAN, "consents": [AGREES] * 6}])
    refused_intake(office, parties=[{**life.WOMAN, "consents": [{**AGREES, "given_by": "best_interest"}]}])
    refused_intake(office, parties=[{**life.WOMAN, "consents": [{**AGREES, "withhold_from": ["enemies"]}]}])
    assert office.facts() == []


def test_only_the_handler_writes_down_what_a_person_agrees_to(office: Office) -> None:
    case = office.at_work(parties=[life.WOMAN])
    (party,) = life.party_ids(office, case)
    both = person("both", Role.UNIT_SUPERVISOR, Role.CASE_WORKER)
    with pytest.raises(Exception, match="Only the handler"):
        life.consent(office, case, party, by=both)
