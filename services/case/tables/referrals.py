"""Referrals, the codes with which an office without an account answers, and the directory of partners."""

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, Boolean, Column, Date, ForeignKey, Index, Integer, LargeBinary, String
from sqlmodel import Field

from contracts.case.referrals import NotCompletedReason, PersonSays, ReferralConsent, RevokeReason
from contracts.case.words import AskedBy, Destination, ReferralStatus, RejectReason, Urgency
from services.case.tables.columns import Base, account, id_column, instant, of_case, word


class Partner(Base, table=True):
    """An office of the directory. `origin`: the node whose entry it is; nobody else changes it."""

    __tablename__ = "partner"

    id: str = Field(sa_column=id_column())
    origin: str = Field(sa_column=Column(String(64), nullable=False))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    names: dict[str, str] = Field(sa_column=Column(JSON, nullable=False))
    destination: Destination = Field(sa_column=word(Destination))
    categories: list[str] = Field(sa_column=Column(JSON, nullable=False))
    districts: list[str] = Field(sa_column=Column(JSON, nullable=False))
    women_on_staff: bool = Field(sa_column=Column(Boolean, nullable=False))
    languages: list[str] = Field(sa_column=Column(JSON, nullable=False))
    phone: str | None = Field(default=None, sa_column=Column(String(40)))
    account_id: str | None = Field(default=None, sa_column=account(empty=True))
    head_account_id: str | None = Field(default=None, sa_column=account(empty=True))
    listed_by: str | None = Field(default=None, sa_column=account(empty=True))
    listed_at: datetime = Field(sa_column=instant())
    vetted_by: str | None = Field(default=None, sa_column=account(empty=True))
    vetted_on: date | None = Field(default=None, sa_column=Column(Date))
    expires_on: date | None = Field(default=None, sa_column=Column(Date))
    suspended: bool = Field(default=False, sa_column=Column(Boolean, nullable=False))


class Referral(Base, table=True):
    """A request to another office. What was asked for is the note `note_id` of the case.

    `sent_by`: who prepared it. `next_step_at`: when silence is told again, or ends it; only while it is unanswered."""

    __tablename__ = "referral"
    __table_args__ = (
        Index("referral_status_due", "status", "due_at"),
        Index("referral_next_step", "next_step_at"),
        Index("referral_partner", "partner", "sent_at"),
    )

    id: str = Field(sa_column=id_column())
    number: str = Field(sa_column=Column(String(24), nullable=False, unique=True))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    case_id: str = Field(sa_column=of_case(index=True))
    status: ReferralStatus = Field(sa_column=word(ReferralStatus))
    destination: Destination = Field(sa_column=word(Destination))
    partner: str | None = Field(default=None, sa_column=Column(String(36), ForeignKey("partner.id")))
    office: str = Field(sa_column=Column(String(200), nullable=False))
    partner_id: str | None = Field(default=None, sa_column=account(empty=True))
    head_hash: str | None = Field(default=None, sa_column=account(empty=True))
    urgency: Urgency = Field(sa_column=word(Urgency))
    note_id: str | None = Field(default=None, sa_column=Column(String(36), ForeignKey("case_note.id")))
    withhold: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    consent: ReferralConsent | None = Field(default=None, sa_column=word(ReferralConsent, empty=True))
    overridden_by: str | None = Field(default=None, sa_column=account(empty=True))
    created_at: datetime = Field(sa_column=instant())
    sent_by: str = Field(sa_column=account())
    sender_hash: str = Field(sa_column=account())
    sent_at: datetime | None = Field(default=None, sa_column=instant(empty=True))
    due_at: datetime | None = Field(default=None, sa_column=instant(empty=True))
    next_step_at: datetime | None = Field(default=None, sa_column=instant(empty=True))
    escalation: int = Field(default=0, sa_column=Column(Integer, nullable=False))
    delivered_at: datetime | None = Field(default=None, sa_column=instant(empty=True))
    overdue_at: datetime | None = Field(default=None, sa_column=instant(empty=True))
    answered_at: datetime | None = Field(default=None, sa_column=instant(empty=True))
    begun_at: datetime | None = Field(default=None, sa_column=instant(empty=True))
    completed_at: datetime | None = Field(default=None, sa_column=instant(empty=True))
    confirmed_at: datetime | None = Field(default=None, sa_column=instant(empty=True))
    reject_reason: RejectReason | None = Field(default=None, sa_column=word(RejectReason, empty=True))
    not_completed_reason: NotCompletedReason | None = Field(
        default=None, sa_column=word(NotCompletedReason, empty=True)
    )
    revoke_reason: RevokeReason | None = Field(default=None, sa_column=word(RevokeReason, empty=True))
    person_says: PersonSays | None = Field(default=None, sa_column=word(PersonSays, empty=True))
    said_by: AskedBy | None = Field(default=None, sa_column=word(AskedBy, empty=True))
    suggested: str | None = Field(default=None, sa_column=Column(String(36)))


class ReferralCode(Base, table=True):
    """The one-time code of a referral: only a slow hash of it. It ends with its answer, its time, or wrong guesses."""

    __tablename__ = "referral_code"

    referral_id: str = Field(sa_column=Column(String(36), ForeignKey("referral.id"), primary_key=True))
    salt: bytes = Field(sa_column=Column(LargeBinary(16), nullable=False))
    hash: bytes = Field(sa_column=Column(LargeBinary(32), nullable=False))
    issued_by: str = Field(sa_column=account())
    issued_at: datetime = Field(sa_column=instant())
    expires_at: datetime = Field(sa_column=instant())
    wrong: int = Field(default=0, sa_column=Column(Integer, nullable=False))
    shown: int = Field(default=0, sa_column=Column(Integer, nullable=False))
    used_at: datetime | None = Field(default=None, sa_column=instant(empty=True))


class ArrivalCursor(Base, table=True):
    """How far this service has read what other nodes addressed to this one."""

    __tablename__ = "arrival_cursor"
    __table_args__: ClassVar[dict[str, Any]] = {"info": {"kept": False}}  # arrivals are numbered anew by a new database

    stream: str = Field(sa_column=Column(String(32), primary_key=True))
    number: int = Field(sa_column=Column(Integer, nullable=False))
