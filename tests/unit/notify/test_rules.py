"""Who is told what."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.case import CASE_EVENTS, REFERRAL_EVENTS
from contracts.case.words import GROUP, Category, CategoryGroup
from contracts.notify import ACKNOWLEDGING
from contracts.roles import Role
from services.notify.model import Contact, Directory
from services.notify.rules import RULES, concerns, notifications
from tests.repo.documents import fact_schemas

HANDLER = Contact("handler", "h-handler", frozenset({Role.COMMUNITY_OFFICER}), unit="unit-1")
SUPERVISOR = Contact("supervisor", "h-supervisor", frozenset({Role.UNIT_SUPERVISOR}), unit="unit-1")
OTHER_SUPERVISOR = Contact("other", "h-other", frozenset({Role.UNIT_SUPERVISOR}), unit="unit-2")
DIRECTOR = Contact("director", "h-director", frozenset({Role.PROVINCIAL_DIRECTOR}))
INSPECTOR = Contact("inspector", "h-inspector", frozenset({Role.INSPECTORATE}))
FACILITATOR = Contact("facilitator", "h-facilitator", frozenset({Role.FORUM_FACILITATOR}), forums=frozenset({"f-1"}))
MEMBER = Contact("member", "h-member", frozenset({Role.FORUM_MEMBER}), forums=frozenset({"f-1"}))
ADMIN = Contact("admin", "h-admin", frozenset({Role.NODE_ADMIN}))
EVERYBODY = Directory((HANDLER, SUPERVISOR, OTHER_SUPERVISOR, DIRECTOR, INSPECTOR, FACILITATOR, MEMBER, ADMIN))

CASE = {
    "case_number": "NI-2026-000123-L",
    "unit": "unit-1",
    "handler": "h-handler",
    "category": "theft_fraud",
    "category_group": "crime_and_order",
    "recording_class": "non_crime",
}
REFERRAL = {**CASE, "referral_number": "R-NI-2026-000001-U", "sender": "h-handler"}


def told(fact_type: str, parts: dict[str, Any], *, subject: str = "s", arrived: bool = False) -> set[str]:
    return {draft.account_id for draft in notifications(fact_type, subject, parts, EVERYBODY, arrived=arrived)}


def test_a_new_case_is_told_to_the_supervisors_of_its_unit_alone() -> None:
    assert told("case.opened.v1", CASE) == {"supervisor"}


def test_an_assigned_case_is_told_to_its_handler_alone() -> None:
    assert told("case.assigned.v1", CASE) == {"handler"}


def test_a_handler_who_is_no_longer_here_is_not_told() -> None:
    assert told("case.assigned.v1", {**CASE, "handler": "h-somebody-else"}) == set()


@pytest.mark.parametrize("handler", [None, ""])
def test_a_case_without_a_handler_is_told_to_no_handler(handler: str | None) -> None:
    assert told("case.assigned.v1", {**CASE, "handler": handler}) == set()


def test_a_closing_is_told_to_an_approver_outside_the_unit_when_a_crime_was_indicated() -> None:
    assert told("case.proposed.v1", CASE) == {"supervisor"}
    assert told("case.proposed.v1", {**CASE, "recording_class": "crime_indicated"}) == {"supervisor", "director"}


def test_nobody_is_asked_to_approve_their_own_closing() -> None:
    assert told("case.proposed.v1", {**CASE, "handler": "h-supervisor"}) == set()


@pytest.mark.parametrize(
    "event", [*(f"case.{event}" for event in CASE_EVENTS), *(f"referral.{e}" for e in REFERRAL_EVENTS)]
)
@pytest.mark.parametrize("recording_class", ["crime_indicated", "non_crime", "undetermined"])
def test_a_complaint_is_never_told_to_the_chain_of_command_of_the_unit(event: str, recording_class: str) -> None:
    complaint = {**REFERRAL, "category_group": "complaint", "recording_class": recording_class}
    assert told(f"{event}.v1", complaint) <= {"inspector", "handler"}


@pytest.mark.parametrize("role", [Role.NODE_ADMIN, Role.OPERATOR, Role.FEDERAL_ANALYST, Role.REGIONAL_ANALYST])
def test_who_may_see_no_case_is_told_of_none_whatever_else_they_are(role: Role) -> None:
    powerful = Contact("p", "h-p", frozenset({role, Role.UNIT_SUPERVISOR, Role.CASE_WORKER}), unit="unit-1")
    for event in ("case.opened.v1", "case.assigned.v1", "case.proposed.v1", "referral.overdue.v1"):
        parts = {**REFERRAL, "handler": "h-p", "sender": "h-p"}
        assert notifications(event, "s", parts, Directory((powerful,))) == []


def test_a_case_assigned_to_a_forum_member_by_mistake_is_not_told_to_them() -> None:
    assert told("case.assigned.v1", {**CASE, "handler": "h-member"}) == set()


def test_an_inspector_of_the_unit_or_who_directs_it_is_not_told_of_a_complaint() -> None:
    own = Contact("own", "h-own", frozenset({Role.INSPECTORATE}), unit="unit-1")
    directing = Contact("both", "h-both", frozenset({Role.INSPECTORATE, Role.PROVINCIAL_DIRECTOR}))
    directory = Directory((own, directing, INSPECTOR))
    drafts = notifications("case.opened.v1", "s", {**CASE, "category_group": "complaint"}, directory)
    assert {draft.account_id for draft in drafts} == {"inspector"}


def test_a_complaint_that_waits_for_triage_is_told_to_the_inspectorate() -> None:
    assert told("case.opened.v1", {**CASE, "category_group": "complaint"}) == {"inspector"}


def test_every_category_that_complains_of_staff_is_in_the_group_that_the_wall_stands_on() -> None:
    walled = {category for category, group in GROUP.items() if group is CategoryGroup.COMPLAINT}
    assert walled == {Category.COMPLAINT_AGAINST_POLICE, Category.CORRUPTION}


def test_a_restricted_case_is_told_by_what_its_fact_still_shows() -> None:
    restricted = {key: value for key, value in CASE.items() if key not in ("category", "recording_class")}
    assert told("case.opened.v1", {**restricted, "category_group": "protection"}) == {"supervisor"}


def test_a_referral_without_an_answer_is_told_to_its_sender_and_the_supervisor() -> None:
    assert told("referral.overdue.v1", REFERRAL) == {"handler", "supervisor"}


def test_the_answer_to_a_referral_is_told_to_its_sender() -> None:
    for event in ("accepted", "rejected", "completed"):
        assert told(f"referral.{event}.v1", REFERRAL) == {"handler"}


def test_an_overdue_action_is_told_to_the_facilitators_of_its_forum() -> None:
    assert told("action.overdue.v1", {"forum_id": "f-1", "number": "A-NI-2026-000001-X"}) == {"facilitator"}
    assert told("action.overdue.v1", {"forum_id": "f-2"}) == set()


def test_a_forum_at_risk_is_told_to_its_facilitators_and_the_director() -> None:
    assert told("forum.at_risk.v1", {"number": "F-1"}, subject="f-1") == {"facilitator", "director"}


def test_a_directive_that_arrives_is_told_to_those_who_acknowledge_it() -> None:
    wording = {"title": {"en": "t"}, "text": {"en": "x"}}
    assert told("directive.issued.v1", wording, arrived=True) == {"supervisor", "other", "director"}
    assert told("directive.issued.v1", wording) == set(), "the directorate's own directive is no news to it"


def test_somebody_in_two_groups_is_told_once() -> None:
    both = Contact(
        "both", "h-both", frozenset({Role.FORUM_FACILITATOR, Role.PROVINCIAL_DIRECTOR}), forums=frozenset({"f"})
    )
    assert len(notifications("forum.at_risk.v1", "f", {}, Directory((both,)))) == 1


@given(
    st.sampled_from([rule.on for rule in RULES]),
    st.dictionaries(
        st.sampled_from(["unit", "handler", "sender", "forum_id", "category_group", "case_number"]),
        st.none() | st.text(max_size=8),
    ),
    st.booleans(),
)
def test_whatever_a_fact_says_forum_roles_and_administrators_are_never_told_of_a_case(
    fact_type: str, parts: dict[str, Any], arrived: bool
) -> None:
    drafts = notifications(fact_type, "s", parts, EVERYBODY, arrived=arrived)
    if any(draft.about in ("case", "referral") for draft in drafts):
        assert {draft.account_id for draft in drafts}.isdisjoint({"facilitator", "member", "admin"})


def test_a_notification_has_room_for_a_number_and_nothing_else_of_a_record() -> None:
    (draft,) = notifications("case.assigned.v1", "case-id", CASE, EVERYBODY)
    assert vars(draft) == {
        "account_id": "handler",
        "rule": "case_assigned",
        "about": "case",
        "subject": "case-id",
        "reference": "NI-2026-000123-L",
    }


def test_every_rule_is_about_a_fact_that_is_published_and_a_number_that_it_carries() -> None:
    shapes = {shape.kind: shape for shape in fact_schemas()}
    for rule in RULES:
        kind, event, version = rule.on.split(".")
        shape = shapes[kind]
        assert event in shape.events
        assert version == f"v{shape.version}"
        for named in (rule.reference, rule.opens):
            assert named is None or named in shape().fields, rule.name


def test_what_no_rule_is_about_concerns_nobody() -> None:
    assert concerns("case.opened.v1")
    assert not concerns("case.noted.v1")
    assert not concerns("directive.issued.v1")
    assert concerns("directive.issued.v1", arrived=True)
    assert set(ACKNOWLEDGING) == {Role.PROVINCIAL_DIRECTOR, Role.UNIT_SUPERVISOR}


NAMED = {"walled": True, "quiet": True}


@pytest.mark.parametrize(
    "event", [*(f"case.{event}" for event in CASE_EVENTS), *(f"referral.{e}" for e in REFERRAL_EVENTS)]
)
def test_of_a_case_that_names_staff_only_its_handler_is_told(event: str) -> None:
    """Whoever is named might be of the inspectorate, or the sender, or direct the governorate."""
    assert told(f"{event}.v1", {**REFERRAL, **NAMED, "head": "h-other"}) <= {"handler"}


def test_a_walled_case_of_any_category_is_told_to_the_inspectorate_in_the_place_of_the_unit() -> None:
    assert told("case.opened.v1", {**CASE, "walled": True}) == {"inspector"}
    crime = {**CASE, "walled": True, "recording_class": "crime_indicated"}
    assert told("case.proposed.v1", crime) == {"inspector"}


INTERVIEWER = Contact("interviewer", "h-interviewer", frozenset({Role.CONFIRMATION_INTERVIEWER}), unit="unit-2")
CENTRAL = Contact("central", "h-central", frozenset({Role.CONFIRMATION_INTERVIEWER}))
OWN_INTERVIEWER = Contact("own", "h-own", frozenset({Role.CONFIRMATION_INTERVIEWER}), unit="unit-1")
INTERVIEWERS = Directory((*EVERYBODY.contacts, INTERVIEWER, CENTRAL, OWN_INTERVIEWER))
DRAWN = {**CASE, "interviewing_unit": "unit-2", "unasked": None, "walled": False}


def told_of_interview(**parts: Any) -> set[str]:
    return {draft.account_id for draft in notifications("confirmation.drawn.v1", "s", {**DRAWN, **parts}, INTERVIEWERS)}


def test_an_interview_is_told_to_the_interviewers_of_the_unit_that_was_drawn() -> None:
    assert told_of_interview() == {"interviewer"}


def test_an_interview_for_a_unit_without_interviewers_is_told_to_those_of_no_unit() -> None:
    assert told_of_interview(interviewing_unit="unit-3") == {"central"}
    assert told_of_interview(interviewing_unit=None) == {"central"}


def test_an_interview_behind_the_wall_is_told_to_those_of_no_unit_and_of_one_that_names_staff_to_nobody() -> None:
    assert told_of_interview(walled=True) == {"central"}
    assert told_of_interview(walled=True, quiet=True) == set()


def test_an_interview_that_cannot_be_held_is_told_to_nobody() -> None:
    assert told_of_interview(unasked="no_consent") == set()


def test_a_reclassification_is_told_to_who_may_decide_it_and_never_to_who_proposed_it() -> None:
    waiting = {**CASE, "handler": "h-handler", "proposer": "h-supervisor", "walled": False}
    assert told("reclassification.proposed.v1", waiting) == {"director", "inspector"}
    assert told("reclassification.proposed.v1", {**waiting, "proposer": "h-director"}) == {"inspector"}
    assert told("reclassification.proposed.v1", {**waiting, "walled": True}) == {"inspector"}
    assert told("reclassification.proposed.v1", {**waiting, **NAMED}) == set()
    of_unit = Contact("of-unit", "h-of-unit", frozenset({Role.INSPECTORATE}), unit="unit-1")
    assert notifications("reclassification.proposed.v1", "s", waiting, Directory((of_unit,))) == []


def test_a_call_without_an_answer_is_told_to_the_handler_and_the_supervisor() -> None:
    assert told("assistance.no_answer.v1", CASE) == {"handler", "supervisor"}
    assert told("assistance.no_answer.v1", {**CASE, "walled": True}) == {"handler", "inspector"}
    assert told("assistance.no_answer.v1", {**CASE, **NAMED}) == {"handler"}


def test_a_case_that_was_taken_over_is_told_to_the_supervisors_of_the_unit_that_accepted_it() -> None:
    assert told("case.taken_over.v1", CASE) == {"supervisor"}
    assert not concerns("transfer.released.v1", arrived=True), "each part of a release would be told"
