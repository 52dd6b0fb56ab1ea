"""Welfare applications, which belong to no case."""

from datetime import datetime

from sqlalchemy import JSON, Column, Index, Integer, LargeBinary, String
from sqlmodel import Field

from contracts.case.welfare import Applicant, Benefit, WelfareStatus
from services.case.tables.columns import Base, account, id_column, instant, word


class WelfareApplication(Base, table=True):
    """An application and how long it has waited. `sealed`: who applies, and what was remarked [C3/C4]."""

    __tablename__ = "welfare_application"
    __table_args__ = (Index("welfare_application_unit_status", "unit", "status"),)

    id: str = Field(sa_column=id_column())
    number: str = Field(sa_column=Column(String(24), nullable=False, unique=True))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    status: WelfareStatus = Field(sa_column=word(WelfareStatus))
    benefit: Benefit = Field(sa_column=word(Benefit))
    applicant: Applicant = Field(sa_column=word(Applicant))
    applicant_account: str | None = Field(default=None, sa_column=account(empty=True))
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    key_id: str = Field(sa_column=Column(String(16), nullable=False))
    wrapped: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    unit: str = Field(sa_column=Column(String(64), nullable=False))
    office: str | None = Field(default=None, sa_column=Column(String(200)))
    present: list[str] = Field(sa_column=Column(JSON, nullable=False))
    started_by: str = Field(sa_column=account())
    started_at: datetime = Field(sa_column=instant())
    submitted_at: datetime | None = Field(default=None, sa_column=instant(empty=True))
    decided_by: str | None = Field(default=None, sa_column=account(empty=True))
    decided_at: datetime | None = Field(default=None, sa_column=instant(empty=True))
    paid_at: datetime | None = Field(default=None, sa_column=instant(empty=True))
