"""Recovery, carried out: the journal gets the entries it lost, and what was recorded since follows them.

One transaction under the journal's lock: whoever records waits for it, and a crash leaves the journal as it was. Before
it commits, the whole chain is followed from its first entry and every record folded from it compared. The new epoch
tells the other side that a person decided, and makes what is still on its way from the old life harmless.

What was given back is recorded at the moment of the recovery, what was this node's own keeps its time: that tells the
one from the other where an entry of a forked copy and one of this node both have new numbers.

Of an entry several forms may be known: what each directorate gives back, and this node's own line if it has the very
same one. The best is kept. Where none has all parts, the commitment or the leaf stands for what is missing: the chain
is the same, and no link ever shows more of it than this node has.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Table, delete, select
from sqlmodel import Session

from contracts.case.words import RESTRICTED
from contracts.topology import Clearance
from kernel.errors import Conflict, refuse
from kernel.fact import FACT_SCHEMAS, Part
from services.sync import bulk, recalls
from services.sync.entry import Full, Shown, Statistical, Withheld, audience, decode
from services.sync.journal import COLUMNS, parent_of, position_at
from services.sync.position import Position, advance
from services.sync.records import decode_head, known_types
from services.sync.recovery import Plan
from services.sync.tables import JournalEntry, JournalState, Life, Parked, RecalledEntry, Recovery
from services.sync.verify import verify_journal

ROW_COLUMNS = (*COLUMNS, "proof")
RANK: dict[Any, int] = {Withheld: 0, Statistical: 1, Full: 2}
IDS_AT_ONCE = 500

entries: Table = JournalEntry.__table__
recalled: Table = RecalledEntry.__table__
parked: Table = Parked.__table__


class JournalMoved(Conflict):
    """What is to be recovered does not fit this journal any more ({reason}); run the command again."""

    code = "journal_moved"


@dataclass(frozen=True)
class Rewritten:
    """What a recovery did: entries that came back, in part, appended after them, and the head it led to."""

    recovered: int
    in_part: int
    renumbered: int
    epoch: int
    head: Position


@dataclass(frozen=True)
class _Line:
    shown: Shown
    fact_id: str
    type: str
    restricted: bool
    recorded_at: datetime


def rewrite(
    session: Session, plan: Plan, *, origin: str, clearances: Mapping[str, Clearance], now: datetime
) -> Rewritten:
    """Do what `plan` says, in the caller's write transaction. Raises `JournalMoved`."""
    state = session.get_one(JournalState, 1, with_for_update=True)
    place = position_at(session, origin, plan.after) or refuse(JournalMoved, reason="it became shorter")
    own = list(_own_after(session, plan.after))
    work = _Work(session, plan, clearances, now, own)
    chain = list(work.chain())
    tail = list(work.tail(chain))
    session.execute(delete(JournalEntry).where(entries.c.number > plan.after))
    session.execute(delete(Parked).where(parked.c.origin == origin, parked.c.number > plan.after))
    place = _write(session, place, chain)
    if place != plan.until:
        refuse(JournalMoved, reason=f"the entries that came back do not lead to {plan.until.number}")
    place = _write(session, place, tail)
    state.number, state.digest, state.recorded_at = place.number, place.digest, now
    state.epoch = max(state.epoch, plan.epoch) + 1
    state.session = max(state.session, plan.session)
    state.parent_number, state.parent_digest = plan.until.number, plan.until.digest
    state.doubt = state.doubt_reason = state.doubt_about = None
    session.flush()
    _check(session, origin)
    in_part = sum(not isinstance(line.shown, Full) for line in chain)
    _note(session, plan, state, origin, len(tail), now)
    return Rewritten(len(chain), in_part, len(tail), state.epoch, place)


def _check(session: Session, origin: str) -> None:
    report = verify_journal(session, origin, repair=True)
    if not report.ok:
        refuse(JournalMoved, reason=f"entry {report.altered}: {report.problem}")


def _note(session: Session, plan: Plan, state: JournalState, origin: str, renumbered: int, now: datetime) -> None:
    parent = parent_of(state) or Position(0, b"")
    where = {"parent_number": parent.number, "parent_digest": parent.digest}
    session.add(Life(origin=origin, epoch=state.epoch, at=now, **where))
    session.add(
        Recovery(
            epoch=state.epoch,
            after=plan.after,
            until=plan.until.number,
            renumbered=renumbered,
            source=plan.source,
            at=now,
            forks=",".join(f"{fork.source}:{fork.after}" for fork in plan.forks),
        )
    )
    recalls.forget(session)


class _Work:
    """The lines of the journal as it shall be."""

    def __init__(
        self,
        session: Session,
        plan: Plan,
        clearances: Mapping[str, Clearance],
        now: datetime,
        own: list[_Line],
    ) -> None:
        self._session, self._plan, self._clearances, self._now = session, plan, clearances, now
        self._own = own
        self._own_by_leaf = {line.shown.leaf: line for line in own}
        self._given = {fetch.source: _given(session, fetch.source) for fetch in plan.fetches}

    def chain(self) -> Iterator[_Line]:
        """What comes back, number by number, in the best form there is."""
        follows = {fetch.source: fetch.agrees for fetch in self._plan.fetches}
        for number in range(self._plan.after + 1, self._plan.until.number + 1):
            forms = {
                source: given[number]
                for source, given in self._given.items()
                if number in given and number <= follows[source]
            }
            if not forms:
                refuse(JournalMoved, reason=f"entry {number} was not fetched")
            yield self._line(number, forms)

    def tail(self, chain: list[_Line]) -> Iterator[_Line]:
        """What comes after: first what only a forked copy holds, then what was recorded here since."""
        leaves = {line.shown.leaf for line in chain}
        ids = {line.fact_id for line in chain}
        candidates = [*self._forked(), *self._own]
        ids |= self._kept_ids([line.fact_id for line in candidates])
        if any(isinstance(line.shown, Withheld) for line in candidates):
            leaves |= self._kept_leaves()  # nothing else tells whether that fact is there already
        for line in candidates:
            if line.shown.leaf not in leaves and line.fact_id not in ids:
                leaves.add(line.shown.leaf)
                ids.add(line.fact_id)
                yield line

    def _forked(self) -> Iterator[_Line]:
        for fork in self._plan.forks:
            given = self._given.get(fork.source, {})
            for number in range(fork.unknown_after + 1, fork.held + 1):
                if number in given:
                    yield self._line(number, {fork.source: given[number]})

    def _line(self, number: int, forms: Mapping[str, Shown]) -> _Line:
        best = max(forms.values(), key=lambda one: RANK[type(one)])
        same = self._own_by_leaf.get(best.leaf)
        if same is not None and RANK[type(same.shown)] >= RANK[type(best)]:
            return same
        if isinstance(best, Withheld):
            return _Line(best, f"withheld-{best.leaf.hex()[:48]}", "withheld", True, self._now)
        head = decode_head(best.head)
        return _Line(best, head.id, head.type, self._is_restricted(best, forms), self._now)

    def _is_restricted(self, best: Full | Statistical, forms: Mapping[str, Shown]) -> bool:
        """Whether statistical links withhold it, which is known here only by what they showed, or by its shape."""
        named = audience(best.head)
        for source, one in forms.items():
            if self._clearances[source] is Clearance.STATISTICAL and (not named or source in named):
                return isinstance(one, Withheld)
        return not _is_open(best)

    def _kept_leaves(self) -> set[bytes]:
        rows = self._session.scalars(
            select(JournalEntry).where(entries.c.number <= self._plan.after).execution_options(yield_per=IDS_AT_ONCE)
        )
        return {_shown(row).leaf for row in rows}

    def _kept_ids(self, ids: list[str]) -> set[str]:
        """Those of facts that stand in the part of the journal that stays as it is."""
        found: set[str] = set()
        for at in range(0, len(ids), IDS_AT_ONCE):
            where = (entries.c.fact_id.in_(ids[at : at + IDS_AT_ONCE]), entries.c.number <= self._plan.after)
            found |= set(self._session.execute(select(entries.c.fact_id).where(*where)).scalars())
        return found


def _is_open(one: Full | Statistical) -> bool:
    """Whether the published shape says that this fact is of no restricted category. What is not known is not open."""
    head = decode_head(one.head)
    kind, _, rest = head.type.partition(".")
    known_types()
    schema = FACT_SCHEMAS.get(f"{kind}.{rest.rpartition('.')[2]}")
    try:
        values = msgspec.json.decode(one.statistical or b"{}")
    except msgspec.MsgspecError:
        return False
    if schema is None or values.get("category") in {category.value for category in RESTRICTED}:
        return False
    declared = schema().fields.items()
    return all(
        name in values for name, field in declared if field.required and field.metadata.get("part") is Part.STATISTICAL
    )


def _given(session: Session, source: str) -> dict[int, Shown]:
    rows = session.execute(select(recalled.c.number, recalled.c.parts).where(recalled.c.source == source))
    return {number: decode(bytes(parts))[0] for number, parts in rows}


def _own_after(session: Session, number: int) -> Iterator[_Line]:
    rows = session.scalars(select(JournalEntry).where(entries.c.number > number).order_by(entries.c.number))
    for row in rows:
        session.expunge(row)
        yield _Line(_shown(row), row.fact_id, row.type, row.restricted, row.recorded_at)


def _shown(row: JournalEntry) -> Shown:
    if row.proof is None:
        return Full(row.head, row.statistical, row.salt, row.operational, row.sealed)
    return Statistical(row.head, row.statistical, row.proof) if row.head else Withheld(row.proof)


def _write(session: Session, place: Position, lines: Iterable[_Line]) -> Position:
    rows: list[bulk.Row] = []
    for line in lines:
        place = advance(place, line.shown.leaf)
        rows.append(_row(line, place))
    bulk.insert(session, "journal_entry", ROW_COLUMNS, rows)
    return place


def _row(line: _Line, place: Position) -> bulk.Row:
    one = line.shown
    parts: tuple[Any, ...]
    if isinstance(one, Full):
        parts, proof = (one.head, one.statistical, one.operational, one.sealed, one.salt), None
    elif isinstance(one, Statistical):
        parts, proof = (one.head, one.statistical, b"", b"", b""), one.commitment
    else:
        parts, proof = (b"", b"", b"", b"", b""), one.leaf
    return (place.number, line.fact_id, line.type, *parts, line.restricted, place.digest, line.recorded_at, proof)
