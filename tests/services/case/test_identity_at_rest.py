"""What identifies people stands sealed in the database, is opened with the node's key only, and can be destroyed."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session, select

from kernel.audit import verify_audit
from kernel.crypto import new_secret
from kernel.database import Database
from kernel.errors import SettingsError
from kernel.migration import migrate
from kernel.vault import FORMER_KEY, IDENTITY_KEY, NotUnsealed, Vault, change
from services.case import handlers, sealing
from services.case.sealing import VAULT, IdentityErased
from services.case.tables import CaseKey, CaseNote, CaseParty, CaseRecord
from tests.conftest import Databases
from tests.services.case.office import HANDLER, INTAKE, SUPERVISOR, Office

ZAINAB = {
    "role": "affected",
    "name": "زينب المختار",
    "sex": "female",
    "birth_date": "1987-06-05",
    "phone": "07701234567",
    "address": "behind the mill",
}
SEALED: tuple[Any, ...] = (CaseParty, CaseNote)
TOLD = "he stood before the door with a knife"
REASON = "erased as the person asked"


def everything(session: Session) -> str:
    """Every row of every table of the service's database, as text."""
    connection = session.connection()
    tables = sorted(table for table in sealing.CaseKey.metadata.tables)
    rows = [repr(row) for table in tables for row in connection.execute(text(f"SELECT * FROM {table}"))]  # noqa: S608
    return "\n".join(rows)


def at_work(office: Office) -> CaseRecord:
    case = office.at_work(parties=[ZAINAB], narrative=TOLD, place="the third house")
    office.note(case, text="she sleeps at her sister's")
    return case


def erase(office: Office, case: CaseRecord) -> bool:
    def work(session: Session) -> bool:
        row = session.get_one(CaseRecord, case.id)
        return handlers.erase_identity(session, row, by=SUPERVISOR, reason=REASON, now=office.now)

    return bool(office.run(work))


def test_nobody_who_reads_the_database_reads_a_name(office: Office) -> None:
    at_work(office)
    rows = office.run(everything)
    for personal in ("زينب", "07701234567", "1987", "mill", "knife", "third house", "sister", "female"):
        assert personal not in rows
    assert "زينب".encode().hex() not in rows.lower()


def test_its_own_people_read_all_of_it(office: Office) -> None:
    case = at_work(office)
    identity = office.get(case, HANDLER).identity
    assert identity is not None
    (party,) = identity.parties
    assert (party.name, party.phone, str(party.birth_date)) == ("زينب المختار", "07701234567", "1987-06-05")
    assert (identity.narrative, identity.place) == (TOLD, "the third house")
    assert [note.text for note in office.notes(case, HANDLER)] == ["she sleeps at her sister's"]


def test_a_name_that_is_moved_to_another_case_does_not_open(office: Office) -> None:
    case, mine = at_work(office), at_work(office)

    def move(session: Session) -> None:
        for party in session.exec(select(CaseParty).where(CaseParty.case_id == case.id)):
            party.case_id = mine.id
            session.add(party)

    office.run(move)
    with pytest.raises(NotUnsealed):
        office.get(mine, HANDLER)


def test_without_the_nodes_key_nothing_opens(office: Office) -> None:
    case = at_work(office)
    office.database.info[VAULT] = Vault(lambda: [bytes(32)])
    with pytest.raises(NotUnsealed):
        office.get(case, HANDLER)


def test_destroying_the_key_of_a_case_destroys_its_identity_and_leaves_the_count(office: Office) -> None:
    case, other = at_work(office), at_work(office)
    version = office.row(case).version
    assert erase(office, case)
    assert office.get(case, HANDLER).identity is None
    with pytest.raises(IdentityErased):
        office.notes(case, HANDLER)
    assert office.get(other, HANDLER).identity is not None
    assert {case.id, other.id} <= set(office.listed(SUPERVISOR))
    assert office.row(case).version == version + 1
    assert not erase(office, case)

    def left(session: Session) -> list[Any]:
        sealed = [row.sealed for table in SEALED for row in session.exec(select(table).where(table.case_id == case.id))]
        return [session.get_one(CaseKey, case.id).wrapped, *sealed]

    assert set(office.run(left)) == {None}


def test_a_tombstone_in_the_journal_and_the_audit_log_say_that_it_was_erased(office: Office) -> None:
    case = at_work(office)
    erase(office, case)
    fact = office.last_fact()
    assert (fact.type, fact.subject, fact.version) == ("case.erased.v1", case.id, office.row(case).version)
    assert office.audited()[-1] == (SUPERVISOR.id, "erase_identity", case.id, "allowed", REASON)
    assert office.run(verify_audit) is None


def test_a_new_key_of_the_node_opens_what_the_former_one_sealed_once_all_is_wrapped_anew(
    office: Office, tmp_path: Path
) -> None:
    new_secret(tmp_path / IDENTITY_KEY)
    office.database.info[VAULT] = Vault.at(tmp_path)
    cases = [at_work(office) for _ in range(3)]
    erase(office, cases[0])
    assert change(tmp_path)
    assert not change(tmp_path), "a second change waits until the former key is no longer needed"
    vault = office.database.info[VAULT] = Vault.at(tmp_path)
    assert office.get(cases[1], HANDLER).identity is not None, "readable before it is wrapped anew"
    assert office.run(lambda session: sealing.wrap_anew(session, limit=1)) == 2, "a case, the node's secret"
    assert office.run(lambda session: sealing.wrap_anew(session, limit=100)) == 1
    assert office.run(lambda session: sealing.wrap_anew(session, limit=100)) == 0
    (tmp_path / FORMER_KEY).unlink()
    vault.reload()
    for case in cases[1:]:
        assert office.get(case, HANDLER).identity is not None


def test_a_service_that_runs_on_reads_the_new_key_when_it_meets_it(office: Office, tmp_path: Path) -> None:
    new_secret(tmp_path / IDENTITY_KEY)
    running = office.database.info[VAULT] = Vault.at(tmp_path)
    at_work(office)
    change(tmp_path)
    office.database.info[VAULT] = Vault.at(tmp_path)
    case = at_work(office)
    office.database.info[VAULT] = running
    assert office.get(case, HANDLER).identity is not None


def test_what_the_release_before_kept_in_the_clear_is_sealed_without_loss(databases: Databases, tmp_path: Path) -> None:
    url = databases.empty()
    migrate(url, "case", to="case_0001")
    before = Database(url, service="case")
    with before.write() as session:
        for number in range(3):
            insert_clear(session, number)
    before.close()
    with pytest.raises(SettingsError, match="identity key"):
        migrate(url, "case")
    new_secret(tmp_path / IDENTITY_KEY)
    assert "case_0003" in migrate(url, "case", keys=tmp_path)
    after = Database(url, service="case")
    office = Office(after)
    after.info[VAULT] = Vault.at(tmp_path)
    try:
        rows = office.run(everything)
        assert not any(personal in rows for personal in ("زينب", "07701234567", "1987-06-05", TOLD))
        for number in range(3):
            case = office.run(partial(Session.get_one, entity=CaseRecord, ident=clear_id(number)))
            identity = office.get(case, INTAKE).identity
            assert identity is not None
            assert [(party.name, str(party.birth_date)) for party in identity.parties] == [("زينب", "1987-06-05")]
            assert (identity.narrative, identity.place) == (TOLD, None)
            assert [note.text for note in office.notes(case, INTAKE)] == ["a note"]
    finally:
        after.close()


def clear_id(number: int) -> str:
    return f"0198c3a0-0000-7000-8000-00000000000{number}"


def insert_clear(session: Session, number: int) -> None:
    """A case as the first release kept it."""
    case = {
        "id": clear_id(number), "number": f"NI-2026-00000{number}-X", "version": 1, "status": "received",
        "recording_class": "non_crime", "current_class": "non_crime", "category": "neighbour_dispute",
        "restricted": False, "channel": "walk_in", "district": "mosul", "reported_at": "2026-03-01 09:00:00",
        "opened_at": "2026-03-01 09:00:00", "opened_by": INTAKE.id, "language": "ar", "interpreter": False,
        "handler_preference": "any", "prior_resort": "none", "pressure_reported": False, "unit": "ninewa-1",
        "age_band": "25-34", "parties_told": "suppressed", "handlers": "[]", "notes": 1,
    }  # fmt: skip
    insert_row(session, "case_record", case)
    answers = (
        '{"force":"no","threat":"no","injury":"no","weapon":"no","child":"no","money_taken":"no","images_misused":"no"}'
    )
    intake = {"answers": answers, "recording_class": "non_crime", "rule_version": 1, "answered_at": case["opened_at"]}
    insert_row(session, "case_intake", {"case_id": case["id"], **intake})
    person = {"role": "affected", "name": "زينب", "sex": "female", "birth_date": "1987-06-05", "phone": "07701234567"}
    insert_row(session, "case_party", {"id": f"party-{number}", "case_id": case["id"], **person})
    insert_row(session, "case_narrative", {"case_id": case["id"], "narrative": TOLD})
    note = {"kind": "note", "text": "a note", "author_id": HANDLER.id, "written_at": case["opened_at"]}
    insert_row(session, "case_note", {"id": f"note-{number}", "case_id": case["id"], **note})


def insert_row(session: Session, table: str, row: dict[str, Any]) -> None:
    names = ", ".join(row)
    places = ", ".join(f":{name}" for name in row)
    session.connection().execute(text(f"INSERT INTO {table} ({names}) VALUES ({places})"), row)  # noqa: S608


def test_the_key_of_a_case_is_erased_from_the_file_itself(make_sqlite_database: Any, tmp_path: Path) -> None:
    database = make_sqlite_database("case")
    office = Office(database)
    case = at_work(office)
    wrapped = office.run(lambda session: session.get_one(CaseKey, case.id).wrapped)
    erase(office, case)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").close()
    assert all(wrapped not in file.read_bytes() for file in tmp_path.glob("*.db*"))
