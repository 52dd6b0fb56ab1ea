import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from contracts.topology import Clearance
from deploy.demo.compare import case_differences, differences, own_records

HERE, OTHER = "directorate-baghdad", "directorate-erbil"


@pytest.fixture
def journal(tmp_path: Path) -> Any:
    path = tmp_path / "sync.db"
    entries = [
        ("case.opened.v1", "a", 1, [], {"status": "received"}, {"unit": "u"}, False),
        ("case.triaged.v1", "a", 2, [], {"status": "triaged"}, {"unit": "u"}, False),
        ("case.opened.v1", "b", 1, [], {"month": "2026-05"}, {"status": "received"}, True),
        ("acknowledgement.given.v1", "c", 1, [OTHER], {"role": "director"}, None, False),
    ]
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(
            "CREATE TABLE journal_entry (number, type, head BLOB, statistical BLOB, operational BLOB, restricted)"
        )
        for number, (kind, subject, version, audience, statistical, operational, restricted) in enumerate(entries, 1):
            head = {"subject": subject, "version": version, "audience": audience}
            database.execute(
                "INSERT INTO journal_entry VALUES (?, ?, ?, ?, ?, ?)",
                (
                    number,
                    kind,
                    json.dumps(head),
                    json.dumps(statistical),
                    json.dumps(operational) if operational else b"",
                    restricted,
                ),
            )
    return own_records(path)


def record(subject: str, number: int, version: int, statistical: Any, operational: Any, kind: str = "case") -> Any:
    return {
        "kind": kind,
        "subject": subject,
        "number": number,
        "version": version,
        "statistical": statistical,
        "operational": operational,
    }


TRIAGED = record("a", 2, 2, {"status": "triaged"}, {"unit": "u"})
RESTRICTED = record("b", 3, 1, {"month": "2026-05"}, {"status": "received"})


def test_what_each_clearance_shows_is_right_and_counted(journal: Any) -> None:
    assert differences(journal, [TRIAGED, RESTRICTED], HERE, Clearance.OPERATIONAL) == ([], 8, 1)
    told = {**TRIAGED, "operational": None}
    assert differences(journal, [told], HERE, Clearance.STATISTICAL)[0] == []
    assert differences(journal, [told], HERE, Clearance.STATISTICAL)[2] == 2


@pytest.mark.parametrize(
    ("held", "clearance", "said"),
    [
        ([{**TRIAGED, "statistical": {"status": "closed"}}, RESTRICTED], Clearance.OPERATIONAL, "statistical.status"),
        ([{**TRIAGED, "version": 1}, RESTRICTED], Clearance.OPERATIONAL, "version"),
        ([RESTRICTED], Clearance.OPERATIONAL, "missing"),
        ([{**TRIAGED, "operational": None}, RESTRICTED], Clearance.OPERATIONAL, "operational"),
        ([TRIAGED], Clearance.STATISTICAL, "operational"),
        ([{**TRIAGED, "operational": None}, RESTRICTED], Clearance.STATISTICAL, "must be withheld"),
        ([TRIAGED, RESTRICTED, record("d", 9, 1, {}, {})], Clearance.OPERATIONAL, "never wrote"),
        (
            [TRIAGED, RESTRICTED, record("c", 4, 1, {"role": "director"}, None, "acknowledgement")],
            Clearance.OPERATIONAL,
            "must be withheld",
        ),
    ],
)
def test_whatever_differs_is_found_and_said(journal: Any, held: Any, clearance: Clearance, said: str) -> None:
    wrong, _, _ = differences(journal, held, HERE, clearance)
    assert len(wrong) == 1
    assert said in wrong[0]


def test_an_addressed_fact_is_expected_where_it_is_addressed_to(journal: Any) -> None:
    addressed = record("c", 4, 1, {"role": "director"}, None, "acknowledgement")
    assert differences(journal, [TRIAGED, RESTRICTED, addressed], OTHER, Clearance.OPERATIONAL)[0] == []


def test_a_case_as_an_officer_sees_it_is_compared_with_what_is_held() -> None:
    case = {
        "id": "a",
        "number": "NI-2026-000001-X",
        "category": "drugs",
        "status": "closed",
        "outcome": None,
        "recording_class": "non_crime",
        "current_class": "non_crime",
        "district": "sinjar",
        "unit": "u",
        "reported_at": "2026-05-04T06:00:00+00:00",
    }
    held = record(
        "a",
        1,
        1,
        {"category": "drugs", "status": "triaged"},
        {"case_number": "NI-2026-000001-X", "unit": "u", "reported_at": "2026-05-04T06:00:00Z"},
    )
    wrong, compared = case_differences(case, held, Clearance.OPERATIONAL)
    assert compared == 5
    assert len(wrong) == 1
    assert "status" in wrong[0]
    assert case_differences(case, {**held, "operational": None}, Clearance.STATISTICAL)[1] == 2
