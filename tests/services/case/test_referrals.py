"""Referrals: prepared, agreed to, sent, answered, done, and confirmed by the person."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from contracts.case import ReferralStatus
from contracts.roles import Role
from kernel.errors import MoveRefused, StaleVersion
from services.case.refusals import (
    NothingToAnswer,
    NotTheHandler,
    NotTheSupervisor,
    OwnAct,
    ReasonNeeded,
    ReferralNotFound,
)
from services.case.tables import Referral
from tests.services.case.office import (
    HANDLER,
    OFFICER,
    OTHER_SUPERVISOR,
    PARTNER,
    START,
    SUPERVISOR,
    Office,
    hashed,
    person,
)

SECOND_SUPERVISOR = person("second-supervisor", Role.UNIT_SUPERVISOR)
AFFECTED = {
    "role": "affected",
    "name": "Amal",
    "sex": "female",
    "age": 31,
    "phone": "0770",
    "address": "the third lane",
}


def events(office: Office) -> list[str]:
    return [fact.type.split(".")[1] for fact in office.facts() if fact.type.startswith("referral.")]


def test_a_referral_is_sent_with_number_due_time_and_one_fact(office: Office) -> None:
    case = office.at_work()
    told = len(office.facts())
    referral = office.refer(case, urgency="urgent")
    assert referral.number == "R-NI-2026-000001-W"
    assert referral.status is ReferralStatus.SENT
    assert referral.due_at == START + timedelta(hours=72)
    assert len(office.facts()) == told + 1
    fact = office.last_fact()
    assert (fact.type, fact.subject, fact.version) == ("referral.sent.v1", referral.id, 1)
    assert fact.statistical_values() == {
        "month": "2026-03",
        "category": "neighbour_dispute",
        "category_group": "dispute",
        "status": "sent",
        "urgency": "urgent",
        "overdue": False,
        "person_says": None,
    }
    operational = fact.operational_values()
    assert operational["destination"] == "health"
    assert operational["consent"] == "given"
    assert operational["case"] == case.id
    assert operational["sender"] == hashed(HANDLER.id)
    assert "clinic" not in fact.operational.decode()


def test_nothing_is_sent_before_the_person_has_agreed(office: Office) -> None:
    draft = office.refer(office.at_work(), consent="not_asked")
    assert (draft.status, draft.sent_at, draft.due_at) == (ReferralStatus.DRAFT, None, None)
    asked = office.step("ask_consent", draft)
    assert asked.status is ReferralStatus.CONSENT_PENDING
    office.wait(days=60)
    assert office.break_silence() == 0
    for attempt in (office.accept, office.reject):
        with pytest.raises(MoveRefused):
            attempt(asked)
    sent = office.step("dispatch_referral", asked, consent="given", withhold=["phone"])
    assert (sent.status, sent.consent, sent.withhold) == (ReferralStatus.SENT, "given", ["phone"])
    assert sent.due_at == office.now + timedelta(hours=72)
    assert events(office) == ["drafted", "asked", "sent"]


def test_consent_is_overridden_by_a_supervisor_who_did_not_prepare_it_and_with_a_reason(office: Office) -> None:
    reason = "she is unconscious and must be seen today"
    drafted = office.refer(office.at_work(), consent="not_asked")
    with pytest.raises(NotTheSupervisor):
        office.step("dispatch_referral", drafted, consent="overridden", override_reason=reason)
    own = office.refer(office.at_work(), by=SUPERVISOR, consent="not_asked")
    with pytest.raises(OwnAct):
        office.step("dispatch_referral", own, by=SUPERVISOR, consent="overridden", override_reason=reason)
    with pytest.raises(Exception, match="Needed when consent is overridden"):
        office.step("dispatch_referral", own, by=SECOND_SUPERVISOR, consent="overridden")
    sent = office.step("dispatch_referral", own, by=SECOND_SUPERVISOR, consent="overridden", override_reason=reason)
    assert (sent.status, sent.consent, sent.overridden_by) == ("sent", "overridden", SECOND_SUPERVISOR.id)
    assert office.last_fact().operational_values()["consent"] == "overridden"
    assert reason not in office.last_fact().operational.decode()


def test_a_referral_goes_all_the_way_to_what_the_person_says(office: Office) -> None:
    referral = office.refer(office.at_work())
    office.step("deliver_referral", referral)
    assert office.accept(referral, version=2).answered_at == START
    with pytest.raises(MoveRefused):
        office.complete(referral)
    office.begin(referral)
    assert office.complete(referral).status is ReferralStatus.COMPLETED
    with pytest.raises(MoveRefused):
        office.step("revoke_referral", referral, reason="no_longer_needed")
    done = office.step("confirm_referral", referral, person_says="partly_helped")
    assert (done.status, done.person_says, done.version) == ("outcome_confirmed", "partly_helped", 6)
    assert events(office) == ["sent", "delivered", "accepted", "begun", "completed", "confirmed"]
    assert office.last_fact().statistical_values()["person_says"] == "partly_helped"


def test_an_office_that_could_not_finish_says_why(office: Office) -> None:
    referral = office.accept(office.refer(office.at_work()))
    ended = office.step("not_complete_referral", referral, reason="person_not_reached", text="three calls")
    assert (ended.status, ended.not_completed_reason) == ("not_completed", "person_not_reached")
    assert office.step("confirm_referral", referral, person_says="never_reached").status == "outcome_confirmed"


def test_an_office_does_not_confirm_its_own_outcome_and_revokes_nothing(office: Office) -> None:
    referral = office.refer(office.at_work(), partner_id=PARTNER.id)
    with pytest.raises(NotTheHandler):
        office.step("revoke_referral", referral, by=PARTNER, reason="other_office")
    for take in (office.accept, office.begin, office.complete):
        take(referral, by=PARTNER)
    with pytest.raises(NotTheHandler):
        office.step("confirm_referral", referral, by=PARTNER, person_says="helped")


def test_a_referral_is_revoked_any_time_before_it_is_completed(office: Office) -> None:
    case = office.at_work()
    for steps in range(4):
        referral = office.refer(case, consent="not_asked")
        ways: list[Callable[[Referral], Any]] = [
            lambda one: office.step("dispatch_referral", one, consent="given"),
            office.accept,
            office.begin,
        ]
        for way in ways[:steps]:
            way(referral)
        revoked = office.step("revoke_referral", referral, reason="consent_withdrawn")
        assert (revoked.status, revoked.next_step_at) == ("revoked", None)


def test_a_referral_is_rejected_with_a_reason(office: Office) -> None:
    referral = office.reject(office.refer(office.at_work()), reason="out_of_area", text="ask the other clinic")
    assert (referral.status, referral.reject_reason) == (ReferralStatus.REJECTED, "out_of_area")
    assert office.last_fact().operational_values()["reject_reason"] == "out_of_area"


def test_a_referral_is_answered_once_and_in_order(office: Office) -> None:
    referral = office.refer(office.at_work())
    with pytest.raises(MoveRefused):
        office.complete(referral)
    office.accept(referral)
    for attempt in (office.accept, office.reject):
        with pytest.raises(MoveRefused):
            attempt(referral)
    with pytest.raises(StaleVersion):
        office.begin(referral, version=1)


def test_nothing_is_referred_from_a_case_before_it_has_a_handler_or_after_a_proposal(office: Office) -> None:
    case = office.open()
    with pytest.raises(MoveRefused):
        office.refer(case, by=SUPERVISOR)
    proposed = office.proposed()
    with pytest.raises(MoveRefused):
        office.refer(proposed)


def test_a_partner_answers_only_the_referral_that_names_them(office: Office) -> None:
    case = office.at_work()
    named = office.refer(case, partner_id=PARTNER.id)
    other = office.refer(case)
    assert office.accept(named, by=PARTNER).status is ReferralStatus.ACCEPTED
    without_role = person("partner", Role.FORUM_MEMBER)
    for referral, who in ((other, PARTNER), (named, without_role), (named, OFFICER), (named, OTHER_SUPERVISOR)):
        with pytest.raises(ReferralNotFound) as refused:
            office.begin(referral, by=who)
        assert refused.value.audited


def test_a_supervisor_may_refer_and_write_down_an_answer_given_by_telephone(office: Office) -> None:
    referral = office.refer(office.at_work(), by=SUPERVISOR)
    assert office.accept(referral, by=SUPERVISOR).status is ReferralStatus.ACCEPTED


def test_an_office_sees_the_least_that_its_kind_works_with(office: Office) -> None:
    case = office.at_work(parties=[AFFECTED], narrative="what nobody else may read", language="ckb")
    clinic = office.refer(case, partner_id=PARTNER.id, text="please see her")
    sheet = office.sheet(clinic, PARTNER)
    (woman,) = sheet.persons
    assert (sheet.asked_for, sheet.language, sheet.district) == ("please see her", "ckb", None)
    assert (woman.name, woman.age, woman.phone, woman.address) == ("Amal", 31, "0770", None)
    police = office.refer(case, destination="local_police", partner_id=PARTNER.id, withhold=["name", "phone"])
    (named,) = office.sheet(police, PARTNER).persons
    assert (named.name, named.phone, named.age, named.address) == (None, None, None, "the third lane")
    assert [line[1] for line in office.audited()].count("read_sheet") == 2


def test_the_first_look_of_an_office_delivers_the_referral(office: Office) -> None:
    referral = office.refer(office.at_work(), partner_id=PARTNER.id)
    office.sheet(referral, HANDLER)
    assert events(office) == ["sent"]
    office.sheet(referral, PARTNER)
    office.sheet(referral, PARTNER)
    assert events(office) == ["sent", "delivered"]


def test_a_sheet_is_closed_to_its_office_before_it_is_sent_and_after_it_ended(office: Office) -> None:
    draft = office.refer(office.at_work(), partner_id=PARTNER.id, consent="asked")
    with pytest.raises(NothingToAnswer):
        office.sheet(draft, PARTNER)
    office.step("revoke_referral", draft, reason="person_declined")
    with pytest.raises(NothingToAnswer):
        office.sheet(draft, PARTNER)


def test_who_does_not_handle_the_case_reads_a_sheet_with_a_reason(office: Office) -> None:
    referral = office.refer(office.at_work(parties=[AFFECTED]))
    with pytest.raises(ReasonNeeded):
        office.sheet(referral, SUPERVISOR)
    assert office.sheet(referral, SUPERVISOR, reason="the clinic asked us").persons
