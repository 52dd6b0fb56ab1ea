"""Files of a case: what they are, and where their parts lie."""

from datetime import datetime

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, String
from sqlmodel import Field

from contracts.case.evidence import EvidenceState, MediaType
from services.case.tables.columns import Base, account, id_column, instant, of_case, word


class Evidence(Base, table=True):
    """A file. `sealed`: its title and the SHA-256 of the whole [C4]."""

    __tablename__ = "evidence"
    __table_args__ = (Index("evidence_state_added", "state", "added_at"),)

    id: str = Field(sa_column=id_column())
    case_id: str = Field(sa_column=of_case(index=True))
    state: EvidenceState = Field(sa_column=word(EvidenceState))
    media_type: MediaType = Field(sa_column=word(MediaType))
    size: int = Field(sa_column=Column(Integer, nullable=False))
    sealed: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    added_by: str = Field(sa_column=account())
    added_at: datetime = Field(sa_column=instant())


class EvidencePart(Base, table=True):
    """A part of a file. `address`: SHA-256 of what is sealed, and the name under which it lies (evidence_store.py)."""

    __tablename__ = "evidence_part"

    evidence_id: str = Field(sa_column=Column(String(36), ForeignKey("evidence.id"), primary_key=True))
    part: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    address: str = Field(sa_column=Column(String(64), nullable=False, index=True))
