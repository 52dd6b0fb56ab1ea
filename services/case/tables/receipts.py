"""What a person was given to come back with."""

from datetime import datetime

from sqlalchemy import Column, Integer, LargeBinary
from sqlmodel import Field

from services.case.tables.columns import Base, account, id_column, instant, of_case


class Receipt(Base, table=True):
    """A receipt of one case. Neither its digits nor its proof stand here: `hash` is a slow hash of the digits,
    `commitment` the SHA-256 of the proof, which stands in the journal too. `words`: how many texts came by it."""

    __tablename__ = "receipt"

    id: str = Field(sa_column=id_column())
    case_id: str = Field(sa_column=of_case(index=True))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    hash: bytes = Field(sa_column=Column(LargeBinary(32), nullable=False, unique=True))
    commitment: bytes = Field(sa_column=Column(LargeBinary(32), nullable=False, unique=True))
    issued_by: str = Field(sa_column=account())
    issued_at: datetime = Field(sa_column=instant())
    voided_at: datetime | None = Field(default=None, sa_column=instant(empty=True))
    words: int = Field(default=0, sa_column=Column(Integer, nullable=False))
