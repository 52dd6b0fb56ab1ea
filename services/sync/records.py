"""Records: the current state of every subject, folded from the entries that this node holds or wrote.

An entry replaces a record only if its version is higher, so folding twice, or late, changes nothing. What cannot be
folded (a type this release does not know, a part that is not usable) is *parked* under its number with the reason: the
chain goes on, and the subject is folded when a later entry of it can be, or when the engine starts after an upgrade.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import import_module
from typing import Any

import msgspec
from sqlalchemy import Table, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from kernel.errors import JisrError
from kernel.fact import FACT_SCHEMAS, Fact, NotAFact
from services.sync import bulk
from services.sync.disclosure import Disclosure, show
from services.sync.entry import Entry, Full, Shown, Statistical, Withheld, decode
from services.sync.tables import Parked, Record, ReplicaEntry

CONTRACTS = ("case", "forum", "gateway", "notify", "replication", "safekeeping", "sync")
NAME = re.compile(r"[\x21-\x7e]{1,64}")
TYPE = re.compile(r"[a-z][a-z0-9_]{0,47}(?:\.[a-z0-9_]{1,47})?\.v[1-9][0-9]{0,5}")
REASON_CHARACTERS = 200
SUBJECTS_AT_ONCE = 500
REFOLD_AT_ONCE = 500

records: Table = Record.__table__
parked: Table = Parked.__table__
COLUMNS = ("origin", "kind", "subject", "version", "type", "number", "statistical", "operational", "updated_at")


class CannotFold(JisrError):
    """This entry cannot become a record: {reason}."""

    code = "cannot_fold"


class Head(msgspec.Struct, gc=False):
    """What every fact says of itself, to whoever may see more than its leaf."""

    id: str
    type: str
    subject: str
    version: int
    audience: list[str] = []


@dataclass(frozen=True)
class Folded:
    """What a call of `fold` did: how many records changed hands with the database, how many entries were parked."""

    records: int
    parked: int


Subject = tuple[str, str]  # kind, subject


class _Readable(msgspec.Struct, frozen=True, gc=False):
    number: int
    one: Full | Statistical
    head: Head
    key: Subject


decode_head = msgspec.json.Decoder(Head).decode
_decode_object = msgspec.json.Decoder(dict[str, Any]).decode
_encode = msgspec.json.Encoder().encode


def is_name(text: str) -> bool:
    """Whether a database of any kind can hold `text` as an id: up to 64 printable ASCII characters."""
    return NAME.fullmatch(text) is not None


def check_names(fact: Fact) -> None:
    """Raise `NotAFact` for ids and types that could not be stored, here or at any receiver."""
    if not (is_name(fact.id) and is_name(fact.subject) and TYPE.fullmatch(fact.type) and fact.version < 2**53):
        raise NotAFact("A fact's id and subject are up to 64 printable ASCII characters; its type is kind.event.vN.")


@cache
def known_types() -> frozenset[str]:
    """The kinds and versions whose shape this release publishes, e.g. `case.v1`."""
    for name in CONTRACTS:
        import_module(f"contracts.{name}")
        try:
            import_module(f"contracts.{name}.facts")
        except ModuleNotFoundError:
            continue
    return frozenset(FACT_SCHEMAS)


def of_entry(entry: Entry) -> Shown:
    """This node's own entry as it sees it itself: with nothing left out that it has."""
    return show(entry, Disclosure.FULL)


def fold(session: Session, origin: str, shown: Sequence[tuple[int, Shown]], now: datetime) -> Folded:
    """Fold numbered entries of one origin into its records, in the caller's transaction, with few statements.

    Of the entries of one subject only the newest is looked at, and older ones where that cannot be folded: catching up,
    most entries have been overtaken by another of the same stroke.
    """
    readable, failed = _readable(shown)
    rows: dict[Subject, dict[str, Any]] = {}
    unusable: set[Subject] = set()
    for each in _newest(readable):
        try:
            rows[each.key] = _row(origin, each, now)
        except CannotFold:
            unusable.add(each.key)
    older = [each for each in readable if each.key in unusable] if unusable else []
    for each in sorted(older, key=lambda one: (-one.head.version, one.number)):
        if each.key not in rows:
            try:
                rows[each.key] = _row(origin, each, now)
            except CannotFold as error:
                failed.append((each.number, _subject(each.head), _reason(error)))
    if rows:
        lines = [tuple(each[name] for name in COLUMNS) for each in rows.values()]
        bulk.upsert(session, "record", COLUMNS, lines, key="origin, kind, subject", newer="version")
    if failed:
        values = [{"origin": origin, "number": n, "subject": who, "reason": why, "at": now} for n, who, why in failed]
        session.connection().execute(insert_for(session, parked).on_conflict_do_nothing(), values)
    _unpark(session, origin, [subject for _, subject in rows])
    return Folded(len(rows), len(failed))


def _readable(shown: Sequence[tuple[int, Shown]]) -> tuple[list["_Readable"], list[tuple[int, str, str]]]:
    """The entries whose head says what they are about; of the others number, subject and reason."""
    found: list[_Readable] = []
    failed: list[tuple[int, str, str]] = []
    for number, one in shown:
        if isinstance(one, Withheld):
            continue
        try:
            head = _head(one)
        except CannotFold as error:
            failed.append((number, "unreadable", _reason(error)))
        else:
            found.append(_Readable(number, one, head, (head.type.partition(".")[0], head.subject)))
    return found, failed


def _newest(readable: Sequence["_Readable"]) -> Iterable["_Readable"]:
    newest: dict[Subject, _Readable] = {}
    for each in readable:
        known = newest.get(each.key)
        if known is None or known.head.version < each.head.version:
            newest[each.key] = each
    return newest.values()


def _reason(error: CannotFold) -> str:
    return str(error.details["reason"])[:REASON_CHARACTERS]


def row(origin: str, number: int, one: Full | Statistical, now: datetime) -> dict[str, Any]:
    """The record that an entry says its subject now is. Raises `CannotFold`."""
    head = _head(one)
    return _row(origin, _Readable(number, one, head, (head.type.partition(".")[0], head.subject)), now)


def _head(one: Full | Statistical) -> Head:
    try:
        return decode_head(one.head)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise CannotFold(reason=f"its head cannot be read ({type(error).__name__})") from error


def _row(origin: str, each: "_Readable", now: datetime) -> dict[str, Any]:
    head, one = each.head, each.one
    if not (is_name(head.subject) and TYPE.fullmatch(head.type) and 0 < head.version < 2**53):
        raise CannotFold(reason="its head has an unusable type, subject or version")
    kind, _, rest = head.type.partition(".")
    if f"{kind}.{rest.rpartition('.')[2]}" not in known_types():
        raise CannotFold(reason=f"type {head.type} is not known to this release")
    return {
        "origin": origin,
        "kind": kind,
        "subject": head.subject,
        "version": head.version,
        "type": head.type,
        "number": each.number,
        "statistical": _part("statistical", one.statistical),
        "operational": _part("operational", one.operational) if isinstance(one, Full) else None,
        "updated_at": now,
    }


def _part(name: str, raw: bytes) -> str:
    """The part as JSON text that both databases read alike: repeated keys are settled, NUL is refused."""
    if b"\\u0000" in raw:
        raise CannotFold(reason=f"its {name} part has a NUL character")
    try:
        return _encode(_decode_object(raw or b"{}")).decode()
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise CannotFold(reason=f"its {name} part cannot be read ({type(error).__name__})") from error


def _subject(head: Head) -> str:
    return head.subject if is_name(head.subject) else "unreadable"


def insert_for(session: Session, table: Table) -> Any:
    """An INSERT of the dialect of `session`, which knows ON CONFLICT."""
    make = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    return make(table)


def _unpark(session: Session, origin: str, subjects: list[str]) -> None:
    """Forget parked entries of subjects that were folded now: what was parked is older."""
    if not subjects or not parked_count(session, origin):
        return
    for at in range(0, len(subjects), SUBJECTS_AT_ONCE):
        some = subjects[at : at + SUBJECTS_AT_ONCE]
        newest = select(func.max(records.c.number)).where(
            records.c.origin == origin, records.c.subject == parked.c.subject
        )
        session.connection().execute(
            delete(parked).where(
                parked.c.origin == origin,
                parked.c.subject.in_(some),
                parked.c.number <= newest.scalar_subquery(),
            )
        )


def parked_count(session: Session, origin: str) -> int:
    """How many entries of `origin` are parked, skipped or not."""
    return (
        session.connection()
        .execute(select(func.count()).select_from(parked).where(parked.c.origin == origin))
        .scalar_one()
    )


def parked_counts(session: Session) -> dict[str, int]:
    """How many entries are parked and were not skipped, by origin."""
    statement = select(parked.c.origin, func.count()).where(parked.c.skipped_at.is_(None)).group_by(parked.c.origin)
    return dict(map(tuple, session.connection().execute(statement)))


def refold(session: Session, origin: str, after: int, now: datetime) -> tuple[int, int | None]:
    """Try up to 500 parked entries after number `after` again: how many folded, and where to go on (None: done)."""
    waiting = (
        session.connection()
        .execute(
            select(parked.c.number)
            .where(parked.c.origin == origin, parked.c.number > after, parked.c.skipped_at.is_(None))
            .order_by(parked.c.number)
            .limit(REFOLD_AT_ONCE)
        )
        .scalars()
        .all()
    )
    if not waiting:
        return 0, None
    before = parked_count(session, origin)
    rows = session.execute(
        select(ReplicaEntry.number, ReplicaEntry.parts).where(
            ReplicaEntry.origin == origin, ReplicaEntry.number.in_(waiting)
        )
    ).all()
    fold(session, origin, [(number, decode(bytes(parts))[0]) for number, parts in rows], now)
    return before - parked_count(session, origin), waiting[-1]
