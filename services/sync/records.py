"""Records: the current state of every subject, folded from the entries that this node holds or wrote.

An entry replaces a record only if its version is higher, so folding twice, or late, changes nothing. What cannot be
folded (a type this release does not know, a part that is not usable) is *parked* under its number with the reason: the
chain goes on, and the subject is folded when a later entry of it can be, or when the engine starts after an upgrade.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from importlib import import_module
from typing import Any, NamedTuple

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
Failed = tuple[int, str, str]  # number, subject, reason


class Readable(msgspec.Struct, frozen=True, gc=False):
    """A numbered entry whose head was read, and what it is about."""

    number: int
    one: Full | Statistical
    head: Head
    key: Subject


class Newest(msgspec.Struct, frozen=True, gc=False):
    """The newest entry of a subject among some, as it is kept at rest: most are overtaken before anybody reads them."""

    number: int
    version: int
    at_rest: bytes


class Row(NamedTuple):
    """A record as it is written, in the order of `COLUMNS`."""

    origin: str
    kind: str
    subject: str
    version: int
    type: str
    number: int
    statistical: str
    operational: str | None
    updated_at: datetime


COLUMNS = Row._fields
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

    Of the entries of one subject only the newest entry is looked at, and older ones where that cannot be folded:
    catching up, most entries have been overtaken by another of the same stroke.
    """
    found, failed = readable(shown)
    rows: dict[Subject, Row] = {}
    unusable: set[Subject] = set()
    for key, each in _newest(found).items():
        try:
            rows[key] = _row(origin, each, now)
        except CannotFold:
            unusable.add(key)
    older = [each for each in found if each.key in unusable] if unusable else []
    for each in sorted(older, key=lambda one: (-one.head.version, one.number)):
        if each.key not in rows:
            try:
                rows[each.key] = _row(origin, each, now)
            except CannotFold as error:
                failed.append((each.number, _subject(each.head), _reason(error)))
    _park(session, origin, failed, now)
    _write(session, origin, list(rows.values()))
    return Folded(len(rows), len(failed))


def fold_newest(session: Session, origin: str, newest: Iterable[Newest], now: datetime) -> bool:
    """Fold the newest entries of their subjects; False, and nothing was done, if one of them cannot be folded."""
    seen = ((each.number, one) for each in newest for one in decode(each.at_rest))
    try:
        rows = [row(origin, number, one, now) for number, one in seen if not isinstance(one, Withheld)]
    except CannotFold:
        return False
    _write(session, origin, rows)
    return True


def readable(shown: Sequence[tuple[int, Shown]]) -> tuple[list[Readable], list[Failed]]:
    """The entries whose head says what they are about; of the others number, subject and reason."""
    found: list[Readable] = []
    failed: list[Failed] = []
    for number, one in shown:
        if isinstance(one, Withheld):
            continue
        try:
            head = decode_head(one.head)
        except (msgspec.MsgspecError, RecursionError) as error:
            failed.append(unreadable(number, error))
        else:
            found.append(Readable(number, one, head, (kind_of(head.type), head.subject)))
    return found, failed


def unreadable(number: int, error: Exception) -> Failed:
    """An entry whose head cannot be read."""
    return number, "unreadable", _reason(_unreadable(error))


@lru_cache(maxsize=1024)
def kind_of(type_: str) -> str:
    """What an entry of this type is about: `case` of `case.opened.v1`."""
    return type_.partition(".")[0]


def _newest(found: Iterable[Readable]) -> dict[Subject, Readable]:
    newest: dict[Subject, Readable] = {}
    for each in found:
        known = newest.get(each.key)
        if known is None or known.head.version < each.head.version:
            newest[each.key] = each
    return newest


def overtake(newest: dict[Subject, Newest], later: Mapping[Subject, Newest]) -> None:
    """Put into `newest` what is newer, or the first, of its subject."""
    for key, each in later.items():
        known = newest.get(key)
        if known is None or known.version < each.version:
            newest[key] = each


def _write(session: Session, origin: str, rows: Sequence[Row]) -> None:
    if rows:
        bulk.upsert(session, "record", COLUMNS, rows, key="origin, kind, subject", newer="version")
        _unpark(session, origin, [row.subject for row in rows])


def _park(session: Session, origin: str, failed: Sequence[Failed], now: datetime) -> None:
    if failed:
        values = [{"origin": origin, "number": n, "subject": who, "reason": why, "at": now} for n, who, why in failed]
        session.connection().execute(insert_for(session, parked).on_conflict_do_nothing(), values)


def _reason(error: CannotFold) -> str:
    return str(error.details["reason"])[:REASON_CHARACTERS]


def row(origin: str, number: int, one: Full | Statistical, now: datetime) -> Row:
    """The record that an entry says its subject now is. Raises `CannotFold`."""
    head = _head(one)
    return _row(origin, Readable(number, one, head, (kind_of(head.type), head.subject)), now)


def _head(one: Full | Statistical) -> Head:
    try:
        return decode_head(one.head)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise _unreadable(error) from error


def _unreadable(error: Exception) -> CannotFold:
    return CannotFold(reason=f"its head cannot be read ({type(error).__name__})")


def _row(origin: str, each: Readable, now: datetime) -> Row:
    head, one = each.head, each.one
    kind = _kind(head.type, known_types())
    if kind is None or not (is_name(head.subject) and 0 < head.version < 2**53):
        raise CannotFold(reason="its head has an unusable type, subject or version")
    if not kind:
        raise CannotFold(reason=f"type {head.type} is not known to this release")
    statistical = _part("statistical", one.statistical)
    operational = _part("operational", one.operational) if type(one) is Full else None
    return Row(origin, kind, head.subject, head.version, head.type, each.number, statistical, operational, now)


@lru_cache(maxsize=1024)
def _kind(type_: str, known: frozenset[str]) -> str | None:
    """The kind of a type of fact; empty if it is not a `known` one, None if it is no name of one."""
    if not TYPE.fullmatch(type_):
        return None
    kind, _, rest = type_.partition(".")
    return kind if f"{kind}.{rest.rpartition('.')[2]}" in known else ""


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
