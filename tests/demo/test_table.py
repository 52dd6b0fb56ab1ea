from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from deploy.demo.table import SILENT, UNKNOWN, ago, cells, fitting, links_table

AT = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def link(**changes: Any) -> dict[str, Any]:
    return {
        "origin": "ninewa",
        "destination": "directorate-baghdad",
        "clearance": "operational",
        "state": "idle",
        "head": {"number": 7, "digest": "00"},
        "held": {"number": 7, "digest": "00"},
        "behind": {"known": True, "entries": 0, "seconds": 0.0},
        "last_heard_at": "2026-05-04T11:59:58Z",
    } | changes


def test_a_link_that_is_at_its_head_is_shown_with_its_numbers() -> None:
    assert [str(cell) for cell in cells(link(), AT)] == [
        "ninewa", "directorate-baghdad", "operational", "idle", "7", "7", "0", "0", "2 s ago"]  # fmt: skip


def test_what_is_not_known_is_shown_as_unknown_and_never_as_zero() -> None:
    dark = link(held=None, behind={"known": False, "entries": None, "seconds": None}, last_heard_at=None)
    assert [str(cell) for cell in cells(dark, AT)][5:] == [UNKNOWN] * 4
    silent = {"origin": "ninewa", "destination": "x", "clearance": "operational", "state": SILENT}
    assert [str(cell) for cell in cells(silent, AT)][3:] == [SILENT, *[UNKNOWN] * 5]


def test_no_number_is_cut_on_a_narrow_terminal() -> None:
    behind = {"known": True, "entries": 12345, "seconds": 86400.0}
    far = link(origin="salah-al-din", state="unauthorised", behind=behind)
    far |= {"head": {"number": 123456}, "held": {"number": 111111}}
    rows = [far, link(held=None, last_heard_at=None)]
    console = Console(width=80, record=True, file=StringIO())
    console.print(links_table(rows, AT, 80))
    shown = console.export_text()
    assert "…" not in shown
    for word in ("salah-al-din", "dir-baghdad", "unauthorised", "123456", "111111", "12345", "86400", "?", "2 s"):
        assert word in shown


@pytest.mark.parametrize(("heard", "said"), [
    (None, UNKNOWN),
    ("2026-05-04T11:59:30Z", "30 s ago"),
    ("2026-05-04T11:30:00Z", "30 min ago"),
    ("2026-05-04T02:00:00Z", "10 h ago"),
    ("2026-04-01T12:00:00Z", "33 d ago"),
    ("2026-05-04T12:00:05Z", "0 s ago"),
])  # fmt: skip
def test_last_heard_is_said_in_the_largest_unit(heard: str | None, said: str) -> None:
    assert ago(heard, AT) == said


def test_where_not_all_links_fit_those_that_need_a_look_come_first() -> None:
    fine = [link(origin=f"n{number}") for number in range(10)]
    lost = link(origin="lost", state="connecting")
    behind = link(origin="behind", behind={"known": True, "entries": 3, "seconds": 9.0})
    rows = [*fine, lost, behind]
    assert fitting(rows, 20) == rows
    assert [row["origin"] for row in fitting(rows, 3)] == ["lost", "behind", "n0"]
