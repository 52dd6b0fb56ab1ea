"""What is told of the persons in a case: never enough to describe one of them."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.case import RESTRICTED, AgeBand, Answer, Category, PartyRole, Sex, Telling
from contracts.rules import CaseRules
from services.case import telling
from services.case.telling import EXPOSING, Person, told

RULES = CaseRules()
people = st.lists(
    st.builds(
        Person,
        role=st.sampled_from(PartyRole),
        sex=st.sampled_from(Sex),
        age=st.one_of(st.none(), st.integers(0, 120)),
    ),
    max_size=6,
)
categories = st.sampled_from(Category)
children = st.sampled_from(Answer)
UNTOLD = {AgeBand.SUPPRESSED, AgeBand.MISSING}


@given(categories, people, children)
def test_no_persons_is_missing_which_is_not_zero(category: Category, persons: list[Person], child: Answer) -> None:
    result = told(category, persons, child=child, rules=RULES)
    assert (result.parties is Telling.MISSING) == (not persons)
    assert (result.by_sex is not None) == (result.parties is Telling.TOLD)


@given(people, children, st.sampled_from(sorted(EXPOSING)))
def test_nothing_is_told_where_being_known_is_the_harm(
    persons: list[Person], child: Answer, category: Category
) -> None:
    result = told(category, persons, child=child, rules=RULES)
    assert result.age_band in UNTOLD
    assert result.by_sex is None


@given(categories, people, children)
def test_nothing_is_told_when_a_child_is_involved(category: Category, persons: list[Person], child: Answer) -> None:
    result = told(category, persons, child=child, rules=RULES)
    minors = any(person.age is not None and person.age < 18 for person in persons)
    if minors or child is Answer.YES:
        assert result.age_band in UNTOLD
        assert result.by_sex is None
    assert result.age_band not in (AgeBand.CHILD, AgeBand.ADOLESCENT)


@given(categories, people, children)
def test_sexes_are_told_only_where_the_sex_of_nobody_follows(
    category: Category, persons: list[Person], child: Answer
) -> None:
    by_sex = told(category, persons, child=child, rules=RULES).by_sex
    if by_sex is not None:
        assert by_sex[Sex.FEMALE] >= 1
        assert by_sex[Sex.MALE] >= 1
        assert sum(by_sex.values()) == len(persons)


def test_several_affected_of_different_ages_are_mixed() -> None:
    pair = [Person(PartyRole.AFFECTED, Sex.FEMALE, 20), Person(PartyRole.AFFECTED, Sex.MALE, 60)]
    assert told(Category.NEIGHBOUR_DISPUTE, pair, child=Answer.NO, rules=RULES).age_band is AgeBand.MIXED


def test_the_age_of_others_than_the_affected_is_not_told() -> None:
    both = [Person(PartyRole.AFFECTED, Sex.FEMALE, None), Person(PartyRole.RESPONDENT, Sex.MALE, 60)]
    assert told(Category.NEIGHBOUR_DISPUTE, both, child=Answer.NO, rules=RULES).age_band is AgeBand.MISSING


def test_a_node_may_ask_for_more_of_each_sex_and_for_a_later_age() -> None:
    three = [Person(PartyRole.AFFECTED, sex, 20) for sex in (Sex.FEMALE, Sex.FEMALE, Sex.MALE)]
    stricter = CaseRules(least_of_each_sex=2)
    assert told(Category.NEIGHBOUR_DISPUTE, three, child=Answer.NO, rules=RULES).parties is Telling.TOLD
    assert told(Category.NEIGHBOUR_DISPUTE, three, child=Answer.NO, rules=stricter).parties is Telling.SUPPRESSED
    later = CaseRules(adult_age=21)
    assert told(Category.NEIGHBOUR_DISPUTE, three, child=Answer.NO, rules=later).age_band is AgeBand.SUPPRESSED


def test_every_restricted_category_is_exposing() -> None:
    assert RESTRICTED <= EXPOSING


@pytest.mark.parametrize(
    ("age", "band"),
    [(0, "0-11"), (11, "0-11"), (12, "12-17"), (17, "12-17"), (18, "18-24"), (24, "18-24"), (25, "25-34"),
     (34, "25-34"), (35, "35-49"), (49, "35-49"), (50, "50-64"), (64, "50-64"), (65, "65+"), (120, "65+")],
)  # fmt: skip
def test_bands_begin_and_end_where_the_language_says(age: int, band: str) -> None:
    assert telling.age_band(age) == AgeBand(band)


def test_age_is_counted_in_whole_years_on_the_day_of_the_report() -> None:
    born = date(2008, 3, 10)
    assert telling.age_on(date(2026, 3, 9), born, None) == 17
    assert telling.age_on(date(2026, 3, 10), born, None) == 18
    assert telling.age_on(date(2026, 3, 10), None, 40) == 40
    assert telling.age_on(date(2026, 3, 10), None, None) is None


def test_days_weeks_and_months_are_those_of_baghdad() -> None:
    late = datetime(2026, 12, 31, 21, 30, tzinfo=UTC)
    assert telling.month(late) == "2027-01"
    assert telling.week(late) == "2026-W53"
    assert telling.local_day(late) == date(2027, 1, 1)
