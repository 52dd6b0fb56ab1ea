"""How a case stands, and apart from it who and what is in it."""

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, Boolean, Column, Date, ForeignKey, Index, Integer, LargeBinary, String, Text
from sqlmodel import Field

from contracts.case.endings import NextStep
from contracts.case.words import (
    AgeBand,
    Answer,
    AskedBy,
    CaseStatus,
    Category,
    Channel,
    HandlerPreference,
    Informed,
    Language,
    NoteKind,
    Outcome,
    PartyRole,
    PriorResort,
    RecordingClass,
    Risk,
    Telling,
)
from services.case.tables.columns import Base, account, id_column, instant, of_case, word


class CaseRecord(Base, table=True):
    """How a case stands. `version` counts its changes and numbers its facts; `handlers` is all who ever
    handled it.

    `owner_epoch` and `owned`: whether this node is the owner, and in which epoch (services/case/transfer). `counted`:
    it was first recorded here.

    `units` are all whose people ever worked on it. `walled_from` names the accounts and units that find nothing of it
    (services/case/wall.py). `next_step` and `due_at` are set with each change (services/case/next_steps.py).
    `incomplete`: what was written after a backup was lost when it was put back (services/case/handlers/recovery.py).

    `age_band`, `parties_told` and `parties_by_sex` are what may be told of the persons in it
    (services/case/telling.py), decided at intake."""

    __tablename__ = "case_record"
    __table_args__ = (
        Index("case_record_unit_status", "unit", "status"),
        Index("case_record_handler", "handler_id", "status"),
        Index("case_record_opened_by", "opened_by", "status"),
        Index("case_record_due", "due_at"),
        Index("case_record_duplicate_of", "duplicate_of"),
    )

    id: str = Field(sa_column=id_column())
    number: str = Field(sa_column=Column(String(24), nullable=False, unique=True))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    status: CaseStatus = Field(sa_column=word(CaseStatus))
    recording_class: RecordingClass = Field(sa_column=word(RecordingClass))
    current_class: RecordingClass = Field(sa_column=word(RecordingClass))
    category: Category = Field(sa_column=word(Category))
    restricted: bool = Field(sa_column=Column(Boolean, nullable=False))
    risk: Risk | None = Field(default=None, sa_column=word(Risk, empty=True))
    channel: Channel = Field(sa_column=word(Channel))
    district: str = Field(sa_column=Column(String(64), nullable=False))
    incident_from: date | None = Field(default=None, sa_column=Column(Date))
    incident_until: date | None = Field(default=None, sa_column=Column(Date))
    reported_at: datetime = Field(sa_column=instant())
    opened_at: datetime = Field(sa_column=instant())
    opened_by: str = Field(sa_column=account())
    language: Language = Field(sa_column=word(Language))
    interpreter: bool = Field(sa_column=Column(Boolean, nullable=False))
    handler_preference: HandlerPreference = Field(sa_column=word(HandlerPreference))
    prior_resort: PriorResort = Field(sa_column=word(PriorResort))
    pressure_reported: bool = Field(sa_column=Column(Boolean, nullable=False))
    unit: str = Field(sa_column=Column(String(64), nullable=False))
    age_band: AgeBand = Field(sa_column=word(AgeBand))
    parties_told: Telling = Field(sa_column=word(Telling))
    parties_by_sex: dict[str, int] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    triaged_by: str | None = Field(default=None, sa_column=account(empty=True))
    triaged_at: datetime | None = Field(default=None, sa_column=instant(empty=True))
    handler_id: str | None = Field(default=None, sa_column=account(empty=True))
    handler_hash: str | None = Field(default=None, sa_column=account(empty=True))
    handlers: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    first_contact_at: datetime | None = Field(default=None, sa_column=instant(empty=True))
    review_on: date | None = Field(default=None, sa_column=Column(Date))
    outcome: Outcome | None = Field(default=None, sa_column=word(Outcome, empty=True))
    proposed_by: str | None = Field(default=None, sa_column=account(empty=True))
    closed_by: str | None = Field(default=None, sa_column=account(empty=True))
    closed_at: datetime | None = Field(default=None, sa_column=instant(empty=True))
    informed: Informed | None = Field(default=None, sa_column=word(Informed, empty=True))
    withdrawal_asked_by: AskedBy | None = Field(default=None, sa_column=word(AskedBy, empty=True))
    withdrawal_alone: Answer | None = Field(default=None, sa_column=word(Answer, empty=True))
    withdrawal_pressure: Answer | None = Field(default=None, sa_column=word(Answer, empty=True))
    notes: int = Field(default=0, sa_column=Column(Integer, nullable=False))
    minors: bool = Field(default=False, sa_column=Column(Boolean, nullable=False))
    units: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    walled: bool = Field(default=False, sa_column=Column(Boolean, nullable=False))
    upstream: bool = Field(default=False, sa_column=Column(Boolean, nullable=False))
    walled_from: str = Field(default="", sa_column=Column(Text, nullable=False))
    next_step: NextStep | None = Field(default=None, sa_column=word(NextStep, empty=True))
    due_at: datetime | None = Field(default=None, sa_column=instant(empty=True))
    closings: int = Field(default=0, sa_column=Column(Integer, nullable=False))
    reopened: int = Field(default=0, sa_column=Column(Integer, nullable=False))
    duplicate_of: str | None = Field(default=None, sa_column=Column(String(36)))
    owner_epoch: int = Field(default=1, sa_column=Column(Integer, nullable=False))
    owned: bool = Field(default=True, sa_column=Column(Boolean, nullable=False))
    counted: bool = Field(default=True, sa_column=Column(Boolean, nullable=False))
    before_duplicate: CaseStatus | None = Field(default=None, sa_column=word(CaseStatus, empty=True))
    incomplete: bool = Field(default=False, sa_column=Column(Boolean, nullable=False))


class CaseIntake(Base, table=True):
    """The answers and what followed from them. Written once; the database refuses to change or delete it."""

    __tablename__ = "case_intake"

    case_id: str = Field(sa_column=Column(String(36), ForeignKey("case_record.id"), primary_key=True))
    answers: dict[str, str] = Field(sa_column=Column(JSON, nullable=False))
    recording_class: RecordingClass = Field(sa_column=word(RecordingClass))
    rule_version: int = Field(sa_column=Column(Integer, nullable=False))
    answered_at: datetime = Field(sa_column=instant())


class CaseParty(Base, table=True):
    """Someone in a case [C3]. `sealed`: all but the role (services/case/sealing.py); empty once erased.
    `index_version`: by which rules of services/case/folding.py they are found by name; 0 is not yet."""

    __tablename__ = "case_party"

    id: str = Field(sa_column=id_column())
    case_id: str = Field(sa_column=of_case(index=True))
    role: PartyRole = Field(sa_column=word(PartyRole))
    index_version: int = Field(default=0, sa_column=Column(Integer, nullable=False, index=True))
    sealed: bytes | None = Field(default=None, sa_column=Column(LargeBinary))


class CaseNarrative(Base, table=True):
    """What was told at intake [C4] and where exactly it happened [C3], sealed."""

    __tablename__ = "case_narrative"

    case_id: str = Field(sa_column=Column(String(36), ForeignKey("case_record.id"), primary_key=True))
    sealed: bytes | None = Field(default=None, sa_column=Column(LargeBinary))


class CaseNote(Base, table=True):
    """A text written while the case was worked on [C4], sealed: notes, and the reasons that moves ask for."""

    __tablename__ = "case_note"

    id: str = Field(sa_column=id_column())
    case_id: str = Field(sa_column=of_case(index=True))
    kind: NoteKind = Field(sa_column=word(NoteKind))
    sealed: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    author_id: str = Field(sa_column=account())
    written_at: datetime = Field(sa_column=instant())


class NumberSequence(Base, table=True):
    """The last place taken in each gap-free sequence (contracts/numbers.py)."""

    __tablename__ = "number_sequence"
    __table_args__: ClassVar[dict[str, Any]] = {"info": {"kept": False}}  # goes on after the numbers that came back

    iso: str = Field(sa_column=Column(String(3), primary_key=True))
    prefix: str = Field(sa_column=Column(String(1), primary_key=True))
    year: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    last: int = Field(sa_column=Column(Integer, nullable=False))
