"""What the gateway keeps: accounts, and which of them notify has yet to be told about."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Integer, String
from sqlmodel import Field

from kernel.database import UtcDateTime, table_base

Base: Any = table_base()


class Account(Base, table=True):
    """Who may use this node. `login`, `name` and `email` are C2 and leave this database only to notify.

    `version` counts changes, and numbers the account's facts. `tokens` is written into every token given: raising it
    refuses all that were given before.
    """

    __tablename__ = "account"

    id: str = Field(sa_column=Column(String(36), primary_key=True))
    login: str = Field(sa_column=Column(String(64), nullable=False, unique=True))
    password: str = Field(sa_column=Column(String(256), nullable=False))
    name: str = Field(sa_column=Column(String(120), nullable=False))
    roles: list[str] = Field(sa_column=Column(JSON, nullable=False))
    unit: str | None = Field(default=None, sa_column=Column(String(64)))
    forums: list[str] = Field(sa_column=Column(JSON, nullable=False))
    language: str = Field(sa_column=Column(String(8), nullable=False))
    email: str | None = Field(default=None, sa_column=Column(String(254)))
    active: bool = Field(default=True, sa_column=Column(Boolean, nullable=False))
    version: int = Field(default=1, sa_column=Column(Integer, nullable=False))
    tokens: int = Field(default=1, sa_column=Column(Integer, nullable=False))
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class ContactDue(Base, table=True):
    """An account whose present state notify has not answered for. Written with the change, deleted by the answer."""

    __tablename__ = "contact_due"

    account_id: str = Field(sa_column=Column(String(36), primary_key=True))
    attempts: int = Field(default=0, sa_column=Column(Integer, nullable=False))
    next_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))
