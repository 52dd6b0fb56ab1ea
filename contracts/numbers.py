"""Numbers people write on paper: `NI-2026-000123-0`.

A number is the node's ISO 3166-2:IQ part, the year, a gap-free sequence of that node and year (six
digits, more when a year needs more) and one check character. Cases carry no prefix; other things put a
letter in front, which has its own sequence: forum `F`, meeting `M`, action `A`, referral `R`, transfer `T`,
welfare application `W`, as in `R-NI-2026-000001-W`. What stands behind the conflict wall has letters of its
own (`C` a case, `D` its referrals), so that those who must not infer it see no gap. The check character covers
the prefix, so a referral's number is not a case's with a letter added.

The check is ISO/IEC 7064 MOD 37,36 over the letters and digits without hyphens. It notices every single
wrong character. Of two different neighbours exchanged it notices all but one pair in 630: for each value of
the running check there is exactly one pair of characters it cannot tell apart (counted in
tests/unit/case/test_numbers.py). That is the standard's own limit, and good enough for a number that is
looked up before anything is done with it.

Gap-free means: a missing number is a missing record, and can be asked after. So the sequence is a row of
the service's own database, taken in the same transaction as the record it numbers: a refused or failed
transaction gives its number back. The price is that two transactions that number the same kind of thing
wait for each other; at the pace of offices that is nothing.
"""

import re
from datetime import datetime
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Table, literal, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session
from stdnum.iso7064 import mod_37_36

BAGHDAD: Final = ZoneInfo("Asia/Baghdad")
PATTERN: Final = re.compile(r"(?:[A-Z]-)?[A-Z]{2,3}-[0-9]{4}-[0-9]{6,12}-[0-9A-Z]")


def number(iso: str, year: int, sequence: int, prefix: str = "") -> str:
    """The printed number for place `sequence` (from 1) of `year` at the node whose ISO 3166-2 part is `iso`.

    >>> number("NI", 2026, 123)
    'NI-2026-000123-0'
    """
    body = f"{prefix}-{iso}" if prefix else iso
    body = f"{body}-{year:04d}-{sequence:06d}"
    printed = f"{body}-{mod_37_36.calc_check_digit(body.replace('-', ''))}"
    if sequence < 1 or not PATTERN.fullmatch(printed):
        raise ValueError(f"no number can be made of {prefix!r}, {iso!r}, {year}, {sequence}")
    return printed


def check(text: str) -> bool:
    """Whether `text` has the shape of a number and its check character is right."""
    return PATTERN.fullmatch(text) is not None and mod_37_36.is_valid(text.replace("-", ""))


def year_of(at: datetime) -> int:
    """The calendar year of an instant where the paper is filed (Asia/Baghdad)."""
    return at.astimezone(BAGHDAD).year


def next_in_sequence(session: Session, sequences: type[Any], *, iso: str, year: int, prefix: str = "") -> int:
    """Take the next place (from 1) in a sequence, inside the caller's write transaction.

    `sequences` is the service's own table with the columns `iso`, `prefix`, `year` (together its primary
    key) and `last`. One statement on both backends: it locks the row until the caller's transaction ends,
    and a rollback gives the place back. A transaction that needs places in several sequences takes them in
    the order of their prefixes, or PostgreSQL may see a deadlock.
    """
    table: Table = sequences.__table__
    insert: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = (
        insert(table)
        .values(iso=iso, prefix=prefix, year=year, last=1)
        .on_conflict_do_update(
            index_elements=[table.c.iso, table.c.prefix, table.c.year],
            set_={"last": table.c.last + literal(1)},
        )
        .returning(table.c.last)
    )
    return int(session.execute(statement).scalar_one())


class Numbering:
    """Numbers of one year for many records of one transaction, with one statement for each prefix.

    The first number of a prefix locks its sequence until the transaction ends, so the next ones are counted here;
    `finish` writes down the last. Nothing but this may take numbers in the same transaction meanwhile.
    """

    def __init__(self, session: Session, sequences: type[Any], *, iso: str, at: datetime) -> None:
        self._session, self._sequences = session, sequences
        self._iso, self._year = iso, year_of(at)
        self._last: dict[str, int] = {}

    def next(self, prefix: str = "") -> str:
        """The next printed number."""
        if prefix in self._last:
            self._last[prefix] += 1
        else:
            self._last[prefix] = next_in_sequence(
                self._session, self._sequences, iso=self._iso, year=self._year, prefix=prefix
            )
        return number(self._iso, self._year, self._last[prefix], prefix)

    def finish(self) -> None:
        """Write down how far each sequence went."""
        table: Table = self._sequences.__table__
        for prefix, last in self._last.items():
            place = (table.c.iso == self._iso, table.c.prefix == prefix, table.c.year == self._year)
            self._session.execute(update(table).where(*place).values(last=last))


def next_number(session: Session, sequences: type[Any], *, iso: str, at: datetime, prefix: str = "") -> str:
    """The next printed number of this year (of `at`), taken inside the caller's write transaction."""
    year = year_of(at)
    return number(iso, year, next_in_sequence(session, sequences, iso=iso, year=year, prefix=prefix), prefix)


class Place(NamedTuple):
    """Where a printed number stands in its sequence."""

    iso: str
    year: int
    sequence: int
    prefix: str


def place(printed: str) -> Place | None:
    """The place of a printed number; None for what is no number.

    >>> place("NI-2026-000123-0")
    Place(iso='NI', year=2026, sequence=123, prefix='')
    """
    if not check(printed):
        return None
    *prefix, iso, year, sequence, _ = printed.split("-")
    return Place(iso, int(year), int(sequence), prefix[0] if prefix else "")
