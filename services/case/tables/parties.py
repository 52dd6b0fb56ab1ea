"""What persons in a case agreed to, how they may be reached, and staff whom a case names."""

from datetime import datetime

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, String
from sqlmodel import Field

from contracts.case.parties import ConsentState, GivenBy, Post, Purpose
from contracts.case.words import Answer
from services.case.tables.columns import Base, account, id_column, instant, of_case, word


class CaseConsent(Base, table=True):
    """What a party said about one purpose. A row is never changed: what was said last is the last row.

    `sealed`: the language it was asked in and from whom what is to be withheld; the words are a note (`consent`)."""

    __tablename__ = "case_consent"
    __table_args__ = (Index("case_consent_standing", "case_id", "purpose", "party_id"),)

    id: str = Field(sa_column=id_column())
    case_id: str = Field(sa_column=of_case())
    party_id: str = Field(sa_column=Column(String(36), ForeignKey("case_party.id"), nullable=False))
    purpose: Purpose = Field(sa_column=word(Purpose))
    state: ConsentState = Field(sa_column=word(ConsentState))
    given_by: GivenBy = Field(sa_column=word(GivenBy))
    alone: Answer = Field(sa_column=word(Answer))
    sealed: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    recorded_by: str = Field(sa_column=account())
    recorded_at: datetime = Field(sa_column=instant())


class CaseContactPlan(Base, table=True):
    """How the affected person may be reached [C4], sealed. The plan that holds is the last row."""

    __tablename__ = "case_contact_plan"

    id: str = Field(sa_column=id_column())
    case_id: str = Field(sa_column=of_case(index=True))
    sealed: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    recorded_by: str = Field(sa_column=account())
    recorded_at: datetime = Field(sa_column=instant())


class CaseStaff(Base, table=True):
    """Somebody of the staff whom a case names. Their name is a note (`staff`)."""

    __tablename__ = "case_staff"

    id: str = Field(sa_column=id_column())
    case_id: str = Field(sa_column=of_case(index=True))
    staff_account: str | None = Field(default=None, sa_column=account(empty=True))
    staff_unit: str | None = Field(default=None, sa_column=account(empty=True))
    post: Post = Field(sa_column=word(Post))
    named_by: str = Field(sa_column=account())
    named_at: datetime = Field(sa_column=instant())
