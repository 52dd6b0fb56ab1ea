"""Requests to erase what identifies people, and legal holds that keep it."""

from datetime import datetime

from sqlalchemy import Column, Index, Integer
from sqlmodel import Field

from contracts.case.erasure import ErasureRefusal, ErasureStatus
from contracts.case.words import Answer, AskedBy
from services.case.tables.columns import Base, account, id_column, instant, of_case, word


class Erasure(Base, table=True):
    """A person's request. What they said is a note of the case (`erasure`), gone once it is approved."""

    __tablename__ = "erasure"
    __table_args__ = (Index("erasure_status", "status", "id"),)

    id: str = Field(sa_column=id_column())
    version: int = Field(sa_column=Column(Integer, nullable=False))
    case_id: str = Field(sa_column=of_case(index=True))
    status: ErasureStatus = Field(sa_column=word(ErasureStatus))
    asked_by: AskedBy = Field(sa_column=word(AskedBy))
    alone: Answer = Field(sa_column=word(Answer))
    pressure: Answer = Field(sa_column=word(Answer))
    refusal: ErasureRefusal | None = Field(default=None, sa_column=word(ErasureRefusal, empty=True))
    requested_by: str = Field(sa_column=account())
    requested_at: datetime = Field(sa_column=instant())
    decided_by: str | None = Field(default=None, sa_column=account(empty=True))
    decided_at: datetime | None = Field(default=None, sa_column=instant(empty=True))


class LegalHold(Base, table=True):
    """Identity of a case is kept while one of its holds is not lifted. Who needs it is a note of the case."""

    __tablename__ = "legal_hold"

    id: str = Field(sa_column=id_column())
    version: int = Field(sa_column=Column(Integer, nullable=False))
    case_id: str = Field(sa_column=of_case(index=True))
    placed_by: str = Field(sa_column=account())
    placed_at: datetime = Field(sa_column=instant())
    lifted_by: str | None = Field(default=None, sa_column=account(empty=True))
    lifted_at: datetime | None = Field(default=None, sa_column=instant(empty=True))
