"""The mark stays outside the database and is believed only by its own node."""

from pathlib import Path

from services.sync import mark
from services.sync.mark import FILE, Mark
from services.sync.position import Position

MARK = Mark("ninewa", 2, 7, Position(812, b"d" * 32))


def test_what_was_written_is_read_by_the_same_node(tmp_path: Path) -> None:
    assert mark.read(tmp_path, "ninewa") is None
    mark.write(tmp_path, MARK)
    mark.write(tmp_path, Mark("ninewa", 2, 7, Position(813, b"e" * 32)))
    found = mark.read(tmp_path, "ninewa")
    assert found is not None
    assert found.head == Position(813, b"e" * 32)
    assert mark.read(tmp_path, "anbar") is None
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_a_mark_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b'{"origin":"ninewa"')
    assert mark.read(tmp_path, "ninewa") is None
