"""Who may be asked, and whom to ask instead."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from contracts.case import Category, Destination, HandlerPreference, Language, PartnerStatus, ReferralStatus
from services.case.partners import Answered, Entry, Need, Performance, performance, status_on, suggested

TODAY = date(2026, 3, 10)
SENT = datetime(2026, 3, 1, tzinfo=UTC)
NEED = Need(Destination.LEGAL_AID, Category.PROPERTY_DISPUTE, "mosul", HandlerPreference.ANY, Language.SORANI)
S = ReferralStatus


def entry(name: str, **values: object) -> Entry:
    usual: dict[str, object] = {
        "destination": Destination.LEGAL_AID,
        "categories": frozenset(),
        "districts": frozenset(),
        "women_on_staff": True,
        "languages": frozenset(Language),
        "vetted_on": TODAY,
        "expires_on": TODAY,
        "suspended": False,
    }
    return Entry(name, **{**usual, **values})  # type: ignore[arg-type]


def test_a_vetting_counts_on_its_last_day_and_not_on_the_next() -> None:
    vetted = {"vetted_on": TODAY, "expires_on": TODAY, "suspended": False}
    assert status_on(TODAY, **vetted) is PartnerStatus.VETTED  # type: ignore[arg-type]
    assert status_on(TODAY + timedelta(days=1), **vetted) is PartnerStatus.LAPSED  # type: ignore[arg-type]
    assert status_on(TODAY, vetted_on=None, expires_on=None, suspended=False) is PartnerStatus.LISTED
    assert status_on(TODAY, vetted_on=TODAY, expires_on=TODAY, suspended=True) is PartnerStatus.SUSPENDED


def test_only_who_may_and_can_help_is_suggested() -> None:
    candidates = [
        entry("fits"),
        entry("suspended", suspended=True),
        entry("lapsed", expires_on=TODAY - timedelta(days=1)),
        entry("another-kind", destination=Destination.HEALTH),
        entry("another-category", categories=frozenset({Category.BEGGING})),
        entry("another-district", districts=frozenset({"sinjar"})),
        entry("asked-before"),
    ]
    found = suggested([(each, Performance()) for each in candidates], NEED, on=TODAY, without=("asked-before", None))
    assert found == ["fits"]


def test_who_asked_for_a_woman_is_sent_where_women_work() -> None:
    candidates = [(entry("men", women_on_staff=False), Performance()), (entry("women"), Performance())]
    asked = Need(NEED.destination, NEED.category, NEED.district, HandlerPreference.WOMAN, NEED.language)
    assert suggested(candidates, asked, on=TODAY) == ["women"]


def test_the_language_counts_first_then_who_answers() -> None:
    candidates = [
        (entry("silent"), Performance(sent=10, answered=1)),
        (entry("answers"), Performance(sent=10, answered=9)),
        (entry("never-asked"), Performance()),
        (entry("other-language", languages=frozenset({Language.ARABIC})), Performance(sent=10, answered=10)),
    ]
    assert suggested(candidates, NEED, on=TODAY) == ["answers", "never-asked", "silent", "other-language"]


def test_performance_is_counted_from_what_happened() -> None:
    def sent(status: ReferralStatus, hours: int | None) -> Answered:
        answered = SENT + timedelta(hours=hours) if hours is not None else None
        return Answered(status, SENT, SENT + timedelta(hours=72), answered)

    past = performance(
        [
            sent(S.ACCEPTED, 10),
            sent(S.OUTCOME_CONFIRMED, 80),
            sent(S.REJECTED, 30),
            sent(S.EXPIRED, None),
            sent(S.REVOKED, None),
        ]
    )
    assert past == Performance(
        sent=4, answered=3, answered_in_time=2, accepted=2, completed=1, expired=1, median_hours_to_answer=30.0
    )


@given(st.lists(st.tuples(st.sampled_from(ReferralStatus), st.one_of(st.none(), st.integers(0, 500)))))
def test_no_count_is_larger_than_what_was_sent(referrals: list[tuple[ReferralStatus, int | None]]) -> None:
    past = performance(
        Answered(status, SENT, SENT + timedelta(hours=72), None if hours is None else SENT + timedelta(hours=hours))
        for status, hours in referrals
    )
    assert max(past.answered, past.accepted, past.completed, past.expired) <= past.sent
    assert past.answered_in_time <= past.answered
