"""The mapping file of an import (TOML): from an office's columns and words to the shape of a request. Pure.

name = "mosul-register"              # of the import; with `key` it says which rows were taken over before
key = "No."                          # the column with the office's own number

[file]                               # how to read it; all optional
sheet = "2024"
header_row = 1
delimiter = ";"
encoding = "windows-1256"
date = "%d/%m/%Y"                    # of a CSV; dates of a workbook need none

[columns]                            # field of the request = heading; a field inside another by a point
category = "Type"
reported_at = "Date"
"answers.injury" = "Injured"
"party.affected.name" = "Complainant"

[constants]                          # what every row is; [defaults] holds where the cell is empty
channel = "walk_in"

[words.category]                     # the office's word = ours, for one field
"عنف أسري" = "domestic_abuse"
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contracts.numbers import BAGHDAD
from kernel.errors import BadInput
from kernel.spreadsheet import Row

LARGEST: Final = 256 * 1024
DATES: Final = ("reported_at", "incident_from", "incident_until", "birth_date", "closed_on")
INSTANTS: Final = ("reported_at",)
YES_NO: Final = ("interpreter", "pressure_reported", "women_on_staff")
LISTS: Final = ("categories", "districts", "languages")
NUMBERS: Final = ("age",)
PARTY: Final = "party."
EAST_TO_WEST: Final = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "01234567890123456789")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class FileMapping(_Part):
    """How the file is read."""

    sheet: str | None = None
    header_row: int = Field(1, ge=1, le=1000)
    delimiter: str = Field(",", min_length=1, max_length=1)
    encoding: str = "utf-8-sig"
    date: str | None = None


class ImportMapping(_Part):
    """What the columns and words of an office mean."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")
    key: str
    file: FileMapping = FileMapping()
    columns: dict[str, str]
    constants: dict[str, str | bool | int] = Field(default_factory=dict)
    defaults: dict[str, str | bool | int] = Field(default_factory=dict)
    words: dict[str, dict[str, str]] = Field(default_factory=dict)


@dataclass(frozen=True)
class BadCell:
    """Why a row is not taken over: the cell where there is one, the field it is for, and the reason.

    The reason never repeats what the cell holds: lists of bad rows are sent around.
    """

    row: int
    cell: str | None
    field: str
    reason: str


class BadRow(Exception):
    """A row that is not taken over."""

    def __init__(self, cells: list[BadCell]) -> None:
        super().__init__(f"{len(cells)} bad cells")
        self.cells = cells


def load(file: Path) -> ImportMapping:
    """Read and check a mapping file. Raises `BadInput` naming the file and the key."""
    try:
        if file.stat().st_size > LARGEST:
            raise BadInput(f"The mapping file {file.name} is larger than {LARGEST} bytes.")
        return ImportMapping.model_validate(tomllib.loads(file.read_text("utf-8")))
    except OSError as error:
        raise BadInput(f"The mapping file {file.name} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"The mapping file {file.name} is not valid TOML: {error}.") from error
    except ValidationError as error:
        where = {".".join(map(str, each["loc"])): [each["msg"]] for each in error.errors(include_url=False)}
        raise BadInput(f"The mapping file {file.name} does not fit.", where=where) from error


def key_of(mapping: ImportMapping, row: Row) -> str:
    """The office's own number of a row. Raises `BadRow` where it has none."""
    key = row.cells.get(mapping.key)
    if key is None:
        raise BadRow([BadCell(row.number, row.where(mapping.key), mapping.key, "The office's own number is missing.")])
    return key


def request_of(mapping: ImportMapping, row: Row) -> dict[str, Any]:
    """The request that a row stands for, as the API would be sent it. Raises `BadRow` with every bad cell."""
    request: dict[str, Any] = {}
    bad: list[BadCell] = []
    for path, constant in mapping.constants.items():
        _put(request, path, constant)
    for path, heading in mapping.columns.items():
        given = row.cells.get(heading)
        if given is None:
            if path in mapping.defaults:
                _put(request, path, mapping.defaults[path])
            continue
        try:
            _put(request, path, _value(mapping, path, given))
        except ValueError as error:
            bad.append(BadCell(row.number, row.where(heading), path, str(error)))
    if bad:
        raise BadRow(bad)
    return request


def bad_row(mapping: ImportMapping, row: Row, problems: Mapping[str, Any]) -> BadRow:
    """What the rules found wrong with the request of a row, by the cell that it came from."""
    return BadRow(
        [
            BadCell(row.number, _cell(mapping, row, path), path, reason)
            for path, reasons in sorted(_flat(problems).items())
            for reason in reasons
        ]
    )


def _cell(mapping: ImportMapping, row: Row, path: str) -> str | None:
    heading = mapping.columns.get(path) or mapping.columns.get(_party_path(mapping, path))
    return row.where(heading) if heading else None


def _party_path(mapping: ImportMapping, path: str) -> str:
    """`parties.0.name` as the mapping calls it: `party.affected.name`."""
    parts = path.split(".")
    roles = list(dict.fromkeys(each.split(".")[1] for each in mapping.columns if each.startswith(PARTY)))
    if parts[0] != "parties" or len(parts) < 3 or not parts[1].isdigit() or int(parts[1]) >= len(roles):
        return path
    return f"{PARTY}{roles[int(parts[1])]}.{parts[2]}"


def _flat(problems: Any, path: str = "") -> dict[str, list[str]]:
    if isinstance(problems, Mapping):
        found: dict[str, list[str]] = {}
        for key, inner in problems.items():
            found |= _flat(inner, ".".join(part for part in (path, str(key)) if part not in ("", "_schema")))
        return found
    return {path: [str(each) for each in (problems if isinstance(problems, list) else [problems])]}


def _put(request: dict[str, Any], path: str, value: Any) -> None:
    if path.startswith(PARTY):
        _, role, field = path.split(".")
        parties = request.setdefault("parties", [])
        party = next((each for each in parties if each["role"] == role), None)
        if party is None:
            party = {"role": role}
            parties.append(party)
        party[field] = value
        return
    *outer, field = path.split(".")
    for name in outer:
        request = request.setdefault(name, {})
    request[field] = value


def _value(mapping: ImportMapping, path: str, given: str) -> Any:
    """A cell as the API takes it. Raises ValueError with the reason."""
    field = path.rpartition(".")[2]
    words = mapping.words.get(path) or mapping.words.get(field)
    if field in LISTS:
        return [_word(words, each.strip()) for each in given.replace("؛", ";").split(";") if each.strip()]
    if words is not None:
        given = _word(words, given)
    if field in DATES:
        return _day(given, mapping.file.date, instant=field in INSTANTS)
    if field in YES_NO:
        return _yes(given)
    if field in NUMBERS:
        return _whole(given)
    return given


def _word(words: dict[str, str] | None, given: str) -> str:
    if words is None:
        return given
    if given not in words:
        raise ValueError("The mapping has no word for this.")
    return words[given]


def _whole(given: str) -> int:
    plain = given.translate(EAST_TO_WEST)
    if not plain.isascii() or not plain.isdigit():
        raise ValueError("Is not a whole number.")
    return int(plain)


def _yes(given: str) -> bool:
    known = {"true": True, "false": False, "yes": True, "no": False, "1": True, "0": False}
    if given.lower() not in known:
        raise ValueError("Is neither yes nor no; say in `words` what it means.")
    return known[given.lower()]


def _day(given: str, form: str | None, *, instant: bool) -> str:
    plain = given.translate(EAST_TO_WEST)
    try:
        when = datetime.fromisoformat(plain) if form is None or _is_iso(plain) else datetime.strptime(plain, form)  # noqa: DTZ007 - the office's day
    except ValueError:
        raise ValueError("Is not a date; say in `file.date` how the office writes it.") from None
    if not instant:
        return when.date().isoformat()
    noon = datetime.combine(when.date(), time(12)) if when.time() == time() else when
    return (noon if noon.tzinfo else noon.replace(tzinfo=BAGHDAD)).isoformat()


def _is_iso(text: str) -> bool:
    return len(text) >= len("2026-01-01") and text[4] == "-" and text[7] == "-"
