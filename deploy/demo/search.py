"""Looking for marker strings in everything a directorate or a broker keeps.

A search that finds nothing proves nothing by itself. So it reads raw bytes of every file, rows of every
SQLite table (a long value is spread over pages that need not be neighbours), and what zstandard frames in
either of them contain; it looks for each marker as it is, in base64 (at each of its three alignments) and in
hexadecimal; and the check that uses it first shows that it finds the markers where they must be, in the
database of the node that owns them.
"""

import base64
import contextlib
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import zstandard

FRAME = b"\x28\xb5\x2f\xfd"
STEM = 10
"""How many characters the markers of one family have in common: enough that chance does not write them."""
LARGEST = 64 * 1024 * 1024
PIECE = 256 * 1024


@dataclass(frozen=True)
class Find:
    """A marker, the file it is in, and where in the file."""

    marker: str
    place: str

    def __str__(self) -> str:
        return f"{self.marker} in {self.place}"


@cache
def forms(marker: str) -> frozenset[bytes]:
    """The bytes that `marker` may hide in."""
    raw = marker.encode()
    encoded = {raw, raw.hex().encode(), raw.hex().upper().encode(), marker.encode("utf-16-le")}
    for before in range(3):
        text = base64.b64encode(b"\0" * before + raw)
        start, end = (0, 2, 3)[before], -4 if (before + len(raw)) % 3 else None
        inner = text[start:end]
        encoded |= {inner, inner.replace(b"+", b"-").replace(b"/", b"_")}
    return frozenset(encoded)


def search(places: Iterable[Path], markers: Iterable[str]) -> tuple[list[Find], int]:
    """Every marker found in the files at or below `places`, and how many files were read.

    Markers of one family begin alike, and what holds none of the beginnings is not looked at again: that
    makes a search for hundreds of markers, in ten forms each, as quick as one for a few. A marker that was
    cut short is named by its beginning.
    """
    families: dict[str, list[str]] = {}
    for marker in markers:
        families.setdefault(marker[:STEM], []).append(marker)
    finds: list[Find] = []
    count = 0
    for path in _files(places):
        count += 1
        for where, content in _contents(path):
            for stem, family in families.items():
                finds += [Find(marker, where) for marker in _within(content, stem, family)]
    return finds, count


def _within(content: bytes, stem: str, family: list[str]) -> list[str]:
    """The markers of a family that are in `content`; the family's beginning where none of them is whole."""
    begun = [form for form in forms(stem) if form in content]
    if not begun:
        return []
    if begun == [stem.encode()]:
        longest = max(map(len, family))
        said = {content[at : at + longest] for at in _places(content, begun[0])}
        whole = [marker for marker in family if any(text.startswith(marker.encode()) for text in said)]
    else:
        whole = [marker for marker in family if any(form in content for form in forms(marker))]
    return whole or [stem]


def _places(content: bytes, form: bytes) -> Iterator[int]:
    at = content.find(form)
    while at >= 0:
        yield at
        at = content.find(form, at + 1)


def _files(places: Iterable[Path]) -> Iterator[Path]:
    for place in places:
        if place.is_file():
            yield place
        else:
            yield from sorted(path for path in place.rglob("*") if path.is_file() and not path.is_symlink())


def _contents(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return  # a broker or a database tidied it away
    yield str(path), raw
    yield from ((f"{path} (compressed)", inner) for inner in _unpacked(raw))
    if raw.startswith(b"SQLite format 3\0"):
        yield from _rows(path)


def _rows(path: Path) -> Iterator[tuple[str, bytes]]:
    """Every value of every table, as bytes. The database may be in use: this only reads."""
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for row in database.execute(f'SELECT * FROM "{table}"'):  # noqa: S608  names from the database itself
                for value in row:
                    content = value if isinstance(value, bytes) else str(value).encode()
                    yield f"{path} table {table}", content
                    yield from ((f"{path} table {table} (compressed)", inner) for inner in _unpacked(content))
    finally:
        database.close()


def _unpacked(content: bytes) -> Iterator[bytes]:
    """What each zstandard frame that begins in `content` holds; of one that is cut short, as far as it goes."""
    view = memoryview(content)
    for at in _places(content, FRAME):
        unpacked = bytearray()
        with contextlib.suppress(zstandard.ZstdError):
            reader = zstandard.ZstdDecompressor().stream_reader(view[at:])
            while (piece := reader.read(PIECE)) and len(unpacked) < LARGEST:
                unpacked += piece
        yield bytes(unpacked)
