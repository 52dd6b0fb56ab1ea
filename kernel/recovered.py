"""What a service knows of records that came back from a directorate after its database was restored from a backup.

Facts come back, what identifies people does not. A record whose row is gone is kept here with its number and how it
stood, and is `incomplete` until somebody enters it again. A row that has another number since, because it was opened
after the restore and had taken a recovered one, stands here with the number that was on its paper.
"""

from datetime import datetime

from sqlalchemy import Boolean, Column, Integer, String
from sqlmodel import Field

from kernel.database import KernelTable, UtcDateTime


class RecoveredRecord(KernelTable, table=True):
    """One record. `status`: as its last recovered fact says; `former_number`: see above; `scope`: whose people may see
    it, in the service's own words, none where that is not known or not for everybody.
    """

    __tablename__ = "recovered_record"

    kind: str = Field(sa_column=Column(String(64), primary_key=True))
    subject: str = Field(sa_column=Column(String(64), primary_key=True))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    number: str | None = Field(default=None, sa_column=Column(String(64)))
    former_number: str | None = Field(default=None, sa_column=Column(String(64)))
    incomplete: bool = Field(sa_column=Column(Boolean, nullable=False))
    status: str | None = Field(default=None, sa_column=Column(String(64)))
    scope: str | None = Field(default=None, sa_column=Column(String(64)))
    recovered_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
