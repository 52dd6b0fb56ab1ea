"""Tables written as CSV or XLSX, row by row, with nothing in them that a program for tables would run."""

import csv
import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from enum import Enum
from io import TextIOWrapper
from itertools import chain
from typing import IO, Any, Final

from xlsxwriter import Workbook

from kernel.errors import TooLarge
from kernel.spreadsheet.reading import MOST_ROWS

CSV: Final = "text/csv; charset=utf-8"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FORMULA_BEGINS: Final = frozenset("=+-@\t\r\n|%＝＋－＠")
MOST_CHARACTERS: Final = 32_767
_AS_GIVEN: Final = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
}
_UNFIT: Final = re.compile("[^\t\r\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # what XML 1.0 has no sign for


def harmless(value: Any) -> str | int | float | None:
    """A value as a cell holds it: text that a program would take for a formula gets an apostrophe in front.

    Control characters that a table cannot hold are left out; a text longer than a cell is cut.
    """
    if isinstance(value, Enum):
        value = value.value
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, bool):
        return "true" if value else "false"
    text = "".join(
        sign for sign in str(value) if sign in "\t\r\n" or (ord(sign) >= 0x20 and sign not in "\ufffe\uffff")
    )
    begins = text.lstrip(" \u00a0\u200b\u200e\u200f\ufeff")[:1]
    return (f"'{text}" if begins in FORMULA_BEGINS and begins else text)[:MOST_CHARACTERS]


def write_csv(out: IO[bytes], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Write a table with its headings, in UTF-8 with the mark that tells programs so; return how many rows."""
    text = TextIOWrapper(out, encoding="utf-8-sig", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow([harmless(column) for column in columns])
    count = 0
    for row in rows:
        writer.writerow(["" if (cell := harmless(value)) is None else cell for value in row])
        count += 1
    text.flush()
    text.detach()
    return count


def write_xlsx(out: IO[bytes], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Write a workbook of one sheet; every text is a text cell, never a formula or a link. Return how many rows.

    Rows wait in a temporary file and not in memory. Raises `TooLarge` for more than a sheet can hold.
    """
    count = -1  # the headings are no row
    with Workbook(out, _AS_GIVEN) as book:
        sheet = book.add_worksheet("Jisr")
        for count, row in enumerate(chain([columns], rows)):
            if count >= MOST_ROWS:
                raise TooLarge(f"A sheet holds {MOST_ROWS} rows; write a CSV.", limit=MOST_ROWS)
            for place, value in enumerate(row):
                cell = harmless(value)
                if isinstance(cell, str):
                    sheet.write_string(count, place, cell)
                elif cell is not None:
                    sheet.write_number(count, place, cell)
    return count
