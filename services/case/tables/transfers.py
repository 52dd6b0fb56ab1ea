"""Transfers, as this node knows them: the sender and the receiver each keep a row."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Index, Integer, String
from sqlmodel import Field

from contracts.case.referrals import ReferralConsent
from contracts.case.transfers import Side, TransferRejection, TransferStatus
from services.case.tables.columns import Base, account, id_column, instant, word


class Transfer(Base, table=True):
    """One end of a transfer. `version` counts what this end has told; `preview` names nobody.

    `case_id` has no foreign key: at the receiver the case is not there yet."""

    __tablename__ = "transfer"
    __table_args__ = (Index("transfer_case", "case_id"), Index("transfer_expiry", "status", "expires_at"))

    id: str = Field(sa_column=id_column())
    number: str = Field(sa_column=Column(String(24), nullable=False))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    side: Side = Field(sa_column=word(Side))
    status: TransferStatus = Field(sa_column=word(TransferStatus))
    case_id: str | None = Field(default=None, sa_column=Column(String(36)))
    sender: str = Field(sa_column=Column(String(64), nullable=False))
    receiver: str = Field(sa_column=Column(String(64), nullable=False))
    unit: str | None = Field(default=None, sa_column=Column(String(64)))
    consent: ReferralConsent | None = Field(default=None, sa_column=word(ReferralConsent, empty=True))
    preview: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    proposed_by: str | None = Field(default=None, sa_column=account(empty=True))
    decided_by: str | None = Field(default=None, sa_column=account(empty=True))
    reject_reason: TransferRejection | None = Field(default=None, sa_column=word(TransferRejection, empty=True))
    created_at: datetime = Field(sa_column=instant())
    expires_at: datetime | None = Field(default=None, sa_column=instant(empty=True))
    decided_at: datetime | None = Field(default=None, sa_column=instant(empty=True))
    released_at: datetime | None = Field(default=None, sa_column=instant(empty=True))
    received_at: datetime | None = Field(default=None, sa_column=instant(empty=True))
