"""The tables of notify.db. Contacts (C2) stand only here; a notification holds a record's id and number, no content."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlmodel import Field

from kernel.database import UtcDateTime, table_base
from services.notify.model import DeliveryState

NotifyTable: Any = table_base()


class ContactRow(NotifyTable, table=True):
    """An account as the gateway last described it. `hash` is how facts name it."""

    __tablename__ = "contact"

    account_id: str = Field(sa_column=Column(String(64), primary_key=True))
    hash: str = Field(sa_column=Column(String(64), nullable=False, unique=True))
    version: int = Field(sa_column=Column(BigInteger, nullable=False))
    roles: list[str] = Field(sa_column=Column(JSON, nullable=False))
    unit: str | None = Field(default=None, sa_column=Column(String(64)))
    forums: list[str] = Field(sa_column=Column(JSON, nullable=False))
    language: str = Field(sa_column=Column(String(8), nullable=False))
    email: str | None = Field(default=None, sa_column=Column(String(254)))
    active: bool = Field(sa_column=Column(Boolean, nullable=False))
    changed_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class NotificationRow(NotifyTable, table=True):
    """One line of one account's inbox."""

    __tablename__ = "notification"
    __table_args__ = (
        UniqueConstraint("fact_id", "rule", "account_id", name="uq_notification_once"),
        Index("ix_notification_inbox", "account_id", "id"),
        Index("ix_notification_unread", "account_id", "read_at"),
    )

    id: str = Field(sa_column=Column(String(36), primary_key=True))
    account_id: str = Field(sa_column=Column(String(64), nullable=False))
    fact_id: str = Field(sa_column=Column(String(64), nullable=False))
    rule: str = Field(sa_column=Column(String(64), nullable=False))
    about: str = Field(sa_column=Column(String(64), nullable=False))
    subject: str = Field(sa_column=Column(String(64), nullable=False))
    reference: str | None = Field(default=None, sa_column=Column(String(64)))
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    read_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))


class DeliveryRow(NotifyTable, table=True):
    """One e-mail. The address is looked up when it is sent; `message_id` is the same in every attempt."""

    __tablename__ = "delivery"
    __table_args__ = (Index("ix_delivery_due", "state", "next_at"),)

    id: str = Field(sa_column=Column(String(36), primary_key=True))
    notification_id: str = Field(
        sa_column=Column(String(36), ForeignKey("notification.id"), nullable=False, unique=True)
    )
    state: str = Field(default=DeliveryState.WAITING, sa_column=Column(String(16), nullable=False))
    attempts: int = Field(default=0, sa_column=Column(Integer, nullable=False))
    cause: str | None = Field(default=None, sa_column=Column(String(32)))
    reply: int | None = Field(default=None, sa_column=Column(Integer))
    message_id: str = Field(sa_column=Column(String(255), nullable=False))
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    next_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    sent_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))


class DirectiveRow(NotifyTable, table=True):
    """A directive: at the directorate that issued it, and at every governorate it reached."""

    __tablename__ = "directive"

    id: str = Field(sa_column=Column(String(36), primary_key=True))
    origin: str = Field(sa_column=Column(String(64), nullable=False))
    title: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    text: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    governorates: list[str] = Field(sa_column=Column(JSON, nullable=False))
    issued_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class AcknowledgementRow(NotifyTable, table=True):
    """That a governorate has a directive, by name of role. It may arrive before the directive it is about."""

    __tablename__ = "acknowledgement"
    __table_args__ = (UniqueConstraint("directive_id", "node", "role", name="uq_acknowledgement_once"),)

    id: str = Field(sa_column=Column(String(36), primary_key=True))
    directive_id: str = Field(sa_column=Column(String(36), nullable=False, index=True))
    node: str = Field(sa_column=Column(String(64), nullable=False))
    role: str = Field(sa_column=Column(String(64), nullable=False))
    at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class CursorRow(NotifyTable, table=True):
    """Up to where a stream of the sync service was read for what the broker may have lost."""

    __tablename__ = "stream_cursor"

    stream: str = Field(sa_column=Column(String(16), primary_key=True))
    number: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
