"""Whether a directorate's records are the governorate's own, field by field, for what the link may show.

Two sources of truth are asked. The first is the governorate's journal, read from its `sync.db` without any of
the code under proof: the last version of each subject, with the rule written down here once more (a
restricted fact is withheld on a `statistical` link; an addressed one from everyone else; `operational` is
told on `operational` links only). The second is its API: what an officer sees of a case and what a
directorate holds of it must be the same, value by value.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from contracts.topology import Clearance

Values = dict[str, Any]
Key = tuple[str, str]

STATISTICAL_OF_CASE = ("category", "recording_class", "current_class", "status", "outcome", "district")
OPERATIONAL_OF_CASE = (
    "unit",
    "risk",
    "channel",
    "reported_at",
    "incident_from",
    "incident_until",
    "first_contact_at",
    "review_on",
    "closed_at",
)


@dataclass(frozen=True)
class Own:
    """The last version of one subject as its origin wrote it."""

    number: int
    version: int
    audience: tuple[str, ...]
    restricted: bool
    statistical: Values
    operational: Values | None


def own_records(journal: Path) -> dict[Key, list[Own]]:
    """Every version of every subject in a governorate's journal, newest first."""
    query = "SELECT number, type, head, statistical, operational, restricted FROM journal_entry ORDER BY number DESC"
    with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as database:
        return newest_first(database.execute(query))


def newest_first(entries: Iterable[Sequence[Any]]) -> dict[Key, list[Own]]:
    """Every version of every subject, newest first. Rows: number, type, head, statistical, operational, restricted."""
    found: dict[Key, list[Own]] = {}
    for number, kind, head, statistical, operational, restricted in entries:
        said = json.loads(head)
        own = Own(
            number,
            said["version"],
            tuple(said["audience"]),
            bool(restricted),
            json.loads(statistical),
            json.loads(operational) if operational else None,
        )
        found.setdefault((kind.partition(".")[0], said["subject"]), []).append(own)
    return {key: sorted(versions, key=lambda own: -own.version) for key, versions in found.items()}


def shown(versions: list[Own], destination: str, clearance: Clearance) -> Own | None:
    """The newest version that this link may show more of than its leaf."""
    for own in versions:
        withheld = own.restricted and clearance is Clearance.STATISTICAL
        if not withheld and (not own.audience or destination in own.audience):
            return own
    return None


def differences(
    own: dict[Key, list[Own]], records: list[Values], destination: str, clearance: Clearance
) -> tuple[list[str], int, int]:
    """What differs, how many fields were compared, and how many subjects are rightly withheld."""
    held = {(record["kind"], record["subject"]): record for record in records}
    wrong: list[str] = []
    compared = withheld = 0
    for key, versions in own.items():
        expected = shown(versions, destination, clearance)
        record = held.pop(key, None)
        if expected is None:
            withheld += 1
            if record is not None:
                wrong.append(f"{key}: shown although it must be withheld")
        elif record is None:
            wrong.append(f"{key}: missing, though version {expected.version} may be shown")
        else:
            fields = list(_compare(key, expected, record, clearance))
            compared += len(fields)
            wrong += [text for text in fields if text]
    wrong += [f"{key}: held, but its origin never wrote it" for key in held]
    return wrong, compared, withheld


def _compare(key: Key, own: Own, record: Values, clearance: Clearance) -> Iterator[str]:
    """A text for every field: empty where it is right."""
    yield _same(key, "version", own.version, record["version"])
    yield _same(key, "number", own.number, record["number"])
    yield from _parts(key, "statistical", own.statistical, record["statistical"])
    told = own.operational if clearance is Clearance.OPERATIONAL else None
    yield from _parts(key, "operational", told, record["operational"])


def _parts(key: Key, part: str, own: Values | None, record: Values | None) -> Iterator[str]:
    if own is None or record is None:
        yield _same(key, part, own, record)
        return
    for name in sorted(own.keys() | record.keys()):
        yield _same(key, f"{part}.{name}", own.get(name, "(absent)"), record.get(name, "(absent)"))


def _same(key: Key, name: str, own: Any, held: Any) -> str:
    return "" if own == held else f"{key} {name}: {own!r} at its origin, {held!r} here"


def case_differences(case: Values, record: Values, clearance: Clearance) -> tuple[list[str], int]:
    """What an officer sees of a case against what a directorate holds of it; and how many fields were
    compared."""
    key = ("case", case["id"])
    pairs = [
        (name, case[name], record["statistical"][name]) for name in STATISTICAL_OF_CASE if name in record["statistical"]
    ]
    if clearance is Clearance.OPERATIONAL:
        told = record["operational"]
        pairs += [("number", case["number"], told["case_number"])]
        pairs += [(name, case[name], told[name]) for name in OPERATIONAL_OF_CASE if name in told]
    wrong = [_same(key, name, _instant(seen), _instant(held)) for name, seen, held in pairs]
    return [text for text in wrong if text], len(pairs)


def _instant(value: Any) -> Any:
    """One form for instants: the two services may write the same one differently."""
    if isinstance(value, str) and "T" in value:
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            return value
    return value
