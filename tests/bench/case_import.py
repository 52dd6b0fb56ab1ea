"""How fast a register is taken over, through the rules of the API.

    python -m tests.bench.case_import [ROWS] [DATABASE_URL]

One process, one database (SQLite in a new folder unless a URL is given), a CSV of invented people with one party, a
narrative and an answer each. Shows rows a second, by the clock and by the processor time of this process: on a machine
with other work the second is the program's own.
"""

import csv
import sys
import tempfile
import time
from pathlib import Path

from contracts.rules import CaseRules
from kernel.clock import now
from kernel.database import Database
from kernel.migration import migrate
from kernel.vault import Vault
from services.case.importing import mapping, registers
from services.case.sealing import VAULT
from tests.services.case.office import IDENTITY, INTAKE, ISO, NODE, hashed

MAPPING = """
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
HEADINGS = ["No", "Date", "Type", "Name", "Telephone", "What", "Injured"]


def main(rows: int, url: str | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        url = url or f"sqlite:///{place}/case.db"
        migrate(url, "case")
        (place / "map.toml").write_text(MAPPING, "utf-8")
        with (place / "register.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(HEADINGS)
            told = "تشاجرا على الجدار " * 5
            writer.writerows(
                [number, "03/02/2024", "نزاع", "فاطمة حسن علي", f"0770{number:07}", told, "لا"]
                for number in range(rows)
            )
        database = Database(url, service="case")
        database.info[VAULT] = Vault(lambda: [IDENTITY])
        here = registers.Here(NODE, ISO, CaseRules(), hashed)
        importer = registers.of_cases(database, mapping.load(place / "map.toml"), by=INTAKE, here=here)
        clock, processor = time.perf_counter(), time.process_time()
        report = importer.run(place / "register.csv", now=now(), dry_run=False)
        clock, processor = time.perf_counter() - clock, time.process_time() - processor
        database.close()
    assert (report.taken, report.bad) == (rows, [])
    by_clock, by_processor = rows / clock, rows / processor
    print(f"{rows} cases on {database.dialect}: {by_clock:.0f}/s by the clock, {by_processor:.0f}/s of processor time")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000, sys.argv[2] if len(sys.argv) > 2 else None)
