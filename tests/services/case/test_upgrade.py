"""What a node recorded before stays, through every migration since: databases with rows of the first release."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from contracts import case as contract
from kernel.crypto import new_secret
from kernel.database import Database
from kernel.migration import migrate
from kernel.vault import IDENTITY_KEY, Vault
from services.case import handlers, sealing
from services.case.sealing import VAULT
from services.case.tables import CaseRecord, Referral
from tests.conftest import Databases
from tests.services.case.office import HANDLER, REASON, SUPERVISOR, Office
from tests.services.case.test_identity_at_rest import clear_id, insert_clear, insert_row

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


REFERRALS: dict[str, dict[str, Any]] = {
    "sent": {"status": "sent"},
    "overdue": {"status": "sent", "overdue_at": "2026-03-05 09:00:00"},
    "accepted": {"status": "accepted", "answered_at": "2026-03-03 09:00:00"},
}


def test_a_database_of_the_first_release_comes_up_whole_and_its_cases_go_on(
    databases: Databases, tmp_path: Path
) -> None:
    url = databases.empty()
    migrate(url, "case", to="case_0001")
    _fill(url)
    new_secret(tmp_path / IDENTITY_KEY)
    migrate(url, "case", to="case_0008", keys=tmp_path)
    with _office(url, tmp_path) as office:
        assert office.run(lambda session: sealing.index_anew(session, limit=10)) == 3
    assert migrate(url, "case", keys=tmp_path)[0] == "case_0009"
    with _office(url, tmp_path) as office:
        _cases_are_whole(office)
        _referrals_are_carried_over(office)
        case = office.triage(_get(office, CaseRecord, clear_id(0)))
        assert (case.status, case.version, office.last_fact().type) == ("triaged", 2, "case.triaged.v1")
        assert office.open().number.split("-")[2] == "000003"


def _fill(url: str) -> None:
    """Three cases and three referrals as the first release kept them."""
    before = Database(url, service="case")
    sent = {"version": 1, "destination": "health", "office": "the clinic", "urgency": "urgent", "sender_hash": "h"}
    sent |= {"sent_by": HANDLER.id, "sent_at": "2026-03-02 09:00:00", "due_at": "2026-03-05 09:00:00"}
    with before.write() as session:
        for number, (name, more) in enumerate(REFERRALS.items()):
            insert_clear(session, number)
            row = {"id": name, "number": f"R-NI-2026-00000{number}-X", "case_id": clear_id(number), **sent, **more}
            insert_row(session, "referral", row)
        insert_row(session, "number_sequence", {"iso": "NI", "prefix": "", "year": 2026, "last": 2})
    before.close()


@contextmanager
def _office(url: str, keys: Path) -> Iterator[Office]:
    database = Database(url, service="case")
    office = Office(database)
    database.info[VAULT] = Vault.at(keys)
    try:
        yield office
    finally:
        database.close()


def _get(office: Office, table: type[Any], ident: str) -> Any:
    with office.database.read() as session:
        return session.get_one(table, ident)


def _cases_are_whole(office: Office) -> None:
    for number in range(3):
        row = _get(office, CaseRecord, clear_id(number))
        assert (row.status, row.recording_class, row.number) == ("received", "non_crime", f"NI-2026-00000{number}-X")
        assert (row.owner_epoch, row.owned, row.counted, row.incomplete) == (1, True, True, False)
    ask = {"name": "Zaynab", "reason": REASON}
    finds = office.do(handlers.find_persons, contract.FindPersons, SUPERVISOR, **ask)
    assert sorted((find.case.id, find.party.name) for find in finds.items) == [
        (clear_id(number), "زينب") for number in range(3)
    ]
    for change in ("UPDATE case_record SET recording_class = 'undetermined'", "UPDATE case_record SET number = 'X'"):
        with pytest.raises(DBAPIError):
            office.execute(change)
    with pytest.raises(DBAPIError):
        office.execute("DELETE FROM case_intake")


def _referrals_are_carried_over(office: Office) -> None:
    """What was sent stays sent; what had been told of its silence is told the next step, not the first again."""
    rows = {name: _get(office, Referral, name) for name in REFERRALS}
    assert {name: row.escalation for name, row in rows.items()} == {"sent": 0, "overdue": 1, "accepted": 0}
    due = datetime(2026, 3, 5, 9, tzinfo=UTC)
    assert {name: row.next_step_at for name, row in rows.items()} == {
        "sent": due,
        "overdue": due + timedelta(hours=36),
        "accepted": None,
    }
    assert all(row.created_at == row.sent_at and row.consent is None and row.withhold == [] for row in rows.values())
    assert office.break_silence() == 2
    after = {name: _get(office, Referral, name) for name in REFERRALS}
    assert {name: row.escalation for name, row in after.items()} == {"sent": 1, "overdue": 2, "accepted": 0}


def _set(session: Session, number: int, **values: str) -> None:
    for name, value in values.items():
        session.connection().execute(
            text(f"UPDATE case_record SET {name} = :value WHERE id = :id"),  # noqa: S608 - names of this file
            {"value": value, "id": clear_id(number)},
        )


def _row(session: Session, number: int) -> Any:
    statement = text("SELECT * FROM case_record WHERE id = :id")
    return session.connection().execute(statement, {"id": clear_id(number)}).one()
