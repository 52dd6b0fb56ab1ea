"""Tables written as CSV or XLSX, row by row, with nothing in them that a program for tables would run."""

import csv
import re
import zipfile
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from enum import Enum
from io import TextIOWrapper
from typing import IO, Any, Final
from xml.sax.saxutils import escape

CSV: Final = "text/csv; charset=utf-8"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FORMULA_BEGINS: Final = frozenset("=+-@\t\r\n|%＝＋－＠")
MOST_CHARACTERS: Final = 32_767
_UNFIT: Final = re.compile("[^\t\r\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # what XML 1.0 has no sign for

_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_HEAD: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_KIND: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS: Final = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_KIND}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_KIND}.worksheet+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
    '<sheets><sheet name="Jisr" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
}


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
    """Write a workbook of one sheet; every text is a text cell, never a formula. Return how many rows."""
    count = 0
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in _PARTS.items():
            archive.writestr(name, _HEAD + body)
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            sheet.write(f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetData>'.encode())
            sheet.write(_line(columns))
            for row in rows:
                sheet.write(_line(row))
                count += 1
            sheet.write(b"</sheetData></worksheet>")
    return count


def _line(values: Sequence[Any]) -> bytes:
    return f"<row>{''.join(_cell(harmless(value)) for value in values)}</row>".encode()


def _cell(value: str | int | float | None) -> str:
    if value is None or value == "":
        return "<c/>"
    if isinstance(value, str):
        return f'<c t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
    return f"<c><v>{value}</v></c>"
