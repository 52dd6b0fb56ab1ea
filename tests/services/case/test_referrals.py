"""Referrals: asked, answered, and told of once when nobody answers."""

from datetime import timedelta

import pytest

from contracts.case import ReferralStatus
from contracts.roles import Role
from kernel.errors import MoveRefused, StaleVersion
from services.case.refusals import ReferralNotFound
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
    }
    operational = fact.operational_values()
    assert operational["destination"] == "health"
    assert operational["case"] == case.id
    assert operational["sender"] == hashed(HANDLER.id)
    assert "clinic" not in fact.operational.decode()


def test_a_referral_is_accepted_and_completed(office: Office) -> None:
    referral = office.refer(office.at_work())
    assert office.accept(referral, version=1).answered_at == START
    done = office.complete(referral, version=2)
    assert (done.status, done.version) == (ReferralStatus.COMPLETED, 3)
    assert [fact.type for fact in office.facts()][-3:] == [
        "referral.sent.v1",
        "referral.accepted.v1",
        "referral.completed.v1",
    ]


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
        office.complete(referral, version=1)


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
            office.complete(referral, by=who)
        assert refused.value.audited


def test_a_supervisor_may_refer_and_write_down_an_answer_given_by_telephone(office: Office) -> None:
    referral = office.refer(office.at_work(), by=SUPERVISOR)
    assert office.accept(referral, by=SUPERVISOR).status is ReferralStatus.ACCEPTED


@pytest.mark.parametrize(("urgency", "hours"), [("immediate", 24), ("urgent", 72), ("normal", 168)])
def test_silence_is_told_once_when_an_answer_was_due(office: Office, urgency: str, hours: int) -> None:
    referral = office.refer(office.at_work(), urgency=urgency)
    office.wait(hours=hours, seconds=-1)
    assert office.tell_overdue() == 0
    office.wait(seconds=1)
    assert office.tell_overdue() == 1
    assert office.tell_overdue() == 0
    fact = office.last_fact()
    assert (fact.type, fact.version) == ("referral.overdue.v1", 2)
    assert fact.statistical_values()["overdue"] is True
    assert fact.statistical_values()["status"] == "sent"
    assert office.accept(referral).version == 3
    assert office.last_fact().statistical_values()["overdue"] is True


def test_an_answer_in_time_is_never_overdue(office: Office) -> None:
    case = office.at_work()
    office.accept(office.refer(case))
    office.reject(office.refer(case))
    office.wait(days=30)
    assert office.tell_overdue() == 0


def test_one_pass_tells_of_a_bounded_number_oldest_first(office: Office) -> None:
    case = office.at_work()
    referrals = []
    for _ in range(5):
        referrals.append(office.refer(case))
        office.wait(minutes=1)
    office.wait(days=7)
    assert [office.tell_overdue(limit=2) for _ in range(4)] == [2, 2, 1, 0]
    overdue = [fact.subject for fact in office.facts() if fact.type == "referral.overdue.v1"]
    assert overdue == [referral.id for referral in referrals]
