"""Recording a case: the class is computed and frozen before anybody decides anything."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from sqlmodel import Session

from contracts import roles
from contracts.case import RESTRICTED, Answer, CaseStatus, Outcome, Question, RecordingClass
from contracts.numbers import BAGHDAD, next_number
from contracts.rules import CaseRules
from kernel.errors import Forbidden, refuse
from kernel.identity import Actor
from kernel.ids import new_id as made_id
from services.case import index, sealing, telling, wall
from services.case.handlers.consents import keep_consents
from services.case.handlers.facts import tell_case
from services.case.handlers.parties import keep_contact_plan, keep_staff
from services.case.handlers.times import check_not_before_report, check_not_later
from services.case.intake import PRESENT_TABLE, recording_class
from services.case.next_steps import Due, next_due
from services.case.refusals import UnitNeeded
from services.case.tables import CaseIntake, CaseParty, CaseRecord, NumberSequence
from services.case.writing import Gathering, put, write

AS_GIVEN = (
    "category",
    "risk",
    "channel",
    "district",
    "incident_from",
    "incident_until",
    "language",
    "interpreter",
    "handler_preference",
    "prior_resort",
    "pressure_reported",
)


@dataclass(frozen=True)
class Past:
    """What an office's register says of a case: how it ended and when, where it has."""

    outcome: Outcome | None
    closed_on: date | None


def open_case(
    session: Session,
    values: dict[str, Any],
    *,
    by: Actor,
    now: datetime,
    iso: str,
    rules: CaseRules,
    new_id: Callable[[], str] = made_id,
) -> CaseRecord:
    """Record a case, its answers, persons and narrative, and its fact. `iso`: this node's part of the number.

    The number comes last: who else records a case waits from then until the commit, and everything is sealed by then.
    Raises `UnitNeeded`, `NotYet`, and `Forbidden` for accounts that may never see a case.
    """
    case = CaseRecord(**standing(values, by=by, now=now, rules=rules, case_id=new_id()))
    if values["parties"]:
        sealing.secret(session, index.KEYED_BY)  # known from here on, without the database
    told = Gathering(session.info)
    keep_told(told.as_session(), case, values, by=by, now=now, rules=rules, new_id=new_id)
    case.number = next_number(session, NumberSequence, iso=iso, at=now, prefix=wall.prefix(case))
    session.add(case)
    session.flush()
    write(session, [told.rows])
    tell_case(session, case, "opened", at=now)
    return case


def standing(
    values: dict[str, Any], *, by: Actor, now: datetime, rules: CaseRules, case_id: str, past: Past | None = None
) -> dict[str, Any]:
    """How a new case stands, by column of `case_record`, but for its number: no database is asked.

    `past`: the case is taken over from a register; one that has ended is `unconfirmed`, because nobody asked.
    Raises as `open_case` does.
    """
    if by.has(*roles.CASE_BARRED):
        refuse(Forbidden)
    reported_at = values["reported_at"] or now
    _check_times(values, reported_at, now)
    new = _new(values, by=by, now=now, reported_at=reported_at, case_id=case_id, rules=rules)
    if past is not None and past.outcome is not None:
        return {**new, **_end(past, reported_at, now)}
    due = next_due(new["status"], risk=new["risk"], review_on=None, before=Due(None, None), now=now, rules=rules)
    return {**new, "next_step": due.step, "due_at": due.at}


def keep_told(
    session: Session,
    case: CaseRecord,
    values: dict[str, Any],
    *,
    by: Actor,
    now: datetime,
    rules: CaseRules,
    new_id: Callable[[], str] = made_id,
) -> None:
    """Write what was answered, who is in a new case, and what was told, sealed. Raises `GuardianNeeded`."""
    put(session, CaseIntake, _intake(case, values["answers"], now))
    sealing.make_key(session, case.id)
    sealing.keep_narrative(session, case.id, narrative=values["narrative"], place=values["place"])
    for party in values["parties"]:
        row = sealing.keep_party(session, case.id, party, party_id=new_id())
        if party["consents"]:
            keep_consents(session, case, CaseParty(**row), party["consents"], by=by, now=now, rules=rules)
    if values["contact_plan"] is not None:
        keep_contact_plan(session, case, values["contact_plan"], by=by, now=now)
    keep_staff(session, case, values["staff"], by=by, now=now)


def _end(past: Past, reported_at: datetime, now: datetime) -> dict[str, Any]:
    check_not_later("closed_on", past.closed_on, telling.local_day(now))
    closed_at = datetime.combine(past.closed_on or telling.local_day(now), time(12), BAGHDAD)
    check_not_before_report("closed_on", closed_at, reported_at)
    return {"status": CaseStatus.UNCONFIRMED, "outcome": past.outcome, "closed_at": closed_at}


def _check_times(values: dict[str, Any], reported_at: datetime, now: datetime) -> None:
    check_not_later("reported_at", reported_at, now)
    days: list[tuple[str, date | None]] = [(name, values[name]) for name in ("incident_from", "incident_until")]
    days += [("birth_date", party["birth_date"]) for party in values["parties"]]
    for name, day in days:
        check_not_later(name, day, telling.local_day(now))


def _new(
    values: dict[str, Any], *, by: Actor, now: datetime, reported_at: datetime, case_id: str, rules: CaseRules
) -> dict[str, Any]:
    answers = _answers(values["answers"])
    indicated: RecordingClass = recording_class(answers)
    child = answers[Question.CHILD]
    persons = _persons(values, reported_at)
    told = telling.told(values["category"], persons, child=child, rules=rules)
    unit = values["unit"] or by.unit or refuse(UnitNeeded)
    return {
        "id": case_id,
        "version": 1,
        "status": CaseStatus.RECEIVED,
        "recording_class": indicated,
        "current_class": indicated,
        "restricted": values["category"] in RESTRICTED,
        "reported_at": reported_at,
        "opened_at": now,
        "opened_by": by.id,
        "unit": unit,
        "units": [unit],
        "handlers": [],
        "minors": telling.are_minors(persons, child=child, rules=rules),
        "walled": wall.stands_behind(values["category"], values["staff"]),
        "age_band": told.age_band,
        "parties_told": told.parties,
        "parties_by_sex": {sex.value: count for sex, count in told.by_sex.items()} if told.by_sex else None,
        **{name: values[name] for name in AS_GIVEN},
    }


def _answers(given: dict[str, Any]) -> dict[Question, Answer]:
    return {question: Answer(given[question]) for question in Question}


def _persons(values: dict[str, Any], reported_at: datetime) -> list[telling.Person]:
    day = telling.local_day(reported_at)
    return [
        telling.Person(party["role"], party["sex"], telling.age_on(day, party["birth_date"], party["age"]))
        for party in values["parties"]
    ]


def _intake(case: CaseRecord, given: dict[str, Any], now: datetime) -> dict[str, Any]:
    return {
        "case_id": case.id,
        "answers": {question.value: answer.value for question, answer in _answers(given).items()},
        "recording_class": case.recording_class,
        "rule_version": PRESENT_TABLE,
        "answered_at": now,
    }
