"""What a node recorded before stays when the whole life of a case comes: the lifecycle's migration, with rows."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from kernel.database import Database
from kernel.migration import migrate
from tests.conftest import Databases
from tests.services.case.test_identity_at_rest import clear_id, insert_clear

NEXT = {
    "received": "triage",
    "triaged": "assign",
    "assigned": "first_contact",
    "in_progress": "work",
    "on_hold": "review",
    "resolution_proposed": "approval",
    "closed": None,
    "withdrawn": None,
}


def test_what_was_recorded_before_stays_and_what_is_open_is_due_at_once(databases: Databases) -> None:
    url = databases.empty()
    migrate(url, "case", to="case_0001")
    before = Database(url, service="case")
    with before.write() as session:
        for number, status in enumerate(NEXT):
            insert_clear(session, number)
            _set(session, number, status=status)
        _set(session, 0, category="corruption")
    before.close()
    assert migrate(url, "case", to="case_0002") == ["case_0002"]
    after = Database(url, service="case")
    try:
        with after.read() as session:
            for number, (status, step) in enumerate(NEXT.items()):
                row = _row(session, number)
                assert (row.status, row.next_step, row.number) == (status, step, f"NI-2026-00000{number}-X")
                assert (row.due_at is None) == (step is None)
                assert row.walled == (number == 0)
                assert "ninewa-1" in str(row.units)
                assert row.closings == (1 if status == "closed" else 0)
        for frozen in ("recording_class = 'undetermined'", "current_class = 'undetermined'"):
            with pytest.raises(DBAPIError), after.write() as session:
                session.connection().execute(text(f"UPDATE case_record SET {frozen}"))  # noqa: S608
    finally:
        after.close()


def _set(session: Session, number: int, **values: str) -> None:
    for name, value in values.items():
        session.connection().execute(
            text(f"UPDATE case_record SET {name} = :value WHERE id = :id"),  # noqa: S608 - names of this file
            {"value": value, "id": clear_id(number)},
        )


def _row(session: Session, number: int) -> Any:
    statement = text("SELECT * FROM case_record WHERE id = :id")
    return session.connection().execute(statement, {"id": clear_id(number)}).one()
