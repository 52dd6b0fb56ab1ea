"""What was taken over from an office's own register."""

from datetime import datetime

from sqlalchemy import Column, Integer, String
from sqlmodel import Field

from services.case.tables.columns import Base, instant


class ImportedRow(Base, table=True):
    """A row of a register that was taken over, so that it is not taken over twice.

    `key_hash`: the office's own number under the node's hash key; `row`: where it stood in the file."""

    __tablename__ = "imported_row"

    source: str = Field(sa_column=Column(String(64), primary_key=True))
    key_hash: str = Field(sa_column=Column(String(64), primary_key=True))
    row: int = Field(sa_column=Column(Integer, nullable=False))
    subject: str = Field(sa_column=Column(String(36), nullable=False))
    taken_at: datetime = Field(sa_column=instant())
