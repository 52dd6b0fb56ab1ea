"""Cases as a table, as the API answers: what the caller may see, without identity, and nothing in it that would run."""

import csv
import io
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests

from contracts.case import CaseSummary
from contracts.roles import Role
from kernel.spreadsheet import CSV, XLSX, read_rows

from .api import OPENING, Person, Town, refused

FORMULA = "=HYPERLINK(1)"
KINDS = {"csv": (CSV, "cases.csv"), "xlsx": (XLSX, "cases.xlsx")}


class Unit:
    """A police unit with its people and two cases, one of them behind the conflict wall."""

    def __init__(self, town: Town) -> None:
        self.name = f"unit-{uuid4().hex[:8]}"
        intake = self._person(town, "intake", Role.INTAKE_OFFICER)
        self.supervisor = self._person(town, "supervisor", Role.UNIT_SUPERVISOR)
        told = {"narrative": "the secret narrative", "parties": [{"role": "affected", "name": "زينب المختار"}]}
        self.open = intake.make("/cases", {**OPENING, **told})
        self.walled = intake.make("/cases", {**OPENING, **told, "category": "complaint_against_police"})
        self.hostile = intake.make("/cases", {**OPENING, "unit": FORMULA})

    def _person(self, town: Town, name: str, role: Role) -> Person:
        return town.person(f"{name}-{self.name}", role, unit=self.name)


@pytest.fixture(scope="module")
def unit(ninewa: Town) -> Unit:
    return Unit(ninewa)


def rows(answer: requests.Response, folder: Path) -> list[dict[str, Any]]:
    """The table of an answer, by heading."""
    if answer.headers["Content-Type"].startswith("text/csv"):
        return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    file = folder / "cases.xlsx"
    file.write_bytes(answer.content)
    return [row.cells for row in read_rows(file)]


@pytest.mark.parametrize("form", KINDS)
def test_a_supervisor_takes_along_the_cases_of_the_unit_and_no_other(unit: Unit, form: str, tmp_path: Path) -> None:
    answer = unit.supervisor.get("/cases/export", format=form)
    kind, name = KINDS[form]
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, kind)
    assert answer.headers["Content-Disposition"] == f"attachment; filename={name}"
    (row,) = rows(answer, tmp_path)
    listed = unit.supervisor.read("/cases")["items"]
    assert [row["id"]] == [unit.open["id"]] == [each["id"] for each in listed]
    assert (row["number"], row["status"], row["unit"]) == (unit.open["number"], "received", unit.name)
    assert set(row) <= set(CaseSummary().fields)
    for hidden in ("secret narrative", "زينب", unit.walled["id"], unit.walled["number"]):
        assert hidden not in str(row)


def test_what_stands_behind_the_wall_is_in_the_table_of_the_inspectorate_alone(
    unit: Unit, ninewa: Town, tmp_path: Path
) -> None:
    inspector = ninewa.person(f"inspector-{unit.name}", Role.INSPECTORATE)
    director = ninewa.person(f"director-{unit.name}", Role.PROVINCIAL_DIRECTOR)
    inspected = {row["id"] for row in rows(inspector.get("/cases/export"), tmp_path)}
    directed = {row["id"] for row in rows(director.get("/cases/export"), tmp_path)}
    assert unit.walled["id"] in inspected - directed
    assert unit.open["id"] in directed - inspected


@pytest.mark.parametrize("form", KINDS)
def test_a_text_that_a_program_would_run_is_only_text(unit: Unit, ninewa: Town, form: str, tmp_path: Path) -> None:
    director = ninewa.person(f"director-{form}-{unit.name}", Role.PROVINCIAL_DIRECTOR)
    found = rows(director.get("/cases/export", format=form), tmp_path)
    (row,) = [row for row in found if row["id"] == unit.hostile["id"]]
    assert row["unit"] == f"'{FORMULA}"


def test_who_may_read_no_case_gets_no_table(unit: Unit, ninewa: Town) -> None:
    admin = ninewa.person(f"admin-{unit.name}", Role.NODE_ADMIN)
    refused(admin.get("/cases/export"), 403)
    refused(unit.supervisor.get("/cases/export", format="ods"), 422)
    refused(ninewa.nobody().get("/cases/export"), 401)
