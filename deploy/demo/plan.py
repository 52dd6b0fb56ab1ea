"""What will be loaded, decided before anything is sent: a pure function of node, seed, size and day.

A node's plan depends on nothing but these, so that the same seed gives the same Ninewa whichever nodes run
beside it, and an interrupted load is resumed by sending the same requests under the same keys.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar

from contracts.case.words import (
    GROUP,
    Answer,
    Category,
    CategoryGroup,
    Destination,
    Outcome,
    PartyRole,
    Question,
    Urgency,
)
from contracts.forum.words import ConcernCategory, ForumKind, Founding, Priority, Sector, Session
from contracts.gazetteer import District, districts
from deploy.demo import shape
from deploy.demo.people import Person, account, person

Value = TypeVar("Value")

CRIMES = {Category.THEFT_FRAUD, Category.DRUGS, Category.ASSAULT_THREAT, Category.ELECTRONIC_BLACKMAIL}
ORDINALS = (
    None,
    {"ar": "الثاني", "ckb": "دووەم", "en": "second"},
    {"ar": "الثالث", "ckb": "سێیەم", "en": "third"},
    {"ar": "الرابع", "ckb": "چوارەم", "en": "fourth"},
)
ADULT = 18
CASE_STEPS = ("received", "triaged", "assigned", "in_progress", "resolution_proposed", "closed")


@dataclass(frozen=True)
class Member:
    person: Person
    sector: Sector


@dataclass(frozen=True)
class Meeting:
    """`came` is None for a meeting that lies ahead."""

    at: datetime
    session: Session
    came: tuple[dict[str, Any], ...] | None
    tension: int


@dataclass(frozen=True)
class Concern:
    """`steps`: how far it has come, 0 (raised) to 4 (judged)."""

    category: ConcernCategory
    text: str
    raised_by: Sector
    priority: Priority
    steps: int


@dataclass(frozen=True)
class Forum:
    """`activated_on` None: it exists on paper, and nothing else is planned for it."""

    district: District
    names: Mapping[str, str]
    kind: ForumKind
    founding: Founding
    established_on: date
    activated_on: date | None
    members: tuple[Member, ...]
    meetings: tuple[Meeting, ...]
    concerns: tuple[Concern, ...]


@dataclass(frozen=True)
class Referral:
    destination: Destination
    urgency: Urgency
    answered: bool


@dataclass(frozen=True)
class Case:
    """`steps`: how far it has come in CASE_STEPS."""

    opening: dict[str, Any]
    steps: int
    outcome: Outcome
    referral: Referral | None


@dataclass(frozen=True)
class Plan:
    node: str
    language: str
    forums: tuple[Forum, ...]
    cases: tuple[Case, ...]


def plan(node: str, *, seed: int, today: date, size: float = 1.0) -> Plan:
    """The sample of one governorate. `size` scales how many forums and cases there are, never to less than
    one case."""
    language = shape.LANGUAGE.get(node, "ar")
    dice = random.Random(f"{seed}:{node}:forums")
    founding = _founding(seed)[node]
    forums = [_forum(dice, node, language, place, founding[place], today) for place in range(shape.FORUMS[node])]
    dice = random.Random(f"{seed}:{node}:cases")
    number = shape.CASES.get(node, shape.CASES_ELSEWHERE)
    cases = [_case(dice, node, language, today) for _ in range(max(1, round(number * size)))]
    return Plan(node, language, tuple(forums[: round(len(forums) * size)]), tuple(cases))


def weighted(dice: random.Random, weights: Mapping[Value, float]) -> Value:
    return dice.choices(list(weights), list(weights.values()))[0]


def _founding(seed: int) -> dict[str, list[Founding]]:
    """Who founded each forum of the country; 42 and 24 over all of it, whichever nodes run."""
    slots = [Founding.PROGRAMME] * shape.BY_PROGRAMME + [Founding.LOCAL] * shape.BY_LOCAL_INITIATIVE
    random.Random(f"{seed}:founding").shuffle(slots)
    return {node: [slots.pop() for _ in range(number)] for node, number in shape.FORUMS.items()}


def _forum(dice: random.Random, node: str, language: str, place: int, founding: Founding, today: date) -> Forum:
    own = districts(node)
    district = own[place % len(own)]
    established = date(2017, 1, 1) + timedelta(days=dice.randrange(360))
    on_paper = dice.random() < shape.ON_PAPER.get(node, shape.ON_PAPER_ELSEWHERE)
    activated = None if on_paper else date(2019, 1, 1) + timedelta(days=dice.randrange(360))
    kind = weighted(dice, {ForumKind.FORUM: 80, ForumKind.WOMEN: 10, ForumKind.YOUTH: 10})
    members = tuple(Member(person(dice, language), sector) for sector in Sector)
    return Forum(
        district,
        _names(district, kind, place // len(own)),
        kind,
        founding,
        established,
        activated,
        () if on_paper else members,
        () if on_paper else _meetings(dice, kind, today),
        () if on_paper else tuple(_concern(dice) for _ in range(dice.randrange(3))),
    )


KINDS = {
    ForumKind.FORUM: {"ar": "منتدى الشرطة المجتمعية", "ckb": "کۆڕبەندی پۆلیسی کۆمەڵگەیی", "en": "Forum"},
    ForumKind.WOMEN: {"ar": "منتدى النساء", "ckb": "کۆڕبەندی ژنان", "en": "Women's forum"},
    ForumKind.YOUTH: {"ar": "منتدى الشباب", "ckb": "کۆڕبەندی گەنجان", "en": "Youth forum"},
}


def _names(district: District, kind: ForumKind, again: int) -> dict[str, str]:
    """A forum's public names; the second in a district says so."""
    which = ORDINALS[again % len(ORDINALS)]
    shown = {language: f"{words} – {district.names[language]}" for language, words in KINDS[kind].items()}
    return shown if which is None else {language: f"{name} {which[language]}" for language, name in shown.items()}


def _meetings(dice: random.Random, kind: ForumKind, today: date) -> tuple[Meeting, ...]:
    """Two held in the last three months, one of them perhaps without a quorum, and one that lies ahead."""
    days = (-dice.randrange(40, 85), -dice.randrange(3, 35), dice.randrange(4, 30))
    session = Session.WOMEN_ONLY if kind is ForumKind.WOMEN else Session.OPEN
    return tuple(
        Meeting(
            datetime.combine(today + timedelta(days=day), time(7, 0), UTC),
            session,
            _came(dice) if day < 0 else None,
            dice.choices((1, 2, 3, 4), (40, 35, 20, 5))[0],
        )
        for day in days
    )


def _came(dice: random.Random) -> tuple[dict[str, Any], ...]:
    sectors = dice.sample(list(Sector), 2 if dice.random() < 0.15 else dice.randrange(4, 8))
    return tuple(
        {"sector": sector.value, "sex": sex, "count": count}
        for sector in sectors
        for sex, count in (("female", dice.randrange(3)), ("male", dice.randrange(1, 5)))
    )


CONCERNS = {
    ConcernCategory.MUNICIPAL_SERVICE: ("إنارة الشارع المؤدي إلى المدرسة معطلة.", "گڵۆپی شەقامەکە کار ناکات."),
    ConcernCategory.DRUGS: ("قلق الأهالي من بيع حبوب قرب السوق.", "نیگەرانی لە فرۆشتنی حەب لە نزیک بازاڕ."),
    ConcernCategory.TRAFFIC_PUBLIC_ORDER: ("سرعة السيارات أمام المدرسة.", "خێرایی ئۆتۆمبێل لەبەردەم قوتابخانە."),
    ConcernCategory.ELECTRONIC_BLACKMAIL: ("طلب جلسة توعية للطالبات.", "داوای دانیشتنی هۆشیاری بۆ خوێندکاران."),
    ConcernCategory.DISPLACEMENT_NEED: ("تأخر وثائق العائدين.", "دواکەوتنی بەڵگەنامەی گەڕاوەکان."),
}


def _concern(dice: random.Random) -> Concern:
    category = dice.choice(list(CONCERNS))
    raised_by = dice.choice((Sector.RESIDENTS, Sector.WOMEN, Sector.YOUTH, Sector.CIVIL_SOCIETY))
    return Concern(category, CONCERNS[category][0], raised_by, dice.choice(list(Priority)), dice.randrange(5))


def _case(dice: random.Random, node: str, language: str, today: date) -> Case:
    category = weighted(dice, shape.CATEGORIES)
    reported = datetime.combine(today - timedelta(days=dice.randrange(1, 200)), time(6, 0), UTC)
    reported += timedelta(minutes=dice.randrange(480))
    crime = category in CRIMES
    outcome = dice.choice(
        (Outcome.HANDED_TO_LOCAL_POLICE, Outcome.HANDED_TO_COURT)
        if crime
        else (Outcome.MEDIATED_AGREEMENT, Outcome.ADVICE_GIVEN, Outcome.SERVICE_COMPLETED)
    )
    opening = _opening(dice, node, language, category, reported, crime=crime)
    if outcome is Outcome.MEDIATED_AGREEMENT and not _may_be_settled(opening):
        outcome = Outcome.ADVICE_GIVEN
    return Case(
        opening,
        dice.choices(range(len(CASE_STEPS)), (5, 5, 10, 25, 10, 45))[0],
        outcome,
        _referral(dice) if dice.random() < 0.35 else None,
    )


def _may_be_settled(opening: Mapping[str, Any]) -> bool:
    """Whether an agreement may be the only response: among adults, in a dispute (docs/cases.md, mediation)."""
    adults = all(party["age"] >= ADULT for party in opening["parties"])
    return adults and GROUP[Category(opening["category"])] is CategoryGroup.DISPUTE


def _opening(
    dice: random.Random, node: str, language: str, category: Category, reported: datetime, *, crime: bool
) -> dict[str, Any]:
    affected, other = person(dice, language), person(dice, language)
    answers = {question.value: Answer.NO.value for question in Question}
    if crime:
        answers[Question.THREAT.value if dice.random() < 0.5 else Question.MONEY_TAKEN.value] = Answer.YES.value
    elif dice.random() < 0.2:
        answers[dice.choice(list(Question)).value] = Answer.UNKNOWN.value
    return {
        "answers": answers,
        "category": category.value,
        "channel": weighted(dice, shape.CHANNELS).value,
        "district": dice.choice(districts(node)).slug,
        "incident_from": (reported - timedelta(days=dice.randrange(10))).date().isoformat(),
        "reported_at": reported.isoformat(),
        "language": affected.language,
        "parties": [_party(dice, affected, PartyRole.AFFECTED), _party(dice, other, PartyRole.RESPONDENT)],
        "narrative": account(dice, language),
        "place": "بيت في محلة داخل القضاء" if language == "ar" else "ماڵێک لە گەڕەکێکی قەزاکە",
    }


def _party(dice: random.Random, someone: Person, role: PartyRole) -> dict[str, Any]:
    return {
        "role": role.value,
        "name": someone.name,
        "sex": someone.sex,
        "age": dice.randrange(16, 70),
        "phone": someone.phone,
    }


def _referral(dice: random.Random) -> Referral:
    return Referral(
        dice.choice((Destination.HEALTH, Destination.EDUCATION, Destination.LABOUR, Destination.COURT)),
        dice.choice((Urgency.URGENT, Urgency.NORMAL)),
        dice.random() < 0.7,
    )
