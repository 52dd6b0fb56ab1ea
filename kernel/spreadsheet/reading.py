"""Rows of a CSV or XLSX file, one by one, within bounds."""

import csv
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kernel.errors import BadInput
from kernel.spreadsheet import workbook
from kernel.spreadsheet.workbook import MOST_CHARACTERS, MOST_COLUMNS

MOST_BYTES: Final = 200 * 1024 * 1024  # of the file; a row of a register is some hundred bytes: a million rows
MOST_ROWS: Final = 1_048_576  # what one sheet of a workbook can hold
ZIP_SIGNATURE: Final = b"PK\x03\x04"


class SpreadsheetRefused(BadInput):
    """This file cannot be read as a table."""

    code = "spreadsheet_refused"


@dataclass(frozen=True)
class Row:
    """One row below the headings: its number in the file (from 1) and its cells by heading; an empty cell is not there.

    `where` gives the place of a cell as the program for tables shows it, e.g. `C17`.
    """

    number: int
    cells: dict[str, str]
    letters: dict[str, str]

    def where(self, heading: str) -> str:
        return f"{self.letters.get(heading, '?')}{self.number}"


def read_rows(
    file: Path, *, sheet: str | None = None, header_row: int = 1, delimiter: str = ",", encoding: str = "utf-8-sig"
) -> Iterator[Row]:
    """The rows of `file` below its row of headings. Raises `SpreadsheetRefused`, while it is read as well.

    `sheet`: of a workbook, by name; the first when None. `delimiter`, `encoding`: of a CSV.
    """
    try:
        if file.stat().st_size > MOST_BYTES:
            raise SpreadsheetRefused(f"The file {file.name} is larger than {MOST_BYTES} bytes.")
        with file.open("rb") as raw:
            packed = raw.read(4) == ZIP_SIGNATURE
        lines = workbook.lines(file, sheet) if packed else _csv_lines(file, delimiter, encoding)
        yield from _rows(lines, header_row)
    except OSError as error:
        raise SpreadsheetRefused(f"The file {file.name} cannot be read: {error.strerror}.") from error
    except (zipfile.BadZipFile, workbook.NotAWorkbook, csv.Error, UnicodeError, LookupError) as error:
        reason = str(error) if isinstance(error, workbook.NotAWorkbook) else type(error).__name__
        raise SpreadsheetRefused(f"The file {file.name} cannot be read as a table: {reason}.") from error


def _csv_lines(file: Path, delimiter: str, encoding: str) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(MOST_CHARACTERS * 4)
    with file.open(encoding=encoding, newline="") as text:
        yield from enumerate(csv.reader(text, delimiter=delimiter, strict=True), start=1)


def _rows(lines: Iterator[tuple[int, list[str]]], header_row: int) -> Iterator[Row]:
    headings: list[str] | None = None
    letters: dict[str, str] = {}
    for number, cells in lines:
        if number > MOST_ROWS or len(cells) > MOST_COLUMNS:
            raise SpreadsheetRefused(f"Row {number} goes beyond {MOST_ROWS} rows or {MOST_COLUMNS} columns.")
        if headings is None:
            if number >= header_row:
                headings = _headings(cells)
                letters = {name: letter(index) for index, name in enumerate(headings) if name}
            continue
        for index, cell in enumerate(cells):
            if len(cell) > MOST_CHARACTERS:
                raise SpreadsheetRefused(f"Cell {letter(index)}{number} has more than {MOST_CHARACTERS} characters.")
        filled = {name: cell.strip() for name, cell in zip(headings, cells, strict=False) if name and cell.strip()}
        if filled:
            yield Row(number, filled, letters)


def _headings(cells: list[str]) -> list[str]:
    headings = [cell.strip() for cell in cells]
    twice = sorted({name for name in headings if name and headings.count(name) > 1})
    if twice:
        raise SpreadsheetRefused(f"Two columns have the heading {twice[0]!r}.")
    if not any(headings):
        raise SpreadsheetRefused("The row of headings is empty.")
    return headings


def letter(index: int) -> str:
    """The letters of a column, from 0: A … Z, AA …"""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
