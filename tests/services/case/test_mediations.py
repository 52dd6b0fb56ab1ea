"""Mediation: screened first, agreed to apart, held, followed up twice; and where it may not be the only response."""

from typing import Any

import pytest

from contracts.case import CaseStatus, NoteKind
from contracts.case.mediation import FollowUpQuery, MediationStatus
from contracts.roles import Role
from kernel.errors import MoveRefused, StaleVersion
from kernel.identity import Actor
from services.case import handlers
from services.case.refusals import (
    ConsentMissing,
    FromOutside,
    MediationNotFound,
    NoAgreement,
    NotTheHandler,
    NotTheOnlyResponse,
    OwnAct,
    PartyNotFound,
    TooEarly,
)
from tests.services.case import life
from tests.services.case.office import (
    DIRECTOR,
    FORCE,
    HANDLER,
    NO_TO_ALL,
    OFFICER,
    SUPERVISOR,
    Office,
    person,
)

PARTIES = [life.WOMAN, life.MAN]
INJURED = {**NO_TO_ALL, "injury": "yes"}
GUARDED: dict[str, dict[str, Any]] = {
    "sexual violence": {"category": "sexual_violence"},
    "trafficking": {"category": "trafficking_in_persons"},
    "a minor": {"category": "family_dispute", "answers": {**NO_TO_ALL, "child": "yes"}},
    "abuse with injury": {"category": "domestic_abuse", "answers": INJURED},
    "abuse where nobody asked": {"category": "domestic_abuse", "answers": {**NO_TO_ALL, "injury": "unknown"}},
    "blackmail with images": {"category": "electronic_blackmail", "answers": {**NO_TO_ALL, "images_misused": "yes"}},
}


def screened(office: Office, case: Any) -> Any:
    return life.of_mediation(office, "screen", life.mediate(office, case))


def consented(office: Office, case: Any) -> Any:
    row = screened(office, case)
    for party in life.party_ids(office, case):
        life.consent(office, case, party)
    return row


def test_a_mediation_goes_from_screen_to_two_follow_ups(office: Office) -> None:
    case = office.at_work(parties=PARTIES)
    row = life.agreed(office, case)
    assert (row.status, row.terms) == (MediationStatus.AGREED, 1)
    assert str(row.next_follow_up_on) == "2026-03-24"
    office.propose(case, outcome="mediated_agreement")
    office.close(case)
    with pytest.raises(TooEarly):
        life.of_mediation(office, "follow_up", row)
    office.wait(days=14)
    first = life.of_mediation(office, "follow_up", row)
    assert (first.status, first.follow_ups, str(first.next_follow_up_on)) == (MediationStatus.AGREED, 1, "2026-05-09")
    office.wait(days=46)
    second = life.of_mediation(office, "follow_up", row)
    assert (second.status, second.follow_ups, second.next_follow_up_on) == (MediationStatus.KEPT, 2, None)
    events = [fact.type.split(".")[1] for fact in office.facts() if fact.kind == "mediation"]
    assert events == ["proposed", "screened", "held", "followed_up", "followed_up"]
    assert [fact.version for fact in office.facts() if fact.kind == "mediation"] == [1, 2, 3, 4, 5]
    assert NoteKind.MEDIATION in {note.kind for note in office.notes(case, HANDLER)}


def test_a_screen_that_is_no_clear_no_keeps_the_parties_apart(office: Office) -> None:
    case = office.at_work(parties=PARTIES)
    row = life.of_mediation(office, "screen", life.mediate(office, case), screen={**life.SAFE, "fear": "unknown"})
    assert row.status is MediationStatus.UNSAFE
    with pytest.raises(MoveRefused):
        life.of_mediation(office, "hold", row)
    with pytest.raises(NoAgreement):
        office.propose(case, outcome="mediated_agreement")


def test_no_meeting_before_the_screen_and_before_each_party_agreed_apart(office: Office) -> None:
    case = office.at_work(parties=PARTIES)
    row = life.mediate(office, case)
    woman, man = life.party_ids(office, case)
    with pytest.raises(MoveRefused):
        life.of_mediation(office, "hold", row)
    life.consent(office, case, woman)  # before the screen: does not count
    office.wait(minutes=1)
    life.of_mediation(office, "screen", row)
    life.consent(office, case, man, alone="no")
    with pytest.raises(ConsentMissing) as refused:
        life.of_mediation(office, "hold", row)
    assert refused.value.details["parties"] == f"{woman}, {man}"
    life.consent(office, case, woman)
    life.consent(office, case, man)
    office.wait(minutes=1)
    life.consent(office, case, man, state="withdrawn")
    with pytest.raises(ConsentMissing):
        life.of_mediation(office, "hold", row)
    office.wait(minutes=1)
    life.consent(office, case, man)
    assert life.of_mediation(office, "hold", row).status is MediationStatus.AGREED


def test_where_it_may_not_be_the_only_response_somebody_outside_approves_her_own_wish(office: Office) -> None:
    for opening in GUARDED.values():
        case = office.at_work(parties=PARTIES, **opening)
        with pytest.raises(NotTheOnlyResponse):
            office.propose(case, outcome="mediated_agreement")
        row = consented(office, case)
        assert row.guarded
        with pytest.raises(NotTheOnlyResponse):
            life.of_mediation(office, "hold", row)
        with pytest.raises(FromOutside):
            life.of_mediation(office, "approve", row, by=SUPERVISOR)
        assert life.of_mediation(office, "approve", row, by=DIRECTOR).approved_by == DIRECTOR.id
        assert life.of_mediation(office, "hold", row).status is MediationStatus.AGREED
        assert office.propose(case, outcome="mediated_agreement").status is CaseStatus.RESOLUTION_PROPOSED


def test_beside_another_response_it_needs_no_approval(office: Office) -> None:
    case = office.at_work(parties=PARTIES, category="domestic_abuse", answers=INJURED)
    row = consented(office, case)
    call = life.call_for_help(office, case)
    with pytest.raises(NotTheOnlyResponse):
        life.of_mediation(office, "hold", row)
    life.of_call(office, "arrive", call)
    assert life.of_mediation(office, "hold", row).status is MediationStatus.AGREED


def test_a_dispute_among_adults_needs_no_approval(office: Office) -> None:
    assert not life.agreed(office, office.at_work(parties=PARTIES)).guarded


def test_nobody_approves_the_mediation_of_a_case_they_handled(office: Office) -> None:
    both = person("both", Role.PROVINCIAL_DIRECTOR, Role.CASE_WORKER, unit=None)
    case = office.open(parties=PARTIES, category="sexual_violence", answers=FORCE)
    office.triage(case)
    office.assign(case, to=both)
    office.start(case, by=both)
    office.assign(case, to=HANDLER)
    office.start(case)
    row = consented(office, case)
    with pytest.raises(OwnAct):
        life.of_mediation(office, "approve", row, by=both)


def test_a_breach_opens_a_case_that_had_ended_again(office: Office) -> None:
    case = office.at_work(parties=PARTIES)
    row = life.agreed(office, case)
    office.propose(case, outcome="mediated_agreement")
    office.close(case)
    broken = life.of_mediation(office, "breach", row, by=SUPERVISOR)
    assert (broken.status, broken.next_follow_up_on) == (MediationStatus.BREACHED, None)
    again = office.row(case)
    assert (again.status, again.outcome, again.reopened) == (CaseStatus.TRIAGED, None, 1)
    with pytest.raises(MoveRefused):
        life.of_mediation(office, "breach", row, by=SUPERVISOR)


@pytest.mark.parametrize("found", [{"kept": "broken"}, {"kept": "kept", "still_safe": "no"}])
def test_a_follow_up_that_finds_it_broken_or_unsafe_is_a_breach(office: Office, found: dict[str, str]) -> None:
    case = office.at_work(parties=PARTIES)
    row = life.agreed(office, case)
    office.wait(days=14)
    assert life.of_mediation(office, "follow_up", row, **found).status is MediationStatus.BREACHED
    with pytest.raises(NoAgreement):
        office.propose(case, outcome="mediated_agreement")


def test_who_was_not_reached_at_the_second_follow_up_is_asked_again(office: Office) -> None:
    case = office.at_work(parties=PARTIES)
    row = life.agreed(office, case)
    office.wait(days=60)
    life.of_mediation(office, "follow_up", row)
    unreached = life.of_mediation(office, "follow_up", row, kept="not_reached")
    assert unreached.status is MediationStatus.AGREED
    assert unreached.next_follow_up_on is not None
    assert life.of_mediation(office, "follow_up", row).status is MediationStatus.KEPT


def test_what_is_due_to_be_asked_about_stands_in_the_list_of_who_reaches_it(office: Office) -> None:
    case = office.at_work(parties=PARTIES)
    row = life.agreed(office, case)

    def due(by: Actor, **values: Any) -> list[str]:
        return [each.id for each in office.do(handlers.list_follow_ups, FollowUpQuery, by, **values)]

    assert due(HANDLER) == []
    assert due(HANDLER, until="2026-03-24") == [row.id]
    office.wait(days=14)
    for reader in (HANDLER, SUPERVISOR, DIRECTOR):
        assert due(reader) == [row.id]
    assert due(HANDLER, assigned_to_me=True) == [row.id]
    assert due(SUPERVISOR, assigned_to_me=True) == due(OFFICER) == []
    life.of_mediation(office, "follow_up", row)
    assert due(HANDLER) == []


def test_without_terms_there_is_no_agreement_and_a_stopped_one_is_none(office: Office) -> None:
    case = office.at_work(parties=PARTIES)
    row = consented(office, case)
    assert life.of_mediation(office, "hold", row, terms=[], text="he left").status is MediationStatus.NOT_AGREED
    another = life.mediate(office, case)
    assert life.of_mediation(office, "stop", another).status is MediationStatus.STOPPED
    with pytest.raises(NoAgreement):
        office.propose(case, outcome="mediated_agreement")


def test_parties_of_another_case_strangers_and_stale_versions_are_refused(office: Office) -> None:
    case, other = office.at_work(parties=PARTIES), office.at_work(parties=PARTIES)
    with pytest.raises(PartyNotFound):
        life.mediate(office, case, parties=life.party_ids(office, other))
    row = life.mediate(office, case)
    with pytest.raises(MediationNotFound):
        life.of_mediation(office, "screen", row, by=OFFICER)
    with pytest.raises(NotTheHandler):
        life.of_mediation(office, "screen", row, by=person("s", Role.UNIT_SUPERVISOR, Role.CASE_WORKER))
    with pytest.raises(StaleVersion):
        life.of_mediation(office, "screen", row, version=7)


def test_a_restricted_mediation_tells_month_and_group_and_how_it_stands_to_the_home_directorate(
    office: Office,
) -> None:
    case = office.at_work(parties=PARTIES, category="domestic_abuse")
    life.agreed(office, case)
    fact = office.last_fact()
    assert fact.restricted
    assert fact.statistical_values() == {"month": "2026-03", "category_group": "protection"}
    assert fact.operational_values()["status"] == "agreed"
    assert b"shouting" not in fact.operational
