import base64
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from deploy.demo.search import forms, search

MARKER = "mark7f3a91c2b4"


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_a_marker_is_found_in_base64_whatever_stands_around_it(before: bytes, after: bytes) -> None:
    text = base64.b64encode(before + MARKER.encode() + after)
    assert any(form in text for form in forms(MARKER))


@given(st.text(alphabet="ghijkl0123456789", min_size=12, max_size=40))
def test_nothing_is_found_in_text_without_the_marker(text: str) -> None:
    assert not any(form in text.encode() for form in forms(MARKER))


@pytest.mark.parametrize(
    "hide",
    [
        lambda raw: b"{" + raw + b"}",
        lambda raw: b"xx" + base64.b64encode(b"y" + raw) + b"xx",
        lambda raw: raw.hex().encode(),
        lambda raw: b"segment" + zstandard.compress(b'[{"name":"' + raw + b'"}]' * 50) + b"next",
        lambda raw: b"\x28\xb5\x2f\xfd not a frame " + zstandard.compress(raw),
    ],
    ids=["plain", "base64", "hex", "compressed", "after a false frame"],
)
def test_a_marker_in_a_file_is_found_and_named(tmp_path: Path, hide: Callable[[bytes], bytes]) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "file").write_bytes(hide(MARKER.encode()))
    (tmp_path / "other").write_bytes(b"nothing")
    finds, read = search([tmp_path], [MARKER, "absent-marker"])
    assert read == 2
    assert {find.marker for find in finds} == {MARKER}
    assert all("sub/file" in find.place for find in finds)


def test_a_marker_across_pages_of_a_database_is_found(tmp_path: Path) -> None:
    path = tmp_path / "case.db"
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE narrative (text TEXT, packed BLOB)")
    database.execute(
        "INSERT INTO narrative VALUES (?, ?)",
        ("x" * 4070 + MARKER + "x" * 9000, zstandard.compress(b"q" * 300 + b"second-marker")),
    )
    database.commit()
    finds, _ = search([path], [MARKER, "second-marker"])
    database.close()
    assert {find.marker for find in finds} == {MARKER, "second-marker"}
    assert any("table narrative" in find.place for find in finds)
