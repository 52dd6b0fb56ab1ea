"""Counts beside how far they can be trusted: zero, missing, late and suppressed are four different values."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from contracts.sync import GroupBy, Reading
from kernel.database import Database
from kernel.fact import Fact, canonical
from kernel.ids import new_id
from services.sync import statistics
from services.sync.disclosure import Clearance
from tests.conftest import MakeDatabase
from tests.services.sync.facts import NOW, fact
from tests.services.sync.replica_kit import Origin, Taker

NODE = "directorate-baghdad"
STALE = 90.0


@pytest.fixture
def database(make_database: MakeDatabase) -> Database:
    return make_database("sync")


def case(category: str, recorded: str = "non_crime", present: str | None = None, month: str = "2026-02") -> Fact:
    return fact(
        statistical={
            "category": category,
            "recording_class": recorded,
            "current_class": present or recorded,
            "month": month,
        }
    )


def restricted() -> Fact:
    head = {"id": new_id(), "type": "case.opened.v1", "subject": new_id(), "version": 1, "audience": []}
    classes = {"recording_class": "crime_indicated", "current_class": "crime_indicated"}
    return Fact(
        canonical(head), canonical({"month": "2026-02", "category_group": "protection"}), canonical(classes), b"", True
    )


def hold(database: Database, name: str, *facts: Fact, clearance: Clearance = Clearance.OPERATIONAL) -> None:
    origin = Origin(name)
    origin.add(*facts)
    taker = Taker(database, origin=name)
    taker.take(origin.hello())
    if facts:
        taker.take(origin.batch(0, len(facts), clearance))


def count(database: Database, *by: GroupBy, origins: tuple[str, ...], now: datetime = NOW) -> dict[str, Any]:
    with database.read() as session:
        return statistics.cases(session, by, node=NODE, origins=origins, now=now, stale=STALE)


def coverage(found: dict[str, Any]) -> dict[str, tuple[int | None, Reading]]:
    return {each["origin"]: (each["cases"], each["reading"]) for each in found["coverage"]}


def test_cases_are_counted_by_what_is_asked_for_in_both_classes(database: Database) -> None:
    hold(
        database,
        "ninewa",
        case("drugs", "crime_indicated"),
        case("drugs", "non_crime", "crime_indicated"),
        case("tribal_dispute", month="2026-01"),
    )
    hold(database, "anbar", case("drugs"))
    by = (GroupBy.ORIGIN, GroupBy.CATEGORY, GroupBy.MONTH)
    rows = count(database, *by, origins=("ninewa", "anbar"))["rows"]
    assert [(*row["group"].values(), row["cases"]) for row in rows] == [
        ("anbar", "drugs", "2026-02", 1),
        ("ninewa", "drugs", "2026-02", 2),
        ("ninewa", "tribal_dispute", "2026-01", 1),
    ]
    assert rows[1]["recording_class"] == {"crime_indicated": 1, "non_crime": 1, "undetermined": 0}
    assert rows[1]["current_class"] == {"crime_indicated": 2, "non_crime": 0, "undetermined": 0}
    assert {row["reading"] for row in rows} == {Reading.EXACT}


def test_zero_missing_late_and_suppressed_are_told_apart(database: Database) -> None:
    hold(database, "anbar")
    hold(database, "ninewa", case("drugs"))
    hold(database, "erbil", case("drugs"), restricted(), clearance=Clearance.STATISTICAL)
    late = Origin("duhok")
    late.add(case("drugs"), case("drugs"))
    Taker(database, origin="duhok").take(late.hello(), late.batch(0, 1))
    found = count(database, GroupBy.ORIGIN, origins=("anbar", "ninewa", "erbil", "duhok", "basra"))
    assert coverage(found) == {
        "anbar": (0, Reading.EXACT),
        "basra": (None, Reading.MISSING),
        "duhok": (1, Reading.LATE),
        "erbil": (1, Reading.SUPPRESSED),
        "ninewa": (1, Reading.EXACT),
    }
    assert {row["group"]["origin"]: row["reading"] for row in found["rows"]} == {
        "duhok": Reading.LATE,
        "erbil": Reading.SUPPRESSED,
        "ninewa": Reading.EXACT,
    }


def test_a_silent_origin_is_late_and_how_far_is_not_known(database: Database) -> None:
    hold(database, "ninewa", case("drugs"))
    found = count(database, GroupBy.ORIGIN, origins=("ninewa",), now=NOW + timedelta(seconds=STALE + 1))
    assert coverage(found) == {"ninewa": (1, Reading.LATE)}
    assert found["coverage"][0]["behind"] == {"known": False, "entries": None, "seconds": None}


def test_a_sum_over_origins_is_late_as_soon_as_one_of_them_is_missing(database: Database) -> None:
    hold(database, "ninewa", case("drugs"))
    (row,) = count(database, GroupBy.CATEGORY, origins=("ninewa", "basra"))["rows"]
    assert (row["cases"], row["reading"]) == (1, Reading.LATE)


def test_a_restricted_case_counts_at_home_without_its_category(database: Database) -> None:
    hold(database, "ninewa", restricted())
    (row,) = count(database, GroupBy.CATEGORY, GroupBy.CATEGORY_GROUP, origins=("ninewa",))["rows"]
    assert row["group"] == {"category": None, "category_group": "protection"}
    assert row["recording_class"]["crime_indicated"] == 1


def state(status: str, recorded: str = "crime_indicated", present: str | None = None) -> dict[str, str]:
    return {
        "category": "theft_fraud",
        "recording_class": recorded,
        "current_class": present or recorded,
        "month": "2026-02",
        "status": status,
    }


def test_ten_crimes_settled_informally_are_ten_and_each_reclassified_one_is_listed(database: Database) -> None:
    settled = [fact(statistical=state("closed") | {"outcome": "no_evidence"}) for _ in range(9)]
    lowered = fact(statistical=state("closed", present="non_crime"))
    listed = fact(
        type="reclassification.approved.v1", statistical={"from_class": "crime_indicated", "to_class": "non_crime"}
    )
    hold(database, "ninewa", *settled, lowered, listed)
    (row,) = count(database, GroupBy.ORIGIN, origins=("ninewa",))["rows"]
    assert (row["cases"], row["reclassified"], row["duplicates"]) == (10, 1, 0)
    assert row["recording_class"]["crime_indicated"] == 10
    assert row["current_class"] == {"crime_indicated": 9, "non_crime": 1, "undetermined": 0}


def test_a_duplicate_is_counted_once_and_shown_beside(database: Database) -> None:
    hold(database, "ninewa", fact(statistical=state("closed")), fact(statistical=state("duplicate_of")))
    found = count(database, GroupBy.ORIGIN, origins=("ninewa",))
    (row,) = found["rows"]
    assert (row["cases"], row["duplicates"]) == (1, 1)
    assert row["recording_class"]["crime_indicated"] == 1
    assert coverage(found) == {"ninewa": (1, Reading.EXACT)}


def test_a_case_that_moved_is_counted_once_where_it_was_first_recorded(database: Database) -> None:
    """Whether the older release says nothing of counting, the sender says yes, or the receiver says no."""
    shown = {"category": "drugs", "recording_class": "non_crime", "current_class": "non_crime", "month": "2026-02"}
    moved = fact(statistical={**shown, "status": "transferred_out", "counted": True})
    hold(database, "ninewa", moved, case("drugs"))
    hold(database, "duhok", fact(statistical={**shown, "status": "received", "counted": False}))
    found = count(database, GroupBy.CATEGORY, origins=("ninewa", "duhok"))
    assert [row["cases"] for row in found["rows"]] == [2]
    assert coverage(found) == {"ninewa": (2, Reading.EXACT), "duhok": (0, Reading.EXACT)}
