"""`jisr import` and `jisr export`: an office's own tables taken in on the node, and cases given out as a table."""

import csv
import io
import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import select
from typer.testing import CliRunner, Result

from kernel.audit import AuditEntry
from kernel.database import Database
from kernel.spreadsheet import read_rows, write_csv
from node.cli import app
from services.case.tables import CaseRecord
from tests.doors.api import give_databases
from tests.kit.databases import SqliteDatabases
from tests.kit.nodes import Country, Node

COMMANDS = [("import", "cases"), ("import", "partners"), ("export", "cases")]
MAPPING = """
name = "office"
key = "No"
[file]
date = "%d/%m/%Y"
[columns]
category = "Type"
reported_at = "Date"
"party.affected.name" = "Name"
[constants]
channel = "walk_in"
district = "mosul"
"""
GOOD = ["1", "neighbour_dispute", "03/02/2024", "فاطمة حسن"]
BAD = ["2", "witchcraft", "03/02/2024", "زينب علي"]


@pytest.fixture
def ninewa(country: Country, sqlite_databases: SqliteDatabases) -> Node:
    node = country.add("ninewa")
    give_databases(node, sqlite_databases)
    for login, role in (("amal", "intake_officer"), ("samir", "referral_partner")):
        file = node.home / f"{login}.password"
        file.write_text("a long enough password")
        words = ["--role", role, "--name", login, "--unit", "ninewa-1", "--password-file", str(file)]
        assert jisr(node, "user", "add", login, *words).exit_code == 0
    return node


def jisr(node: Node, *words: str) -> Result:
    return CliRunner().invoke(app, [*words], env={"JISR_SETTINGS": str(node.settings_file)})


def register(node: Node, *rows: list[str]) -> list[str]:
    """The words of an import of these rows."""
    mapping, file = node.home / "map.toml", node.home / "register.csv"
    mapping.write_text(MAPPING, "utf-8")
    with file.open("wb") as out:
        write_csv(out, ["No", "Type", "Date", "Name"], rows)
    return ["import", "cases", str(file), "--mapping", str(mapping), "--as", "amal"]


def cases(node: Node) -> list[CaseRecord]:
    database = Database(node.settings.database_url_of("case"), service="case")
    try:
        with database.read() as session:
            return list(session.exec(select(CaseRecord).order_by(CaseRecord.number)).all())
    finally:
        database.close()


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_each_explains_itself_with_an_example(command: tuple[str, ...]) -> None:
    shown = " ".join(CliRunner().invoke(app, [*command, "--help"]).stdout.split())
    assert f"Example: jisr {' '.join(command)}" in shown
    assert "--json" in shown
    assert "--settings" in shown


def test_a_dry_run_lists_every_bad_row_and_keeps_nothing(ninewa: Node) -> None:
    words = register(ninewa, GOOD, BAD)
    dry = jisr(ninewa, *words, "--dry-run", "--json")
    told = json.loads(dry.stdout)
    assert dry.exit_code == 1
    assert (told["rows"], told["taken"], told["bad_rows"], told["dry_run"]) == (2, 1, 1, True)
    assert [(bad["row"], bad["cell"], bad["field"]) for bad in told["bad"]] == [(3, "B3", "category")]
    assert cases(ninewa) == []
    table = jisr(ninewa, *words, "--dry-run")
    assert table.exit_code == 1
    assert "B3" in table.stdout
    assert "زينب" not in table.stdout + table.stderr


def test_good_rows_are_taken_over_bad_ones_said_and_the_same_call_goes_on(ninewa: Node) -> None:
    assert jisr(ninewa, *register(ninewa, GOOD, BAD)).exit_code == 1
    assert len(cases(ninewa)) == 1
    corrected = jisr(ninewa, *register(ninewa, GOOD, [BAD[0], "drugs", *BAD[2:]]), "--json")
    told = json.loads(corrected.stdout)
    assert (corrected.exit_code, told["taken"], told["there_before"], told["bad"]) == (0, 1, 1, [])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"--as": "nobody"}, "no active account nobody"),
        ({"--as": "samir"}, "roles do not allow"),
        ({"--mapping": "missing.toml"}, "missing.toml cannot be read"),
    ],
)
def test_a_call_that_cannot_be_is_refused_in_one_sentence(ninewa: Node, change: dict[str, str], said: str) -> None:
    words = register(ninewa, GOOD)
    for option, value in change.items():
        words[words.index(option) + 1] = value
    refused = jisr(ninewa, *words)
    assert refused.exit_code == 2
    assert said in " ".join(refused.stderr.split())
    assert cases(ninewa) == []


def test_an_import_that_was_killed_goes_on_where_it_was_and_no_row_is_halved(ninewa: Node) -> None:
    rows = [[str(number), "neighbour_dispute", "03/02/2024", "سعاد"] for number in range(450)]
    words = register(ninewa, *rows)
    for crash_at, kept in (("before_commit", 0), ("after_commit", 200)):
        with pytest.raises(subprocess.CalledProcessError) as killed:
            ninewa.jisr(*words, environment={"JISR_CRASH_AT": crash_at})
        assert killed.value.returncode == -signal.SIGKILL
        assert len(cases(ninewa)) == kept
    told = json.loads(jisr(ninewa, *words, "--json").stdout)
    assert (told["taken"], told["there_before"]) == (250, 200)
    sequence = [int(case.number.split("-")[2]) for case in cases(ninewa)]
    assert sequence == list(range(1, 451))
    assert jisr(ninewa, "verify").exit_code == 0


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_cases_are_given_out_without_identity_and_the_export_is_noted(ninewa: Node, ending: str) -> None:
    jisr(ninewa, *register(ninewa, GOOD))
    file = ninewa.home / f"out.{ending}"
    told = json.loads(jisr(ninewa, "export", "cases", str(file), "--as", "amal", "--json").stdout)
    assert told == {"file": str(file), "cases": 1}
    (row,) = read_rows(file)
    (case,) = cases(ninewa)
    assert (row.cells["number"], row.cells["category"]) == (case.number, "neighbour_dispute")
    assert "فاطمة" not in _text_of(file)
    assert [line.action for line in _audit(ninewa)] == ["import_cases", "export_cases"]


def test_an_export_overwrites_nothing_and_knows_two_forms(ninewa: Node, tmp_path: Path) -> None:
    there = ninewa.home / "there.csv"
    there.write_text("mine")
    for name, said in ((there, "is not overwritten"), (tmp_path / "out.ods", "ends in .csv or .xlsx")):
        refused = jisr(ninewa, "export", "cases", str(name), "--as", "amal")
        assert refused.exit_code == 2
        assert said in " ".join(refused.stderr.split())
    assert there.read_text() == "mine"
    assert jisr(ninewa, "export", "cases", str(tmp_path / "out.csv"), "--as", "samir").exit_code == 2
    assert not (tmp_path / "out.csv").exists()


def _text_of(file: Path) -> str:
    if file.suffix == ".csv":
        return "\n".join(",".join(line) for line in csv.reader(io.StringIO(file.read_text("utf-8-sig"))))
    return "\n".join(" ".join(row.cells.values()) for row in read_rows(file))


def _audit(node: Node) -> list[Any]:
    database = Database(node.settings.database_url_of("case"), service="case")
    try:
        with database.read() as session:
            return list(session.exec(select(AuditEntry).order_by(text("number"))).all())
    finally:
        database.close()
