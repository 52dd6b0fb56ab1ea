"""The lines of one sheet of an XLSX workbook (ECMA-376, part 1: SpreadsheetML), read part by part within bounds."""

import re
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NoReturn
from xml.parsers import expat

MOST_PARTS: Final = 2_000
MOST_IN_A_PART: Final = 512 * 1024 * 1024  # a sheet of a million rows; read piece by piece
MOST_IN_MEMORY: Final = 64 * 1024 * 1024  # texts, styles: kept while the sheet is read
MOST_EXPANSION: Final = 200  # ordinary sheets expand ten- to fiftyfold, a bomb a thousandfold
ALWAYS_ALLOWED: Final = 1024 * 1024  # too little to hurt, however well it was packed
MOST_TEXTS: Final = 2_000_000
MOST_PIECES: Final = 100_000
MOST_COLUMNS: Final = 256
MOST_CHARACTERS: Final = 32_767  # what one cell can hold
PIECE: Final = 64 * 1024
DAY_ZERO, DAY_ZERO_1904 = date(1899, 12, 30), date(1904, 1, 1)
LAST_DAY: Final = 2_958_465  # 9999-12-31
DATE_FORMATS: Final = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
_QUOTED: Final = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.')
_PLACE: Final = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")


class NotAWorkbook(Exception):
    """Why the file is not a workbook that can be read."""


def lines(file: Path, sheet: str | None) -> Iterator[tuple[int, list[str]]]:
    """Number and cells of each line of a sheet, as text; dates and times as ISO 8601."""
    with zipfile.ZipFile(file) as archive:
        if len(archive.infolist()) > MOST_PARTS:
            raise NotAWorkbook(f"it has more than {MOST_PARTS} parts")
        name, day_zero = _find(archive, sheet)
        texts = _texts(archive)
        dates = _date_styles(archive)
        yield from _Sheet(texts, dates, day_zero).lines(_pieces(archive, name, MOST_IN_A_PART))


def _pieces(archive: zipfile.ZipFile, name: str, most: int) -> Iterator[bytes]:
    """A part, piece by piece; counted as it is unpacked, because a header may say anything."""
    try:
        part = archive.getinfo(name)
    except KeyError:
        raise NotAWorkbook(f"it has no part {name}") from None
    if part.flag_bits & 1:
        raise NotAWorkbook("it is encrypted")
    most = min(most, max(ALWAYS_ALLOWED, part.compress_size * MOST_EXPANSION))
    read = 0
    with archive.open(part) as stream:
        while piece := stream.read(PIECE):
            read += len(piece)
            if read > most:
                raise NotAWorkbook(f"its part {name} unpacks to more than is allowed")
            yield piece


def _parse(pieces: Iterator[bytes], parser: Any, step: Callable[[], Iterator[Any]]) -> Iterator[Any]:
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.buffer_text = True
    try:
        for piece in pieces:
            parser.Parse(piece, False)
            yield from step()
        parser.Parse(b"", True)
        yield from step()
    except (expat.ExpatError, ValueError) as error:
        raise NotAWorkbook("its XML is broken") from error


def _refuse_doctype(*_: Any) -> NoReturn:
    raise NotAWorkbook("it declares a document type")


def _elements(archive: zipfile.ZipFile, name: str) -> list[tuple[str, dict[str, str]]]:
    """The elements of a small part with their attributes, in order."""
    found: list[tuple[str, dict[str, str]]] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda tag, attributes: found.append((_local(tag), attributes))
    for _ in _parse(_pieces(archive, name, MOST_IN_MEMORY), parser, lambda: iter(())):
        pass
    return found


def _local(tag: str) -> str:
    return tag.rpartition(":")[2]


def _find(archive: zipfile.ZipFile, wanted: str | None) -> tuple[str, date]:
    """The part of the wanted sheet, or of the first; and the day that the workbook counts from."""
    elements = _elements(archive, "xl/workbook.xml")
    since_1904 = any(tag == "workbookPr" and each.get("date1904") in ("1", "true") for tag, each in elements)
    sheets = [each for tag, each in elements if tag == "sheet"]
    chosen = next((each for each in sheets if wanted is None or each.get("name") == wanted), None)
    if chosen is None:
        raise NotAWorkbook(f"it has no sheet {wanted!r}" if wanted else "it has no sheet")
    link = next((value for key, value in chosen.items() if key.endswith(":id")), None)
    for tag, each in _elements(archive, "xl/_rels/workbook.xml.rels"):
        if tag == "Relationship" and each.get("Id") == link:
            target = each.get("Target", "")
            name = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            return name, DAY_ZERO_1904 if since_1904 else DAY_ZERO
    raise NotAWorkbook("its sheet has no part")


def _texts(archive: zipfile.ZipFile) -> list[str]:
    """The texts that cells refer to by number."""
    if "xl/sharedStrings.xml" not in archive.namelist():
        return []
    texts: list[str] = []
    pieces: list[str] = []
    inside = {"t": False, "rPh": False}

    def start(tag: str, _attributes: dict[str, str]) -> None:
        tag = _local(tag)
        if tag == "si":
            pieces.clear()
        elif tag in inside:
            inside[tag] = True

    def end(tag: str) -> None:
        tag = _local(tag)
        if tag in inside:
            inside[tag] = False
        elif tag == "si":
            texts.append("".join(pieces))
            if len(texts) > MOST_TEXTS:
                raise NotAWorkbook(f"it has more than {MOST_TEXTS} texts")

    def characters(data: str) -> None:
        if inside["t"] and not inside["rPh"]:
            pieces.append(data)
            if len(pieces) > MOST_PIECES:
                raise NotAWorkbook("one of its texts is in too many pieces")

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, characters
    for _ in _parse(_pieces(archive, "xl/sharedStrings.xml", MOST_IN_MEMORY), parser, lambda: iter(())):
        pass
    return texts


def _date_styles(archive: zipfile.ZipFile) -> frozenset[int]:
    """The numbers of the cell styles that show a number as a date or a time."""
    if "xl/styles.xml" not in archive.namelist():
        return frozenset()
    formats: dict[int, str] = {}
    styles: list[int] = []
    of_cells = False
    for tag, each in _elements(archive, "xl/styles.xml"):
        if tag == "numFmt":
            formats[int(each.get("numFmtId", "0"))] = each.get("formatCode", "")
        elif tag in ("cellXfs", "cellStyleXfs", "cellStyles", "dxfs"):
            of_cells = tag == "cellXfs"
        elif tag == "xf" and of_cells:
            styles.append(int(each.get("numFmtId", "0")))
    return frozenset(number for number, form in enumerate(styles) if _shows_date(form, formats.get(form)))


def _shows_date(number: int, code: str | None) -> bool:
    if code is None:
        return number in DATE_FORMATS
    return re.search(r"[ymdhs]", _QUOTED.sub("", code).split(";")[0].lower()) is not None


class _Sheet:
    """Turns the events of a sheet's XML into lines."""

    def __init__(self, texts: list[str], dates: frozenset[int], day_zero: date) -> None:
        self.texts, self.dates, self.day_zero = texts, dates, day_zero
        self.done: list[tuple[int, list[str]]] = []
        self.row, self.column, self.cells = 0, -1, [""]
        self.kind, self.style, self.value, self.inside, self.length = "n", 0, [""], False, 0

    def lines(self, pieces: Iterator[bytes]) -> Iterator[tuple[int, list[str]]]:
        parser = expat.ParserCreate()
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._characters
        yield from _parse(pieces, parser, self._drained)

    def _drained(self) -> Iterator[tuple[int, list[str]]]:
        done, self.done = self.done, []
        return iter(done)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        tag = _local(tag)
        if tag == "row":
            self.row = int(attributes.get("r", self.row + 1))
            self.cells, self.column = [], -1
        elif tag == "c":
            place = _PLACE.fullmatch(attributes.get("r", ""))
            self.column = _column(place[1]) if place else self.column + 1
            if self.column >= MOST_COLUMNS:
                raise NotAWorkbook(f"it has more than {MOST_COLUMNS} columns")
            self.kind, self.style, self.value = attributes.get("t", "n"), int(attributes.get("s", "0")), []
            self.length = 0
        elif tag in ("v", "t"):
            self.inside = True

    def _end(self, tag: str) -> None:
        tag = _local(tag)
        if tag in ("v", "t"):
            self.inside = False
        elif tag == "c":
            self.cells += [""] * (self.column + 1 - len(self.cells))
            self.cells[self.column] = self._text("".join(self.value))
        elif tag == "row":
            self.done.append((self.row, self.cells))

    def _characters(self, data: str) -> None:
        if self.inside:
            self.length += len(data)
            if self.length > MOST_CHARACTERS:
                raise NotAWorkbook(f"a cell has more than {MOST_CHARACTERS} characters")
            self.value.append(data)

    def _text(self, value: str) -> str:
        if self.kind == "s":
            if not value.isdigit() or int(value) >= len(self.texts):
                raise NotAWorkbook("a cell refers to a text that is not there")
            return self.texts[int(value)]
        if self.kind == "b":
            return {"1": "true", "0": "false"}.get(value, value)
        if self.kind == "e":
            return ""  # an error value, such as #REF!
        if self.kind == "n" and value and self.style in self.dates:
            return self._instant(value)
        return value.removesuffix(".0") if self.kind == "n" else value

    def _instant(self, value: str) -> str:
        try:
            days = float(value)
        except ValueError:
            return value
        if not 0 <= days <= LAST_DAY:
            return value
        whole, part = int(days), days - int(days)
        if not part:
            return (self.day_zero + timedelta(days=whole)).isoformat()
        start = datetime(self.day_zero.year, self.day_zero.month, self.day_zero.day, tzinfo=UTC)
        moment = start + timedelta(days=whole, seconds=round(part * 86_400))
        return moment.replace(tzinfo=None).isoformat(sep=" ") if whole else f"{moment:%H:%M:%S}"


def _column(letters: str) -> int:
    number = 0
    for each in letters:
        number = number * 26 + ord(each) - ord("A") + 1
    return number - 1
