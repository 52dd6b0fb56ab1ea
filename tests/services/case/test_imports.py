"""An office's register taken over: whole rows, by the rules of the API, none twice; and cases given out as a table."""

from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from contracts import case as contract
from kernel.errors import BadInput, Forbidden
from kernel.identity import Actor
from kernel.spreadsheet import write_csv, write_xlsx
from services.case import handlers
from services.case.importing import mapping, registers
from services.case.importing.taking import Importer, Report
from services.case.tables import Base, CaseRecord, SearchToken
from tests.services.case.office import HANDLER, INTAKE, ISO, NODE, PARTNER, REASON, SUPERVISOR, Office, hashed

MAPPING = """
name = "mosul-register"
key = "No."

[file]
date = "%d/%m/%Y"

[columns]
category = "Type"
reported_at = "Date"
narrative = "What happened"
outcome = "How it ended"
closed_on = "Closed"
"answers.injury" = "Injured"
"party.affected.name" = "Complainant"
"party.affected.age" = "Age"
"party.respondent.name" = "Other side"

[constants]
channel = "walk_in"
district = "mosul"

[words.category]
"نزاع جيران" = "neighbour_dispute"
"عنف أسري" = "domestic_abuse"

[words.injury]
"نعم" = "yes"
"لا" = "no"

[words.outcome]
"صلح" = "mediated_agreement"
"""
HEADINGS = [
    "No.",
    "Date",
    "Type",
    "Complainant",
    "Age",
    "Other side",
    "What happened",
    "Injured",
    "How it ended",
    "Closed",
]
OPEN = ["1/2019", "03/02/2024", "نزاع جيران", "فاطمة حسن", "٤٢", "علي", "عن الجدار", "لا", None, None]
ENDED = ["2/2019", "04/02/2024", "عنف أسري", "زينب", None, None, None, "نعم", "صلح", "09/02/2024"]


@pytest.fixture
def register(tmp_path: Path) -> Path:
    (tmp_path / "map.toml").write_text(MAPPING, "utf-8")
    return tmp_path / "register.xlsx"


def kept(file: Path, *rows: list[str | None]) -> Path:
    with file.open("wb") as out:
        (write_xlsx if file.suffix == ".xlsx" else write_csv)(out, HEADINGS, rows)
    return file


def importer(office: Office, folder: Path, by: Actor = INTAKE, **more: int) -> Importer:
    here = registers.Here(NODE, ISO, office.rules, hashed)
    kind = registers.of_cases(by=by, here=here)
    return Importer(office.database, mapping.load(folder / "map.toml"), kind, by, hashed, **more)


def take(office: Office, file: Path, by: Actor = INTAKE, *, dry_run: bool = False) -> Report:
    return importer(office, file.parent, by).run(file, now=office.now, dry_run=dry_run)


def cases(office: Office) -> list[CaseRecord]:
    with office.database.read() as session:
        return list(session.exec(select(CaseRecord).order_by(CaseRecord.number)).all())


def count(office: Office, table: Any, case: CaseRecord) -> int:
    """Rows of a table that are of this case."""
    with office.database.read() as session:
        return len(session.exec(select(table.c.case_id).where(table.c.case_id == case.id)).all())


def test_a_register_is_taken_over_by_the_rules_of_the_api(office: Office, register: Path) -> None:
    report = take(office, kept(register, OPEN, ENDED))
    assert (report.rows, report.taken, report.bad) == (2, 2, [])
    first, second = cases(office)
    assert (first.number, first.status, first.recording_class) == ("NI-2026-000001-J", "received", "undetermined")
    assert (second.status, second.outcome, second.recording_class) == (
        "unconfirmed",
        "mediated_agreement",
        "crime_indicated",
    )
    assert second.restricted
    assert first.reported_at.isoformat() == "2024-02-03T09:00:00+00:00"
    shown = office.get(first, SUPERVISOR, reason=REASON).identity
    assert shown is not None
    assert sorted((party.role, party.name, party.age) for party in shown.parties) == [
        ("affected", "فاطمة حسن", 42),
        ("respondent", "علي", None),
    ]
    told = [(fact.type, fact.subject, fact.version) for fact in office.facts()]
    assert told == [("case.imported.v1", each.id, 1) for each in (first, second)]


def test_what_was_taken_over_is_not_taken_over_twice(office: Office, register: Path) -> None:
    take(office, kept(register, OPEN))
    again = take(office, kept(register, OPEN, ENDED))
    assert (again.taken, again.there_before) == (1, 1)
    assert len(cases(office)) == 2
    assert take(office, kept(register.with_suffix(".csv"), OPEN, ENDED)).there_before == 2


def test_every_bad_row_is_listed_with_its_cell_and_no_half_of_it_is_kept(office: Office, register: Path) -> None:
    unknown_word = ["3/2019", "03/02/2024", "سحر", "س", None, None, None, "ربما", None, None]
    no_date = ["4/2019", "yesterday", "نزاع جيران", "س", "-5", None, None, "لا", None, None]
    hostile = ["5/2019", "03/02/2024", "نزاع جيران", "\u202eevil", None, None, None, "لا", None, None]
    to_come = ["6/2019", "03/02/2030", "نزاع جيران", "س", None, None, None, "لا", None, None]
    half = ["7/2019", "03/02/2024", "نزاع جيران", "س", None, None, None, "لا", "صلح", None]
    nameless = [None, "03/02/2024", "نزاع جيران", "س", None, None, None, "لا", None, None]
    report = take(office, kept(register, OPEN, unknown_word, no_date, hostile, to_come, half, nameless, OPEN))
    assert (report.taken, report.bad_rows) == (1, 7)
    assert [(bad.cell, bad.field) for bad in report.bad] == [
        ("C3", "category"),
        ("H3", "answers.injury"),
        ("B4", "reported_at"),
        ("E4", "party.affected.age"),
        ("D5", "parties.0.name"),
        ("B6", "reported_at"),
        ("J7", "closed_on"),
        ("A8", "No."),
        ("A9", "No."),
    ]
    assert not any("evil" in bad.reason or "سحر" in bad.reason for bad in report.bad)
    (only,) = cases(office)
    assert only.number == "NI-2026-000001-J"


def test_numbers_stay_without_gaps_over_bad_rows_and_batches(office: Office, register: Path) -> None:
    rows = [[f"{n}/1", "03/02/2024", "نزاع جيران", None, None, None, None, "لا", None, None] for n in range(450)]
    rows[230][1] = "03/02/2030"
    report = take(office, kept(register, *rows))
    assert (report.taken, report.bad_rows) == (449, 1)
    sequence = [int(case.number.split("-")[2]) for case in cases(office)]
    assert sequence == list(range(1, 450))
    assert office.open().number.split("-")[2] == "000450"


def test_other_processes_help_with_a_long_register_and_nothing_else_changes(office: Office, register: Path) -> None:
    rows = [[f"{n}/1", "03/02/2024", "نزاع جيران", "سعاد", None, None, "قصة", "لا", None, None] for n in range(500)]
    rows[377][1] = "03/02/2030"
    rows[490][0] = "5/1"
    helped = importer(office, kept(register, *rows).parent, helpers=1, alone=1)
    report = helped.run(register, now=office.now, dry_run=False)
    assert (report.rows, report.taken, [bad.cell for bad in report.bad]) == (500, 498, ["B379", "A492"])
    assert [int(case.number.split("-")[2]) for case in cases(office)] == list(range(1, 499))
    last = cases(office)[-1]
    shown = office.get(last, SUPERVISOR, reason=REASON).identity
    assert shown is not None
    assert ([party.name for party in shown.parties], shown.narrative) == (["سعاد"], "قصة")
    again = take(office, register)
    assert (again.taken, again.there_before) == (0, 498)


def test_an_imported_case_is_kept_and_told_as_the_api_would_have(office: Office, register: Path) -> None:
    take(office, kept(register, OPEN))
    parties = [{"role": "affected", "name": "فاطمة حسن", "age": 42}, {"role": "respondent", "name": "علي"}]
    answers = {**{question.value: "unknown" for question in contract.Question}, "injury": "no"}
    told: dict[str, Any] = {"narrative": "عن الجدار", "reported_at": "2024-02-03T12:00:00+03:00"}
    over_http = office.open(answers=answers, parties=parties, **told)
    imported = cases(office)[0]
    own = {"id", "number"}
    assert imported.model_dump(exclude=own) == over_http.model_dump(exclude=own)
    by_import, by_api = office.facts()
    assert by_import.statistical_values() == by_api.statistical_values()
    own = {"case_number"}
    for name in set(by_import.operational_values()) - own:
        assert by_import.operational_values()[name] == by_api.operational_values()[name]
    tables = [table for table in Base.metadata.sorted_tables if "case_id" in table.columns]
    for table in tables:
        assert count(office, table, imported) == count(office, table, over_http), table.name
    assert count(office, SearchToken.__table__, imported) > 0


def test_a_dry_run_says_the_same_and_keeps_nothing(office: Office, register: Path) -> None:
    bad = ["6/2019", "03/02/2030", "نزاع جيران", None, None, None, None, "لا", None, None]
    file = kept(register, OPEN, ENDED, bad)
    dry = take(office, file, dry_run=True)
    assert (dry.taken, dry.bad_rows) == (2, 1)
    assert cases(office) == []
    assert office.facts() == []
    assert office.audited() == []
    assert take(office, file).bad == dry.bad


def test_only_who_may_record_cases_takes_a_register_over(office: Office, register: Path) -> None:
    with pytest.raises(Forbidden):
        take(office, kept(register, OPEN), by=PARTNER)
    take(office, kept(register, OPEN))
    (line,) = office.audited()
    assert line[:3] == (INTAKE.id, "import_cases", "mosul-register")


def test_a_mapping_that_does_not_fit_is_refused_with_its_key(tmp_path: Path) -> None:
    file = tmp_path / "map.toml"
    for text, key in (('name = "X Y"\nkey = "a"\ncolumns = {}', "name"), ('name = "x"\ncolumns = {}', "key")):
        file.write_text(text)
        with pytest.raises(BadInput) as refused:
            mapping.load(file)
        assert key in refused.value.details["where"]


def test_partners_are_taken_over_and_wait_for_vetting(office: Office, tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text(
        'name = "partners"\nkey = "No."\n[columns]\n"names.ar" = "Name"\ncategories = "For"\nwomen_on_staff = "Women"\n'
        '[constants]\ndestination = "legal_aid"\n[words.categories]\n"أرض" = "property_dispute"\n"عمل" = "corruption"\n'
    )
    file = tmp_path / "partners.csv"
    with file.open("wb") as out:
        write_csv(out, ["No.", "Name", "For", "Women"], [[1, "نقابة", "أرض; عمل", "yes"], [2, "مكتب", None, "perhaps"]])
    here = registers.Here(NODE, ISO, office.rules, hashed)
    kind = registers.of_partners(by=SUPERVISOR, here=here)
    importer = Importer(office.database, mapping.load(tmp_path / "map.toml"), kind, SUPERVISOR, hashed)
    report = importer.run(file, now=office.now, dry_run=False)
    assert (report.taken, [bad.cell for bad in report.bad]) == (1, ["D3"])
    assert office.directory(usable=True) == []
    (partner,) = office.directory()
    office.vet(partner)
    case = office.at_work(category="property_dispute")
    assert office.refer(case, destination="legal_aid", partner=partner).partner == partner


def test_an_export_has_what_the_caller_sees_in_lists_and_is_noted(office: Office) -> None:
    mine, others = office.at_work(), office.open(by=SUPERVISOR, narrative="=cmd")
    office.wait(seconds=1)

    def exported(by: Actor) -> set[str]:
        values = contract.CaseQuery().load({})
        return {case.id for case in handlers.every_case(office.database, values, by=by, now=office.now)}

    assert exported(SUPERVISOR) == {mine.id, others.id}
    assert exported(HANDLER) == {mine.id}
    assert exported(PARTNER) == set()
    assert [line[0] for line in office.audited() if line[1] == "export_cases"] == [
        SUPERVISOR.id,
        HANDLER.id,
        PARTNER.id,
    ]
