"""The partner directory: listed by one, vetted by another, extended and never overridden."""

from datetime import timedelta

import pytest

from contracts.case import PartnerStatus
from contracts.roles import Role
from kernel.errors import BadInput
from kernel.fact import Fact
from services.case import handlers
from services.case.refusals import (
    NotOurPartner,
    OwnAct,
    PartnerNeeded,
    PartnerNotFound,
    PartnerNotUsable,
    PartnerOutOfScope,
)
from services.case.tables import Partner
from tests.services.case.office import DIRECTOR, PARTNER, SUPERVISOR, Office, person

UNKNOWN = "0198c3a0-0000-7000-8000-000000000000"
BOTH = person("both", Role.UNIT_SUPERVISOR, Role.PROVINCIAL_DIRECTOR)


def stands(office: Office, partner: Partner) -> PartnerStatus:
    found = office.run(lambda session: handlers.get_partner(session, {"partner_id": partner.id}))
    return handlers.status_of(found, office.now)


def test_a_partner_can_be_asked_from_its_vetting_until_it_ends(office: Office) -> None:
    partner = office.partner(vetted=False)
    assert stands(office, partner) is PartnerStatus.LISTED
    with pytest.raises(PartnerNotUsable):
        office.refer(office.at_work(), destination="legal_aid", partner=partner.id)
    office.vet(partner, days=10)
    assert office.refer(office.at_work(), destination="legal_aid", partner=partner.id).office == "the clinic"
    office.wait(days=11)
    assert stands(office, partner) is PartnerStatus.LAPSED
    with pytest.raises(PartnerNotUsable, match="lapsed"):
        office.refer(office.at_work(), destination="legal_aid", partner=partner.id)


def test_a_vetting_that_ended_before_the_person_agreed_stops_the_sending(office: Office) -> None:
    partner = office.partner()
    draft = office.refer(office.at_work(), destination="legal_aid", partner=partner.id, consent="asked")
    office.suspend(partner)
    with pytest.raises(PartnerNotUsable, match="suspended"):
        office.step("dispatch_referral", draft, consent="given")


def test_nobody_vets_their_own_entry_and_no_vetting_is_for_ever(office: Office) -> None:
    own = office.partner(by=BOTH, vetted=False)
    with pytest.raises(OwnAct):
        office.vet(own, by=BOTH)
    with pytest.raises(BadInput):
        office.vet(own, days=732)
    with pytest.raises(BadInput):
        office.vet(own, days=0)
    assert stands(office, own) is PartnerStatus.LISTED


def test_a_partner_is_asked_for_what_it_takes_where_it_works(office: Office) -> None:
    narrow = office.partner(categories=["theft_fraud"], districts=["mosul"])
    case = office.at_work(category="theft_fraud")
    assert office.refer(case, destination="legal_aid", partner=narrow.id)
    for values, asked in (({"category": "begging"}, "legal_aid"), ({"category": "theft_fraud"}, "shelter")):
        with pytest.raises(PartnerOutOfScope):
            office.refer(office.at_work(**values), destination=asked, partner=narrow.id)


@pytest.mark.parametrize("destination", ["shelter", "legal_aid", "civil_society"])
def test_who_is_no_public_authority_is_asked_through_the_directory(office: Office, destination: str) -> None:
    with pytest.raises(PartnerNeeded):
        office.refer(office.at_work(), destination=destination)
    with pytest.raises(PartnerNotFound):
        office.refer(office.at_work(), destination=destination, partner=UNKNOWN)


def test_a_partner_without_an_office_name_is_called_by_its_own(office: Office) -> None:
    partner = office.partner(names={"ar": "نقابة المحامين", "en": "Bar"}, account_id=PARTNER.id)
    referral = office.refer(office.at_work(), destination="legal_aid", partner=partner.id, office=None)
    assert (referral.office, referral.partner_id) == ("نقابة المحامين", PARTNER.id)


def test_what_became_of_its_referrals_is_a_partners_performance(office: Office) -> None:
    partner = office.partner()
    case = office.at_work()
    first, second, _ = (office.refer(case, destination="legal_aid", partner=partner.id) for _ in range(3))
    office.wait(hours=10)
    office.accept(first)
    office.wait(hours=70)
    office.reject(second)
    past = office.run(lambda session: handlers.performances(session, [partner.id], now=office.now))[partner.id]
    assert (past.sent, past.answered, past.answered_in_time, past.accepted) == (3, 2, 1, 1)
    assert past.median_hours_to_answer == 45.0


def arrived(office: Office, partner: Partner, *, version: int, suspended: bool = False, origin: str = "x") -> None:
    """What a directorate tells of a partner, as it comes to another node."""

    def take(session: object) -> None:
        told = [fact for fact in office.facts() if fact.subject == partner.id][-1]
        head = told.head.replace(b'"version":%d' % told.version, b'"version":%d' % version)
        head = head.replace(partner.id.encode(), UNKNOWN.encode())
        parts = told.statistical.replace(
            b'"suspended":false', b'"suspended":true' if suspended else b'"suspended":false'
        )
        fact = Fact(head, parts, told.operational)
        handlers.take_partner(session, fact, origin=origin, node="ninewa")  # type: ignore[arg-type]

    office.run(take)


def test_a_directorates_partner_is_kept_used_and_never_changed_here(office: Office) -> None:
    template = office.partner()
    arrived(office, template, version=2, origin="directorate-baghdad")
    case = office.at_work()
    assert office.refer(case, destination="legal_aid", partner=UNKNOWN)
    for change in (lambda: office.vet(UNKNOWN), lambda: office.suspend(UNKNOWN)):
        with pytest.raises(NotOurPartner, match="directorate-baghdad"):
            change()
    arrived(office, template, version=3, suspended=True, origin="directorate-baghdad")
    with pytest.raises(PartnerNotUsable, match="suspended"):
        office.refer(case, destination="legal_aid", partner=UNKNOWN)


def test_what_is_older_or_of_another_directorate_changes_nothing(office: Office) -> None:
    template = office.partner()
    arrived(office, template, version=3, origin="directorate-baghdad")
    arrived(office, template, version=2, suspended=True, origin="directorate-baghdad")
    arrived(office, template, version=9, suspended=True, origin="directorate-erbil")
    assert office.refer(office.at_work(), destination="legal_aid", partner=UNKNOWN)


def test_a_partners_fact_has_no_account_no_telephone_and_nobody_who_vetted_it(office: Office) -> None:
    office.partner(phone="0770123", account_id="account-x", head_account_id="account-y")
    for fact in office.facts():
        whole = fact.statistical + fact.operational
        assert not any(hidden in whole for hidden in (b"0770123", b"account-", SUPERVISOR.id.encode()))


def test_the_directory_is_listed_by_what_is_needed(office: Office) -> None:
    women = office.partner(women_on_staff=True)
    office.partner(women_on_staff=False)
    office.partner(women_on_staff=True, vetted=False)
    office.partner(women_on_staff=True, destination="health")
    assert office.directory(destination="legal_aid", women_on_staff=True, usable=True) == [women.id]
    office.wait(days=400)
    assert office.directory(destination="legal_aid", usable=True) == []
    assert timedelta(days=office.rules.partner_vetting_days) > timedelta(days=365)
    assert DIRECTOR.has(Role.PROVINCIAL_DIRECTOR)
