"""How fast a register is taken over, through the rules of the API, on SQLite and on PostgreSQL.

    python -m tests.bench.case_import [--rows 20000] [--helpers 1] [--only sqlite] [--json]

A CSV of invented people with two names, a telephone number, a narrative and an answer each, as `jisr import` takes it
over: checked, sealed, indexed, told, committed to disk 200 at a time. Shown are rows a second by the clock, and by the
processor time of all its processes together (not the server's), which on a machine with other work is the program's
own. Making the file and the database is not counted; starting the helpers is."""

import argparse
import csv
import json
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from contracts.rules import CaseRules
from kernel.clock import now
from kernel.crypto import hashed_id
from kernel.database import Database
from kernel.migration import migrate
from kernel.vault import Vault
from services.case.importing import mapping, preparing, registers
from services.case.importing.taking import Importer
from services.case.sealing import VAULT
from tests.bench.search import People
from tests.kit.postgres import private_postgres
from tests.services.case.office import IDENTITY, INTAKE, ISO, NODE

MAPPING: Final = """
name = "bench"
key = "No"
[file]
date = "%d/%m/%Y"
[columns]
category = "Type"
reported_at = "Date"
narrative = "What"
"answers.injury" = "Injured"
"party.affected.name" = "Name"
"party.affected.phone" = "Telephone"
[constants]
channel = "walk_in"
district = "mosul"
[words.category]
"نزاع" = "neighbour_dispute"
[words.injury]
"لا" = "no"
"""
HEADINGS: Final = ["No", "Date", "Type", "Name", "Telephone", "What", "Injured"]


def write_register(folder: Path, rows: int) -> Path:
    """A mapping file and a table."""
    (folder / "map.toml").write_text(MAPPING, "utf-8")
    people = People()
    with (folder / "register.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADINGS)
        for number in range(rows):
            name, _, phone = people.person()
            writer.writerow([number, "03/02/2024", "نزاع", name, phone, "تشاجرا على الجدار " * 5, "لا"])
    return folder / "register.csv"


def measure(url: str, register: Path, *, rows: int, helpers: int) -> dict[str, Any]:
    """Take the register over into a new database."""
    migrate(url, "case")
    database = Database(url, service="case")
    database.info[VAULT] = Vault(lambda: [IDENTITY])

    def hashed(text: str) -> str:
        return hashed_id(IDENTITY, text)

    kind = registers.of_cases(by=INTAKE, here=registers.Here(NODE, ISO, CaseRules(), hashed))
    importer = Importer(database, mapping.load(register.parent / "map.toml"), kind, INTAKE, hashed, helpers)
    clock, processor = time.perf_counter(), processor_seconds()
    with preparing.collecting_seldom():
        report = importer.run(register, now=now(), dry_run=False)
    clock, processor = time.perf_counter() - clock, processor_seconds() - processor
    database.close()
    assert (report.taken, report.bad) == (rows, [])
    return {
        "backend": database.dialect,
        "rows": rows,
        "helpers": helpers,
        "by_the_clock": round(rows / clock),
        "of_processor_time": round(rows / processor),
        "load": round(os.getloadavg()[0], 1),
    }


def processor_seconds() -> float:
    """Of this process and those that it started and that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def on_each_backend(only: str | None, **chosen: int) -> Iterator[dict[str, Any]]:
    """SQLite, then PostgreSQL."""
    with tempfile.TemporaryDirectory() as folder:
        register = write_register(Path(folder), chosen["rows"])
        if only in (None, "sqlite"):
            yield measure(f"sqlite:///{folder}/case.db", register, **chosen)
        if only in (None, "postgresql"):
            with private_postgres(durable=True) as server:
                yield measure(server.create_database("import"), register, **chosen)


def main() -> None:
    """Read the command line, measure, say."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.case_import", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--helpers", type=int, default=1)
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    for told in on_each_backend(chosen.only, rows=chosen.rows, helpers=chosen.helpers):
        line = json.dumps(told) if chosen.json else "  ".join(f"{name} {value}" for name, value in told.items())
        print(line, flush=True)


if __name__ == "__main__":
    main()
