"""Transfers, as this node knows them: the sender and the receiver each keep a row."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, Column, Index, Integer, LargeBinary, String
from sqlmodel import Field

from contracts.case.referrals import ReferralConsent
from contracts.case.transfers import Side, TransferRejection, TransferStatus
from services.case.tables.columns import Base, account, id_column, instant, word


class Transfer(Base, table=True):
    """One end of a transfer. `version` counts what this end has told; `preview` names nobody. `parts`: of how many the
    release is, `parts_here`: how many of them arrived.

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
    parts: int | None = Field(default=None, sa_column=Column(Integer))
    parts_here: int | None = Field(default=None, sa_column=Column(Integer))


class TransferPart(Base, table=True):
    """A part of a release that is not whole yet [C4], sealed under a secret of this node. `digest`: of the whole."""

    __tablename__ = "transfer_part"
    __table_args__: ClassVar[dict[str, Any]] = {"info": {"kept": False}}  # the arrivals have them, and the sender

    transfer_id: str = Field(sa_column=Column(String(36), primary_key=True))
    digest: str = Field(sa_column=Column(String(64), primary_key=True))
    part: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    arrived_at: datetime = Field(sa_column=instant())
