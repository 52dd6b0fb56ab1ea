"""Tables read within bounds, and written so that nothing in them runs."""

import csv
import io
import zipfile
from contextlib import suppress
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.spreadsheet import SpreadsheetRefused, harmless, read_rows, write_csv, write_xlsx
from kernel.spreadsheet.writing import FORMULA_BEGINS

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
HEADINGS = ["No.", "Name", "Date"]


def written(tmp_path: Path, name: str, rows: list[list[object]]) -> Path:
    file = tmp_path / name
    with file.open("wb") as out:
        (write_xlsx if name.endswith("xlsx") else write_csv)(out, HEADINGS, rows)
    return file


def repacked(file: Path, part: str, body: bytes) -> Path:
    """The workbook with one part replaced or added."""
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[part] = body
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file


@pytest.mark.parametrize("name", ["x.csv", "x.xlsx"])
def test_what_is_written_is_read_again(tmp_path: Path, name: str) -> None:
    file = written(tmp_path, name, [[1, "فاطمة & <حسن>", date(2026, 3, 1)], [None, "", None], [2, "ک\u200cە", None]])
    rows = list(read_rows(file))
    assert [row.cells for row in rows] == [
        {"No.": "1", "Name": "فاطمة & <حسن>", "Date": "2026-03-01"},
        {"No.": "2", "Name": "ک\u200cە"},
    ]
    assert [row.where("Name") for row in rows] == ["B2", "B4"]


@pytest.mark.parametrize("text", ["=1+1", "+9647701234567", "-2+3", "@SUM(A1)", "\t=1", " =1+1", "＝1", "|calc"])
@pytest.mark.parametrize("name", ["x.csv", "x.xlsx"])
def test_no_text_begins_as_a_formula(tmp_path: Path, name: str, text: str) -> None:
    file = written(tmp_path, name, [[1, text, None]])
    if name == "x.csv":
        cell = list(csv.reader(io.StringIO(file.read_text("utf-8-sig"))))[1][1]
        assert cell.startswith("'")
    else:
        with zipfile.ZipFile(file) as archive:
            sheet = archive.read("xl/worksheets/sheet1.xml")
        assert b"<f>" not in sheet
        assert b">'" in sheet


@given(st.text())
def test_a_harmless_text_never_begins_as_a_formula_and_fits_a_cell(text: str) -> None:
    shown = harmless(text)
    assert isinstance(shown, str)
    assert shown.lstrip(" \u00a0\u200b\u200e\u200f\ufeff")[:1] not in FORMULA_BEGINS - {""}
    shown.encode()


def test_dates_of_a_workbook_are_read_by_their_style(tmp_path: Path) -> None:
    file = written(tmp_path, "x.xlsx", [])
    styles = (
        f'<styleSheet xmlns="{MAIN}"><numFmts><numFmt numFmtId="170" formatCode="dd\\/mm\\/yyyy"/>'
        '<numFmt numFmtId="171" formatCode="0 &quot;days&quot;"/></numFmts>'
        '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="170"/><xf numFmtId="171"/></cellXfs></styleSheet>'
    )
    cells = "".join(
        f'<c r="{place}" s="{style}"><v>46091.5</v></c>' for place, style in zip("ABCD", range(4), strict=True)
    )
    texts = "".join(f'<c r="{place}1" t="inlineStr"><is><t>{place}</t></is></c>' for place in "ABCD")
    sheet = (
        f'<worksheet xmlns="{MAIN}"><sheetData><row r="1">{texts}</row><row r="2">{cells}</row></sheetData></worksheet>'
    )
    repacked(file, "xl/styles.xml", styles.encode())
    repacked(file, "xl/worksheets/sheet1.xml", sheet.encode())
    (row,) = read_rows(file)
    assert row.cells == {"A": "46091.5", "B": "2026-03-10 12:00:00", "C": "2026-03-10 12:00:00", "D": "46091.5"}


def test_a_part_that_unpacks_to_far_more_than_it_holds_is_refused_before_memory_is_full(tmp_path: Path) -> None:
    file = written(tmp_path, "x.xlsx", [])
    bomb = b"<worksheet><sheetData>" + b" " * 50_000_000
    repacked(file, "xl/worksheets/sheet1.xml", bomb)
    assert file.stat().st_size < 1024 * 1024
    with pytest.raises(SpreadsheetRefused, match="unpacks to more than is allowed"):
        list(read_rows(file))


def test_a_workbook_that_declares_a_document_type_is_refused(tmp_path: Path) -> None:
    file = written(tmp_path, "x.xlsx", [])
    laughs = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><worksheet><sheetData><row><c><v>&b;</v></c></row>'
    repacked(file, "xl/worksheets/sheet1.xml", laughs)
    with pytest.raises(SpreadsheetRefused, match="document type"):
        list(read_rows(file))


def test_a_cell_of_a_megabyte_is_refused(tmp_path: Path) -> None:
    file = written(tmp_path, "x.xlsx", [])
    sheet = (
        b"<worksheet><sheetData><row><c t='inlineStr'><is><t>"
        + b"x" * 1_000_000
        + b"</t></is></c></row></sheetData></worksheet>"
    )
    repacked(file, "xl/worksheets/sheet1.xml", sheet)
    with pytest.raises(SpreadsheetRefused, match="32767 characters"):
        list(read_rows(file))
    plain = tmp_path / "x.csv"
    plain.write_text("Name\n" + "x" * 1_000_000 + "\n", "utf-8")
    with pytest.raises(SpreadsheetRefused):
        list(read_rows(plain))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not a zip", b'"open quote', b"\xff\xfe\x00", b"a,a\n1,2\n"])
def test_what_is_no_table_is_refused_with_a_reason(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "x.csv"
    file.write_bytes(content)
    if content == b"":
        assert list(read_rows(file)) == []
        return
    with pytest.raises(SpreadsheetRefused):
        list(read_rows(file))


@given(st.binary(max_size=400))
def test_any_bytes_in_a_sheet_are_read_or_refused(body: bytes) -> None:
    with TemporaryDirectory() as folder:
        file = repacked(written(Path(folder), "x.xlsx", []), "xl/worksheets/sheet1.xml", body)
        with suppress(SpreadsheetRefused):
            list(read_rows(file))
