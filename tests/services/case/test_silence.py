"""A referral cannot die in silence: three steps, each told once, then it expires and another partner is named."""

from datetime import timedelta

import pytest

from contracts.case import ReferralStatus
from tests.services.case.office import HANDLER, HOME, PARTNER, Office, hashed


def told(office: Office) -> list[str]:
    return [fact.type for fact in office.facts() if fact.type.split(".")[0] in ("referral", "silence")][1:]


@pytest.mark.parametrize(("urgency", "hours"), [("immediate", 24), ("urgent", 72), ("normal", 168)])
def test_silence_is_told_in_three_steps_and_ends_by_expiry(office: Office, urgency: str, hours: int) -> None:
    referral = office.refer(office.at_work(), urgency=urgency)
    for wait, fact_type in (
        (hours, "referral.overdue.v1"),
        (hours / 2, "referral.escalated.v1"),
        (hours / 2, "referral.silent.v1"),
        (hours, "referral.expired.v1"),
    ):
        office.wait(hours=wait, seconds=-1)
        assert office.break_silence() == 0
        office.wait(seconds=1)
        assert office.break_silence() == 1
        assert office.break_silence() == 0
        steps = [each for each in told(office) if each.startswith("referral")]
        assert steps[-1] == fact_type
    office.wait(days=400)
    assert office.break_silence() == 0
    with_end = office.facts()[-1]
    assert with_end.statistical_values()["status"] == ReferralStatus.EXPIRED
    assert with_end.statistical_values()["overdue"] is True
    assert office.last_fact().subject == referral.id


def test_the_home_directorate_is_told_of_the_third_step_and_nothing_of_the_case(office: Office) -> None:
    referral = office.refer(office.at_work(category="domestic_abuse"), urgency="immediate")
    for _ in range(3):
        office.wait(hours=24)
        office.break_silence()
    (report,) = [fact for fact in office.facts() if fact.type == "silence.reported.v1"]
    assert report.audience == (HOME,)
    assert report.restricted
    assert report.statistical_values() == {"month": "2026-03"}
    assert set(report.operational_values()) == {"at", "referral", "referral_number", "unit", "urgency", "due_at"}
    assert report.operational_values()["referral_number"] == referral.number


def test_an_answer_ends_the_silence_at_every_step(office: Office) -> None:
    case = office.at_work()
    for steps in range(4):
        referral = office.refer(case, urgency="immediate")
        for _ in range(steps):
            office.wait(hours=24)
            assert office.break_silence() == 1
        office.accept(referral)
        office.wait(days=30)
        assert office.break_silence() == 0


def test_a_look_at_the_sheet_is_no_answer(office: Office) -> None:
    referral = office.refer(office.at_work(), partner_id=PARTNER.id)
    office.sheet(referral, PARTNER)
    office.wait(hours=72)
    assert office.break_silence() == 1
    assert told(office)[-1] == "referral.overdue.v1"


def test_a_node_that_was_off_asks_again_before_it_gives_up(office: Office) -> None:
    office.refer(office.at_work(), urgency="immediate")
    office.wait(days=60)
    assert [office.break_silence() for _ in range(5)] == [1, 0, 0, 0, 0]
    office.wait(hours=12)
    assert office.break_silence() == 1
    assert told(office)[-1] == "referral.escalated.v1"


def test_one_pass_tells_of_a_bounded_number_oldest_first(office: Office) -> None:
    case = office.at_work()
    referrals = []
    for _ in range(5):
        referrals.append(office.refer(case))
        office.wait(minutes=1)
    office.wait(days=3)
    assert [office.break_silence(limit=2) for _ in range(4)] == [2, 2, 1, 0]
    overdue = [fact.subject for fact in office.facts() if fact.type == "referral.overdue.v1"]
    assert overdue == [referral.id for referral in referrals]


def test_the_head_of_a_partner_is_named_by_a_hash_and_another_partner_is_suggested(office: Office) -> None:
    silent = office.partner(head_account_id="account-head", languages=["ar"])
    far = office.partner(districts=["sinjar"])
    speaks = office.partner(languages=["ckb", "ar"])
    referral = office.refer(
        office.at_work(language="ckb"), destination="legal_aid", partner=silent.id, office=None, urgency="immediate"
    )
    assert office.last_fact().operational_values()["head"] == hashed("account-head")
    for _ in range(4):
        office.wait(hours=24)
        assert office.break_silence() == 1
    expired = office.referral(referral)
    assert (expired.status, expired.suggested) == ("expired", speaks.id)
    suggested = office.suggestions(referral, by=HANDLER)
    assert speaks.id in suggested
    assert not {silent.id, far.id} & set(suggested)


def test_the_time_between_steps_is_the_nodes_own(office: Office) -> None:
    office.rules = office.rules.model_copy(update={"referral_escalation_percent": 25})
    referral = office.refer(office.at_work(), urgency="immediate")
    office.wait(hours=24)
    office.break_silence()
    assert office.referral(referral).next_step_at == office.now + timedelta(hours=6)
