"""What the case service keeps.

What says how a case stands is in `case_record`, and is about nobody. What names or describes people stands in
tables of its own, by case: `case_party`, `case_narrative`, `case_note`. A query for a list cannot bring
identity along by mistake, and erasing a person's data will not touch the count. `case_intake` and the two
frozen columns of `case_record` are guarded by triggers of the database itself (see the migration): no code
path, and nobody with a database console who does not first drop a trigger, changes what was recorded."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Date, Enum, ForeignKey, Index, Integer, String, Text
from sqlmodel import Field

from contracts.case.words import (
    AgeBand,
    Answer,
    AskedBy,
    CaseStatus,
    Category,
    Channel,
    Destination,
    HandlerPreference,
    Informed,
    Language,
    NoteKind,
    Outcome,
    PartyRole,
    PriorResort,
    RecordingClass,
    ReferralStatus,
    RejectReason,
    Risk,
    Sex,
    Telling,
    Urgency,
)
from kernel.database import UtcDateTime, table_base

WORD = 32  # the longest word of contracts/case/words.py has 24 letters

Base: Any = table_base()


def _id(**options: Any) -> Column[str]:
    return Column(String(36), primary_key=True, **options)


def _of_case(**options: Any) -> Column[str]:
    return Column(String(36), ForeignKey("case_record.id"), nullable=False, **options)


def _word(words: type[StrEnum], *, empty: bool = False, **options: Any) -> Column[Any]:
    stored = Enum(words, native_enum=False, length=WORD, values_callable=lambda these: [w.value for w in these])
    return Column(stored, nullable=empty, **options)


def _account(*, empty: bool = False, **options: Any) -> Column[str]:
    return Column(String(64), nullable=empty, **options)


def _instant(*, empty: bool = False) -> Column[datetime]:
    return Column(UtcDateTime, nullable=empty)


class CaseRecord(Base, table=True):
    """How a case stands. `version` counts its changes and numbers its facts; `handlers` is all who ever
    handled it.

    `age_band`, `parties_told` and `parties_by_sex` are what may be told of the persons in it
    (services/case/telling.py), decided at intake."""

    __tablename__ = "case_record"
    __table_args__ = (
        Index("case_record_unit_status", "unit", "status"),
        Index("case_record_handler", "handler_id", "status"),
        Index("case_record_opened_by", "opened_by", "status"),
    )

    id: str = Field(sa_column=_id())
    number: str = Field(sa_column=Column(String(24), nullable=False, unique=True))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    status: CaseStatus = Field(sa_column=_word(CaseStatus))
    recording_class: RecordingClass = Field(sa_column=_word(RecordingClass))
    current_class: RecordingClass = Field(sa_column=_word(RecordingClass))
    category: Category = Field(sa_column=_word(Category))
    restricted: bool = Field(sa_column=Column(Boolean, nullable=False))
    risk: Risk | None = Field(default=None, sa_column=_word(Risk, empty=True))
    channel: Channel = Field(sa_column=_word(Channel))
    district: str = Field(sa_column=Column(String(64), nullable=False))
    incident_from: date | None = Field(default=None, sa_column=Column(Date))
    incident_until: date | None = Field(default=None, sa_column=Column(Date))
    reported_at: datetime = Field(sa_column=_instant())
    opened_at: datetime = Field(sa_column=_instant())
    opened_by: str = Field(sa_column=_account())
    language: Language = Field(sa_column=_word(Language))
    interpreter: bool = Field(sa_column=Column(Boolean, nullable=False))
    handler_preference: HandlerPreference = Field(sa_column=_word(HandlerPreference))
    prior_resort: PriorResort = Field(sa_column=_word(PriorResort))
    pressure_reported: bool = Field(sa_column=Column(Boolean, nullable=False))
    unit: str = Field(sa_column=Column(String(64), nullable=False))
    age_band: AgeBand = Field(sa_column=_word(AgeBand))
    parties_told: Telling = Field(sa_column=_word(Telling))
    parties_by_sex: dict[str, int] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    triaged_by: str | None = Field(default=None, sa_column=_account(empty=True))
    triaged_at: datetime | None = Field(default=None, sa_column=_instant(empty=True))
    handler_id: str | None = Field(default=None, sa_column=_account(empty=True))
    handler_hash: str | None = Field(default=None, sa_column=_account(empty=True))
    handlers: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    first_contact_at: datetime | None = Field(default=None, sa_column=_instant(empty=True))
    review_on: date | None = Field(default=None, sa_column=Column(Date))
    outcome: Outcome | None = Field(default=None, sa_column=_word(Outcome, empty=True))
    proposed_by: str | None = Field(default=None, sa_column=_account(empty=True))
    closed_by: str | None = Field(default=None, sa_column=_account(empty=True))
    closed_at: datetime | None = Field(default=None, sa_column=_instant(empty=True))
    informed: Informed | None = Field(default=None, sa_column=_word(Informed, empty=True))
    withdrawal_asked_by: AskedBy | None = Field(default=None, sa_column=_word(AskedBy, empty=True))
    withdrawal_alone: Answer | None = Field(default=None, sa_column=_word(Answer, empty=True))
    withdrawal_pressure: Answer | None = Field(default=None, sa_column=_word(Answer, empty=True))
    notes: int = Field(default=0, sa_column=Column(Integer, nullable=False))


class CaseIntake(Base, table=True):
    """The answers and what followed from them. Written once; the database refuses to change or delete it."""

    __tablename__ = "case_intake"

    case_id: str = Field(sa_column=Column(String(36), ForeignKey("case_record.id"), primary_key=True))
    answers: dict[str, str] = Field(sa_column=Column(JSON, nullable=False))
    recording_class: RecordingClass = Field(sa_column=_word(RecordingClass))
    rule_version: int = Field(sa_column=Column(Integer, nullable=False))
    answered_at: datetime = Field(sa_column=_instant())


class CaseParty(Base, table=True):
    """Someone in a case [C3]."""

    __tablename__ = "case_party"

    id: str = Field(sa_column=_id())
    case_id: str = Field(sa_column=_of_case(index=True))
    role: PartyRole = Field(sa_column=_word(PartyRole))
    name: str | None = Field(default=None, sa_column=Column(String(200)))
    sex: Sex = Field(sa_column=_word(Sex))
    birth_date: date | None = Field(default=None, sa_column=Column(Date))
    age: int | None = Field(default=None, sa_column=Column(Integer))
    phone: str | None = Field(default=None, sa_column=Column(String(40)))
    address: str | None = Field(default=None, sa_column=Column(String(500)))


class CaseNarrative(Base, table=True):
    """What was told at intake [C4] and where exactly it happened [C3]."""

    __tablename__ = "case_narrative"

    case_id: str = Field(sa_column=Column(String(36), ForeignKey("case_record.id"), primary_key=True))
    narrative: str | None = Field(default=None, sa_column=Column(Text))
    place: str | None = Field(default=None, sa_column=Column(String(500)))


class CaseNote(Base, table=True):
    """A text written while the case was worked on [C4]: notes, and the reasons that moves ask for."""

    __tablename__ = "case_note"

    id: str = Field(sa_column=_id())
    case_id: str = Field(sa_column=_of_case(index=True))
    kind: NoteKind = Field(sa_column=_word(NoteKind))
    text: str = Field(sa_column=Column(Text, nullable=False))
    author_id: str = Field(sa_column=_account())
    written_at: datetime = Field(sa_column=_instant())


class Referral(Base, table=True):
    """A request to another office. What was asked for is a note of the case."""

    __tablename__ = "referral"
    __table_args__ = (Index("referral_status_due", "status", "due_at"),)

    id: str = Field(sa_column=_id())
    number: str = Field(sa_column=Column(String(24), nullable=False, unique=True))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    case_id: str = Field(sa_column=_of_case(index=True))
    status: ReferralStatus = Field(sa_column=_word(ReferralStatus))
    destination: Destination = Field(sa_column=_word(Destination))
    office: str = Field(sa_column=Column(String(200), nullable=False))
    partner_id: str | None = Field(default=None, sa_column=_account(empty=True))
    urgency: Urgency = Field(sa_column=_word(Urgency))
    sent_by: str = Field(sa_column=_account())
    sender_hash: str = Field(sa_column=_account())
    sent_at: datetime = Field(sa_column=_instant())
    due_at: datetime = Field(sa_column=_instant())
    overdue_at: datetime | None = Field(default=None, sa_column=_instant(empty=True))
    answered_at: datetime | None = Field(default=None, sa_column=_instant(empty=True))
    completed_at: datetime | None = Field(default=None, sa_column=_instant(empty=True))
    reject_reason: RejectReason | None = Field(default=None, sa_column=_word(RejectReason, empty=True))


class NumberSequence(Base, table=True):
    """The last place taken in each gap-free sequence (contracts/numbers.py)."""

    __tablename__ = "number_sequence"

    iso: str = Field(sa_column=Column(String(3), primary_key=True))
    prefix: str = Field(sa_column=Column(String(1), primary_key=True))
    year: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    last: int = Field(sa_column=Column(Integer, nullable=False))
