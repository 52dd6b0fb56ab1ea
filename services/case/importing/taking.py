"""Taking a table over: a bounded number of rows in each transaction, each row whole, none twice."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from marshmallow import Schema, ValidationError
from sqlmodel import Session, select

from contracts.numbers import Numbering
from kernel import audit
from kernel.database import Database
from kernel.errors import JisrError
from kernel.identity import Actor
from kernel.spreadsheet import Row, read_rows
from services.case.importing.gathering import Gathering
from services.case.importing.mapping import BadCell, BadRow, ImportMapping, bad_row, key_of, request_of
from services.case.tables import ImportedRow, NumberSequence

AT_ONCE: Final = 200  # rows in a transaction: a tenth of a second for which nobody else writes to an embedded node

Take = Callable[[Session, dict[str, Any], Numbering, datetime], str]
"""Session, loaded request, numbers, now; the id of what was recorded. Raises `JisrError` for what the rules refuse."""


@dataclass
class Report:
    """What became of the rows of a file. `bad` has every cell that kept a row from being taken over."""

    rows: int = 0
    taken: int = 0
    there_before: int = 0
    bad: list[BadCell] = field(default_factory=list)

    @property
    def bad_rows(self) -> int:
        return len({each.row for each in self.bad})


@dataclass(frozen=True)
class _Read:
    """A row that fits its shape."""

    row: Row
    key_hash: str
    values: dict[str, Any]


class _Undone(Exception):
    """Ends the transaction of a dry run."""


@dataclass(frozen=True)
class Importer:
    """An import of one kind of thing: its shape, its rules, and how an office's number is kept."""

    database: Database
    mapping: ImportMapping
    shape: Schema
    take: Take
    iso: str
    hashed: Callable[[str], str]
    by: Actor
    action: str

    def run(self, file: Path, *, now: datetime, dry_run: bool, told: Callable[[Report], None] | None = None) -> Report:
        """Take over what is new in `file`; with `dry_run` nothing is kept, and everything is checked.

        Raises `SpreadsheetRefused` for a file that cannot be read, `Unavailable` when the database cannot; what was
        taken over until then stays, and the same call goes on from there.
        """
        report = Report()
        seen: set[str] = set()
        shape = self.mapping.file
        rows = read_rows(
            file, sheet=shape.sheet, header_row=shape.header_row, delimiter=shape.delimiter, encoding=shape.encoding
        )
        for some in in_batches(rows, AT_ONCE):
            report.rows += len(some)
            fitting = [read for row in some if (read := self._read(row, seen, report)) is not None]
            self._take_some(fitting, report, now=now, dry_run=dry_run)
            if told is not None:
                told(report)
        if not dry_run:
            self._note(report, now)
        return report

    def _read(self, row: Row, seen: set[str], report: Report) -> _Read | None:
        try:
            key_hash = self.hashed(f"{self.mapping.name}/{key_of(self.mapping, row)}")
            if key_hash in seen:
                raise BadRow([BadCell(row.number, row.where(self.mapping.key), self.mapping.key, "Stands twice.")])
            seen.add(key_hash)
            values: dict[str, Any] = self.shape.load(request_of(self.mapping, row))
        except BadRow as bad:
            report.bad += bad.cells
            return None
        except ValidationError as error:
            report.bad += bad_row(self.mapping, row, error.normalized_messages()).cells
            return None
        return _Read(row, key_hash, values)

    def _take_some(self, fitting: list[_Read], report: Report, *, now: datetime, dry_run: bool) -> None:
        """All of them in one transaction; where the rules refuse one, each in its own."""
        try:
            taken, before = self._take_together(fitting, now=now, dry_run=dry_run)
        except JisrError as error:
            if len(fitting) > 1 and not error.retryable:
                for one in fitting:
                    self._take_some([one], report, now=now, dry_run=dry_run)
                return
            if error.retryable or not fitting:
                raise
            where = error.details.get("where") or {error.details.get("field", "row"): [error.message]}
            report.bad += bad_row(self.mapping, fitting[0].row, where).cells
            return
        report.taken += taken
        report.there_before += before

    def _take_together(self, fitting: list[_Read], *, now: datetime, dry_run: bool) -> tuple[int, int]:
        taken = before = 0
        try:
            with self.database.write() as session:
                known = self._known(session, fitting)
                before = len(known)
                gathering = Gathering(session)
                numbering = Numbering(session, NumberSequence, iso=self.iso, at=now)
                for one in fitting:
                    if one.key_hash not in known:
                        self._take_one(gathering.as_session(), one, numbering, now)
                        taken += 1
                gathering.write()
                numbering.finish()
                if dry_run:
                    raise _Undone
        except _Undone:
            pass
        return taken, before

    def _take_one(self, session: Session, one: _Read, numbering: Numbering, now: datetime) -> None:
        subject = self.take(session, dict(one.values), numbering, now)
        session.add(
            ImportedRow(
                source=self.mapping.name, key_hash=one.key_hash, row=one.row.number, subject=subject, taken_at=now
            )
        )

    def _known(self, session: Session, fitting: list[_Read]) -> set[str]:
        hashes = [one.key_hash for one in fitting]
        row: Any = ImportedRow
        mine = select(row.key_hash).where(row.source == self.mapping.name)
        return set(session.exec(mine.where(row.key_hash.in_(hashes))).all())

    def _note(self, report: Report, now: datetime) -> None:
        with self.database.write_silently() as session:
            reason = f"{report.taken} taken over, {report.there_before} were there, {report.bad_rows} bad"
            audit.record(
                session,
                actor=self.by,
                action=self.action,
                subject=self.mapping.name,
                outcome="allowed",
                reason=reason,
                at=now,
            )


def in_batches(rows: Iterator[Row], size: int) -> Iterator[tuple[Row, ...]]:
    """Rows, `size` at a time."""
    return iter(partial(_next, rows, size), ())


def _next(rows: Iterator[Row], size: int) -> tuple[Row, ...]:
    return tuple(row for _, row in zip(range(size), rows, strict=False))
