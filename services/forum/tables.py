"""What the forum service keeps. Fields marked C2 in `contracts.forum` are in these rows and in no fact.

`version` of a row counts its facts. Words of closed lists are stored by their codes.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import JSON, Boolean, Column, Date, ForeignKey, Integer, String, Text
from sqlalchemy import Enum as WordType
from sqlmodel import Field

from contracts.forum import (
    ActionStatus,
    AreaKind,
    AreaType,
    CancelReason,
    CloseReason,
    ConcernCategory,
    ConcernStatus,
    DropReason,
    ForumKind,
    ForumStatus,
    Founding,
    MeetingStatus,
    MemberRole,
    OwnerKind,
    Priority,
    Sector,
    Session,
    Sex,
)
from kernel.database import UtcDateTime, table_base

Base: Any = table_base()


def _word(words: type[StrEnum], *, null: bool = False, **options: Any) -> Column[Any]:
    codes = [word.value for word in words]
    kind = WordType(words, native_enum=False, length=32, values_callable=lambda _: codes)
    return Column(kind, nullable=null, **options)


def _key(*, to: str | None = None, null: bool = False, **options: Any) -> Column[Any]:
    references = [ForeignKey(to)] if to else []
    return Column(String(36), *references, nullable=null, **options)


def _id() -> Column[Any]:
    return Column(String(36), primary_key=True)


def _number() -> Column[Any]:
    return Column(String(32), nullable=False, unique=True)


class Area(Base, table=True):
    """A place of this node's governorate."""

    __tablename__ = "area"

    id: str = Field(sa_column=_id())
    kind: AreaKind = Field(sa_column=_word(AreaKind))
    names: dict[str, str] = Field(sa_column=Column(JSON, nullable=False))
    district: str = Field(sa_column=Column(String(64), nullable=False, index=True))
    parent_id: str | None = Field(default=None, sa_column=_key(to="area.id", null=True, index=True))
    area_type: AreaType | None = Field(default=None, sa_column=_word(AreaType, null=True))
    code: str | None = Field(default=None, sa_column=Column(String(32)))
    added_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    version: int = Field(default=0, sa_column=Column(Integer, nullable=False))


class Forum(Base, table=True):
    """A working group. `at_risk_at` and `dormant_at` are the clock that its last activity set."""

    __tablename__ = "forum"

    id: str = Field(sa_column=_id())
    number: str = Field(sa_column=_number())
    names: dict[str, str] = Field(sa_column=Column(JSON, nullable=False))
    kind: ForumKind = Field(sa_column=_word(ForumKind))
    founding: Founding = Field(sa_column=_word(Founding))
    district: str = Field(sa_column=Column(String(64), nullable=False, index=True))
    status: ForumStatus = Field(sa_column=_word(ForumStatus, index=True))
    close_reason: CloseReason | None = Field(default=None, sa_column=_word(CloseReason, null=True))
    facilitator: str | None = Field(default=None, sa_column=Column(String(200)))
    rhythm_days: int = Field(sa_column=Column(Integer, nullable=False))
    quorum: dict[str, int] = Field(sa_column=Column(JSON, nullable=False))
    proposed_on: date = Field(sa_column=Column(Date, nullable=False))
    established_on: date | None = Field(default=None, sa_column=Column(Date))
    activated_on: date | None = Field(default=None, sa_column=Column(Date))
    last_activity_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    at_risk_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, index=True))
    dormant_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime, index=True))
    version: int = Field(default=0, sa_column=Column(Integer, nullable=False))


class ForumArea(Base, table=True):
    """A forum covers an area; `place` 0 is its main one."""

    __tablename__ = "forum_area"

    forum_id: str = Field(sa_column=_key(to="forum.id", primary_key=True))
    area_id: str = Field(sa_column=_key(to="area.id", primary_key=True, index=True))
    place: int = Field(sa_column=Column(Integer, nullable=False))


class Membership(Base, table=True):
    """A person in a forum (C2), and the sector they speak for."""

    __tablename__ = "membership"

    id: str = Field(sa_column=_id())
    forum_id: str = Field(sa_column=_key(to="forum.id", index=True))
    name: str = Field(sa_column=Column(String(200), nullable=False))
    sector: Sector = Field(sa_column=_word(Sector))
    role: MemberRole = Field(sa_column=_word(MemberRole))
    joined_on: date = Field(sa_column=Column(Date, nullable=False))
    left_on: date | None = Field(default=None, sa_column=Column(Date))
    contact: str | None = Field(default=None, sa_column=Column(String(200)))
    contact_from_women: bool = Field(default=False, sa_column=Column(Boolean, nullable=False))
    account_id: str | None = Field(default=None, sa_column=_key(null=True))


class Composition(Base, table=True):
    """Who sits in a forum, as counts it declared about itself: `{dimension, group, count}` each."""

    __tablename__ = "composition"

    id: str = Field(sa_column=_id())
    forum_id: str = Field(sa_column=_key(to="forum.id", index=True))
    declared_on: date = Field(sa_column=Column(Date, nullable=False))
    declared_by: str = Field(sa_column=Column(String(64), nullable=False))
    counts: list[dict[str, Any]] = Field(sa_column=Column(JSON, nullable=False))


class Meeting(Base, table=True):
    """A meeting. `quorum_met` and `tension` are null until it took place."""

    __tablename__ = "meeting"

    id: str = Field(sa_column=_id())
    number: str = Field(sa_column=_number())
    forum_id: str = Field(sa_column=_key(to="forum.id", index=True))
    status: MeetingStatus = Field(sa_column=_word(MeetingStatus))
    session: Session = Field(sa_column=_word(Session))
    planned_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    place: str = Field(sa_column=Column(String(200), nullable=False))
    agenda: list[str] = Field(sa_column=Column(JSON, nullable=False))
    held_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    guests: int | None = Field(default=None, sa_column=Column(Integer))
    quorum_met: bool | None = Field(default=None, sa_column=Column(Boolean))
    tension: int | None = Field(default=None, sa_column=Column(Integer))
    cancel_reason: CancelReason | None = Field(default=None, sa_column=_word(CancelReason, null=True))
    version: int = Field(default=0, sa_column=Column(Integer, nullable=False))


class AttendanceCount(Base, table=True):
    """How many people of one sector and sex came to a meeting."""

    __tablename__ = "attendance_count"

    meeting_id: str = Field(sa_column=_key(to="meeting.id", primary_key=True))
    sector: Sector = Field(sa_column=_word(Sector, primary_key=True))
    sex: Sex = Field(sa_column=_word(Sex, primary_key=True))
    count: int = Field(sa_column=Column(Integer, nullable=False))


class Concern(Base, table=True):
    """What a sector is worried about. `private`: it came out of a private session."""

    __tablename__ = "concern"

    id: str = Field(sa_column=_id())
    forum_id: str = Field(sa_column=_key(to="forum.id", index=True))
    area_id: str | None = Field(default=None, sa_column=_key(to="area.id", null=True))
    meeting_id: str | None = Field(default=None, sa_column=_key(to="meeting.id", null=True))
    private: bool = Field(sa_column=Column(Boolean, nullable=False))
    category: ConcernCategory = Field(sa_column=_word(ConcernCategory))
    text: str = Field(sa_column=Column(Text, nullable=False))
    raised_by: Sector = Field(sa_column=_word(Sector))
    priority: Priority = Field(sa_column=_word(Priority))
    status: ConcernStatus = Field(sa_column=_word(ConcernStatus))
    raised_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    owner_kind: OwnerKind | None = Field(default=None, sa_column=_word(OwnerKind, null=True))
    owner_name: str | None = Field(default=None, sa_column=Column(String(200)))
    answer: str | None = Field(default=None, sa_column=Column(Text))
    answered_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    answered_by: str | None = Field(default=None, sa_column=Column(String(64)))
    version: int = Field(default=0, sa_column=Column(Integer, nullable=False))


class Action(Base, table=True):
    """What somebody agreed to do. `overdue_told_on`: the day its lateness was told, once."""

    __tablename__ = "action"

    id: str = Field(sa_column=_id())
    number: str = Field(sa_column=_number())
    forum_id: str = Field(sa_column=_key(to="forum.id", index=True))
    meeting_id: str | None = Field(default=None, sa_column=_key(to="meeting.id", null=True))
    concern_id: str | None = Field(default=None, sa_column=_key(to="concern.id", null=True))
    private: bool = Field(sa_column=Column(Boolean, nullable=False))
    title: str = Field(sa_column=Column(String(300), nullable=False))
    status: ActionStatus = Field(sa_column=_word(ActionStatus, index=True))
    owner_kind: OwnerKind = Field(sa_column=_word(OwnerKind))
    owner_name: str = Field(sa_column=Column(String(200), nullable=False))
    owner_sector: Sector = Field(sa_column=_word(Sector))
    due_on: date | None = Field(default=None, sa_column=Column(Date, index=True))
    overdue_told_on: date | None = Field(default=None, sa_column=Column(Date))
    evidence: str | None = Field(default=None, sa_column=Column(Text))
    claimed_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    claimed_by: str | None = Field(default=None, sa_column=Column(String(64)))
    finding: str | None = Field(default=None, sa_column=Column(Text))
    verified_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    verified_by_member: str | None = Field(default=None, sa_column=_key(to="membership.id", null=True))
    verified_by_sector: Sector | None = Field(default=None, sa_column=_word(Sector, null=True))
    drop_reason: DropReason | None = Field(default=None, sa_column=_word(DropReason, null=True))
    version: int = Field(default=0, sa_column=Column(Integer, nullable=False))


class NumberSequence(Base, table=True):
    """The last place taken in a year's sequence of F, M or A numbers; see `contracts.numbers`."""

    __tablename__ = "number_sequence"
    __table_args__: ClassVar[dict[str, Any]] = {"info": {"kept": False}}  # goes on after the numbers that came back

    iso: str = Field(sa_column=Column(String(3), primary_key=True))
    prefix: str = Field(sa_column=Column(String(1), primary_key=True))
    year: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    last: int = Field(sa_column=Column(Integer, nullable=False))
