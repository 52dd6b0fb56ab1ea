"""Referrals to other offices."""

from datetime import datetime

from sqlalchemy import Column, Index, Integer, String
from sqlmodel import Field

from contracts.case.words import Destination, ReferralStatus, RejectReason, Urgency
from services.case.tables.columns import Base, account, id_column, instant, of_case, word


class Referral(Base, table=True):
    """A request to another office. What was asked for is a note of the case."""

    __tablename__ = "referral"
    __table_args__ = (Index("referral_status_due", "status", "due_at"),)

    id: str = Field(sa_column=id_column())
    number: str = Field(sa_column=Column(String(24), nullable=False, unique=True))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    case_id: str = Field(sa_column=of_case(index=True))
    status: ReferralStatus = Field(sa_column=word(ReferralStatus))
    destination: Destination = Field(sa_column=word(Destination))
    office: str = Field(sa_column=Column(String(200), nullable=False))
    partner_id: str | None = Field(default=None, sa_column=account(empty=True))
    urgency: Urgency = Field(sa_column=word(Urgency))
    sent_by: str = Field(sa_column=account())
    sender_hash: str = Field(sa_column=account())
    sent_at: datetime = Field(sa_column=instant())
    due_at: datetime = Field(sa_column=instant())
    overdue_at: datetime | None = Field(default=None, sa_column=instant(empty=True))
    answered_at: datetime | None = Field(default=None, sa_column=instant(empty=True))
    completed_at: datetime | None = Field(default=None, sa_column=instant(empty=True))
    reject_reason: RejectReason | None = Field(default=None, sa_column=word(RejectReason, empty=True))
