"""Mediations and calls for help: what is done in a case beside its own steps."""

from datetime import date, datetime

from sqlalchemy import JSON, Boolean, Column, Date, Index, Integer, LargeBinary, String
from sqlmodel import Field

from contracts.case.assistance import AssistanceRefusal, AssistanceResult, AssistanceStatus
from contracts.case.mediation import MediationStatus, Mediator, StopReason
from services.case.tables.columns import Base, account, id_column, instant, of_case, word


class Mediation(Base, table=True):
    """Bringing parties together. Texts and terms are notes of the case; `screen` is sealed [C4]."""

    __tablename__ = "mediation"
    __table_args__ = (Index("mediation_next", "status", "next_follow_up_on"),)

    id: str = Field(sa_column=id_column())
    version: int = Field(sa_column=Column(Integer, nullable=False))
    case_id: str = Field(sa_column=of_case(index=True))
    status: MediationStatus = Field(sa_column=word(MediationStatus))
    mediator: Mediator = Field(sa_column=word(Mediator))
    parties: list[str] = Field(sa_column=Column(JSON, nullable=False))
    guarded: bool = Field(sa_column=Column(Boolean, nullable=False))
    proposed_by: str = Field(sa_column=account())
    proposed_at: datetime = Field(sa_column=instant())
    screen: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    screened_at: datetime | None = Field(default=None, sa_column=instant(empty=True))
    approved_by: str | None = Field(default=None, sa_column=account(empty=True))
    approved_at: datetime | None = Field(default=None, sa_column=instant(empty=True))
    held_at: datetime | None = Field(default=None, sa_column=instant(empty=True))
    terms: int = Field(default=0, sa_column=Column(Integer, nullable=False))
    follow_ups: int = Field(default=0, sa_column=Column(Integer, nullable=False))
    second_follow_up_on: date | None = Field(default=None, sa_column=Column(Date))
    next_follow_up_on: date | None = Field(default=None, sa_column=Column(Date))
    stop_reason: StopReason | None = Field(default=None, sa_column=word(StopReason, empty=True))


class Assistance(Base, table=True):
    """A call to the local police for help, with its clock. What was said is a note of the case."""

    __tablename__ = "assistance"
    __table_args__ = (Index("assistance_unanswered", "status", "answer_due_at"),)

    id: str = Field(sa_column=id_column())
    version: int = Field(sa_column=Column(Integer, nullable=False))
    case_id: str = Field(sa_column=of_case(index=True))
    status: AssistanceStatus = Field(sa_column=word(AssistanceStatus))
    station: str = Field(sa_column=Column(String(200), nullable=False))
    sent_by: str = Field(sa_column=account())
    sent_at: datetime = Field(sa_column=instant())
    answer_due_at: datetime = Field(sa_column=instant())
    no_answer_at: datetime | None = Field(default=None, sa_column=instant(empty=True))
    acknowledged_at: datetime | None = Field(default=None, sa_column=instant(empty=True))
    on_scene_at: datetime | None = Field(default=None, sa_column=instant(empty=True))
    ended_at: datetime | None = Field(default=None, sa_column=instant(empty=True))
    result: AssistanceResult | None = Field(default=None, sa_column=word(AssistanceResult, empty=True))
    refusal: AssistanceRefusal | None = Field(default=None, sa_column=word(AssistanceRefusal, empty=True))
