"""What is told of a case and its persons beyond the node: the small-number rules. Pure.

A fact is about one case, so every attribute in it is an attribute of few people; one or two more and a
neighbour knows who. What is told in `statistical`: district, week and category, as domain.md allows, and of
the persons at most

- the age band of the affected, one word for all of them: `mixed` when they differ;
- how many of each sex are in the case, whatever their part in it.

The two are never crossed. Both are suppressed, which is not zero, where being known is the harm itself:

- in categories where the affected is typically one and the talk of the district (`EXPOSING`);
- when a child is involved or anyone in the case is under age (`adult_age` of the node's rules, 18): children
  are few enough to be named by less;
- the sexes also unless women and men are in the case (`least_of_each_sex` of each, 1), because otherwise sex
  and age band describe one person.

A restricted category tells neither, nor district, week or category: month and category group are its one
form."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from contracts.case.words import RESTRICTED, AgeBand, Answer, Category, PartyRole, Sex, Telling
from contracts.numbers import BAGHDAD
from contracts.rules import CaseRules

EXPOSING: Final = RESTRICTED | {
    Category.HARASSMENT,
    Category.ELECTRONIC_BLACKMAIL,
    Category.RUNAWAY_MISSING,
    Category.COMPLAINT_AGAINST_POLICE,
    Category.CORRUPTION,
    Category.TERRORISM_INDICATOR,
}

_BANDS: Final = (
    (11, AgeBand.CHILD),
    (17, AgeBand.ADOLESCENT),
    (24, AgeBand.YOUNG),
    (34, AgeBand.THIRTY),
    (49, AgeBand.FORTY),
    (64, AgeBand.SIXTY),
)


@dataclass(frozen=True)
class Person:
    """What the rules look at. `age` in whole years on the day of the report; None when nobody knows."""

    role: PartyRole
    sex: Sex
    age: int | None


@dataclass(frozen=True)
class Told:
    """What may be told of the persons in a case, decided once at intake. `by_sex` only when `parties` is
    told."""

    age_band: AgeBand
    parties: Telling
    by_sex: Mapping[Sex, int] | None


def told(category: Category, persons: Iterable[Person], *, child: Answer, rules: CaseRules) -> Told:
    """What may be told of the persons in a case of this category; `child`: the answer at intake."""
    persons = list(persons)
    if not persons:
        return Told(AgeBand.MISSING, Telling.MISSING, None)
    if are_minors(persons, child=child, rules=rules) or category in EXPOSING:
        return Told(AgeBand.SUPPRESSED, Telling.SUPPRESSED, None)
    band = _band_of_affected(persons)
    counted = Counter(person.sex for person in persons)
    if min(counted[Sex.FEMALE], counted[Sex.MALE]) < rules.least_of_each_sex:
        return Told(band, Telling.SUPPRESSED, None)
    return Told(band, Telling.TOLD, {sex: counted[sex] for sex in Sex})


def are_minors(persons: Iterable[Person], *, child: Answer, rules: CaseRules) -> bool:
    """Whether a child is involved or anyone in the case is under age."""
    return child is Answer.YES or any(person.age is not None and person.age < rules.adult_age for person in persons)


def _band_of_affected(persons: list[Person]) -> AgeBand:
    affected = [person.age for person in persons if person.role is PartyRole.AFFECTED]
    bands = {age_band(age) for age in affected if age is not None}
    if not bands:
        return AgeBand.MISSING
    return bands.pop() if len(bands) == 1 else AgeBand.MIXED


def age_band(age: int) -> AgeBand:
    """The band of an age in whole years."""
    return next((band for last, band in _BANDS if age <= last), AgeBand.OLD)


def age_on(day: date, birth_date: date | None, stated: int | None) -> int | None:
    """Whole years on `day`, from the birth date or as stated; None when neither is known."""
    if birth_date is None:
        return stated
    had_birthday = (day.month, day.day) >= (birth_date.month, birth_date.day)
    return max(0, day.year - birth_date.year - (0 if had_birthday else 1))


def local_day(at: datetime) -> date:
    """The calendar day of an instant in Baghdad."""
    return at.astimezone(BAGHDAD).date()


def week(at: datetime) -> str:
    """The ISO week of an instant in Baghdad, e.g. `2026-W09`."""
    year, number, _ = local_day(at).isocalendar()
    return f"{year:04d}-W{number:02d}"


def month(at: datetime) -> str:
    """The month of an instant in Baghdad, e.g. `2026-02`."""
    return f"{local_day(at):%Y-%m}"
