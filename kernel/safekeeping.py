"""What a service keeps beside its facts, carried to a directorate sealed to the governorate's own recovery key.

Off unless the node has such a key (`{home}/recovery.pub`, made by `jisr keys recovery`). Then each transaction that
changes rows of a service appends, in the same commit, facts `copy.kept.v1` whose sealed part holds those rows as they
now stand. The other half of the key is not on the node and not at a directorate: nobody opens a copy but whoever has
the file that was put away, and only `jisr sync recover --recovery-key` asks for it.

    row changed → after_flush notes it → before_commit seals it → outbox → journal → home directorate (`full`)

Identity stays twice wrapped: a row that is sealed at rest is copied as it stands, and the keys of the node that open it
are copied too. Erasing somebody destroys the key of a case here and copies that it was destroyed; what was copied
before can be opened by the recovery key only, and by nobody when that file is destroyed.
"""

from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Date, Enum, LargeBinary, Table, event, inspect
from sqlalchemy.orm import Session as AnySession
from sqlmodel import Session, select

from kernel import outbox
from kernel.clock import now
from kernel.crypto import MAX_CONTENT_BYTES, OpeningKey, SealingKey, context_of, key_id_of
from kernel.database import Database, KernelTable, UtcDateTime
from kernel.fact import Fact, FactSchema, compose
from kernel.ids import new_id
from kernel.log import get_logger
from kernel.settings import Settings

log = get_logger("safekeeping")

KEY_FILE = "recovery.pub"
READER = "recovery"
TYPE = "copy.kept.v1"
KEYS = "keys"  # in the place of a service: a copy of the node's own keys
AT_ONCE = 200
_HOW, _CHANGED = "safekeeping", "changed_rows"

Place = tuple[str, tuple[Any, ...]]  # table, primary key


@dataclass(frozen=True)
class Safekeeping:
    """Whose rows are copied, to which key they are sealed, and the shape of the fact that carries them."""

    node: str
    service: str
    key: SealingKey
    shape: type[FactSchema]


class Kept(msgspec.Struct, omit_defaults=True):
    """One row as it stood; `values` is empty where it was deleted."""

    table: str
    key: list[Any]
    values: dict[str, Any] = {}


def begin(database: Database, settings: Settings, shape: type[FactSchema]) -> None:
    """Copy what changes in `database` from now on, if the node has a recovery key."""
    file = settings.home / KEY_FILE
    if file.exists():
        database.info[_HOW] = Safekeeping(settings.node, database.service, SealingKey.load(file), shape)


@event.listens_for(AnySession, "after_flush")
def _note(session: AnySession, _context: object) -> None:
    if _HOW not in session.info:
        return
    changed: dict[Place, Any] = session.info.setdefault(_CHANGED, {})
    for row in (*session.new, *session.dirty):
        if is_kept(type(row)):
            changed[_place(row)] = row
    for row in session.deleted:
        if is_kept(type(row)):
            changed[_place(row)] = None


@event.listens_for(AnySession, "before_commit")
def _keep(session: AnySession) -> None:
    how: Safekeeping | None = session.info.get(_HOW)
    if how is None:
        return
    session.flush()
    changed: dict[Place, Any] = session.info.pop(_CHANGED, {})
    _append(session, how, [Kept(table, list(key), _values(row)) for (table, key), row in changed.items()])


def wrote(session: AnySession, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """Rows were written in this transaction without an object for each, which nobody else would notice."""
    if _HOW in session.info and _is_kept(table):
        keys = [column.name for column in table.primary_key.columns]
        changed: dict[Place, Any] = session.info.setdefault(_CHANGED, {})
        changed.update(((str(table.name), tuple(row[name] for name in keys)), row) for row in rows)


def is_kept(table: type[Any]) -> bool:
    """Whether rows of this table are copied: a service's own, but for those that say `kept: False` in their info."""
    stored: Table | None = getattr(table, "__table__", None)
    return stored is not None and _is_kept(stored)


def _is_kept(table: Table) -> bool:
    return table.metadata is not KernelTable.metadata and table.info.get("kept", True)


def copy_all(database: Database, base: Any, how: Safekeeping) -> int:
    """Copy every row that there is; return how many. For the day on which the node gets its recovery key."""
    count = 0
    for table in _in_order(base):
        model = _models(base)[table.name]
        keys = list(table.primary_key.columns)
        with database.read() as session:
            places = [tuple(each) for each in session.execute(select(*keys).order_by(*keys))]
        for at in range(0, len(places), AT_ONCE):
            with database.write() as session:
                found = [session.get(model, place, with_for_update=True) for place in places[at : at + AT_ONCE]]
                rows = [Kept(str(table.name), list(_place(row)[1]), _values(row)) for row in found if row is not None]
                _append(session, how, rows)
            count += len(rows)
    return count


def copy_keys(session: Session, how: Safekeeping, keys: Mapping[str, bytes]) -> None:
    """Copy keys of the node, by the names of their files: without them restored rows could not be read."""
    content = msgspec.json.encode(keys)
    outbox.append(session, _fact(Safekeeping(how.node, KEYS, how.key, how.shape), content))


def _append(session: Any, how: Safekeeping, rows: Sequence[Kept]) -> None:
    for content in _contents(rows):
        outbox.append(session, _fact(how, content))


def _contents(rows: Iterable[Kept]) -> Iterator[bytes]:
    """Lists of rows as JSON, each small enough to be sealed."""
    waiting: list[bytes] = []
    size = 2
    for row in rows:
        raw = msgspec.json.encode(row)
        if len(raw) + 2 > MAX_CONTENT_BYTES:
            log.warning("safekeeping.too_large", table=row.table, bytes=len(raw))
            continue
        if waiting and size + len(raw) + 1 > MAX_CONTENT_BYTES:
            yield b"[" + b",".join(waiting) + b"]"
            waiting, size = [], 2
        waiting.append(raw)
        size += len(raw) + 1
    if waiting:
        yield b"[" + b",".join(waiting) + b"]"


def _fact(how: Safekeeping, content: bytes) -> Fact:
    fact_id, at = new_id(), now()
    return compose(
        how.shape,
        "kept",
        id=fact_id,
        subject=how.service,
        version=int(at.timestamp() * 1_000_000),
        values={"service": how.service},
        at=at,
        sealed=how.key.seal(content, context=context_of(fact_id, how.node, READER)),
    )


def _place(row: Any) -> Place:
    return row.__tablename__, tuple(inspect(row).mapper.primary_key_from_instance(row))


def _values(row: Any) -> dict[str, Any]:
    """Of an object, of a row that was written without one, or of one that was deleted."""
    if row is None or isinstance(row, Mapping):
        return dict(row or {})
    return {each.columns[0].name: getattr(row, each.key) for each in inspect(row).mapper.column_attrs}


# --- back again


@dataclass(frozen=True)
class Opened:
    """Copies that the recovery key opened, oldest first: the rows of each service, and the node's keys."""

    rows: dict[str, list[list[Kept]]]
    keys: list[dict[str, bytes]]
    sealed_to_another: int


def open_all(node: str, facts: Iterable[Fact], key: OpeningKey) -> Opened:
    """Open the copies among `facts` of `node`. Raises `CannotOpen` for one that was altered."""
    opened = Opened({}, [], 0)
    another = 0
    for fact in facts:
        if fact.type != TYPE or not fact.sealed:
            continue
        if key_id_of(fact.sealed) != key.key_id:
            another += 1
            continue
        content = key.open(fact.sealed, context=context_of(fact.id, node, READER))
        if fact.subject == KEYS:
            opened.keys.append(msgspec.json.decode(content, type=dict[str, bytes]))
        else:
            opened.rows.setdefault(fact.subject, []).append(msgspec.json.decode(content, type=list[Kept]))
    return Opened(opened.rows, opened.keys, another)


def restore(session: Session, base: Any, copies: Iterable[Sequence[Kept]]) -> int:
    """Put copied rows back, in the caller's transaction; return how many there are now that were not, or were older.

    A row that is here and whose version is not lower stays as people left it.
    """
    models = _models(base)
    order = {table.name: at for at, table in enumerate(_in_order(base))}
    ours: set[Place] = set()
    for rows in copies:
        known = [row for row in rows if row.table in models]
        for row in sorted(known, key=lambda each: order[each.table]):
            if row.values:
                _restore(session, models[row.table], row, ours)
        for row in sorted(known, key=lambda each: -order[each.table]):
            if not row.values:
                _remove(session, models[row.table], row, ours)
        session.flush()
    return len(ours)


def _restore(session: Session, model: type[Any], row: Kept, ours: set[Place]) -> None:
    table: Table = model.__table__
    values = {name: _read(table, name, value) for name, value in row.values.items() if name in table.columns}
    key = tuple(_read(table, column.name, row.values[column.name]) for column in table.primary_key.columns)
    place = (row.table, key)
    found = session.get(model, key)
    if found is None:
        session.add(model(**_attributes(model, values)))
        session.flush()
    elif place in ours or ("version" in values and values["version"] > found.version):
        for name, value in _attributes(model, values).items():
            setattr(found, name, value)
    else:
        return
    ours.add(place)


def _remove(session: Session, model: type[Any], row: Kept, ours: set[Place]) -> None:
    table: Table = model.__table__
    columns = list(table.primary_key.columns)
    key = tuple(_read(table, column.name, value) for column, value in zip(columns, row.key, strict=True))
    found = session.get(model, key)
    if found is not None and (row.table, key) in ours:
        session.delete(found)
        session.flush()
        ours.discard((row.table, key))


def _attributes(model: type[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    names = {each.columns[0].name: each.key for each in inspect(model).column_attrs}
    return {names[name]: value for name, value in values.items()}


def _read(table: Table, name: str, value: Any) -> Any:
    """A value as the column takes it, from what JSON made of it."""
    kind: Any = table.columns[name].type
    if value is None:
        return None
    if isinstance(kind, LargeBinary):
        return b64decode(value)
    if isinstance(kind, Enum) and kind.enum_class is not None:
        return kind.enum_class(value)
    if isinstance(kind, UtcDateTime):
        return datetime.fromisoformat(value)
    return date.fromisoformat(value) if isinstance(kind, Date) else value


def _models(base: Any) -> dict[str, type[Any]]:
    return {each.__tablename__: each for each in base.__subclasses__() if is_kept(each)}


def _in_order(base: Any) -> list[Table]:
    """The tables that are kept, those first that others refer to."""
    models = _models(base)
    return [table for table in base.metadata.sorted_tables if table.name in models]


def save_key(file: Path, home: Path) -> SealingKey:
    """Make the recovery key: the private half into `file`, which leaves the node; the public one into its home."""
    key = OpeningKey.new()
    key.sealing_key.save(home / KEY_FILE)
    key.save(file)
    return key.sealing_key
