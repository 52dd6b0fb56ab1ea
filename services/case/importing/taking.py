"""Taking a table over: a bounded number of rows in each transaction, each row whole, none twice."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlmodel import Session, select

from kernel import audit
from kernel.database import Database
from kernel.identity import Actor
from kernel.spreadsheet import Row, read_rows
from services.case import sealing
from services.case.importing.mapping import BadCell, BadRow, ImportMapping, key_of
from services.case.importing.preparing import ALONE, Batch, Keyed, Preparer, Ready, prepared
from services.case.importing.registers import Kind
from services.case.tables import ImportedRow
from services.case.writing import put

AT_ONCE: Final = 200  # rows in a transaction: a tenth of a second for which nobody else writes to an embedded node


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


class _Undone(Exception):
    """Ends the transaction of a dry run."""


@dataclass(frozen=True)
class Importer:
    """An import: what is imported, how an office's number is kept, and how many processes help to prepare rows."""

    database: Database
    mapping: ImportMapping
    kind: Kind
    by: Actor
    hashed: Callable[[str], str]
    helpers: int = 0
    alone: int = ALONE

    def run(self, file: Path, *, now: datetime, dry_run: bool, told: Callable[[Report], None] | None = None) -> Report:
        """Take over what is new in `file`; with `dry_run` nothing is kept, and everything is checked.

        Raises `SpreadsheetRefused` for a file that cannot be read, `Unavailable` when the database cannot; what was
        taken over until then stays, and the same call goes on from there.
        """
        report = Report()
        for batch in prepared(
            self._preparer(now, dry_run), self._batches(file), helpers=self.helpers, alone=self.alone
        ):
            report.rows += len(batch)
            report.bad += [cell for each in batch for cell in each.bad]
            self._take(batch, report, now=now, dry_run=dry_run)
            if told is not None:
                told(report)
        if not dry_run:
            self._note(report, now)
        return report

    def _preparer(self, now: datetime, dry_run: bool) -> Preparer:
        secrets = self.kind.begin(self.database, dry_run=dry_run)
        identity = self.database.info[sealing.VAULT].keys if secrets else ()
        return Preparer(self.mapping, self.kind, now, identity, secrets)

    def _batches(self, file: Path) -> Iterator[Batch]:
        shape = self.mapping.file
        rows = read_rows(
            file, sheet=shape.sheet, header_row=shape.header_row, delimiter=shape.delimiter, encoding=shape.encoding
        )
        seen: set[str] = set()
        for some in in_batches(rows, AT_ONCE):
            yield [self._keyed(row, seen) for row in some]

    def _keyed(self, row: Row, seen: set[str]) -> Keyed:
        try:
            key_hash = self.hashed(f"{self.mapping.name}/{key_of(self.mapping, row)}")
        except BadRow as bad:
            return Keyed(row, "", tuple(bad.cells))
        if key_hash in seen:
            key = self.mapping.key
            return Keyed(row, key_hash, (BadCell(row.number, row.where(key), key, "Stands twice."),))
        seen.add(key_hash)
        return Keyed(row, key_hash)

    def _take(self, batch: Sequence[Ready], report: Report, *, now: datetime, dry_run: bool) -> None:
        """All of them in one transaction."""
        fitting = [each for each in batch if each.prepared is not None]
        if not fitting:
            return
        new: list[Ready] = []
        try:
            with self.database.write() as session:
                known = self._known(session, fitting)
                new = [each for each in fitting if each.key_hash not in known]
                self._enter(session, new, now)
                if dry_run:
                    raise _Undone
        except _Undone:
            pass
        report.taken += len(new)
        report.there_before += len(fitting) - len(new)

    def _enter(self, session: Session, new: Sequence[Ready], now: datetime) -> None:
        ready = [(each, each.prepared) for each in new if each.prepared is not None]
        if ready:
            self.kind.enter(session, [prepared for _, prepared in ready], now)
            of = {"source": self.mapping.name, "taken_at": now}
            put(
                session,
                ImportedRow,
                *({**of, "key_hash": each.key_hash, "row": each.row, "subject": made.subject} for each, made in ready),
            )

    def _known(self, session: Session, fitting: Sequence[Ready]) -> set[str]:
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
                action=self.kind.action,
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
