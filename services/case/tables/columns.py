"""What the columns of this service's tables are made of."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Column, Enum, ForeignKey, String

from kernel.database import UtcDateTime, table_base

WORD = 32  # the longest word of contracts/case/words.py has 24 letters

Base: Any = table_base()


def id_column(**options: Any) -> Column[str]:
    return Column(String(36), primary_key=True, **options)


def of_case(**options: Any) -> Column[str]:
    return Column(String(36), ForeignKey("case_record.id"), nullable=False, **options)


def word(words: type[StrEnum], *, empty: bool = False, **options: Any) -> Column[Any]:
    stored = Enum(words, native_enum=False, length=WORD, values_callable=lambda these: [w.value for w in these])
    return Column(stored, nullable=empty, **options)


def account(*, empty: bool = False, **options: Any) -> Column[str]:
    return Column(String(64), nullable=empty, **options)


def instant(*, empty: bool = False) -> Column[datetime]:
    return Column(UtcDateTime, nullable=empty)
