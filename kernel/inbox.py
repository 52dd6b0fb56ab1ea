"""Receive once: the first sight of a fact and its effect are one commit."""

from datetime import datetime

from sqlalchemy import Column, String
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Session

from kernel.clock import now
from kernel.database import KernelTable, UtcDateTime


class InboxEntry(KernelTable, table=True):
    """A fact that a consumer has taken."""

    __tablename__ = "inbox_entry"

    consumer: str = Field(sa_column=Column(String(64), primary_key=True))
    fact_id: str = Field(sa_column=Column(String(64), primary_key=True))
    taken_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


def first_time(session: Session, consumer: str, fact_id: str) -> bool:
    """Whether `consumer` sees this fact for the first time; remembered in the caller's transaction."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = insert(InboxEntry).values(consumer=consumer, fact_id=fact_id, taken_at=now()).on_conflict_do_nothing()
    return session.connection().execute(statement).rowcount == 1
