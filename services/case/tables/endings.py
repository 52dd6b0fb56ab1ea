"""What may follow the class and the end of a case: reclassifications and confirmation interviews."""

from datetime import datetime

from sqlalchemy import Column, Index, Integer, String, UniqueConstraint
from sqlmodel import Field

from contracts.case.endings import ConfirmationAnswer, Unasked
from contracts.case.reclassification import Ground, ReclassificationStatus
from contracts.case.words import RecordingClass
from services.case.tables.columns import Base, account, id_column, instant, of_case, word


class Reclassification(Base, table=True):
    """A proposal to change the present class of a case, and what became of it. The reason is a note of the case.

    `place` counts the proposals of a case. The database refuses to delete one, to change one that is decided, and to
    give a case another present class than the last approved one says (see the migration)."""

    __tablename__ = "reclassification"
    __table_args__ = (UniqueConstraint("case_id", "place"), Index("reclassification_status", "status", "id"))

    id: str = Field(sa_column=id_column())
    version: int = Field(sa_column=Column(Integer, nullable=False))
    case_id: str = Field(sa_column=of_case())
    place: int = Field(sa_column=Column(Integer, nullable=False))
    from_class: RecordingClass = Field(sa_column=word(RecordingClass))
    to_class: RecordingClass = Field(sa_column=word(RecordingClass))
    ground: Ground = Field(sa_column=word(Ground))
    status: ReclassificationStatus = Field(sa_column=word(ReclassificationStatus))
    note_id: str = Field(sa_column=Column(String(36), nullable=False))
    proposed_by: str = Field(sa_column=account())
    proposed_at: datetime = Field(sa_column=instant())
    decided_by: str | None = Field(default=None, sa_column=account(empty=True))
    decided_at: datetime | None = Field(default=None, sa_column=instant(empty=True))


class Confirmation(Base, table=True):
    """The interview after one closing of a case, drawn up for a unit that did not handle it (empty: for those of no
    unit)."""

    __tablename__ = "confirmation"
    __table_args__ = (
        UniqueConstraint("case_id", "closing"),
        Index("confirmation_open", "answer", "until_at"),
        Index("confirmation_unit", "unit", "answer"),
    )

    id: str = Field(sa_column=id_column())
    version: int = Field(sa_column=Column(Integer, nullable=False))
    case_id: str = Field(sa_column=of_case())
    closing: int = Field(sa_column=Column(Integer, nullable=False))
    closed_at: datetime = Field(sa_column=instant())
    closed_by: str = Field(sa_column=account())
    unit: str | None = Field(default=None, sa_column=account(empty=True))
    from_at: datetime = Field(sa_column=instant())
    until_at: datetime = Field(sa_column=instant())
    answer: ConfirmationAnswer | None = Field(default=None, sa_column=word(ConfirmationAnswer, empty=True))
    unasked: Unasked | None = Field(default=None, sa_column=word(Unasked, empty=True))
    answered_by: str | None = Field(default=None, sa_column=account(empty=True))
    answered_at: datetime | None = Field(default=None, sa_column=instant(empty=True))
