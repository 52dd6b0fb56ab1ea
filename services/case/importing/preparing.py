"""From a row of a table to rows of the database, without the database: read, checked, sealed, indexed.

It is most of the work of an import and touches nothing that two rows share, so for a long table it is done in other
processes (`Helpers`) while this one writes. They are started anew and not forked, and are given what they need through
a pipe: the mapping, the kind, and the keys; nothing of it stands on a disk.
"""

import gc
import multiprocessing
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from itertools import islice
from typing import Any, Final

from marshmallow import Schema, ValidationError

from kernel.errors import JisrError
from kernel.spreadsheet import Row
from kernel.vault import Vault
from services.case import sealing
from services.case.importing.mapping import BadCell, BadRow, ImportMapping, bad_row, request_of
from services.case.importing.registers import Kind, Prepared
from services.case.writing import Gathering

ALONE: Final = 25  # batches, before it is worth to start others: that takes a second or two
GARBAGE_AFTER: Final = 100_000  # objects
AHEAD: Final = 3  # batches for each helper that are on their way; what is prepared waits in memory


@dataclass(frozen=True)
class Keyed:
    """A row, the keyed hash of the office's own number, and why it is not taken over where that is known already."""

    row: Row
    key_hash: str
    bad: tuple[BadCell, ...] = ()


@dataclass(frozen=True)
class Ready:
    """A row that fits, with what it becomes; or one that does not, and why."""

    row: int
    key_hash: str
    prepared: Prepared | None
    bad: tuple[BadCell, ...] = ()


Batch = Sequence[Keyed]


@dataclass(frozen=True)
class Preparer:
    """What preparing rows needs. `identity`: the node's identity keys, the present one first."""

    mapping: ImportMapping
    kind: Kind
    now: datetime
    identity: tuple[bytes, ...]
    secrets: dict[str, bytes]

    @cached_property
    def _shape(self) -> Schema:
        return self.kind.shape()

    @cached_property
    def _vault(self) -> Vault:
        return Vault(lambda: self.identity)

    def all(self, batch: Batch) -> list[Ready]:
        """Each row of a batch."""
        return [self._one(each) for each in batch]

    def _one(self, keyed: Keyed) -> Ready:
        row = keyed.row
        bad = keyed.bad
        if not bad:
            try:
                return Ready(row.number, keyed.key_hash, self._prepared(row))
            except BadRow as found:
                bad = tuple(found.cells)
        return Ready(row.number, keyed.key_hash, None, bad)

    def _prepared(self, row: Row) -> Prepared:
        try:
            values: dict[str, Any] = self._shape.load(request_of(self.mapping, row))
            gathering = Gathering(sealing.info(self._vault, self.secrets))
            return Prepared(self.kind.prepare(gathering, values, self.now), gathering.rows)
        except ValidationError as error:
            raise bad_row(self.mapping, row, error.normalized_messages()) from None
        except JisrError as error:
            where = error.details.get("where") or {error.details.get("field", "row"): [error.message]}
            raise bad_row(self.mapping, row, where) from None


def prepared(
    preparer: Preparer, batches: Iterator[Batch], *, helpers: int, alone: int = ALONE
) -> Iterator[list[Ready]]:
    """Each batch prepared, in their order; by `helpers` other processes once `alone` batches were done here."""
    yield from map(preparer.all, islice(batches, alone) if helpers else batches)
    rest = next(batches, None) if helpers else None
    if rest is not None:
        yield from _by_helpers(preparer, _after(rest, batches), helpers)


def _after(first: Batch, others: Iterator[Batch]) -> Iterator[Batch]:
    yield first
    yield from others


def _by_helpers(preparer: Preparer, batches: Iterable[Batch], helpers: int) -> Iterator[list[Ready]]:
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(helpers, mp_context=fresh, initializer=_begin, initargs=(replace(preparer),)) as pool:
        waiting: deque[Future[list[Ready]]] = deque()
        try:
            for batch in batches:
                waiting.append(pool.submit(_all, batch))
                if len(waiting) > AHEAD * helpers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


_here: list[Preparer] = []  # of this process, where it is a helper


def _begin(preparer: Preparer) -> None:
    _collect_seldom()
    _here[:] = [preparer]


@contextmanager
def collecting_seldom() -> Iterator[None]:
    """Rows make many objects and no cycles, and looking for those is a sixth of the work."""
    before = gc.get_threshold()
    _collect_seldom()
    try:
        yield
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)


def _collect_seldom() -> None:
    gc.freeze()
    gc.set_threshold(GARBAGE_AFTER)


def _all(batch: Batch) -> list[Ready]:
    return _here[0].all(batch)
