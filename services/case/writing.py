"""Rows written without an object for each, and gathered where there are many.

An object that a session follows costs more than the row it stands for. Where nobody changes or returns a row, the use
cases give its values to `put`. Into a session's transaction it is written at once. Into a `Gathering` it is kept, to be
written later with thousands of others, table by table: so the same use case records one case over HTTP and a register
of many, and what it does is the same.
"""

from collections.abc import Iterable
from typing import Any, cast

from sqlalchemy import Table, insert
from sqlmodel import Session

from kernel import safekeeping
from kernel.outbox import OutboxRow
from services.case.tables import Base

_ORDER: list[Table] = [*Base.metadata.sorted_tables, OutboxRow.__table__]
Values = dict[str, Any]


class Gathering:
    """What use cases write, kept in memory. No session stands behind it: what reads the database cannot use it."""

    def __init__(self, info: dict[str, Any]) -> None:
        """`info`: as a session's, what tables need to be read and sealed."""
        self.info = info
        self.rows: dict[str, list[Values]] = {}

    def put(self, table: str, values: Iterable[Values]) -> None:
        """Keep rows."""
        self.rows.setdefault(table, []).extend(values)

    def add(self, row: Any) -> None:
        """Keep the row that an object stands for, as the object is now."""
        columns = row.__table__.columns
        given = {each.name: value for each in columns if (value := getattr(row, each.key)) is not None or each.nullable}
        self.put(row.__tablename__, [given])

    def flush(self) -> None:
        """Nothing yet: `write` does it."""

    def as_session(self) -> Session:
        """For a use case."""
        return cast(Session, self)


def put(session: Session, table: type[Any], *rows: Values) -> None:
    """Write rows; each has the same columns."""
    if isinstance(session, Gathering):
        session.put(table.__tablename__, rows)
    elif rows:
        session.flush()  # what they refer to
        session.connection().execute(insert(table), rows)
        safekeeping.wrote(session, table.__table__, rows)


def write(session: Session, gathered: Iterable[dict[str, list[Values]]]) -> None:
    """Write what was gathered, together, in the order in which tables refer to each other."""
    together: dict[str, list[Values]] = {}
    for some in gathered:
        for name, rows in some.items():
            together.setdefault(name, []).extend(rows)
    for table in _ORDER:
        for rows in _alike(together.pop(table.name, [])):
            session.connection().execute(insert(table), rows)
            safekeeping.wrote(session, table, rows)
    if together:
        raise TypeError(f"no place for rows of {', '.join(together)}")


def _alike(rows: list[Values]) -> Iterable[list[Values]]:
    """Rows by the columns they give: one statement takes those that give the same."""
    groups: dict[tuple[str, ...], list[Values]] = {}
    for row in rows:
        groups.setdefault(tuple(row), []).append(row)
    return groups.values()
