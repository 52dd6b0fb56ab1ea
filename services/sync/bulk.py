"""Many rows in few statements: what catch-up spends its time on.

Measured with 20,000 entries: SQLAlchemy's own row-by-row preparation costs as much as everything else together on
SQLite, and an upsert of many rows becomes one round trip a row on PostgreSQL. So rows are handed to the driver as they
are (`executemany` on SQLite, `COPY` on PostgreSQL); an upsert on PostgreSQL copies into a temporary table first.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlmodel import Session

Row = Sequence[Any]  # str, int, bool, bytes, aware datetime or None, in the order of the columns

COPY_BYTES = 64 * 1024
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def insert(session: Session, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Insert rows into a table of ours; names are constants of the caller, never input."""
    session.flush()
    if _is_postgresql(session):
        _copy(session, table, columns, rows)
    else:
        _many(session, f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({_marks(columns)})", rows)  # noqa: S608


def upsert(session: Session, table: str, columns: Sequence[str], rows: Sequence[Row], *, key: str, newer: str) -> None:
    """Insert rows or, where a row with the same `key` is there, replace it if the column `newer` is higher.

    `key`: names with commas. No two of `rows` may have the same key.
    """
    session.flush()
    names = ", ".join(columns)
    change = ", ".join(f"{name} = excluded.{name}" for name in columns)
    conflict = f"ON CONFLICT ({key}) DO UPDATE SET {change} WHERE excluded.{newer} > {table}.{newer}"
    if not _is_postgresql(session):
        _many(session, f"INSERT INTO {table} ({names}) VALUES ({_marks(columns)}) {conflict}", rows)  # noqa: S608
        return
    incoming = f"incoming_{table}"
    connection = session.connection()
    connection.exec_driver_sql(f"CREATE TEMPORARY TABLE IF NOT EXISTS {incoming} (LIKE {table}) ON COMMIT DELETE ROWS")
    connection.exec_driver_sql(f"DELETE FROM {incoming}")  # noqa: S608 - of an earlier call in this transaction
    _copy(session, incoming, columns, rows)
    connection.exec_driver_sql(f"INSERT INTO {table} ({names}) SELECT {names} FROM {incoming} {conflict}")  # noqa: S608


def _is_postgresql(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"


def _marks(columns: Sequence[str]) -> str:
    return ", ".join("?" for _ in columns)


def _many(session: Session, statement: str, rows: Sequence[Row]) -> None:
    if rows:
        session.connection().exec_driver_sql(statement, _for_sqlite(rows))


def _for_sqlite(rows: Sequence[Row]) -> list[tuple[Any, ...]]:
    """Rows whose instants are written as SQLAlchemy does: text in UTC without a zone. No instant may be None."""
    instants = [at for at, value in enumerate(rows[0]) if isinstance(value, datetime)]
    written: list[tuple[Any, ...]] = []
    for row in rows:
        values = list(row)
        for at in instants:
            values[at] = _as_text(values[at])
        written.append(tuple(values))
    return written


@lru_cache(maxsize=64)
def _as_text(instant: datetime) -> str:
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(" ", timespec="microseconds")


def _copy(session: Session, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
    connection: Any = session.connection().connection
    with connection.cursor() as cursor:
        cursor.copy_expert(f"COPY {table} ({', '.join(columns)}) FROM STDIN", _Lines(rows), size=COPY_BYTES)


class _Lines:
    """Rows as the text that COPY reads, a piece at a time: all of it at once would be some ten times the batch."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = iter(rows)
        self._rest = b""

    def read(self, size: int) -> bytes:
        pieces, length = [self._rest], len(self._rest)
        while length < size and (row := next(self._rows, None)) is not None:
            line = ("\t".join(map(_for_copy, row)) + "\n").encode()
            pieces.append(line)
            length += len(line)
        text = b"".join(pieces)
        self._rest = text[size:]
        return text[:size]


def _for_copy(value: Any) -> str:
    """PostgreSQL's text format: https://www.postgresql.org/docs/current/sql-copy.html"""
    if isinstance(value, str):
        return value.translate(_ESCAPES)
    if isinstance(value, bytes):
        return f"\\\\x{value.hex()}"
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, datetime):
        return value.isoformat()
    return "\\N" if value is None else str(value)
