"""Many new rows written with few statements.

The use cases write as they always do, one row after the other, each flushed before what refers to it. For one case that
is right; for thousands, the flushes are most of the time. `Gathering` stands in the place of their session: it keeps
what is added, and writes it at the end, table by table in the order in which they refer to each other. What a use case
reads or executes goes to the session itself; it must not read back what it has just added, and opening a case does not.
"""

from collections.abc import Iterable
from typing import Any, cast

from sqlalchemy import Table, insert
from sqlmodel import Session

from kernel.outbox import OutboxRow
from services.case.tables import Base

_ORDER: list[Table] = [*Base.metadata.sorted_tables, OutboxRow.__table__]


class Gathering:
    """A session that only gathers what is added."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._added: dict[str, list[Any]] = {}

    def as_session(self) -> Session:
        """For a use case."""
        return cast(Session, self)

    def add(self, row: Any) -> None:
        self._added.setdefault(row.__tablename__, []).append(row)

    def add_all(self, rows: Iterable[Any]) -> None:
        for row in rows:
            self.add(row)

    def flush(self) -> None:
        """Nothing yet: `write` does it."""

    def write(self) -> None:
        """Write everything, in the session's transaction."""
        connection = self._session.connection()
        for table in _ORDER:
            rows = self._added.pop(table.name, [])
            if rows:
                first = rows[0]
                given = [each for each in table.columns if each.nullable or getattr(first, each.key) is not None]
                values = [{column.name: getattr(row, column.key) for column in given} for row in rows]
                connection.execute(insert(table), values)
        if self._added:
            raise TypeError(f"no place for rows of {', '.join(self._added)}")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)
