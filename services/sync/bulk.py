"""Many rows in few statements: what catch-up spends its time on.

Measured with 20,000 entries: SQLAlchemy's own row-by-row preparation costs as much as everything else together on
SQLite, and an upsert of many rows becomes one round trip a row on PostgreSQL. So rows are handed to the driver as they
are: `executemany` on SQLite, `COPY` in PostgreSQL's binary format, which spares both sides the writing and reading of
text; an upsert on PostgreSQL copies into a temporary table first. Rows are encoded column by column while they are
sent, a piece at a time: all of it at once would be as much memory again as the rows. Where the rows themselves are not
needed any more they can be made ready before there is a connection (`Rows`).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import chain, islice, repeat
from struct import Struct
from typing import Any

from sqlmodel import Session

# str (also for JSON), bytes, bool, int (BIGINT), aware datetime or None, in the order of the columns. The values of one
# column are of one type.
Row = Sequence[Any]
Column = Sequence[Any]

ROWS_A_PIECE = 1024  # some MiB; for each piece a thread gives way to the others, and may wait for its turn
_BEGIN = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"
_NULL = b"\xff\xff\xff\xff"
_POSTGRESQL_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_u16 = Struct(">H").pack
_u32 = Struct(">I").pack
_long = Struct(">Iq").pack


def insert(session: Session, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Insert rows into a table of ours; names are constants of the caller, never input."""
    if not rows:
        return
    session.flush()
    values = list(zip(*rows, strict=True))
    if _is_postgresql(session):
        _copy(session, table, columns, _pieces(values))
    else:
        _many(session, _inserting(table, columns), _for_sqlite(values))


def insert_rows(session: Session, table: str, names: Sequence[str], some: Sequence["Rows"]) -> None:
    """As `insert`, of rows that were made ready before, for the database of `session`."""
    session.flush()
    if _is_postgresql(session):
        _copy(session, table, names, (rows.encoded for rows in some if rows.encoded))
    else:
        _many(session, _inserting(table, names), [row for rows in some for row in rows.plain])


class Rows:
    """Rows of one table, made ready for `insert_rows` into a database of `dialect`, for which no connection is needed.

    `some`: column by column, a few rows at a time. `encoded`: as PostgreSQL's COPY takes them; `plain`: as SQLite's
    driver does.
    """

    def __init__(self, dialect: str, some: Iterable[Sequence[Column]]) -> None:
        self.encoded, self.plain = b"", list[Row]()
        if dialect == "postgresql":
            self.encoded = b"".join(piece for columns in some for piece in _pieces(columns))
        else:
            self.plain = [row for columns in some for row in _for_sqlite(columns)]


def upsert(session: Session, table: str, columns: Sequence[str], rows: Sequence[Row], *, key: str, newer: str) -> None:
    """Insert rows or, where a row with the same `key` is there, replace it if the column `newer` is higher.

    `key`: names with commas. No two of `rows` may have the same key.
    """
    if not rows:
        return
    session.flush()
    values = list(zip(*rows, strict=True))
    names, keys = ", ".join(columns), key.split(", ")
    change = ", ".join(f"{name} = excluded.{name}" for name in columns if name not in keys)
    conflict = f"ON CONFLICT ({key}) DO UPDATE SET {change} WHERE excluded.{newer} > {table}.{newer}"
    if not _is_postgresql(session):
        _many(session, f"{_inserting(table, columns)} {conflict}", _for_sqlite(values))
        return
    incoming = f"incoming_{table}"
    connection = session.connection()
    made = f"CREATE TEMPORARY TABLE IF NOT EXISTS {incoming} (LIKE {table}) ON COMMIT DELETE ROWS"
    emptied = f"DELETE FROM {incoming}"  # noqa: S608 - of an earlier call in this transaction
    connection.exec_driver_sql(f"{made}; {emptied}")
    _copy(session, incoming, columns, _pieces(values))
    connection.exec_driver_sql(f"INSERT INTO {table} ({names}) SELECT {names} FROM {incoming} {conflict}")  # noqa: S608


def copied(session: Session, query: str, most_bytes: int) -> list[bytes]:
    """The first rows of a query on PostgreSQL, until they exceed `most_bytes`; one if there is any. Each as the binary
    format of COPY has it: a number of columns, and each after its length.

    A third of the time that a cursor takes: nothing becomes text, and no row an object before its reader wants it. Of
    what was more than enough the driver throws away the rest with the next statement: ask for little more.
    """
    rows = _Written(most_bytes)
    connection: Any = session.connection().connection
    with connection.cursor() as cursor:
        try:
            cursor.copy_expert(f"COPY ({query}) TO STDOUT WITH (FORMAT binary)", rows)
        except _Enough:
            rows.found.append(_END)
    first, *rest = rows.found
    return [first[len(_BEGIN) :], *rest][:-1]  # the last is the mark of the end


class _Enough(Exception):
    pass


class _Written:
    """A file that COPY writes: the driver writes once for each row, the head of the format together with the first."""

    def __init__(self, most_bytes: int) -> None:
        self.found: list[bytes] = []
        self._room = most_bytes

    def write(self, row: bytes) -> None:
        self._room -= len(row)
        if self._room < 0 and self.found:
            raise _Enough
        self.found.append(row)


def _is_postgresql(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"


def _inserting(table: str, columns: Sequence[str]) -> str:
    marks = ", ".join("?" for _ in columns)
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608


def _many(session: Session, statement: str, rows: Iterable[Row]) -> None:
    session.connection().exec_driver_sql(statement, list(rows))


def _for_sqlite(columns: Sequence[Column]) -> Iterable[Row]:
    return zip(*map(_column_for_sqlite, columns), strict=True)


def _column_for_sqlite(column: Column) -> Column:
    """Instants are written as SQLAlchemy does: text in UTC without a zone."""
    if isinstance(_first(column), datetime):
        return [None if value is None else _as_text(value) for value in column]
    return column


@lru_cache(maxsize=64)
def _as_text(instant: datetime) -> str:
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(" ", timespec="microseconds")


def _first(column: Column) -> Any:
    return next((value for value in column if value is not None), None)


def _copy(session: Session, table: str, names: Sequence[str], pieces: Iterable[bytes]) -> None:
    connection: Any = session.connection().connection
    with connection.cursor() as cursor:
        statement = f"COPY {table} ({', '.join(names)}) FROM STDIN WITH (FORMAT binary)"
        cursor.copy_expert(statement, _Read(chain((_BEGIN,), pieces, (_END,))))


class _Read:
    """A file that COPY reads; the driver takes whatever it is given."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)

    def read(self, _size: int) -> bytes:
        """What comes next; nothing at the end."""
        return next(self._pieces, b"")


def _pieces(columns: Sequence[Column]) -> Iterator[bytes]:
    """The rows in PostgreSQL's binary format, https://www.postgresql.org/docs/current/sql-copy.html"""
    fields = [each for column in columns for each in _fields(column)]
    tuples = map(b"".join, zip(repeat(_u16(len(columns))), *fields, strict=False))
    while piece := b"".join(islice(tuples, ROWS_A_PIECE)):
        yield piece


Fields = tuple[Iterable[bytes], ...]  # what each row of a column is joined from


def _fields(column: Column) -> Fields:
    """Of the usual column, without a NULL, no line of Python is executed for each row."""
    first = column[0]
    if all(value is first for value in column):  # an origin, an instant: the same object in every row
        (one,) = zip(*_encoded([first]), strict=True)
        return (repeat(b"".join(one), len(column)),)
    if None not in column:
        return _encoded(column)
    there = map(b"".join, zip(*_encoded([value for value in column if value is not None]), strict=True))
    return ([_NULL if value is None else next(there) for value in column],)


def _encoded(column: Column) -> Fields:
    encode = _ENCODED.get(type(column[0]))
    return ([_NULL] * len(column),) if encode is None else encode(column)


def _of_bytes(column: Sequence[bytes]) -> Fields:
    return map(_u32, map(len, column)), column


def _of_texts(column: Sequence[str]) -> Fields:
    return _of_bytes([value.encode() for value in column])


def _of_numbers(column: Iterable[int]) -> Fields:
    return (map(_long, repeat(8), column),)


def _of_truths(column: Sequence[bool]) -> Fields:
    return ([_u32(1) + bytes((value,)) for value in column],)


def _of_instants(column: Sequence[datetime]) -> Fields:
    return _of_numbers(map(_microseconds, column))


def _microseconds(instant: datetime) -> int:
    return (instant - _POSTGRESQL_EPOCH) // timedelta(microseconds=1)


_ENCODED: dict[type, Callable[[Any], Fields]] = {
    bytes: _of_bytes,
    str: _of_texts,
    int: _of_numbers,
    bool: _of_truths,
    datetime: _of_instants,
}
