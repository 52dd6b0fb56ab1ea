"""The numbers that policy sets: deadlines and thresholds of forums, cases and notifications.

Nobody has decided most of them yet: the defaults are working values, and each says what it means. A node may replace
any of them in a TOML file that its setting `rules` names (`deploy/rules.toml` is one, with every default in it). The
file is read once, when a process starts, and strictly: an unknown key, a value of the wrong type or out of its bounds
is refused with the file and the key, because a node that starts on half of its rules would keep deadlines nobody gave.

What protects people may be made stricter here and never weaker than the default: its bound is the default. What is
no number, or must be the same in every node to be comparable (age bands, categories, states), is no rule of this file.

A service asks for its rules in its `service.py` and gives them to handlers and models as plain values.
"""

import tomllib
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from kernel.errors import SettingsError

YEAR = 366
Months = Annotated[
    int, Field(strict=True, ge=6, le=600, description="Identity in a case that ended is kept for so many months.")
]
Minutes = Annotated[int, Field(strict=True, ge=1, le=7 * 24 * 60)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, validate_default=True)


def _not_less(value: int, info: ValidationInfo, than: str, *, equal: bool) -> int:
    """`value`, unless it is less than the field `than` before it (or equal, where that makes no sense)."""
    other = info.data.get(than)
    if other is not None and (value < other or (value == other and not equal)):
        least = "at least" if equal else "more than"
        raise PydanticCustomError("too_small", f"Must be {least} `{than}`, which is {other}")
    return value


class ForumRules(_Part):
    """Forums: when one is quiet, when an action is late, what a new one begins with."""

    rhythm_days: int = Field(
        30,
        ge=7,
        le=180,
        description="The rhythm of a new forum that names none, and the one that the next two numbers are stated for.",
    )
    at_risk_days: int = Field(
        60,
        ge=1,
        le=5 * YEAR,
        description="A forum of that rhythm is at risk after so many days without activity; another rhythm scales it.",
    )
    dormant_days: int = Field(
        120,
        ge=2,
        le=10 * YEAR,
        description="And dormant after so many days without activity; more than `at_risk_days`.",
    )
    overdue_grace_days: int = Field(
        0, ge=0, le=90, description="An agreed action is late when so many days have passed after the day it is due."
    )
    quorum_people: int = Field(
        5, ge=1, le=5000, description="The quorum of a new forum that states none: at least so many people."
    )
    quorum_sectors: int = Field(2, ge=1, le=7, description="From at least so many sectors.")
    quorum_women: int = Field(0, ge=0, le=5000, description="With at least so many women.")

    @field_validator("dormant_days")
    @classmethod
    def _later(cls, value: int, info: ValidationInfo) -> int:
        return _not_less(value, info, "at_risk_days", equal=False)

    @property
    def quorum(self) -> dict[str, int]:
        """What a forum's own rule says unless it says otherwise."""
        return {"people": self.quorum_people, "sectors": self.quorum_sectors, "women": self.quorum_women}


class CaseRules(_Part):
    """Cases: when each step is due, and when counts of persons are too small to be told."""

    referral_immediate_hours: int = Field(
        24, ge=1, le=YEAR * 24, description="An office has so many hours to answer a referral of urgency `immediate`."
    )
    referral_urgent_hours: int = Field(
        72, ge=1, le=YEAR * 24, description="So many for `urgent`; not less than for `immediate`."
    )
    referral_normal_hours: int = Field(
        168, ge=1, le=YEAR * 24, description="So many for `normal`, a week; not less than for `urgent`."
    )
    referral_escalation_percent: int = Field(
        50,
        ge=5,
        le=400,
        description="Without an answer the next who is told of it is told after so much of the time the office had.",
    )
    referral_expiry_percent: int = Field(
        100,
        ge=5,
        le=400,
        description="And so much of it after the directorate was told, a referral expires.",
    )
    partner_vetting_days: int = Field(
        731, ge=30, le=3 * YEAR, description="The vetting of a partner holds for so many days at the most."
    )
    code_days: int = Field(
        7, ge=1, le=31, description="A one-time code for an office without an account ends after so many days."
    )
    triage_hours: int = Field(
        24, ge=1, le=YEAR * 24, description="A case that was received is to be triaged within so many hours."
    )
    assign_hours: int = Field(
        24, ge=1, le=YEAR * 24, description="A triaged or contested case is to have a handler within so many hours."
    )
    contact_immediate_hours: int = Field(
        2, ge=1, le=YEAR * 24, description="The first contact is due so soon after assignment, at risk `immediate`."
    )
    contact_high_hours: int = Field(
        24, ge=1, le=YEAR * 24, description="So many at risk `high`; not less than at `immediate`."
    )
    contact_hours: int = Field(72, ge=1, le=YEAR * 24, description="So many otherwise; not less than at `high`.")
    quiet_days: int = Field(
        14, ge=1, le=YEAR, description="A case at work in which nothing was written for so many days is overdue."
    )
    approval_hours: int = Field(
        72, ge=1, le=YEAR * 24, description="A proposed resolution is to be approved or sent back within so many hours."
    )
    confirmation_from_days: int = Field(
        28, ge=1, le=YEAR, description="The confirmation interview is drawn up so many days after the closing."
    )
    confirmation_until_days: int = Field(
        60,
        ge=2,
        le=2 * YEAR,
        description="And lapses as unconfirmed after so many; more than `confirmation_from_days`.",
    )
    mediation_first_days: int = Field(
        14, ge=1, le=YEAR, description="The first follow-up of a mediated agreement is due after so many days."
    )
    mediation_second_days: int = Field(
        60, ge=2, le=2 * YEAR, description="The second; more than `mediation_first_days`."
    )
    assistance_minutes: int = Field(
        15, ge=1, le=24 * 60, description="Local police have so many minutes to answer a call for help."
    )
    report_unit: str = Field(
        "intake",
        min_length=1,
        max_length=64,
        description="The unit that what people report without an account goes to; its supervisors triage it.",
    )
    evidence_mib: int = Field(
        32, ge=1, le=1024, description="A file of evidence has so many MiB at the most: some minutes of video."
    )
    transfer_days: int = Field(
        14, ge=1, le=YEAR, description="A transfer that is not accepted and released expires after so many days."
    )
    handler_open_hours: int = Field(
        72, ge=1, le=336, description="A case is open to a handler of another governorate for so many hours."
    )
    adult_age: int = Field(
        18,
        ge=18,
        le=25,
        description="When anyone in a case is younger, nothing of its persons is told beyond the node. Never below 18.",
    )
    least_of_each_sex: int = Field(
        1,
        ge=1,
        le=50,
        description="How many women and men are in a case is told only if there are so many of each. Never below 1.",
    )

    @field_validator("contact_high_hours")
    @classmethod
    def _contact_high(cls, value: int, info: ValidationInfo) -> int:
        return _not_less(value, info, "contact_immediate_hours", equal=True)

    @field_validator("contact_hours")
    @classmethod
    def _contact(cls, value: int, info: ValidationInfo) -> int:
        return _not_less(value, info, "contact_high_hours", equal=True)

    @field_validator("confirmation_until_days")
    @classmethod
    def _confirmation(cls, value: int, info: ValidationInfo) -> int:
        return _not_less(value, info, "confirmation_from_days", equal=False)

    @field_validator("mediation_second_days")
    @classmethod
    def _mediation(cls, value: int, info: ValidationInfo) -> int:
        return _not_less(value, info, "mediation_first_days", equal=False)

    @field_validator("referral_urgent_hours")
    @classmethod
    def _urgent(cls, value: int, info: ValidationInfo) -> int:
        return _not_less(value, info, "referral_immediate_hours", equal=True)

    @field_validator("referral_normal_hours")
    @classmethod
    def _normal(cls, value: int, info: ValidationInfo) -> int:
        return _not_less(value, info, "referral_urgent_hours", equal=True)


class NotifyRules(_Part):
    """Notifications: what is still news, and how long an e-mail is tried."""

    news_days: int = Field(
        30,
        ge=1,
        le=YEAR,
        description="What happened longer ago makes no notification; directives do, a link may be cut for weeks.",
    )
    letter_days: int = Field(
        3,
        ge=0,
        le=YEAR,
        description="What happened longer ago makes no e-mail, only a line in the inbox; directives do.",
    )
    mail_retry_minutes: tuple[Minutes, ...] = Field(
        (1, 5, 15, 60, 240, 720, 1440, 1440),
        strict=False,
        min_length=1,
        max_length=50,
        description="Waits after each failed attempt at an e-mail; after the last it is dead until someone replays it.",
    )

    @property
    def news(self) -> timedelta:
        """`news_days`."""
        return timedelta(days=self.news_days)

    @property
    def letter(self) -> timedelta:
        """`letter_days`."""
        return timedelta(days=self.letter_days)

    @property
    def mail_retries(self) -> tuple[timedelta, ...]:
        """`mail_retry_minutes`."""
        return tuple(timedelta(minutes=minutes) for minutes in self.mail_retry_minutes)


PROTECTION, COMPLAINT, CRIME, DISPUTE, SERVICE = 120, 120, 84, 60, 24
"""Months: a child who was harmed is of age ten years later; a dispute over land returns for five."""


class RetentionRules(_Part):
    """For how long identity is kept once a case has ended, by category; then it is erased, and the case still counts.

    Read by `jisr retention`, which does nothing unless it is told to."""

    domestic_abuse: Months = PROTECTION
    sexual_violence: Months = PROTECTION
    trafficking_in_persons: Months = PROTECTION
    child_protection: Months = PROTECTION
    self_harm_risk: Months = PROTECTION
    reprisal_stigma: Months = PROTECTION
    complaint_against_police: Months = COMPLAINT
    corruption: Months = COMPLAINT
    harassment: Months = CRIME
    electronic_blackmail: Months = CRIME
    runaway_missing: Months = CRIME
    drugs: Months = CRIME
    theft_fraud: Months = CRIME
    assault_threat: Months = CRIME
    terrorism_indicator: Months = CRIME
    family_dispute: Months = DISPUTE
    neighbour_dispute: Months = DISPUTE
    tribal_dispute: Months = DISPUTE
    property_dispute: Months = DISPUTE
    intercommunal_tension: Months = DISPUTE
    traffic_public_order: Months = SERVICE
    begging: Months = SERVICE
    municipal_service: Months = SERVICE
    displacement_need: Months = SERVICE
    other: Months = SERVICE


class Rules(_Part):
    """Every rule, by the service that keeps it."""

    forum: ForumRules = ForumRules()
    case: CaseRules = CaseRules()
    notify: NotifyRules = NotifyRules()
    retention: RetentionRules = RetentionRules()


@cache
def load(path: Path | None) -> Rules:
    """The rules of a file over the defaults, read once in a process. SettingsError names the file and the key."""
    if path is None:
        return Rules()
    try:
        return Rules.model_validate(_read(path))
    except ValidationError as error:
        problems = [f"`{_key(each['loc'])}`: {each['msg']}" for each in error.errors(include_url=False)]
        raise SettingsError(f"Rules file {path}: {'; '.join(problems)}.") from error


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"The rules file {path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"The rules file {path} is not valid TOML: {error}.") from error


def _key(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location)
