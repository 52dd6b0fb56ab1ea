"""Counts of cases over the records that this node holds, each beside how far it can be trusted.

Zero, missing, late and suppressed are four different values: a count of 0 with reading `exact`; no count at all; a
count from a replica that is behind or silent; a count from a replica in which lines were withheld from this node.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session

from contracts.sync import GroupBy, Reading
from services.sync import views
from services.sync.tables import Record

CLASSES = ("crime_indicated", "non_crime", "undetermined")
DUPLICATE = "duplicate_of"  # the status of a case that is counted at another one
Shown = dict[str, Any]


def cases(
    session: Session, by: Sequence[GroupBy], *, node: str, origins: Sequence[str], now: datetime, stale: float
) -> Shown:
    """Cases counted by `by`, by both the class given at intake and the present one, over `origins`."""
    coverage = [_coverage(session, node, origin, now, stale) for origin in sorted(origins)]
    counted = _counted(session, by, [each["origin"] for each in coverage])
    totals = _totals(session)
    for each in coverage:
        missing = each["reading"] is Reading.MISSING
        each["cases"] = None if missing else totals.get(each["origin"], 0)
    readings = {each["origin"]: each["reading"] for each in coverage}
    overall = _worst(list(readings.values()))
    for row in counted:
        origin = row["group"].get("origin")
        row["reading"] = readings.get(origin, overall) if origin else overall
    return {"by": [each.value for each in by], "rows": counted, "coverage": coverage}


def _coverage(session: Session, node: str, origin: str, now: datetime, stale: float) -> Shown:
    if origin == node:
        head = views.journal_status(session, node)["head"]["number"]
        known = {"known": True, "entries": 0, "seconds": 0.0}
        return _row(origin, Reading.EXACT, head, known, now, 0)
    replica = next(row for row in views.replicas(session, [origin], now=now, stale=stale) if row["origin"] == origin)
    behind, waiting = replica["behind"], replica["held"]["number"] - replica["folded"]
    if behind["known"]:  # what is held and not yet a record is not counted yet either
        behind = {**behind, "entries": behind["entries"] + waiting}
    reading = _reading({**replica, "behind": behind})
    return _row(origin, reading, replica["folded"], behind, replica["last_heard_at"], replica["withheld"])


def _row(origin: str, reading: Reading, held: int, behind: Shown, heard_at: datetime | None, withheld: int) -> Shown:
    return {
        "origin": origin,
        "reading": reading,
        "held": held,
        "behind": behind,
        "last_heard_at": heard_at,
        "withheld": withheld,
    }


def _reading(replica: Shown) -> Reading:
    if replica["last_heard_at"] is None and not replica["held"]["number"]:
        return Reading.MISSING
    if replica["state"] != "ok" or not replica["behind"]["known"] or replica["behind"]["entries"]:
        return Reading.LATE
    return Reading.SUPPRESSED if replica["withheld"] else Reading.EXACT


def _worst(readings: list[Reading]) -> Reading:
    """A sum over several origins is too low as soon as one of them is missing or late."""
    if Reading.MISSING in readings or Reading.LATE in readings:
        return Reading.LATE
    return Reading.SUPPRESSED if Reading.SUPPRESSED in readings else Reading.EXACT


def _value(name: str) -> Any:
    """A property of a case from whichever part shows it; a restricted case tells some of them operationally."""
    statistical: Any = Record.statistical
    operational: Any = Record.operational
    return func.coalesce(statistical[name].as_string(), operational[name].as_string())


def _is_counted() -> Any:
    """Whether the case counts at its origin: not where it was only taken over. An older release says nothing of it."""
    parts: tuple[Any, ...] = (Record.statistical, Record.operational)
    return func.coalesce(*(part["counted"].as_boolean() for part in parts)).is_distinct_from(False)


def _counted(session: Session, by: Sequence[GroupBy], origins: Sequence[str]) -> list[Shown]:
    keys = [Record.origin if each is GroupBy.ORIGIN else _value(each.value) for each in by]
    columns = [key.label(f"key_{at}") for at, key in enumerate(keys)]
    recording, current = _value("recording_class").label("recording"), _value("current_class").label("current")
    status = _value("status").label("standing")
    cases = select(*columns, recording, current, status).where(Record.kind == "case", Record.origin.in_(origins))
    cases = cases.where(_is_counted())
    inner = cases.subquery()
    statement = select(*inner.c, func.count()).group_by(*inner.c)
    rows: dict[tuple[Any, ...], Shown] = {}
    for *key, recorded, present, standing, count in session.execute(statement):
        row = rows.setdefault(tuple(key), _empty(by, key))
        if standing == DUPLICATE:
            row["duplicates"] += count
            continue
        row["cases"] += count
        row["reclassified"] += count if recorded != present else 0
        _add(row["recording_class"], recorded, count)
        _add(row["current_class"], present, count)
    return [rows[key] for key in sorted(rows, key=lambda key: tuple(str(part or "") for part in key))]


def _add(counts: dict[str, int], name: str | None, count: int) -> None:
    """A class that this node may not see is counted as undetermined nowhere: it is in `cases` only."""
    if name in counts:
        counts[name] += count


def _empty(by: Sequence[GroupBy], key: Sequence[Any]) -> Shown:
    group = {each.value: part for each, part in zip(by, key, strict=True)}
    zero = dict.fromkeys(CLASSES, 0)
    counts = {"cases": 0, "duplicates": 0, "reclassified": 0}
    return {"group": group, **counts, "recording_class": dict(zero), "current_class": dict(zero)}


def _totals(session: Session) -> dict[str, int]:
    once = func.coalesce(_value("status"), "") != DUPLICATE
    counted = select(Record.origin, func.count()).where(Record.kind == "case", once, _is_counted())
    return dict(map(tuple, session.execute(counted.group_by(Record.origin))))
