"""The keys under which identity is sealed, and who opened it in an emergency."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, String
from sqlmodel import Field

from services.case.tables.columns import Base, account, id_column, instant, of_case


class CaseKey(Base, table=True):
    """The key of one case, wrapped by the node's identity key (kernel/vault.py). Destroyed: `wrapped` is empty."""

    __tablename__ = "case_key"
    __table_args__ = (Index("case_key_key_id", "key_id"),)

    case_id: str = Field(sa_column=Column(String(36), ForeignKey("case_record.id"), primary_key=True))
    key_id: str | None = Field(default=None, sa_column=Column(String(16)))
    wrapped: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    destroyed_at: datetime | None = Field(default=None, sa_column=instant(empty=True))


class NodeSecret(Base, table=True):
    """A secret of the node that must outlive a change of its identity key, wrapped by that key: the one of the search
    index."""

    __tablename__ = "node_secret"
    __table_args__: ClassVar[dict[str, Any]] = {"info": {"kept": False}}  # made anew, and the index from it

    name: str = Field(sa_column=Column(String(32), primary_key=True))
    key_id: str = Field(sa_column=Column(String(16), nullable=False))
    wrapped: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class SearchToken(Base, table=True):
    """A party can be found by this token (services/case/index.py). The key is in the order in which it is read: the
    latest case that has a token stands at its end."""

    __tablename__ = "search_token"
    __table_args__: ClassVar[dict[str, Any]] = {"info": {"kept": False}}  # made from the parties

    token: bytes = Field(sa_column=Column(LargeBinary(12), primary_key=True))
    case_id: str = Field(sa_column=Column(String(36), primary_key=True, index=True))
    party_id: str = Field(sa_column=Column(String(36), primary_key=True))


class BreakGlass(Base, table=True):
    """Identity of one case opened by somebody who is not its handler, for three hours. The reason is in the audit
    log."""

    __tablename__ = "break_glass"
    __table_args__ = (Index("break_glass_of", "case_id", "account_id", "expires_at"),)

    id: str = Field(sa_column=id_column())
    case_id: str = Field(sa_column=of_case())
    account_id: str = Field(sa_column=account())
    opened_at: datetime = Field(sa_column=instant())
    expires_at: datetime = Field(sa_column=instant())
