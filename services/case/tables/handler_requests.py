"""Requests for a handler from elsewhere, at the home of the case and where it was asked."""

from datetime import datetime

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, String
from sqlmodel import Field

from contracts.case.handler_requests import RequestSide, RequestStatus
from contracts.case.words import CategoryGroup, HandlerPreference, Language, Urgency
from services.case.tables.columns import Base, account, id_column, instant, word


class HandlerRequest(Base, table=True):
    """One end of a request. `sealed`, at a helper: the case, sealed to its node's key, while open to `handler_id`."""

    __tablename__ = "handler_request"

    id: str = Field(sa_column=id_column())
    number: str = Field(sa_column=Column(String(24), nullable=False))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    side: RequestSide = Field(sa_column=word(RequestSide))
    status: RequestStatus = Field(sa_column=word(RequestStatus))
    home: str = Field(sa_column=Column(String(64), nullable=False))
    helper: str | None = Field(default=None, sa_column=Column(String(64)))
    case_id: str | None = Field(default=None, sa_column=Column(String(36), index=True))
    category_group: CategoryGroup = Field(sa_column=word(CategoryGroup))
    language: Language = Field(sa_column=word(Language))
    urgency: Urgency = Field(sa_column=word(Urgency))
    handler_preference: HandlerPreference = Field(sa_column=word(HandlerPreference))
    asked_by: str | None = Field(default=None, sa_column=account(empty=True))
    asked_at: datetime = Field(sa_column=instant())
    handler_id: str | None = Field(default=None, sa_column=account(empty=True))
    open_until: datetime | None = Field(default=None, sa_column=instant(empty=True))
    fact_id: str | None = Field(default=None, sa_column=Column(String(64)))
    sealed: bytes | None = Field(default=None, sa_column=Column(LargeBinary))


class HandlerOffer(Base, table=True):
    """Somebody of another governorate who offered herself; the first of each node counts."""

    __tablename__ = "handler_offer"

    request_id: str = Field(sa_column=Column(String(36), ForeignKey("handler_request.id"), primary_key=True))
    helper: str = Field(sa_column=Column(String(64), primary_key=True))
    name: str = Field(sa_column=Column(String(200), nullable=False))
    offered_at: datetime = Field(sa_column=instant())


class AskedGovernorate(Base, table=True):
    """A governorate that was asked: it is told when the request is closed."""

    __tablename__ = "asked_governorate"

    request_id: str = Field(sa_column=Column(String(36), ForeignKey("handler_request.id"), primary_key=True))
    helper: str = Field(sa_column=Column(String(64), primary_key=True))
